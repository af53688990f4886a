"""ONNX graph of a whole pipeline: spectrograms, windows and the network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skgenre.features._spectrogram import AMIN, MelSettings, filter_bank, hann_window
from skgenre.features._views import N_BANDS, N_FRAMES
from skgenre.runtime._graph import Graph
from skgenre.runtime._layer_sizes import embedding_size
from skgenre.runtime._networks import add_classifier

if TYPE_CHECKING:
    import onnx


def pipeline_graph(
    network: str,
    parameters: dict[str, Any],
    weights: Sequence[NDArray],
    mean: NDArray,
    scale: NDArray,
    *,
    mel: dict[str, Any] | None,
    window: tuple[int, int] | None,
) -> "onnx.ModelProto":
    """Return a trained network, and what comes before it, as an ONNX model.

    Parameters
    ----------
    network, parameters, weights, mean, scale : object
        As `skgenre.runtime._networks.classifier_graph` takes them.
    mel : dict or None
        Arguments of `mel_spectrogram`; None where the graph takes spectrograms.
    window : tuple of int, or None
        Frames of each window, and from one window to the next; None where the network
        classifies whole spectrograms.

    Returns
    -------
    onnx.ModelProto
        'spectrograms' (n, n_frames, n_mels) in dB, or 'waveforms' (n, n_samples), to
        'probabilities' (n, n_classes) and 'embedding' (n, n_components). With windows,
        these are means over a clip's windows, and 'timeline' (n, n_windows, n_classes)
        has the probabilities of each.

    Raises
    ------
    ValueError
        If the weights are not those of this network.
    """
    n_frames, n_mels = parameters["input_shape"]
    g = Graph(weights)
    source: dict[str, Sequence[int | str]] = {}
    if mel is None:
        x = "spectrograms"
        source[x] = ("n", n_frames if window is None else "n_frames", n_mels)
    else:
        source["waveforms"] = ("n", "n_samples")
        x = mel_spectrogram(g, "waveforms", **mel)
    if window is not None:
        n_clips = g.add("Shape", x, end=1)
        x = g.reshape(windows(g, x, *window), (-1, n_frames, n_mels))
    probabilities, embedding = add_classifier(g, x, network, parameters, mean, scale)
    size = {
        "probabilities": parameters["n_classes"],
        "embedding": embedding_size(network, parameters, weights),
    }
    outputs: dict[str, Sequence[int | str]] = {
        name: ("n", n) for name, n in size.items()
    }
    if window is not None:
        timeline = _by_clip(g, n_clips, probabilities, size["probabilities"])
        g.add("Identity", timeline, output="timeline")
        outputs["timeline"] = ("n", "n_windows", size["probabilities"])
        embeddings = _by_clip(g, n_clips, embedding, size["embedding"])
        probabilities, embedding = (
            g.add("ReduceMean", values, axes=[1], keepdims=0)
            for values in (timeline, embeddings)
        )
    g.add("Identity", probabilities, output="probabilities")
    g.add("Identity", embedding, output="embedding")
    return g.model(source, outputs, network)


def _by_clip(g: Graph, n_clips: str, of_windows: str, size: int) -> str:
    """Reshape rows of windows, clip by clip, to (n_clips, n_windows, size)."""
    shape = g.add("Concat", n_clips, g.constant((-1, size), np.int64), axis=0)
    return g.add("Reshape", of_windows, shape)


def mel_spectrogram(
    g: Graph,
    waveforms: str,
    *,
    settings: MelSettings,
    n_frames: int | None,
    top_db: float,
    views: Sequence[str],
    excerpt: str,
) -> str:
    """Add the computation of `MelSpectrogramTransformer` on waveforms.

    Parameters
    ----------
    g : Graph
        Graph to add to.
    waveforms : str
        Of shape (n, n_samples), float32.
    settings, n_frames, top_db, views, excerpt : object
        As in that step.

    Returns
    -------
    str
        Spectrograms of shape (n, n_frames, n_views * n_mels), float32.
    """
    n_fft, hop = settings.n_fft, _count(g, settings.hop_length)
    samples = g.add("Sub", _length(g, waveforms), _count(g, n_fft % 2))
    total = g.add("Add", g.add("Div", samples, hop), _count(g, 1))
    used = total if n_frames is None else g.add("Min", total, _count(g, n_frames))
    if excerpt == "middle":
        first = g.add("Div", g.add("Sub", total, used), _count(g, 2))
        start = g.add("Mul", first, hop)
    else:
        start = _count(g, 0)
    # Double precision, as in the step; see `mel_power`.
    samples = g.double(waveforms)
    around = g.constant((0, n_fft // 2, 0, n_fft), np.int64)
    hops = g.add("Mul", g.add("Sub", used, _count(g, 1)), hop)
    stop = g.add("Add", g.add("Add", start, hops), _count(g, n_fft))
    part = g.add("Slice", g.add("Pad", samples, around), start, stop, _count(g, 1))
    spectra = g.add(
        "STFT",
        g.add("Unsqueeze", part, _count(g, 2)),
        g.constant(settings.hop_length, np.int64),
        g.constant(hann_window(n_fft), np.float64),
    )
    power = g.add("ReduceSumSquare", spectra, axes=[3], keepdims=0)
    bank = g.double(g.constant(filter_bank(settings).T))
    power = g.add("MatMul", power, bank)
    decibels = _views(g, power, top_db, views)
    if n_frames is None:
        return decibels
    missing = g.add("Sub", _count(g, n_frames), used)
    none = g.constant((0, 0, 0, 0), np.int64)
    pads = g.add("Concat", none, missing, _count(g, 0), axis=0)
    return g.add("Pad", decibels, pads, g.constant(-top_db))


def _views(g: Graph, power: str, top_db: float, views: Sequence[str]) -> str:
    """Add the computation of `separate_views` and the decibels of each view."""
    if tuple(views) == ("mix",):
        return _relative_decibels(g, power, top_db)
    squares = {
        name: g.add("Mul", medians, medians)
        for name, medians in {
            "harmonic": _medians(g, power, 1, N_FRAMES),
            "percussive": _medians(g, power, 2, N_BANDS),
        }.items()
    }
    sums = g.add("Add", *squares.values())
    zero, half = g.constant(0, np.float64), g.constant(0.5, np.float64)
    is_zero = g.add("Equal", sums, zero)

    def share(name: str) -> str:
        return g.add("Where", is_zero, half, g.add("Div", squares[name], sums))

    powers = (
        power if name == "mix" else g.add("Mul", power, share(name)) for name in views
    )
    decibels = (_relative_decibels(g, values, top_db) for values in powers)
    return g.add("Concat", *decibels, axis=2)


def _medians(g: Graph, x: str, axis: int, width: int) -> str:
    """Add the computation of `median_filter` along an axis of (n, n_frames, n_mels)."""
    zero, one, two = (_count(g, value) for value in range(3))
    n = g.add("Shape", x, start=axis, end=axis + 1)
    places = g.add("Range", *(g.add("Squeeze", value) for value in (zero, n, one)))
    around = g.constant(np.arange(width) - width // 2, np.int64)
    wanted = g.add("Add", g.add("Unsqueeze", places, one), around)
    # Mirrored at both ends, where needed again and again.
    wanted = g.add("Mod", wanted, g.add("Mul", n, two))
    from_end = g.add("Sub", g.add("Sub", g.add("Mul", n, two), one), wanted)
    values = g.add("Gather", x, g.add("Min", wanted, from_end), axis=axis)
    k = _count(g, width // 2 + 1)
    lowest = g.add("TopK", values, k, unused=1, axis=axis + 1, largest=0)
    median = g.constant(width // 2, np.int64)
    return g.add("Gather", lowest, median, axis=axis + 1)


def _relative_decibels(g: Graph, power: str, top_db: float) -> str:
    """Add the computation of `relative_decibels`, clip by clip."""
    floor = g.constant(-top_db, np.float64)
    peak = g.add("ReduceMax", power, axes=[1, 2], keepdims=1)
    bels = g.add("Sub", g.add("Log", power), g.add("Log", peak))
    decibels = g.add("Mul", bels, g.constant(10 / np.log(10), np.float64))
    is_silent = g.add("LessOrEqual", peak, g.constant(AMIN, np.float64))
    decibels = g.add("Where", is_silent, floor, g.add("Max", decibels, floor))
    return g.single(g.add("Add", decibels, g.nan_or_zero(power)))


def windows(g: Graph, spectrograms: str, window: int, hop: int) -> str:
    """Add the windows of `skgenre.classifiers._meta._windows`, for equal lengths.

    Parameters
    ----------
    g : Graph
        Graph to add to.
    spectrograms : str
        Of shape (n, n_frames, n_mels).
    window, hop : int
        Frames of a window, and from one to the next.

    Returns
    -------
    str
        Of shape (n, n_windows, window, n_mels).
    """
    zero, one = _count(g, 0), _count(g, 1)
    n_frames = _length(g, spectrograms)
    last = g.add("Max", g.add("Sub", n_frames, _count(g, window)), zero)
    hops = g.add("Div", g.add("Add", last, _count(g, hop - 1)), _count(g, hop))
    numbers = g.add(
        "Range",
        *(g.add("Squeeze", value) for value in (zero, g.add("Add", hops, one), one)),
    )
    starts = g.add("Min", g.add("Mul", numbers, _count(g, hop)), last)
    frames = g.constant(np.arange(window), np.int64)
    wanted = g.add("Add", g.add("Unsqueeze", starts, one), frames)
    there = g.add("Min", wanted, g.add("Sub", n_frames, one))
    cut = g.add("Gather", spectrograms, there, axis=1)
    # Frames beyond a clip's end get the clip's minimum, as in `Windows`.
    lowest = g.add("ReduceMin", spectrograms, axes=[1, 2], keepdims=1)
    return g.add(
        "Where",
        g.add("Unsqueeze", g.add("Less", wanted, n_frames), _count(g, 2)),
        cut,
        g.add("Unsqueeze", lowest, one),
    )


def _count(g: Graph, value: int) -> str:
    """Return the name of a number, of shape (1,)."""
    return g.constant([value], np.int64)


def _length(g: Graph, x: str) -> str:
    """Add the size of the second axis, of shape (1,)."""
    return g.add("Shape", x, start=1, end=2)
