"""Clips to embeddings by musicnn, a pretrained network: the step."""

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import Interval, StrOptions
from skgenre.audio._clip import Clip
from skgenre.audio._clip_cache import ClipCache
from skgenre.audio._reading import read_samples
from skgenre.features._base import (
    PARAMETER_DOCS,
    AudioTransformer,
    Work,
    excerpt_samples,
)
from skgenre.features._mfcc import correlations
from skgenre.features._missing_clips import MISSING
from skgenre.features._pretrained._network_input import log_compression
from skgenre.features._spectrogram import (
    MelSettings,
    mel_power_and_gain,
    pad_to_frames,
)
from skgenre.runtime._session import is_installed

N_FEATURES = {"penultimate": 200, "pooled": 1506, "tags": 50, "correlations": 2144}

TAGS = {
    "msd": """rock, pop, alternative, indie, electronic, female vocalists, dance, 00s,
        alternative rock, jazz, beautiful, metal, chillout, male vocalists,
        classic rock, soul, indie rock, Mellow, electronica, 80s, folk, 90s, chill,
        instrumental, punk, oldies, blues, hard rock, ambient, acoustic, experimental,
        female vocalist, guitar, Hip-Hop, 70s, party, country, easy listening, sexy,
        catchy, funk, electro, heavy metal, Progressive rock, 60s, rnb, indie pop, sad,
        House, happy""",
    "mtt": """guitar, classical, slow, techno, strings, drums, electronic, rock, fast,
        piano, ambient, beat, violin, vocal, synth, female, indian, opera, male,
        singing, vocals, no vocals, harpsichord, loud, quiet, flute, woman, male vocal,
        no vocal, pop, soft, sitar, solo, man, classic, choir, voice, new age, dance,
        male voice, female vocal, beats, harp, cello, no voice, weird, country, metal,
        female voice, choral""",
}


def views(
    weights: str | Sequence[str], output: str | Sequence[str]
) -> list[tuple[str, str]]:
    """Return the pairs of weights and output that two parameters stand for.

    Raises
    ------
    ValueError
        If a name is unknown, or the sequences have different lengths, are empty or
        name a pair twice.
    """
    given = {"weights": weights, "output": output}
    known: dict[str, Any] = {"weights": TAGS, "output": N_FEATURES}
    n = max(1 if isinstance(value, str) else len(value) for value in given.values())
    columns = []
    for name, value in given.items():
        values = [value] * n if isinstance(value, str) else list(value)
        if (
            not values
            or len(values) != n
            or not all(isinstance(each, str) and each in known[name] for each in values)
        ):
            raise ValueError(
                f"The '{name}' parameter must be one of {', '.join(known[name])}, or a "
                "sequence of them, as long as that of the other parameter. Got "
                f"weights={weights!r} and output={output!r}."
            )
        columns.append(values)
    pairs = list(zip(*columns, strict=True))
    if len(set(pairs)) < n:
        raise ValueError(
            f"weights={weights!r} and output={output!r} name a pair twice. Leave one "
            "out."
        )
    return pairs


def view_names(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names of the features, with a prefix if there are several views."""
    names = []
    for weights, output in pairs:
        own: list[str] = [str(i) for i in range(N_FEATURES[output])]
        if output == "tags":
            own = [" ".join(tag.split()) for tag in TAGS[weights].split(",")]
        prefix = f"{weights}_{output}_" if len(pairs) > 1 else ""
        names += [prefix + name for name in own]
    return names


_SETTINGS = MelSettings(sample_rate=16000, n_fft=512, hop_length=256, n_mels=96)
_PATCH_FRAMES = 187
PATCH_SECONDS = _PATCH_FRAMES * _SETTINGS.hop_length / _SETTINGS.sample_rate
"""Seconds of a patch, by which the next one begins later."""
# In a batch of the network. Of more, what lies between the layers leaves the caches,
# and ONNX Runtime, which keeps no memory from call to call, waits for empty pages.
_PATCHES = 2


def _log_mel(clip: Clip, duration: float | None, excerpt: str) -> np.ndarray:
    """Return the whole patches of an excerpt, (n_patches, 187, 96)."""
    choose = excerpt_samples(duration, excerpt)
    samples = read_samples(clip, _SETTINGS.sample_rate, choose)
    power, gain = mel_power_and_gain(pad_to_frames(samples, _SETTINGS), _SETTINGS)
    values = log_compression(power, gain)
    n_patches = max(1, len(values) // _PATCH_FRAMES)
    patches = np.zeros((n_patches * _PATCH_FRAMES, values.shape[1]), np.float32)
    patches[: len(values)] = values[: len(patches)]
    return patches.reshape(n_patches, _PATCH_FRAMES, -1)


@substitute(**PARAMETER_DOCS)
class MusicnnEmbedding(ClassNamePrefixFeaturesOutMixin, AudioTransformer):
    """Describe clips by musicnn, a network trained to tag large collections of music.

    A linear classifier on these embeddings learns genres from a few hundred clips. The
    network's weights [1]_ (ISC licence) are those of the `musicnn` package, whose code
    is not used: :func:`skgenre.fetch_weights` gets them.

    Parameters
    ----------
    weights : {'msd', 'mtt'} or sequence of them, default='msd'
        Music that the network was trained on: 'msd' is the Million Song Dataset with
        tags of Last.fm, 'mtt' is MagnaTagATune.
    output : {'penultimate', 'pooled', 'tags', 'correlations'} or sequence of them, \
            default='penultimate'
        'tags' are the probabilities of 50 tags; 'penultimate' the 200 values of the
        layer before; 'pooled' the 1506 values before that, maximum and mean over time
        of each of 753 features. 'correlations' describe the 64 features of the last
        convolution over the whole excerpt: their means, standard deviations and 2016
        pairwise correlations. Sequences of `weights` and `output` have one length, and
        give as many views of a clip, side by side; a string is paired with each member
        of the other. Clips are decoded, and networks run, once.
    %(duration)s
    %(excerpt)s
    %(on_error)s
    %(cache_dir)s
    %(time_limit)s
    %(n_jobs)s
        The network itself always uses all processors.
    %(verbose)s

    Attributes
    ----------
    %(input_attributes)s

    See Also
    --------
    MFCCStandardizer : Features that need no other music.
    skgenre.EmbeddingKMeans : Clusters embeddings.

    Notes
    -----
    The step learns nothing: `transform` may be called without `fit`. ONNX Runtime runs
    the networks where it is installed, and Keras elsewhere.

    %(clips)s

    A clip is made mono, at 16,000 Hz, and cut into patches of 187 frames (3 s); an end
    that fills no patch is left out, and a clip shorter than one patch is padded with
    silence. Each patch is ``log10(10000 * power + 1)`` of 96 mel bands (512 samples a
    frame, 256 from one to the next). The result is the mean over the patches, except
    for 'correlations', which describe the style of a clip as those of [2]_ describe the
    style of an image.

    References
    ----------
    .. [1] J. Pons, X. Serra, "musicnn: Pre-trained convolutional neural networks for
       music audio tagging", ISMIR late-breaking demo, 2019.
    .. [2] L. Gatys, A. Ecker, M. Bethge, "Image style transfer using convolutional
       neural networks", CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.features import MusicnnEmbedding
    >>> tags = MusicnnEmbedding(weights="mtt", output="tags")
    >>> list(tags.fit([np.zeros(16000)]).get_feature_names_out()[:3])
    ['guitar', 'classical', 'slow']
    """

    _parameter_constraints: dict = AudioTransformer._parameter_constraints | {
        "weights": [StrOptions(set(TAGS)), list, tuple],
        "output": [StrOptions(set(N_FEATURES)), list, tuple],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
    }

    sample_rate = _SETTINGS.sample_rate
    """The network's, and so not a parameter."""

    _runtime = "auto"
    """What runs the networks: 'onnx', 'keras', or 'auto', the first of these here."""

    def __init__(
        self,
        *,
        weights: str | Sequence[str] = "msd",
        output: str | Sequence[str] = "penultimate",
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
        self.weights = weights
        self.output = output
        self.duration = duration

    def _views(self) -> list[tuple[str, str]]:
        return views(self.weights, self.output)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._views()

    def transform(self, X: Any) -> np.ndarray:
        """Compute the embeddings.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            Sound files, waveforms with their rate, or bare ones at 16,000 Hz (see Notes
            of the class).

        Returns
        -------
        embeddings : ndarray of shape (n_clips, n_features), float32
            `output` decides on the number of features: 200, 1506, 50 or 2144; those of
            several views are side by side.

        Raises
        ------
        ImportError
            If the weights are not here.

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
        clips = self._check_clips(X, reset=False)
        results = self._map_clips(clips, self._work())
        embeddings = np.empty((len(clips), self._n_features_out), np.float32)
        for row, result in zip(embeddings, results, strict=True):
            row[:] = MISSING if result is None else result
        return embeddings

    def _work(self) -> Work:
        self._check_parameters()
        chosen = self._views()
        if self.cache_dir is None:
            return self._work_of(_features, chosen)
        kept = _kept(chosen)
        ends = np.cumsum([N_FEATURES[output] for _, output in kept])
        cache = self._clip_cache((int(ends[-1]),), weights=kept, output=None)
        places = dict(zip(kept, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
        columns = np.concatenate([places[view] for view in chosen])
        work = self._work_of(_features, kept, cache)
        return work._replace(chosen=lambda features: features[columns])

    def _work_by_patch(self) -> Work:
        """Return work that keeps the patches apart: (n_patches, n_features)."""
        self._check_parameters()
        return self._work_of(lambda batches, _: np.concatenate(batches), self._views())

    def _work_of(
        self,
        combine: Callable[[list[Any], str], Any],
        pairs: list[tuple[str, str]],
        cache: ClipCache | None = None,
    ) -> Work:
        """Return work whose results are combined from the outputs for all patches."""
        networks = functools.cache(functools.partial(self._networks, pairs))
        if cache is None or cache.is_empty:
            networks()  # so that errors come before hours of decoding

        def embed(patches: np.ndarray) -> np.ndarray:
            outputs = {
                weights: [network(batch) for batch in _batches(patches)]
                for weights, network in networks().items()
            }
            return np.concatenate(
                [
                    combine([batch[output] for batch in outputs[weights]], output)
                    for weights, output in pairs
                ],
                axis=-1,
            )

        task = functools.partial(_log_mel, duration=self.duration, excerpt=self.excerpt)
        return Work("musicnn", task, embed, cache)

    def _networks(self, pairs: list[tuple[str, str]]) -> dict[str, Callable]:
        if self._runtime == "onnx" or (self._runtime == "auto" and is_installed()):
            from skgenre.features._pretrained._musicnn_weights import (
                load_musicnn_onnx as trained,
            )
        else:
            from skgenre.features._pretrained._musicnn_network import (
                load_musicnn as trained,
            )
        return {weights: trained(weights) for weights, _ in pairs}

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored.

        Returns
        -------
        names : ndarray of shape (n_features,), object
            The tags if ``output="tags"``; else ``musicnnembedding0`` and so on. Names
            of several views have prefixes: ``mtt_penultimate_0``, ``msd_tags_rock``.
        """
        chosen = self._views()
        if len(chosen) == 1 and chosen[0][1] != "tags":
            return super().get_feature_names_out(input_features)
        return np.array(view_names(chosen), dtype=object)

    @property
    def _n_features_out(self) -> int:
        return sum(N_FEATURES[output] for _, output in self._views())


def _kept(chosen: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the views to keep of a clip, so that who asks for others finds them.

    They cost nothing beside the networks. 'pooled', which no pipeline uses, is kept
    only by those who ask for it.
    """
    outputs = [output for output in N_FEATURES if output != "pooled"]
    weights = sorted({weights for weights, _ in chosen})
    kept = [(each, output) for each in weights for output in outputs]
    return kept + [view for view in chosen if view not in kept]


def _batches(patches: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(patches), _PATCHES):
        yield patches[first : first + _PATCHES]


def _features(batches: list[Any], output: str) -> np.ndarray:
    """Return the features of a clip from one output for all of its patches."""
    values = np.concatenate(batches)
    if output == "correlations":
        return correlations(values.reshape(-1, values.shape[-1]).astype(np.float64))
    return values.mean(axis=0)
