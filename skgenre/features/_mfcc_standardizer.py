"""Clips, or a table of features, to standardised MFCC statistics: the step."""

import contextlib
import functools
import os
from collections.abc import Sequence
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

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import (
    Interval,
    StrOptions,
    check_feature_names_in,
)
from skgenre.audio._clip import Clip
from skgenre.audio._outcome import failures
from skgenre.audio._reading import read_blocks, read_samples
from skgenre.features._base import (
    PARAMETER_DOCS,
    AudioTransformer,
    Work,
    excerpt_samples,
)
from skgenre.features._mfcc import (
    MFCC_CONSTRAINTS,
    STATISTICS,
    check_n_mfcc,
    describe,
    feature_names,
    mfcc,
)
from skgenre.features._missing_clips import MISSING
from skgenre.features._spectrogram import MelSettings, check_views


def _clip_statistics(
    clip: Clip,
    settings: MelSettings,
    n_mfcc: int,
    statistics: str,
    views: Sequence[str],
    duration: float | None,
    excerpt: str,
) -> np.ndarray:
    if duration is None:
        with contextlib.closing(read_blocks(clip, settings.sample_rate)) as blocks:
            return describe(mfcc(blocks, settings, n_mfcc, views), statistics)
    choose = excerpt_samples(duration, excerpt)
    waveform = read_samples(clip, settings.sample_rate, choose)
    return describe(mfcc([waveform], settings, n_mfcc, views), statistics)


@substitute(**PARAMETER_DOCS)
class MFCCStandardizer(AudioTransformer):
    """Describe clips by statistics of their MFCCs, each with mean 0 and variance 1.

    Parameters
    ----------
    n_mfcc : int, default=20
        Number of cepstral coefficients; at most `n_mels`.
    statistics : {'moments', 'correlations'}, default='moments'
        How the coefficients' courses over time are described. 'moments' are FMA's seven
        statistics of each. 'correlations' are the mean and the standard deviation of
        each, and Pearson's correlation of each pair: what sounds together. A support
        vector machine classifies more clips correctly by them (see the user guide for
        figures).
    %(views)s
        The statistics of each follow one another, and each view has as many.
    %(sample_rate)s
    %(n_fft)s
    %(hop_length)s
    %(n_mels)s
    %(duration)s
    %(excerpt)s
    input : {'audio', 'features'}, default='audio'
        What X is: clips (see Notes), or a table of ready-made features that
        only need standardising. With 'features' all parameters above are unused.
    %(on_error)s
        `fit` learns from the others.
    %(cache_dir)s
    %(time_limit)s
    %(n_jobs)s
    %(verbose)s

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of each feature in the clips of `fit`.
    scale_ : ndarray of shape (n_features,)
        Standard deviation of each feature in the clips of `fit`; 1 for a feature
        that was constant.
    %(input_attributes)s

    See Also
    --------
    mfcc_statistics : The features of one waveform, before standardising.
    MelSpectrogramTransformer : Spectrograms instead of a table.

    Notes
    -----
    %(clips)s

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
        views: Sequence[str] = ("mix",),
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
        super().__init__(
            excerpt=excerpt,
            on_error=on_error,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        self.n_mfcc = n_mfcc
        self.statistics = statistics
        self.views = views
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.duration = duration
        self.input = input

    def _extract(self, X: Any, y: Any = None, *, reset: bool) -> np.ndarray:
        """Return the table of features, not standardised."""
        if self.input == "features":
            self._check_parameters()
            return validate_data(self, X, dtype=FLOAT_DTYPES, reset=reset)
        work = self._work()
        names = feature_names(self.n_mfcc, self.statistics, self.views)
        if reset:
            self._names = names
        elif names != self._names_of_fit():
            raise ValueError(
                f"n_mfcc={self.n_mfcc}, statistics={self.statistics!r} and "
                f"views={self.views!r} make {len(names)} features {names[0]} to "
                f"{names[-1]}, but {len(self.mean_)} others were standardised in fit. "
                "Set them back, or fit again."
            )
        clips = self._check_clips(X, reset=reset)
        if y is not None:
            check_consistent_length(clips, y)
        results = self._map_clips(clips, work)
        table = np.empty((len(clips), len(names)))
        for row, result in zip(table, results, strict=True):
            row[:] = MISSING if result is None else result
        return table

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.input == "audio":
            check_n_mfcc(self.n_mfcc, self.n_mels)
            check_views(self.views)
            MelSettings.of(self).check()

    def _work(self) -> Work:
        self._check_parameters()
        task = functools.partial(
            _clip_statistics,
            settings=MelSettings.of(self),
            n_mfcc=self.n_mfcc,
            statistics=self.statistics,
            views=self.views,
            duration=self.duration,
            excerpt=self.excerpt,
        )
        n_features = len(feature_names(self.n_mfcc, self.statistics, self.views))
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
                f"to learn from. {failures(self.extraction_records_)}."
            )
        self._scaler = StandardScaler().fit(table[is_read])
        self.mean_ = self._scaler.mean_
        self.scale_ = self._scaler.scale_

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the mean and the standard deviation of each feature.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at `sample_rate` (see
            Notes of the class). If ``input="features"``, an array-like of shape
            (n_clips, n_features).

        y : array-like of shape (n_clips,) or None, default=None
            Only its length is checked, before anything is decoded.

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
            If X is no sequence of clips.

        Warns
        -----
        UserWarning
            If files can't be read and `on_error` is 'warn'.
        """
        self._fit_table(self._extract(X, y, reset=True))
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit and transform the same clips, which are read once.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            As in `fit`.

        y : array-like of shape (n_clips,) or None, default=None
            Only its length is checked, before anything is decoded.

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
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            As in `fit`.

        Returns
        -------
        features : ndarray of shape (n_clips, n_features)
            Standardised features; for audio, of each view ``7 * n_mfcc``, or
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
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X, used if ``input="features"``.

        Returns
        -------
        names : ndarray of shape (n_features,), object
            ``mfcc_{statistic}_{coefficient}``, such as ``mfcc_mean_01``, and
            ``mfcc_corr_01_02``, with the view before the statistic unless it is the
            mix; the names of the columns of X if ``input="features"``.
        """
        check_is_fitted(self)
        if self.input == "features":
            return check_feature_names_in(self, input_features)
        return np.array(self._names_of_fit(), dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Return scikit-learn's tags: `fit` learns, and types of numbers are kept."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        kept = ["float64", "float32"] if self.input == "features" else ["float64"]
        tags.transformer_tags.preserves_dtype = kept
        return tags
