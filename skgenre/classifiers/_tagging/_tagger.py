"""A classifier of sound files that needs no labels: pretrained tags to genres."""

import os
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import Interval
from skgenre.classifiers._checks import check_extra_label, check_target, put_label
from skgenre.classifiers._tagging._tag_genres import (
    FEATURE_NAMES,
    VIEWS,
    genre_weights,
    top_tags,
)
from skgenre.features._base import PARAMETER_DOCS, AudioTransformer, Work
from skgenre.features._missing_clips import MISSING
from skgenre.features._pretrained._musicnn import PATCH_SECONDS, MusicnnEmbedding

_LEAST = 1e-6  # of a tag's probability, before its logarithm


@substitute(**PARAMETER_DOCS)
class GenreTagger(ClassifierMixin, AudioTransformer):
    """Predict genres of sound files without any training, by pretrained tags.

    musicnn gives each clip the probabilities of 100 tags, and each genre is one or
    several of these tags. Labels are not needed; without `standardize`, neither is
    `fit`. The pretrained weights are: see :func:`skgenre.fetch_weights`.

    Parameters
    ----------
    genres : None, sequence of str, or dict of str to str or sequence of str, \
            default=None
        Genres to choose from. None: ambient, blues, classical, country, dance,
        electronic, folk, funk, hip-hop, jazz, metal, pop, punk, rock, soul. A
        sequence: some of these, also by their German, French or Spanish names; the
        fewer, the more often right. A dict: your own genres and their tags, of which
        `get_feature_names_out` is the list; 'rock' is the Million Song Dataset's tag,
        and 'mtt_tags_rock' MagnaTagATune's.
    standardize : bool, default=False
        Standardise each tag over the clips of `fit`, so that a genre counts where it
        is more probable than usual. For large, mixed collections: in one of a single
        genre, its clips would be spread over all.
    threshold : float or None, default=None
        Least probability of a genre to predict it, and `unknown` below; None always
        predicts a genre.
    unknown : str, default='unknown'
        The prediction below the threshold, and for files that can't be read.
    %(duration)s
    %(excerpt)s
    on_error : {'raise', 'warn', 'ignore'}, default='raise'
        What to do about a file that can't be read: 'raise' ends with an error that
        names it; with 'warn' and 'ignore' its genre is `unknown` and its probabilities
        are NaN, with a warning or without. `extraction_report_` then says why.
    %(cache_dir)s
    %(time_limit)s
    %(n_jobs)s
        The network itself always uses all processors.
    %(verbose)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted; without `unknown`. There also before `fit`.
    tag_mean_, tag_scale_ : ndarray of shape (100,)
        Means and standard deviations of the tags' logarithms; only with
        `standardize`.
    %(input_attributes)s

    See Also
    --------
    MusicnnEmbedding : The step that computes the tags.
    skgenre.genre_pipeline : Pipelines that learn your own genres from labelled music.

    Notes
    -----
    The score of a genre is the mean of the logarithms of its tags' probabilities. Of a
    tag that both of musicnn's sets have, that of the Million Song Dataset counts, which
    has ten times the songs; 'classical' is only in the other, MagnaTagATune. The
    probabilities of the genres are the softmax of their scores: how the tags compare,
    and not calibrated.

    Networks are run by ONNX Runtime where it is installed, and by Keras elsewhere.

    The classes are those of `genres`, whatever labels `fit` is given: these are only
    checked.

    Examples
    --------
    >>> from skgenre import GenreTagger
    >>> tagger = GenreTagger(["Klassik", "Rock", "Pop"], threshold=0.5)
    >>> tagger.classes_
    array(['Klassik', 'Pop', 'Rock'], dtype='<U7')

    With the weights, and any sound files::

        tagger.predict(["song.mp3", "sonata.flac"])
        tagger.top_tags(["song.mp3"], k=3)
    """

    _parameter_constraints: dict = AudioTransformer._parameter_constraints | {
        "genres": [None, list, tuple, dict],
        "standardize": ["boolean"],
        "threshold": [Interval(Real, 0, 1, closed="both"), None],
        "unknown": [str],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
    }

    sample_rate = MusicnnEmbedding.sample_rate
    """musicnn's, and so not a parameter."""

    _runtime = MusicnnEmbedding._runtime

    tag_mean_: NDArray
    tag_scale_: NDArray

    def __init__(
        self,
        genres: Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        *,
        standardize: bool = False,
        threshold: float | None = None,
        unknown: str = "unknown",
        duration: float | None = 30.0,
        excerpt: str = "middle",
        on_error: str = "raise",
        cache_dir: str | os.PathLike | None = None,
        time_limit: float | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        super().__init__(
            excerpt=excerpt,
            on_error=on_error,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        self.genres = genres
        self.standardize = standardize
        self.threshold = threshold
        self.unknown = unknown
        self.duration = duration

    @property
    def classes_(self) -> NDArray:
        """The genres, sorted."""
        return genre_weights(self.genres)[0]

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_extra_label("unknown", self.unknown, self.classes_)

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Check the parameters, and with `standardize` learn how common tags are.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at 16 kHz.
            Without `standardize`, none is read.
        y : array-like of shape (n_clips,) or None, default=None
            Labels are checked, and nothing is learned from them.

        Returns
        -------
        self : GenreTagger
            The classifier itself.

        Raises
        ------
        ImportError
            With `standardize`, if the weights are not here.
        AudioError
            With `standardize`, if a file can't be read and `on_error` is 'raise'.
        ValueError
            If a parameter is outside its range, a genre or a tag is unknown, a
            waveform is empty or not finite, or, with `standardize`, no clip can be
            read.
        TypeError
            If X is no sequence of clips.
        """
        super().fit(X, y)
        if y is not None:
            check_target(self, X, y)
        if self.standardize:
            self._fit_tags(self._tags(X))
        return self

    def _fit_tags(self, tags: NDArray) -> None:
        """Learn means and standard deviations of the tags of clips that were read."""
        logarithms = _logarithms(tags[~np.isnan(tags).any(axis=1)])
        if not len(logarithms):
            raise ValueError(
                "No clip of X can be read: there is nothing to learn from. See the "
                "`extraction_report_` for causes."
            )
        self.tag_mean_ = logarithms.mean(axis=0)
        scale = logarithms.std(axis=0)
        # Of equal values, the deviation may be a rounding error and not 0.
        self.tag_scale_ = np.where(scale > 1e-9, scale, 1.0)

    def transform(self, X: Any) -> NDArray:
        """Return the probabilities of the tags.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at 16 kHz.

        Returns
        -------
        tags : ndarray of shape (n_clips, 100), float32
            Columns are those of `get_feature_names_out`.

        Raises
        ------
        ImportError
            If the weights are not here.
        AudioError
            If a file can't be read and `on_error` is 'raise'.
        ValueError
            As in `fit`.
        TypeError
            If X is no sequence of clips.

        Warns
        -----
        UserWarning
            If files can't be read and `on_error` is 'warn'.
        """
        return self._tags(X)

    def _tags(self, X: Any) -> NDArray:
        clips = self._check_clips(X, reset=False)
        results = self._map_clips(clips, self._work())
        tags = np.empty((len(clips), len(FEATURE_NAMES)), np.float32)
        for row, result in zip(tags, results, strict=True):
            row[:] = MISSING if result is None else result
        return tags

    def _work(self) -> Work:
        self._check_parameters()
        return self._embedding()._work()

    def _embedding(self) -> MusicnnEmbedding:
        """Return the step that computes the tags."""
        weights, outputs = zip(*VIEWS, strict=True)
        step = MusicnnEmbedding(
            weights=weights,
            output=outputs,
            duration=self.duration,
            excerpt=self.excerpt,
            cache_dir=self.cache_dir,
        )
        step._runtime = self._runtime
        return step

    def get_feature_names_out(self, input_features: Any = None) -> NDArray:
        """Return the names of the tags.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored.

        Returns
        -------
        names : ndarray of shape (100,), object
            Such as ``mtt_tags_guitar`` and ``msd_tags_rock``.
        """
        return np.array(FEATURE_NAMES, dtype=object)

    def predict_proba(self, X: Any) -> NDArray:
        """Return the probability of each genre.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at 16 kHz.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`; NaN where a file can't be read.

        Raises
        ------
        NotFittedError
            With `standardize`, before `fit`.
        ImportError, AudioError, ValueError, TypeError
            As in `transform`.
        """
        self._check_standardized()
        return self._probabilities(self._tags(X))

    def _check_standardized(self) -> None:
        if self.standardize:
            check_is_fitted(self, "tag_mean_")

    def _probabilities(self, tags: NDArray) -> NDArray:
        """Return the genres' probabilities from those of the tags."""
        scores = _logarithms(tags)
        if self.standardize:
            scores = (scores - self.tag_mean_) / self.tag_scale_
        return softmax(scores @ genre_weights(self.genres)[1].T, axis=1)

    def predict(self, X: Any) -> NDArray:
        """Return the most probable genre of each clip, or `unknown`.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at 16 kHz.

        Returns
        -------
        ndarray of shape (n_clips,)
            Members of `classes_`, or `unknown`.

        Raises
        ------
        NotFittedError
            With `standardize`, before `fit`.
        ImportError, AudioError, ValueError, TypeError
            As in `transform`.
        """
        return self._genres(self.predict_proba(X))

    def _genres(self, probabilities: NDArray) -> NDArray:
        genres = self.classes_[probabilities.argmax(axis=1)]
        is_known = probabilities.max(axis=1) >= (self.threshold or 0)  # not of NaN
        return put_label(genres, ~is_known, self.unknown)

    def predict_timeline(self, X: Any) -> tuple[list[NDArray], list[NDArray]]:
        """Return the probabilities of the genres in each window of 3 s.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at 16 kHz.
            Take whole songs by ``duration=None``.

        Returns
        -------
        probabilities : list of ndarray of shape (n_windows_i, n_classes)
            Of each clip; no windows where a file can't be read.
        times : list of ndarray of shape (n_windows_i, 2)
            Start and end of each window, in seconds of the excerpt. Its end that fills
            no window is left out.

        Raises
        ------
        NotFittedError
            With `standardize`, before `fit`.
        ImportError, AudioError, ValueError, TypeError
            As in `transform`.

        See Also
        --------
        skgenre.inspection.TimelineDisplay.from_predictions : Plots a timeline.
        """
        self._check_standardized()
        self._check_parameters()
        clips = self._check_clips(X, reset=False)
        work = self._embedding()._work_by_patch()
        probabilities, times = [], []
        for tags in self._map_clips(clips, work):
            if tags is None:
                tags = np.empty((0, len(FEATURE_NAMES)), np.float32)
            starts = np.arange(len(tags)) * PATCH_SECONDS
            probabilities.append(self._probabilities(tags))
            times.append(np.column_stack([starts, starts + PATCH_SECONDS]))
        return probabilities, times

    def top_tags(self, X: Any, k: int = 5) -> list[list[tuple[str, float]]]:
        """Return the most probable tags of each clip.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at 16 kHz.
        k : int, default=5
            Number of tags.

        Returns
        -------
        list of list of (str, float)
            Of each clip, tags and probabilities, the most probable first: means where
            both sets have a tag. Empty where a file can't be read.

        Raises
        ------
        ValueError
            If `k` is no positive integer, or as in `transform`.
        ImportError, AudioError, TypeError
            As in `transform`.
        """
        if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
            raise ValueError(f"k must be an integer of at least 1. Got {k!r}.")
        tags = self._tags(X)
        return [[] if np.isnan(row).any() else top_tags(row, int(k)) for row in tags]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.classifier_tags.poor_score = True  # its genres are not those of y
        tags.requires_fit = bool(self.standardize)
        return tags


def _logarithms(tags: NDArray) -> NDArray:
    return np.log(np.maximum(tags.astype(np.float64), _LEAST))
