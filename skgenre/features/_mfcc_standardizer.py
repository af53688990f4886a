"""Clips, or a table of MFCC statistics, to standardised features."""

import functools
import os
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import (
    FLOAT_DTYPES,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from skgenre._sklearn_compat import (
    Interval,
    StrOptions,
    check_feature_names_in,
    fit_context,
)
from skgenre.audio._load import Clip, read_samples
from skgenre.audio._outcome import failures
from skgenre.features._base import AudioTransformer, Work, excerpt_samples
from skgenre.features._mfcc import (
    MFCC_CONSTRAINTS,
    check_n_mfcc,
    describe,
    feature_names,
    mfcc,
)
from skgenre.features._spectrogram import MelSettings
from skgenre.features._statistics import STATISTICS


def _clip_statistics(
    clip: Clip,
    settings: MelSettings,
    n_mfcc: int,
    statistics: str,
    duration: float | None,
    excerpt: str,
) -> np.ndarray:
    choose = excerpt_samples(duration, excerpt)
    waveform = read_samples(clip, settings.sample_rate, choose)
    return describe(mfcc(waveform, settings, n_mfcc), statistics)


class MFCCStandardizer(AudioTransformer):
    """Describe clips by statistics of their MFCCs, each with mean 0 and variance 1.

    Parameters
    ----------
    n_mfcc : int, default=20
        Number of cepstral coefficients; at most `n_mels`.

    statistics : {'moments', 'correlations'}, default='moments'
        What is told of the coefficients' courses over time. 'moments' are FMA's seven
        statistics of each. 'correlations' are mean and standard deviation of each,
        and Pearson's correlation of each pair: what sounds together. A support vector
        machine knows more genres by them (see the user guide for figures).

    sample_rate : int, default=22050
        Samples a second. Files are resampled to it; waveforms have to be at it.

    n_fft : int, default=2048
        Samples a frame.

    hop_length : int, default=512
        Samples from one frame to the next.

    n_mels : int, default=128
        Number of mel bands.

    duration : float or None, default=None
        Seconds taken of each clip; None takes all.

    excerpt : {'middle', 'start'}, default='middle'
        Which part of a clip to take, if `duration` is given.

    input : {'audio', 'features'}, default='audio'
        What X is: sound files or waveforms, or a table of ready-made features that
        only is to be standardised. With 'features' all parameters above are unused.

    on_error : {'raise', 'warn', 'ignore'}, default='raise'
        What to do about a file that can't be read: end with an error that names it; or
        go on, with a warning or without, and make its row NaN. `extraction_report_`
        then tells why, and :class:`~skgenre.classifiers.MissingClipClassifier` lets
        classifiers pass over it. `fit` learns from the others.

    cache_dir : str, PathLike or None, default=None
        Folder in which the result for each clip is kept and looked up the next time;
        None keeps nothing. See :ref:`cache`.

    time_limit : float or None, default=None
        Seconds that a file may take, up to 86,400. With a number, files are decoded in
        worker processes, so that one that crashes or hangs the decoder, or takes half
        of the memory, ends in an :class:`~skgenre.audio.AudioError` and nothing more.
        None decodes in this process. See :ref:`time_limit`.

    n_jobs : int or None, default=None
        Clips worked on at a time. None means 1 unless in a
        :func:`joblib.parallel_config` context; -1 means all processors. Results
        don't depend on it.

    verbose : bool or int, default=False
        Show a progress bar.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of each feature in the clips of `fit`.

    scale_ : ndarray of shape (n_features,)
        Standard deviation of each feature in the clips of `fit`; 1 for a feature
        that was constant.

    n_features_in_ : int
        Number of columns of X: samples of the waveforms, where X was a 2-D array.
        Not set by a list of paths or waveforms.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X was a data frame.

    extraction_report_ : DataFrame of shape (n_clips, 7)
        What came of each clip of the last `transform`; only where `on_error` isn't
        'raise'. ``path``, ``status`` ('ok' or 'error'), ``cause`` of the error, the
        file's ``duration`` in seconds, ``channels`` and ``sample_rate``, and the
        ``seconds`` spent. Each thread sees its own; copies and files have none.

    See Also
    --------
    mfcc_statistics : The features of one waveform, before standardising.
    MelSpectrogramTransformer : Spectrograms instead of a table.

    Notes
    -----
    The moments are those of the FMA data set [1]_ and have the names and the order
    of the columns of its ``features.csv``.

    References
    ----------
    .. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: a dataset for
       music analysis", ISMIR 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.features import MFCCStandardizer
    >>> clips = np.random.default_rng(0).normal(size=(5, 22050))
    >>> step = MFCCStandardizer().fit(clips)
    >>> step.transform(clips).shape
    (5, 140)
    >>> step.get_feature_names_out()[[0, 139]]
    array(['mfcc_kurtosis_01', 'mfcc_std_20'], dtype=object)
    """

    _parameter_constraints: dict = (
        AudioTransformer._parameter_constraints
        | MFCC_CONSTRAINTS
        | {
            "duration": [Interval(Real, 0, None, closed="neither"), None],
            "input": [StrOptions({"audio", "features"})],
        }
    )

    def __init__(
        self,
        *,
        n_mfcc: int = 20,
        statistics: str = "moments",
        sample_rate: int = 22050,
        n_fft: int = 2048,
        hop_length: int = 512,
        n_mels: int = 128,
        duration: float | None = None,
        excerpt: str = "middle",
        input: str = "audio",
        on_error: str = "raise",
        cache_dir: str | os.PathLike | None = None,
        time_limit: float | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.n_mfcc = n_mfcc
        self.statistics = statistics
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.duration = duration
        self.excerpt = excerpt
        self.input = input
        self.on_error = on_error
        self.cache_dir = cache_dir
        self.time_limit = time_limit
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _extract(self, X: Any, y: Any = None, *, reset: bool) -> np.ndarray:
        """Return the table of features, not standardised."""
        if self.input == "features":
            return validate_data(self, X, dtype=FLOAT_DTYPES, reset=reset)
        check_n_mfcc(self.n_mfcc, self.n_mels)
        names = feature_names(self.n_mfcc, self.statistics)
        if reset:
            self._names = names
        elif names != self._names_of_fit():
            raise ValueError(
                f"n_mfcc={self.n_mfcc} and statistics={self.statistics!r} make "
                f"{len(names)} features {names[0]} to {names[-1]}, but "
                f"{len(self.mean_)} others were standardised in fit. Set them back, or "
                "fit again."
            )
        work = self._work()
        clips = self._check_clips(X, reset=reset)
        if y is not None:  # said now rather than after hours of decoding
            check_consistent_length(clips, y)
        results = self._map_clips(clips, work)
        table = np.empty((len(clips), len(names)))
        for row, result in zip(table, results, strict=True):
            row[:] = np.nan if result is None else result
        return table

    def _work(self) -> Work:
        check_n_mfcc(self.n_mfcc, self.n_mels)
        task = functools.partial(
            _clip_statistics,
            settings=MelSettings(
                self.sample_rate, self.n_fft, self.hop_length, self.n_mels
            ).check(),
            n_mfcc=self.n_mfcc,
            statistics=self.statistics,
            duration=self.duration,
            excerpt=self.excerpt,
        )
        n_features = len(feature_names(self.n_mfcc, self.statistics))
        return Work("MFCC", task, cache=self._clip_cache((n_features,), np.float64))

    def _names_of_fit(self) -> list[str]:
        # Files that are older than `statistics` hold moments, and no names.
        n_mfcc = len(self.mean_) // len(STATISTICS)
        return getattr(self, "_names", None) or feature_names(n_mfcc, "moments")

    def _fit_table(self, table: np.ndarray) -> None:
        # The statistics of a clip are finite, or all NaN where it could not be read.
        is_read = np.isfinite(table[:, 0])
        if not is_read.any():
            raise ValueError(
                f"None of the {len(table)} clips of X could be read: there is nothing "
                f"to learn from. {failures(self.extraction_report_)}."
            )
        self._scaler = StandardScaler().fit(table[is_read])
        self.mean_ = self._scaler.mean_
        self.scale_ = self._scaler.scale_

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the mean and the standard deviation of each feature.

        Parameters
        ----------
        X : sequence of paths, array-like of shape (n_clips, n_samples), or list of \
                array-likes of shape (n_samples,)
            Sound files, or waveforms at `sample_rate`. If ``input="features"``, an
            array-like of shape (n_clips, n_features).

        y : array-like of shape (n_clips,) or None, default=None
            Only its length is looked at, before anything is decoded.

        Returns
        -------
        self : MFCCStandardizer
            The fitted step.

        Raises
        ------
        AudioError
            If a file can't be read and `on_error` is 'raise'.

        ValueError
            If a parameter is outside its range, values are not finite, or none of the
            files can be read.

        TypeError
            If X is neither a sequence of paths nor of waveforms.

        Warns
        -----
        UserWarning
            If files can't be read and `on_error` is 'warn'.
        """
        self._fit_table(self._extract(X, y, reset=True))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit and transform the same clips, which are read once.

        Parameters
        ----------
        X : sequence of paths, array-like of shape (n_clips, n_samples), or list of \
                array-likes of shape (n_samples,)
            As in `fit`.

        y : array-like of shape (n_clips,) or None, default=None
            Only its length is looked at, before anything is decoded.

        Returns
        -------
        features : ndarray of shape (n_clips, n_features)
            Standardised features.
        """
        table = self._extract(X, y, reset=True)
        self._fit_table(table)
        return self._scaler.transform(table)

    def transform(self, X: Any) -> np.ndarray:
        """Compute the features and standardise them.

        Parameters
        ----------
        X : sequence of paths, array-like of shape (n_clips, n_samples), or list of \
                array-likes of shape (n_samples,)
            As in `fit`.

        Returns
        -------
        features : ndarray of shape (n_clips, n_features)
            Standardised features; for audio, ``n_features`` is ``7 * n_mfcc``, or
            ``2 * n_mfcc + n_mfcc * (n_mfcc - 1) / 2`` if
            ``statistics="correlations"``.

        Raises
        ------
        AudioError
            If a file can't be read and `on_error` is 'raise'.

        ValueError
            If values are not finite, or X has another number of columns than in
            `fit`.

        Warns
        -----
        UserWarning
            If files can't be read and `on_error` is 'warn'.
        """
        check_is_fitted(self)
        return self._scaler.transform(self._extract(X, reset=False))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the features.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X, used if ``input="features"``.

        Returns
        -------
        names : ndarray of shape (n_features,), object
            ``mfcc_{statistic}_{coefficient}``, such as ``mfcc_mean_01``, and
            ``mfcc_corr_01_02``; the names of the columns of X if
            ``input="features"``.
        """
        check_is_fitted(self)
        if self.input == "features":
            return check_feature_names_in(self, input_features)
        return np.array(self._names_of_fit(), dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn which types of numbers are kept."""
        tags = super().__sklearn_tags__()
        if self.input == "features":
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
