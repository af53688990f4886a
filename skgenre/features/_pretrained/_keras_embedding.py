"""Clips to embeddings by any trained network: the step."""

import copy
import functools
import os
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin

from skgenre._docstrings import substitute
from skgenre._files import digest
from skgenre._sklearn_compat import HasMethods, Interval, StrOptions
from skgenre.audio._clip import Clip
from skgenre.audio._clip_cache import ClipCache
from skgenre.audio._reading import read_samples
from skgenre.features._base import (
    PARAMETER_DOCS,
    AudioTransformer,
    Work,
    excerpt_samples,
)
from skgenre.features._missing_clips import MISSING
from skgenre.features._pretrained._network_input import (
    SCALINGS,
    NetworkInput,
    cut_windows,
    network_input,
)
from skgenre.features._spectrogram import (
    BAND_CONSTRAINTS,
    MEL_CONSTRAINTS,
    MelSettings,
    mel_power_and_gain,
    pad_to_frames,
)

if TYPE_CHECKING:
    from skgenre.features._pretrained._load_network import Network


def _samples_or_power(
    clip: Clip,
    settings: MelSettings,
    is_mel: bool,
    duration: float | None,
    excerpt: str,
) -> tuple[np.ndarray, float]:
    """Return an excerpt's samples or power, and the decibels to add to the latter."""
    choose = excerpt_samples(duration, excerpt)
    samples = read_samples(clip, settings.sample_rate, choose)
    if not is_mel:
        return samples, 0.0
    return mel_power_and_gain(pad_to_frames(samples, settings), settings)


@substitute(**PARAMETER_DOCS)
class KerasEmbedding(ClassNamePrefixFeaturesOutMixin, AudioTransformer):
    """Describe clips by any trained network, of Keras or in an ONNX file.

    The network runs on windows of each clip, and its outputs are averaged. A linear
    classifier on these embeddings needs few clips, as the network learned from many.

    Parameters
    ----------
    model : keras.Model, str or PathLike
        The trained network, with one input; or its file, whose name ends in `.keras`,
        `.h5` or `.onnx`.
    input : {'mel', 'image', 'waveform'}, default='mel'
        What the network takes. 'mel': windows of a mel spectrogram, (n_frames, n_mels)
        or (n_mels, n_frames), whichever fits its input; further axes of 1 may be among
        them. 'image': such windows as grey images of three channels in the network's
        size, frames downwards, 0 for the floor and 255 for the loudest value of the
        excerpt. 'waveform': windows of samples.
    layer : str or None, default=None
        Name of the Keras layer whose output is the embedding, or of the ONNX network's
        output; None means the only output. A network inside another is one layer. A map
        of features is averaged over the map. Where the network calls a layer more than
        once, the first call counts.
    %(sample_rate)s
    %(n_fft)s
    %(hop_length)s
    %(n_mels)s
    %(fmin)s
    %(fmax)s
    scaling : {'relative_db', 'db', 'log_compression'}, default='relative_db'
        Scale of the power in mel bands. 'relative_db': dB below the loudest value of
        the excerpt, not below -80, as in :class:`MelSpectrogramTransformer`; images
        always have it. 'db': ``10 * log10(power)``, not below -100.
        'log_compression': ``log10(1 + 10000 * power)``.
    preprocessing : str or None, default=None
        With ``input='image'``, the module of `keras.applications` whose
        `preprocess_input` is applied to the images, such as 'mobilenet_v2'.
    window : int or None, default=None
        Frames of a window, or samples with ``input='waveform'``. None means as many
        as the network takes, or the whole excerpt if it takes any number or an image.
    hop : int or None, default=None
        Frames (or samples) from the start of one window to that of the next; None means
        `window`.
    %(duration)s
    %(excerpt)s
    batch_size : int, default=16
        Windows of a clip that the network takes at a time.
    %(on_error)s
    %(cache_dir)s
        The network must be in a file.
    %(time_limit)s
    %(n_jobs)s
        The network itself always uses all processors.
    %(verbose)s

    Attributes
    ----------
    %(input_attributes)s

    See Also
    --------
    MusicnnEmbedding : A pretrained network for music, whose weights are in a package.
    skgenre.EmbeddingKMeans : Clusters embeddings.

    Notes
    -----
    The step learns nothing: `transform` may be called without `fit`. The network is
    never trained, and clones share it.

    %(clips)s

    The end of an excerpt that fills no window is left out, and a clip shorter than one
    window is padded with silence at its end.

    Mel bands are Slaney's, of the power of Hann windows, as in
    :func:`log_mel_spectrogram`. If a network was trained on another front end, build
    that into the network, for instance by `keras.layers.MelSpectrogram`, and use
    ``input='waveform'``.

    Files are loaded in Keras's safe mode, which refuses layers that hold Python code,
    such as `keras.layers.Lambda`. An ONNX file must hold its weights itself: weights in
    other files are not read.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from skgenre.features import KerasEmbedding
    >>> network = keras.Sequential(
    ...     [
    ...         keras.Input((32, 64)),
    ...         keras.layers.Conv1D(8, 3, name="conv"),
    ...         keras.layers.GlobalAveragePooling1D(),
    ...         keras.layers.Dense(4, activation="softmax"),
    ...     ]
    ... )
    >>> clips = np.random.default_rng(0).normal(size=(2, 66150))
    >>> KerasEmbedding(network, layer="conv", n_mels=64).fit_transform(clips).shape
    (2, 8)
    """

    _parameter_constraints: dict = (
        AudioTransformer._parameter_constraints
        | MEL_CONSTRAINTS
        | BAND_CONSTRAINTS
        | {
            "model": [HasMethods("get_layer"), str, os.PathLike],
            "input": [StrOptions({"mel", "image", "waveform"})],
            "layer": [str, None],
            "scaling": [StrOptions(set(SCALINGS))],
            "preprocessing": [str, None],
            "window": [Interval(Integral, 1, None, closed="left"), None],
            "hop": [Interval(Integral, 1, None, closed="left"), None],
            "duration": [Interval(Real, 0, None, closed="neither"), None],
            "batch_size": [Interval(Integral, 1, None, closed="left")],
        }
    )

    def __init__(
        self,
        model: Any,
        *,
        input: str = "mel",
        layer: str | None = None,
        sample_rate: int = 22050,
        n_fft: int = 2048,
        hop_length: int = 1024,
        n_mels: int = 128,
        fmin: float = 0.0,
        fmax: float | None = None,
        scaling: str = "relative_db",
        preprocessing: str | None = None,
        window: int | None = None,
        hop: int | None = None,
        duration: float | None = 30.0,
        excerpt: str = "middle",
        batch_size: int = 16,
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
        self.model = model
        self.input = input
        self.layer = layer
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.scaling = scaling
        self.preprocessing = preprocessing
        self.window = window
        self.hop = hop
        self.duration = duration
        self.batch_size = batch_size

    def _network(self) -> "Network":
        from skgenre.features._pretrained._load_network import load_network

        return load_network(self.model, self.layer)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.preprocessing is not None and self.input != "image":
            raise ValueError(
                f"preprocessing={self.preprocessing!r} is for input='image'. Got "
                f"input={self.input!r}: leave it out."
            )
        if self.input != "waveform":
            MelSettings.of(self).check()
        if self.cache_dir is not None and not isinstance(self.model, str | os.PathLike):
            raise ValueError(
                "cache_dir needs a network that is in a file, by whose contents it is "
                "recognised the next time. Save yours, and pass its path as the model."
            )

    def _check_network(self) -> tuple["Network", NetworkInput]:
        """Load the network, and check that it takes the windows of these parameters."""
        network = self._network()
        taken = network_input(
            network,
            self.input,
            window=self.window,
            n_mels=self.n_mels,
            preprocessing=self.preprocessing,
        )
        return network, taken

    def fit(self, X: Any, y: Any = None) -> Self:
        """Load the network, check parameters and the kind of X; nothing is learned.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at `sample_rate` (see
            Notes of the class).

        y : array-like of shape (n_clips,) or None, default=None
            Only its length is checked, before anything is decoded.

        Returns
        -------
        self : KerasEmbedding
            The step itself.

        Raises
        ------
        FileNotFoundError
            If the network's file doesn't exist.

        ImportError
            If the network is in an ONNX file, and onnxruntime is not installed.

        ValueError
            If a parameter is outside its range, the network has no such layer, can't be
            loaded or takes inputs of another shape, or a waveform is empty or not
            finite.

        TypeError
            If X is no sequence of clips.
        """
        super().fit(X, y)
        self._check_network()
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Compute the embeddings.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at `sample_rate` (see
            Notes of the class).

        Returns
        -------
        embeddings : ndarray of shape (n_clips, n_features), float32
            ``n_features`` is the size of the layer.

        Raises
        ------
        AudioError
            If a file can't be read and `on_error` is 'raise'.

        FileNotFoundError
            If the network's file doesn't exist.

        ImportError
            If the network is in an ONNX file, and onnxruntime is not installed.

        ValueError
            As in `fit`, or if the network fails and `on_error` is 'raise'.

        TypeError
            If X is no sequence of clips.

        Warns
        -----
        UserWarning
            If files can't be read or the network fails, and `on_error` is 'warn'.
        """
        clips = self._check_clips(X, reset=False)
        embeddings = list(self._map_clips(clips, self._work()))
        if any(row is None for row in embeddings):
            missing = np.full(self._n_features_out, MISSING, np.float32)
            embeddings = [missing if row is None else row for row in embeddings]
        return np.array(embeddings, dtype=np.float32)

    def _work(self) -> Work:
        self._check_parameters()
        cache = self._cache_of_network()
        checked = functools.cache(self._check_network)
        if cache is None or cache.is_empty:
            checked()  # so that errors come before hours of decoding
        scalings = {"mel": self.scaling, "image": "relative_db", "waveform": None}
        scaling = scalings[self.input]

        # Clip by clip, so that an embedding doesn't depend on the other clips.
        def embed(values_and_gain: tuple[np.ndarray, float]) -> np.ndarray:
            network, taken = checked()
            windows = cut_windows(*values_and_gain, scaling, taken.window, self.hop)
            fixed = network.input_shape[0]
            batches = taken.batches(
                windows, fixed or self.batch_size, fixed is not None
            )
            values = [network(batch)[:n] for n, batch in batches]
            return np.concatenate(values).mean(axis=0)

        task = functools.partial(
            _samples_or_power,
            settings=MelSettings.of(self),
            is_mel=scaling is not None,
            duration=self.duration,
            excerpt=self.excerpt,
        )
        return Work("Embeddings", task, embed, cache)

    def _cache_of_network(self) -> ClipCache | None:
        if self.cache_dir is None or not self._is_file():
            return None
        return self._clip_cache((None,), model=digest(Path(self.model)))

    def _is_file(self) -> bool:
        return isinstance(self.model, str | os.PathLike) and os.path.isfile(self.model)

    @property
    def _n_features_out(self) -> int:
        return self._network().n_features

    def __sklearn_clone__(self) -> Self:
        """Return a clone that shares the network, which may be large."""
        without = copy.copy(self)
        without.model = None
        clone = super(KerasEmbedding, without).__sklearn_clone__()
        clone.model = self.model
        return clone
