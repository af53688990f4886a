"""Exporting a fitted pipeline to an ONNX file, and the model file in it."""

import base64
import copy
import io
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skgenre._files import check_writable, size_text, write_atomically
from skgenre.persistence._contents import (
    json_text,
    model_contents,
    parse_json,
    read_members,
    write_members,
)
from skgenre.persistence._onnx_graph import pipeline_graph
from skgenre.persistence._protobuf import fields, integers
from skgenre.runtime._session import MISSING

SUFFIX = ".onnx"
_REST = "skgenre.model"  # metadata: the model file without the weights, in Base64
_WEIGHTS = "weights.json"  # in it: which initialisers the missing arrays are
_MAX_BYTES = 2**31 - 1  # of a protocol buffer


def export_onnx(model: BaseEstimator, path: str | os.PathLike) -> None:
    """Write a fitted pipeline to an ONNX file, for programs in any language.

    The graph is the whole pipeline, from waveforms (or from spectrograms, if the model
    has no step that makes them) to the probabilities of the genres. :func:`load` reads
    the file, too, but only the values in it: it never runs the graph of a file.

    Parameters
    ----------
    model : estimator
        Fitted network classifier, a :class:`SegmentClassifier` of one with
        ``voting='soft'``, or a Pipeline of a :class:`MelSpectrogramTransformer` and one
        of these.
    path : str or PathLike
        File to write; its name ends in ``.onnx``.

    Raises
    ------
    ImportError
        If `onnx` is not installed.
    OSError
        If the file can't be written.
    TypeError
        If the model is of another kind.
    ValueError
        If the file's name has another ending.

    See Also
    --------
    save : A file for all models; `load` can run them without TensorFlow, too.

    Notes
    -----
    With a :class:`MelSpectrogramTransformer`, the graph takes 'waveforms' of shape
    (n, n_samples): whole clips, mono, at the step's `sample_rate`; the program decodes
    and resamples. Without that step, it takes 'spectrograms' of shape
    (n, n_frames, n_mels), in dB below each clip's loudest value. The outputs are
    'probabilities' (n, n_classes), 'embedding' (n, n_components) and, for a
    :class:`SegmentClassifier`, 'timeline' (n, n_windows, n_classes). All are float32.
    The clips of one call have one length, and their number may be 0. The length is
    free, except that spectrograms for a network without windows have that of the
    training. NaN or infinite values in the used part of a clip make its outputs NaN.

    The metadata, as JSON, are 'genres' in the order of the probabilities, 'mel', the
    parameters of the :class:`MelSpectrogramTransformer` that decide the spectrogram,
    and 'windows', those of the :class:`SegmentClassifier`; the last two only where the
    model has such steps. 'skgenre.model' is what `load` needs in addition.

    The operators are those of ONNX 1.12 (opset 17). Not every runtime has the operator
    ``STFT``, which makes the spectrograms; ONNX Runtime does. For others, export
    ``model[-1]``.

    Examples
    --------
    >>> import numpy as np
    >>> import skgenre
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 20, 8)) + np.repeat([0, 3], 20)[:, None, None]
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> network = skgenre.SecondOrderClassifier(epochs=1, random_state=0).fit(X, y)
    >>> skgenre.export_onnx(network, "genres.onnx")
    >>> loaded = skgenre.load("genres.onnx", runtime="onnx")
    >>> bool(np.allclose(loaded.predict_proba(X), network.predict_proba(X), atol=1e-5))
    True
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError(MISSING) from error
    if Path(path).suffix != SUFFIX:
        raise ValueError(
            f"The 'path' parameter must end in {SUFFIX!r}, got {os.fspath(path)!r}."
        )
    target = check_writable(path)
    mel, segments, network = _exportable(model)
    check_is_fitted(network)
    metadata: dict[str, Any] = {"genres": network.classes_}
    if mel is not None:
        metadata["mel"] = mel._spectrogram_parameters()
    if segments is not None:
        metadata["windows"] = {
            name: getattr(segments, name) for name in ("window", "hop", "frame_rate")
        }
    described = {name: json_text(value) for name, value in metadata.items()}
    described[_REST] = base64.b64encode(_rest(model, network.weights_)).decode()
    graph = pipeline_graph(
        *network._graph_arguments(),
        mel=None if mel is None else mel._task_arguments(),
        window=None if segments is None else (segments.window, segments.hop),
    )
    onnx.helper.set_model_props(graph, described)
    write_atomically(target, graph.SerializeToString())


def _exportable(model: BaseEstimator) -> tuple[Any, Any, Any]:
    """Return the mel step or None, the window classifier or None, and the network."""
    from skgenre.classifiers._base import BaseGenreClassifier
    from skgenre.classifiers._meta._segment import SegmentClassifier
    from skgenre.features import MelSpectrogramTransformer

    *before, network = model if isinstance(model, Pipeline) else [model]
    mel = before.pop() if before else None
    if before or not isinstance(mel, MelSpectrogramTransformer | None):
        network = None
    segments = None
    if isinstance(network, SegmentClassifier) and network.voting == "soft":
        segments = network
        check_is_fitted(segments)
        network = segments.estimator_
    if not isinstance(network, BaseGenreClassifier):
        raise TypeError(
            f"{type(model).__name__} can't be exported: expected a network classifier, "
            "or a SegmentClassifier of one with voting='soft', with nothing but a "
            "MelSpectrogramTransformer in front. Other models run without TensorFlow "
            "as well: save them by skgenre.save, and load them with runtime='onnx'. Of "
            "a search, export the best_estimator_."
        )
    return mel, segments, network


def _rest(model: BaseEstimator, weights: list[NDArray]) -> bytes:
    """Return a model file without the arrays that are the weights."""
    model = copy.deepcopy(model)
    *_, network = _exportable(model)
    network.__dict__.pop("optimizer_state_", None)  # as large as the weights
    members = read_members(io.BytesIO(model_contents(model, None)))
    names: dict[bytes, list[str]] = {}  # of one content: each array is a member
    for name, contents in members.items():
        names.setdefault(contents, []).append(name)
    tensors = {names[_npy(w)].pop(): f"weights_{i}" for i, w in enumerate(weights)}
    rest = {name: members[name] for name in members if name not in tensors}
    return write_members(rest | {_WEIGHTS: json.dumps(tensors).encode()})


def model_in_onnx(file: BinaryIO) -> dict[str, bytes]:
    """Return the members of the model file in an ONNX file, by name.

    Parameters
    ----------
    file : binary file
        The ONNX file. Its graph is not even parsed, and no other file is read.

    Raises
    ------
    ValueError
        If `export_onnx` can't have written the file.
    """
    n_bytes = os.fstat(file.fileno()).st_size
    if n_bytes > _MAX_BYTES:
        raise ValueError(f"it has {size_text(n_bytes)}, more than any ONNX file can")
    metadata, tensors = _metadata_and_weights(memoryview(file.read()))
    if _REST not in metadata:
        raise ValueError(f"its metadata has no {_REST!r}, which export_onnx writes")
    rest = base64.b64decode(metadata[_REST], validate=True)
    members = read_members(io.BytesIO(rest))
    names = parse_json(members.pop(_WEIGHTS))
    if not isinstance(names, dict) or not all(
        isinstance(name, str) and name in tensors for name in names.values()
    ):
        raise ValueError("it lacks weights that its metadata names")
    if len({*names.values()}) < len(names):  # each once: no larger than the file
        raise ValueError("its metadata names weights twice")
    weights = {name: _npy(_values(tensors[names[name]])) for name in names}
    return members | weights


# Numbers of fields, as onnx.proto has them.
_GRAPH, _METADATA, _INITIALIZER = 7, 14, 5
_KEY, _VALUE = 1, 2
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_FLOAT = 1
# How many fields a message may have. A network's graph has some hundreds; a tensor and
# an entry of metadata have some ten.
_MANY, _FEW = 100_000, 100


def _metadata_and_weights(
    message: memoryview,
) -> tuple[dict[str, bytes], dict[str, memoryview]]:
    """Return metadata by their keys, and encoded weights by their names."""
    metadata, tensors = {}, {}
    graphs = []
    for number, content in fields(message, _MANY):
        if number == _METADATA:
            entry = dict(fields(content, _FEW))
            key, value = (_contents(entry, each) for each in (_KEY, _VALUE))
            metadata[key.decode()] = value
        elif number == _GRAPH:
            graphs.append(content)
    if len(graphs) > 1:
        raise ValueError(f"it has {len(graphs)} graphs")
    for number, tensor in (each for graph in graphs for each in fields(graph, _MANY)):
        if number == _INITIALIZER:
            name = _contents(dict(fields(tensor, _FEW)), _NAME)
            tensors[name.decode()] = tensor
    return metadata, tensors


def _contents(message: dict[int, Any], number: int) -> bytes:
    value = message.get(number, memoryview(b""))
    if not isinstance(value, memoryview):  # bytes(n) would be n bytes
        raise ValueError(f"field {number} of a message is no text")
    return bytes(value)


def _values(tensor: memoryview) -> NDArray:
    """Return the float32 values that are in a tensor itself."""
    content = dict(fields(tensor, _FEW))
    if _EXTERNAL_DATA in content or content.get(_DATA_LOCATION, 0):
        raise ValueError("it keeps weights in another file, which is not read")
    if content.get(_DATA_TYPE) != _FLOAT:
        name = _contents(content, _NAME).decode()
        raise ValueError(f"its weights {name!r} are not float32")
    all_fields = fields(tensor, _FEW)
    sizes = (integers(value) for number, value in all_fields if number == _DIMS)
    shape = [n for each in sizes for n in each]
    return np.frombuffer(_contents(content, _RAW_DATA), "<f4").reshape(shape)


def _npy(values: NDArray) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()
