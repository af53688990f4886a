"""Clips to log-mel spectrograms: the step."""

import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import Interval
from skgenre.audio._clip import Clip
from skgenre.audio._reading import read_samples
from skgenre.features._base import (
    PARAMETER_DOCS,
    AudioTransformer,
    Work,
    excerpt_start,
)
from skgenre.features._missing_clips import MISSING
from skgenre.features._spectrogram import (
    BAND_CONSTRAINTS,
    MEL_CONSTRAINTS,
    TOP_DB_CONSTRAINT,
    VIEWS_CONSTRAINT,
    MelSettings,
    check_views,
    log_mel,
)
from skgenre.features._spectrogram_file import SpectrogramFile, write_spectrograms


def _excerpt_spectrogram(
    clip: Clip,
    settings: MelSettings,
    n_frames: int | None,
    top_db: float,
    views: Sequence[str],
    excerpt: str,
) -> np.ndarray:
    """Return the spectrogram of a clip's excerpt; no other samples are read.

    A shorter clip is padded to `n_frames` with the floor.
    """

    def choose(n_samples: int, sample_rate: int) -> tuple[int, int]:
        n_total = settings.n_frames(n_samples)
        if n_frames is None:
            return settings.sample_range(0, n_total)
        first = excerpt_start(n_total, n_frames, excerpt)
        return settings.sample_range(first, min(n_frames, n_total))

    samples = read_samples(clip, settings.sample_rate, choose)
    spectrogram = log_mel(samples, settings, top_db, views)
    if n_frames in (None, len(spectrogram)):
        return spectrogram
    padded = np.full((n_frames, spectrogram.shape[1]), -top_db, np.float32)
    padded[: len(spectrogram)] = spectrogram
    return padded


@substitute(**PARAMETER_DOCS)
class MelSpectrogramTransformer(AudioTransformer):
    """Turn sound files or waveforms into log-mel spectrograms.

    Each clip is decoded, resampled and transformed in one task, so that only `n_jobs`
    waveforms are in memory at a time. Only the excerpt of a file is read.

    Parameters
    ----------
    %(sample_rate)s
    %(n_fft)s
    %(hop_length)s
    %(n_mels)s
    %(fmin)s
    %(fmax)s
    n_frames : int or None, default=640
        Frames of the result; with the other defaults these are 29.7 s. Longer clips
        give an excerpt, shorter ones are padded at their end with the floor. None takes
        whole clips, each with as many frames as it has, for a
        :class:`~skgenre.SegmentClassifier`.
    top_db : float, default=80.0
        Depth of the floor below the loudest value of the excerpt, in dB.
    %(views)s
        They stand side by side, each with `n_mels` columns, its own loudest value and
        its own floor. :class:`~skgenre.SecondOrderClassifier` takes several.
    %(excerpt)s
    %(on_error)s
        With ``n_frames=None`` the row has one frame.
    %(cache_dir)s
    %(time_limit)s
    %(n_jobs)s
    %(verbose)s

    Attributes
    ----------
    %(input_attributes)s

    See Also
    --------
    log_mel_spectrogram : The spectrogram of one whole waveform.
    SpectrogramFile : What `transform_to` returns.
    skgenre.SegmentClassifier : Classifies whole clips.
    MFCCStandardizer : A table of statistics instead of spectrograms.
    skgenre.audio.load_audio : The waveform of a sound file.

    Notes
    -----
    The step learns nothing: `transform` may be called without `fit`.

    %(clips)s

    An excerpt is a run of whole frames of the clip's spectrogram. With `total` frames
    in the clip, the middle excerpt starts at frame ``(total - n_frames) // 2``.

    The output has three axes and stays an array whatever ``set_output`` requests. Whole
    clips have different lengths, and so are in a one-dimensional array of objects.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.features import MelSpectrogramTransformer
    >>> rng = np.random.default_rng(0)
    >>> clips = [rng.normal(size=22050), rng.normal(size=44100)]
    >>> spectrograms = MelSpectrogramTransformer(n_frames=32).fit_transform(clips)
    >>> spectrograms.shape, spectrograms.dtype
    ((2, 32, 128), dtype('float32'))
    >>> whole_clips = MelSpectrogramTransformer(n_frames=None).fit_transform(clips)
    >>> [spectrogram.shape for spectrogram in whole_clips]
    [(22, 128), (44, 128)]
    """

    _parameter_constraints: dict = (
        AudioTransformer._parameter_constraints
        | MEL_CONSTRAINTS
        | BAND_CONSTRAINTS
        | TOP_DB_CONSTRAINT
        | VIEWS_CONSTRAINT
        | {"n_frames": [Interval(Integral, 1, None, closed="left"), None]}
    )

    def __init__(
        self,
        *,
        sample_rate: int = 22050,
        n_fft: int = 2048,
        hop_length: int = 1024,
        n_mels: int = 128,
        fmin: float = 0.0,
        fmax: float | None = None,
        n_frames: int | None = 640,
        top_db: float = 80.0,
        views: Sequence[str] = ("mix",),
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
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.n_frames = n_frames
        self.top_db = top_db
        self.views = views

    def transform(self, X: Any) -> np.ndarray:
        """Compute the spectrograms.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at `sample_rate` (see
            Notes of the class).

        Returns
        -------
        spectrograms : ndarray of shape (n_clips, n_frames, n_mels), float32
            In dB: in each clip, and each view of it, 0 is the loudest value,
            ``-top_db`` the floor. A silent clip is all floor. Several views have
            ``n_views * n_mels`` columns. With ``n_frames=None``, an object array of
            shape (n_clips,) of such arrays of shape (n_frames_i, n_mels).

        Raises
        ------
        AudioError
            If a file can't be read and `on_error` is 'raise'.

        ValueError
            If a parameter is outside its range, or a waveform is empty or not
            finite.

        TypeError
            If X is no sequence of clips.

        Warns
        -----
        UserWarning
            If files can't be read and `on_error` is 'warn'.
        """
        work = self._work()
        clips = self._check_clips(X, reset=False)
        if self.n_frames is None:
            whole_clips = np.empty(len(clips), dtype=object)
            for i, result in enumerate(self._map_clips(clips, work)):
                whole_clips[i] = self._missing(None) if result is None else result
            return whole_clips
        shape = (len(clips), self.n_frames, self._n_columns)
        spectrograms = np.empty(shape, dtype=np.float32)
        results = self._rows(clips, work)
        for row, result in zip(spectrograms, results, strict=True):
            row[:] = result
        return spectrograms

    def transform_to(
        self, path: str | os.PathLike[str], X: Any, *, dtype: DTypeLike = "float32"
    ) -> SpectrogramFile:
        """Write the spectrograms to a file, for collections larger than the memory.

        Each is written as soon as it is computed. To resume a call that was
        interrupted, even killed, repeat it: spectrograms on the disk are not computed
        again. Once the file is complete, the same call only opens it.

        Parameters
        ----------
        path : str or os.PathLike
            The file to write, in NumPy's format, ``.npy``. It appears when it is
            complete; until then ``{path}.part`` grows. ``{path}.json`` beside it
            records the clips and the settings.

        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at `sample_rate` (see
            Notes of the class).

        dtype : {'float32', 'float16'} or dtype, default='float32'
            Type of the values in the file. 'float16' takes half the space, and rounds
            values above -128 dB by at most 0.03 dB.

        Returns
        -------
        spectrograms : SpectrogramFile
            The file, of shape (n_clips, n_frames, n_mels). Classifiers take it as their
            X, and read it batch by batch.

        Raises
        ------
        FileExistsError
            If a file of that name has other spectrograms: of other clips (by path, size
            and date), of other settings, or of unknown ones.

        OSError
            If the disk has too little space, or the file can't be written.

        AudioError
            If a file can't be read and `on_error` is 'raise'. The clips before it are
            kept: remove it from X, or repair it, and repeat the call.

        ValueError
            If `n_frames` is None, a parameter is outside its range, or a waveform is
            empty or not finite.

        TypeError
            If X is no sequence of clips.
        """
        work = self._work()
        if self.n_frames is None:
            raise ValueError(
                "transform_to writes spectrograms of one length, but n_frames=None "
                "gives whole clips. Set n_frames."
            )
        dtype = np.dtype(dtype)
        if dtype not in (np.float32, np.float16):
            raise ValueError(
                "The 'dtype' parameter of transform_to must be 'float32' or "
                f"'float16'. Got {dtype.name!r} instead."
            )
        if self.top_db > float(np.finfo(dtype).max):
            raise ValueError(
                f"top_db={self.top_db!r} is more than dtype={dtype.name!r} can hold. "
                "Choose 'float32', or a lower top_db."
            )
        clips = self._check_clips(X, reset=False)
        write_spectrograms(
            path,
            clips,
            functools.partial(self._rows, work=work),
            settings=self._spectrogram_parameters(),
            shape=(int(self.n_frames), self._n_columns),
            dtype=dtype,
        )
        return SpectrogramFile(path)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_views(self.views)
        MelSettings.of(self).check()

    def _work(self) -> Work:
        task = functools.partial(_excerpt_spectrogram, **self._task_arguments())
        cache = self._clip_cache((self.n_frames, self._n_columns))
        return Work("Spectrograms", task, cache=cache)

    @property
    def _n_columns(self) -> int:
        return len(self.views) * int(self.n_mels)

    def _task_arguments(self) -> dict[str, Any]:
        """Check the parameters, and return the arguments of `_excerpt_spectrogram`."""
        self._check_parameters()
        return {
            "settings": MelSettings.of(self),
            "n_frames": self.n_frames,
            "top_db": self.top_db,
            "views": self.views,
            "excerpt": self.excerpt,
        }

    def _spectrogram_parameters(self) -> dict[str, Any]:
        """Return the parameters on which spectrograms depend, as a flat dictionary."""
        arguments = self._task_arguments()
        return asdict(arguments.pop("settings")) | arguments

    def _missing(self, n_frames: int | None) -> NDArray:
        """Return the NaN that stand for a clip that could not be read."""
        return np.full((n_frames or 1, self._n_columns), MISSING, np.float32)

    def _rows(self, clips: list[Clip], work: Work) -> Iterator[NDArray]:
        """Yield each clip's spectrogram of `n_frames`, or NaN."""
        missing = self._missing(self.n_frames)
        for result in self._map_clips(clips, work):
            yield missing if result is None else result

    def set_output(self, *, transform: str | None = None) -> Self:
        """Do nothing: three axes make no data frame.

        `Pipeline.set_output` calls it on every step.

        Parameters
        ----------
        transform : {'default', 'pandas', 'polars'} or None, default=None
            Ignored.

        Returns
        -------
        self : MelSpectrogramTransformer
            The step itself.
        """
        return self
