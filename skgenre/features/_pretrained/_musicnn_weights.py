"""musicnn's weights where they are kept, and its network without Keras.

The weights are in TensorFlow's checkpoints, which are read here without TensorFlow. A
checkpoint is a file of raw values and an index: a table of LevelDB's format from names
to protocol buffers (``BundleEntryProto``) that say where the values are.
"""

import hashlib
import importlib.util
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre._files import data_home_folder
from skgenre.runtime._musicnn import musicnn_graph
from skgenre.runtime._trained import Network, trained_network

_MAGIC = 0xDB4775248B80FB57  # the last bytes of a table
_FOOTER_BYTES, _HANDLES_BYTES = 48, 40
_FLOAT32 = 1  # of TensorFlow's DataType

INDEX, VALUES = ".index", ".data-00000-of-00001"
"""Files of a checkpoint, whose base name is empty."""
MISSING_WEIGHTS = (
    "musicnn's pretrained weights are not here. Get them by `skgenre weights` or "
    "skgenre.fetch_weights(): a download of 28 MiB from your package index (ISC "
    "licence). Or install the package that holds them, without its dependencies, as "
    "only its files are read: `python -m pip install --no-deps musicnn==0.1.0`."
)


def data_folder() -> Path:
    """Return the folder in which `fetch_weights` keeps them, which need not exist."""
    return Path(data_home_folder(), "musicnn-0.1.0")


def member_folder(weights: str) -> str:
    """Return the name of the folder of some weights, as the wheel has it."""
    return f"{weights.upper()}_musicnn"


MEMBERS = {
    f"{member_folder(weights)}/{name}": (n_bytes, sha256)
    for weights, name, n_bytes, sha256 in (
        (
            *("msd", VALUES, 9_465_596),
            "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
        ),
        (
            *("msd", INDEX, 4_948),
            "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
        ),
        (
            *("mtt", VALUES, 9_465_596),
            "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
        ),
        (
            *("mtt", INDEX, 4_948),
            "da2d7bb670b2b31e9bc441bb1bd75eca31b5b061f963cc1f9630c1aff3238f57",
        ),
    )
}
"""Of the wheel, what is kept: its size and SHA-256.

An index is last, as it is what a reader looks for.
"""


def weights_folder(weights: str) -> Path:
    """Return the folder of the weights: in the data folder, or in an installed wheel.

    The wheel's code is not imported.

    Parameters
    ----------
    weights : {'msd', 'mtt'}
        Music that they were trained on.

    Raises
    ------
    ImportError
        If they are in neither.
    """
    spec = importlib.util.find_spec("musicnn")
    installed = (spec and spec.submodule_search_locations) or ()
    for place in (data_folder(), *map(Path, installed)):
        folder = place / member_folder(weights)
        if (folder / INDEX).is_file():
            return folder
    raise ImportError(MISSING_WEIGHTS)


def require_tag_weights() -> None:
    """Check that the weights of both sets of tags are here.

    Raises
    ------
    ImportError
        If they are not.
    """
    for weights in ("msd", "mtt"):
        weights_folder(weights)


def has_weights() -> bool:
    """Return whether all weights are here."""
    try:
        require_tag_weights()
    except ImportError:
        return False
    return True


def musicnn_variables(weights: str) -> dict[str, NDArray]:
    """Return the weights by their names in the published checkpoint.

    Raises
    ------
    ImportError
        If they are not here.
    ValueError
        If they are not as they were published.
    """
    folder = weights_folder(weights)
    return read_checkpoint(*(_as_published(folder / name) for name in (INDEX, VALUES)))


def _as_published(path: Path) -> bytes:
    """Return the contents of a file of the weights, and of no other file."""
    n_bytes, sha256 = MEMBERS[f"{path.parent.name}/{path.name}"]
    is_whole = path.is_file() and path.stat().st_size == n_bytes
    contents = path.read_bytes() if is_whole else b""
    if hashlib.sha256(contents).hexdigest() != sha256:
        raise ValueError(
            f"{str(path)!r} is not as it was published, by its size or SHA-256. "
            "Delete its folder, and get the weights again by `skgenre weights`."
        )
    return contents


def load_musicnn_onnx(weights: str) -> Network:
    """Return the trained network as a function of a batch, run by ONNX Runtime."""
    return trained_network(_graph, weights)


def _graph(weights: str) -> Any:
    return musicnn_graph(musicnn_variables(weights))


def read_checkpoint(index: bytes, values: bytes) -> dict[str, NDArray]:
    """Return the float32 arrays of a checkpoint of one data file.

    Parameters
    ----------
    index, values : bytes
        Contents of its ``.index`` and ``.data-00000-of-00001``, of known origin: of
        forged ones, time and memory have no limits.

    Returns
    -------
    dict of str to ndarray
        Arrays of other types are left out.

    Raises
    ------
    ValueError
        If the checkpoint is compressed, or unlike those of musicnn.

    References
    ----------
    .. [1] ``tensorflow/core/util/tensor_bundle/tensor_bundle.h`` and
       ``tensorflow/core/lib/io/format.h`` in TensorFlow's source.
    """
    return dict(_arrays(index, values))


def _arrays(index: bytes, values: bytes) -> Iterator[tuple[str, NDArray]]:
    for name, entry in _table(index):
        fields = dict(_fields(entry))
        if not name or fields.get(1) != _FLOAT32:  # the header has no name
            continue
        shape = [
            dict(_fields(dim)).get(1, 0) for n, dim in _fields(fields[2]) if n == 2
        ]
        offset, size = fields.get(4, 0), fields.get(5, 0)
        array = np.frombuffer(values[offset : offset + size], "<f4")
        yield name.decode(), array.reshape(shape)


def _table(contents: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a table in LevelDB's format."""
    footer = contents[-_FOOTER_BYTES:]
    if struct.unpack("<Q", footer[_HANDLES_BYTES:]) != (_MAGIC,):
        raise ValueError("its index is not a table")
    _, position = _handle(footer, 0)  # a block about the others
    blocks, _ = _handle(footer, position)
    for _, handle in _block(contents, *blocks):
        yield from _block(contents, *_handle(handle, 0)[0])


def _handle(contents: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = _varint(contents, position)
    size, position = _varint(contents, position)
    return (offset, size), position


def _block(contents: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if contents[offset + size] != 0:
        raise ValueError("its index is compressed")
    block = contents[offset : offset + size]
    (n_restarts,) = struct.unpack("<I", block[-4:])
    key, position = b"", 0
    while position < size - 4 - 4 * n_restarts:
        n_shared, position = _varint(block, position)  # with the key before
        n_new, position = _varint(block, position)
        n_value, position = _varint(block, position)
        key = key[:n_shared] + block[position : position + n_new]
        position += n_new
        yield key, block[position : position + n_value]
        position += n_value


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the numbers and values of a protocol buffer's fields."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == 2:
            size, position = _varint(message, position)
        elif kind in (1, 5):
            size = {1: 8, 5: 4}[kind]
        else:
            raise ValueError(f"its index has a field of kind {kind}")
        yield number, message[position : position + size]
        position += size


def _varint(contents: bytes, position: int) -> tuple[int, int]:
    """Return a number of any length, and the position after it."""
    value = shift = 0
    while True:
        byte = contents[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
