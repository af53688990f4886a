"""Model files as somebody would forge them: each made of a good one, node by node.

A file's checksums and its ZIP archive are right, unless these are what is forged. Each
file is a function of the good files, a seed and a number alone.
"""

import base64
import copy
import importlib
import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import forge
import numpy as np
from _good_models import GoodFile

_MANY = 10**15
_NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 3, 7, 100, 10**4, 10**6, 10**9, 2**31 - 1, 2**31, 2**53, 2**63 - 1),
    *(2**63, 2**64, -(2**31), -(2**63), 10**400),
    *(0.0, -0.0, 0.5, 1.5, -1.0, 5e-324, 1e-9, 1e9, 1e308, -1e308),
    *(float("nan"), float("inf"), float("-inf")),
]
_TEXTS = [
    *("", "x", "drop", "passthrough", "predict", "tofile", "__class__", "a__b", "0"),
    *(
        "é\0",
        "x" * 9_999,
        "x" * 10_001,
        "%s%n",
        "../../x",
        "/tmp/x",  # nosec B108
        "nan",
        "{0.a}",
        "U500000000",
    ),
]
_EXTREMES: list[Any] = [*_NUMBERS, *_TEXTS, True, False, None]
_DTYPES = [
    *("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u4", "<u8", "<f2", "<f4", "<f8"),
    *(">f8", ">i4", "<f16", "<c16", "<M8[s]", "|S3", "|V8", "<U0", "<U1", "<U9", "|O"),
]
# What the issue lists, and what else would do something: attributes or parameters.
_HOSTILE: dict[str, list[Any]] = {
    "__array_interface__": [
        {"dict": [["data", {"tuple": [16, False]}], ["typestr", "<f8"]]},
    ],
    "__class__": ["x"],
    "__dict__": [{"dict": []}],
    "__sklearn_tags__": [None],
    "__setstate__": [None],
    "_predictors": [[], None],
    "_n_support": [None, []],
    "_validate_params": [None],
    "_runtime": ["onnx"],
    "_network": ["RandomTimeCrop"],
    "_search": [None],
    "cache_dir": ["/tmp/skgenre-fuzz"],  # nosec B108
    "memory": ["/tmp/skgenre-fuzz"],  # nosec B108
    "checkpoint_dir": ["/tmp/skgenre-fuzz"],  # nosec B108
    "n_jobs": [-1, 10**6],
    "verbose": [1],
    "time_limit": [1],
    "stack_method_": [["tofile"], ["predict", "tofile"], ["__class__"]],
    "func": [{"function": "f_classif"}, {"function": "os.system"}],
    "score_func": [{"function": "mutual_info_classif"}, {"function": "system"}],
    "kw_args": [{"dict": [["out", 0]]}],
    "scoring": ["accuracy", "roc_auc"],
    "kernel": ["precomputed", "poly", "sigmoid", {"function": "f_classif"}],
    "metric": ["precomputed", "mahalanobis", "haversine", "euclidean"],
    "algorithm": ["approximate", "kd_tree", "ball_tree", "brute"],
    "algorithm_": ["approximate"],
    "voting": ["hard", "soft", "stack"],
    "weights": [[1e308, 1e308], ["/tmp/x"], [["mtt", "x"]]],  # nosec B108
    "transformer_weights": [{"dict": [["a", 1e308]]}, {"dict": [["__class__", 1]]}],
    "degree": [10**4, 10**6, 10**9, 2**31 - 1, 2**31],
    "gamma": [1e308, 5e-324],
    "n_neighbors": [10**9, 44, 45],
    "leaf_size": [1, 10_000],
    "p": [0.1, 100],
    "n_quantiles": [10**9],
    "subsample": [10**9],
    "percentile": [0, 100, 1e-300],
    "k": [0, 10**9, "all"],
    "n_components": [10**9, 0.5, "mle"],
    "n_clusters": [10**9],
    "k_range": [{"tuple": [2, 10**9]}],
    "cv": [10**6, None],
    "n_splits": [10**6],
    "estimator": ["drop", None],
    "filters": [[1] * 1_000, [10**6], [2**20] * 20, {"tuple": [1] * 10_000}, []],
    "pool_sizes": [[[1, 1]] * 1_000, [[0, 0]]],
    "kernel_size": [10**6, [10**4, 10**4], 0],
    "pool_size": [10**6, 0],
    "lstm_units": [2**20],
    "gru_units": [2**20],
    "embedding_units": [2**30],
    "n_prototypes": [10**6],
    "n_mfcc": [1, 8, 10**6],
    "crop_frames": [10**9],
    "time_mask": [10**9],
    "network": [
        [["Lambda", "x", [0], []]],
        {"tuple": []},
        {"tuple": [{"tuple": ["InputLayer", "x", {"tuple": []}, {"tuple": []}]}] * 600},
        {"function": "chi2"},
        "os.system",
    ],
    "optimizer": [{"dict": [["name", "get"]]}, {"function": "chi2"}, "sgd"],
    "loss": [{"dict": [["name", "x"]]}, "mse", {"function": "chi2"}],
    "callbacks": [["x"]],
    "metrics": [["x"]],
    "embedding": [0, 10**9, -1, None, "x"],
    "input_shape": [{"tuple": [10**6, 10**6]}, {"tuple": [1, 1]}, {"tuple": [0, 8]}],
    "n_fft": [1, 2, 2**16, 2**30],
    "hop_length": [-1, 0, 1, 2**16],
    "n_mels": [1, 2048, 2**20],
    "n_frames": [1, 2**15, 2**16, 2**26, 2**40, None],
    "sample_rate": [1, 1e-300, 1e300, 2**40, 8000, 10**9],
    "fmin": [-1.0, 1e300, 11024.9],
    "fmax": [0, 1e-300, 1e300],
    "duration": [0, 1e-300, 24 * 3600, 1e300],
    "frame_rate": [1e-300, 1e308],
    "window": [1, 2**15, 2**20, 2**40],
    "hop": [1, 2**15, 2**20, -1],
    "constant": [10**6, 10**9, "another"],
    "unknown_": [10**6, 10**9],
    "missing_label": [10**6, 10**9],
    "_n_feature_outs": [[10**9], [10**6, 10**6]],
    "tags": [["rock"] * 10**4],
    "max_depth": [10**9],
    "n_trees_per_iteration_": [1, 2, 10**9],
    "n_layers_": [10**9],
    "n_features_in_": [0, 1, 10**9],
    "feature_range": [{"tuple": [1e308, -1e308]}],
    "feature_names_in_": [{"objects": [""] * 6}],
    "_sklearn_output_config": [{"dict": [["transform", "pandas"]]}],
    "_metadata_request": [{"dict": []}],
    "threshold": [1e308],
    "set_fit_request": [None],
    "predict": ["x"],
}


# How often a file of a part is taken; those of skops repeat others.
_WEIGHTS = {"skops": 0.25, "index": 4, "format1": 3, "networks": 3, "composed": 2}


class Array:
    """Stands for a member of the file where a description names one."""

    def __init__(self, contents: bytes) -> None:
        self.contents = contents


class Forgery(NamedTuple):
    """A file, and how it was made."""

    of: str
    """Name of the good file."""
    what: str
    """What was forged, with its place."""
    contents: bytes


class _Forged:
    """A file that is being forged, as a tree whose arrays stand where they are named.

    Attributes
    ----------
    root : list
        The tree, in a list of its own.
    members : dict of str to bytes
        Other members of the archive.
    """

    def __init__(self, name: str, good: GoodFile) -> None:
        self.name, self.kind = name, good.kind
        self._graph = None
        contents = good.contents
        if self.kind == "onnx":
            import onnx

            self._graph = onnx.ModelProto.FromString(contents)
            self._rest = {e.key: e for e in self._graph.metadata_props}["skgenre.model"]
            contents = base64.b64decode(self._rest.value)
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        self.is_old = self.kind == "format 1"
        self.model = "schema.json" if self.is_old else "model.json"
        described = json.loads(members.pop(self.model, b"null"))
        if self.kind == "index":
            described = {
                "arrays": [{"array": member} for member in sorted(members)],
            }
        self._names: list[str] = []
        self.root = [self._with_arrays(described, members)]
        self.members = {k: v for k, v in members.items() if k not in self._names}
        self.text: bytes | None = None
        self.extra: list[tuple[str, bytes]] = []
        self.lacks: set[str] = set()
        self.compression = zipfile.ZIP_STORED

    def copy(self) -> "_Forged":
        graph, self._graph = self._graph, None
        result = copy.deepcopy(self)
        self._graph = graph
        if graph is not None:
            result._graph = type(graph).FromString(graph.SerializeToString())
            entries = {e.key: e for e in result._graph.metadata_props}
            result._rest = entries["skgenre.model"]
        return result

    def _with_arrays(self, node: Any, members: dict[str, bytes]) -> Any:
        if isinstance(node, list):
            return [self._with_arrays(item, members) for item in node]
        if not isinstance(node, dict):
            return node
        result = {}
        for key, item in node.items():
            if key == "__id__":  # of skops: an address, which nobody reads
                continue
            is_name = key == ("file" if self.is_old else "array")
            if is_name and isinstance(item, str) and item in members:
                self._names.append(item)
                result[key] = Array(members[item])
            else:
                result[key] = self._with_arrays(item, members)
        return result

    @property
    def tensors(self) -> list[Any]:
        return [] if self._graph is None else list(self._graph.graph.initializer)

    def contents(self) -> bytes:
        """Return the bytes of the file."""
        arrays: dict[str, bytes] = {}

        def named(node: Any) -> Any:
            if isinstance(node, Array):
                names = ["embeddings", "format", "model", "names", "sizes", "times"]
                n = len(arrays)
                is_known = self.kind == "index" and n < len(names)
                name = f"{names[n] if is_known else n}.npy"
                # Of an export, the arrays that are tensors have the names of before.
                while name in arrays or name in self.members:
                    name = f"_{name}"
                arrays[name] = node.contents
                return name
            if isinstance(node, list):
                return [named(item) for item in node]
            if isinstance(node, dict):
                return {key: named(item) for key, item in node.items()}
            return node

        described = named(self.root[0] if self.root else None)
        text = self.text or json.dumps(described).encode()
        members = [*self.members.items(), *arrays.items(), *self.extra]
        if self.kind != "index":
            members.append((self.model, text))
        target = io.BytesIO()
        with warnings.catch_warnings(action="ignore"):  # of two members of one name
            with zipfile.ZipFile(target, "w") as archive:
                for name, contents in members:
                    if name not in self.lacks:
                        # Without the time, so that a file is always the same.
                        archive.writestr(
                            zipfile.ZipInfo(name), contents, self.compression
                        )
        if self._graph is None:
            return target.getvalue()
        self._rest.value = base64.b64encode(target.getvalue()).decode()
        return self._graph.SerializeToString()


class Forger:
    """Makes forged files of good ones.

    Parameters
    ----------
    good : dict of str to GoodFile
        The good files, by name.
    seed : int
        Another seed makes other files.
    """

    def __init__(self, good: dict[str, GoodFile], seed: int) -> None:
        self._seed = seed
        self._good = {name: _Forged(name, file) for name, file in good.items()}
        self._names = list(self._good)
        self._weights = [_WEIGHTS.get(file.part, 1) for file in good.values()]
        # Nodes of attributes by their names, objects and small nodes, by the format.
        self.by_name: dict[bool, dict[str, list[Any]]] = {False: {}, True: {}}
        self.objects: dict[bool, list[Any]] = {False: [], True: []}
        self.nodes: dict[bool, list[Any]] = {False: [], True: []}
        for file in self._good.values():
            by_name = self.by_name[file.is_old]
            for found in _objects(file):
                self.objects[file.is_old].append(found)
                for attributes in _attributes(file, found):
                    for name, node in attributes.items():
                        by_name.setdefault(name, []).append(node)
            self.nodes[file.is_old] += [
                container[key]
                for container, key in _places(file.root)
                if isinstance(container[key], dict) and _size(container[key]) < 30
            ]
        self.classes = {
            is_old: sorted({_class_name(node) for node in objects})
            for is_old, objects in self.objects.items()
        }

    def make(self, number: int) -> Forgery:
        """Return the forged file of a number."""
        rng = random.Random(f"{self._seed} {number}")
        file = self._good[rng.choices(self._names, self._weights)[0]].copy()
        done: list[str] = []
        n_wanted = rng.choice([1, 1, 1, 1, 2, 3])
        while len(done) < n_wanted:
            change = rng.choices(list(_FORGERIES), list(_FORGERIES.values()))[0]
            try:
                what = change(file, rng, self)
            except (LookupError, TypeError, ValueError, ArithmeticError):
                if not done:
                    raise
                continue  # what was forged before has left nothing to forge in
            if what is not None:
                name = change.__name__.strip("_").replace("_", " ")
                done.append(f"{name}: {what}"[:300])
        return Forgery(file.name, "; ".join(done), file.contents())


def _places(root: list) -> list[tuple[Any, Any]]:
    """Return where the nodes of a tree are: (list or dict, index or key) of each."""
    found: list[tuple[Any, Any]] = []
    rest: list[Any] = [root]
    while rest:
        container = rest.pop()
        keys = range(len(container)) if isinstance(container, list) else [*container]
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], list | dict):
                rest.append(container[key])
    return found


def _size(node: Any) -> int:
    return 1 + len(_places([node]))


def _objects(file: _Forged) -> list[dict]:
    """Return the nodes of estimators that have attributes."""

    def is_object(node: Any) -> bool:
        if not isinstance(node, dict):
            return False
        if not file.is_old:
            return {"object", "parameters", "fitted"} <= node.keys() and all(
                isinstance(node[key], dict) for key in ("parameters", "fitted")
            )
        content = node.get("content")
        return node.get("__loader__") == "ObjectNode" and (
            isinstance(content, dict) and isinstance(content.get("content"), dict)
        )

    nodes = (container[key] for container, key in _places(file.root))
    return [node for node in nodes if is_object(node)]


def _attributes(file: _Forged, node: dict) -> list[dict]:
    """Return the dicts of an object's parameters and attributes."""
    if file.is_old:
        return [node["content"]["content"]]
    return [node["parameters"], node["fitted"]]


def _class_name(node: dict) -> Any:
    return str(node.get("object", node.get("__class__")))


def _set(file: _Forged, node: dict, which: dict, name: str, value: Any) -> None:
    """Set an attribute; in format 1, the types of the names are listed, too."""
    if file.is_old and name not in which:
        kinds = node["content"]["key_types"]["content"]
        if isinstance(kinds, list):  # no forgery before this one has replaced them
            kinds.append(forge.node("TypeNode", "builtins.str"))
    which[name] = value


def _node(file: _Forged, value: Any) -> Any:
    """Return a value of a description, or the same one in format 1."""
    if not file.is_old:
        return copy.deepcopy(value)
    if isinstance(value, list):
        return forge.items(*(_node(file, item) for item in value))
    if isinstance(value, dict):
        (kind, content), *_ = value.items()
        if kind == "tuple":
            nodes = (_node(file, item) for item in content)
            return forge.items(*nodes, kind="tuple")
        if kind == "dict":
            nodes_by_name = {key: _node(file, item) for key, item in content}
            return forge.mapping(**nodes_by_name)
        if kind == "function":
            return forge.node("FunctionNode", f"sklearn.feature_selection.{content}")
        if kind == "objects":
            shape = forge.items(forge.value(len(content)), kind="tuple")
            items = [forge.value(item) for item in content]
            return forge.node(
                *("NdArrayNode", "numpy.ndarray"),
                content=items,
                type="json",
                shape=shape,
            )
        return forge.value(None)
    if isinstance(value, np.ndarray):
        return forge.node(
            "NdArrayNode", "numpy.ndarray", type="numpy", file=Array(forge.npy(value))
        )
    return forge.value(value)


def _array_node(file: _Forged, array: np.ndarray) -> Any:
    return _node(file, array) if file.is_old else {"array": Array(forge.npy(array))}


# Arrays.


def _npy(shape: Any, dtype: str, body: bytes, *, fortran: Any = False) -> bytes:
    header = f"{{'descr': {dtype!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    return _npy_with(header.encode(), body)


def _npy_with(header: bytes, body: bytes, version: bytes = b"\x01\x00") -> bytes:
    filled = header + b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(filled)) + filled + body


def _array_of(contents: bytes) -> np.ndarray | None:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            array = np.load(io.BytesIO(contents), allow_pickle=False)
    except Exception:  # of a header that lies
        return None
    return array if array.size <= 10**6 else None  # such as of '<U0'


def _forge_contents(contents: bytes, rng: random.Random) -> tuple[bytes, str] | None:
    array = _array_of(contents)
    if array is None:
        return None
    if rng.random() < 0.25:
        return _lying(array, rng)
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        change = rng.choice([_other_values] * 3 + [_other_dtype, _other_shape])
        forged, what = change(array, rng)
    shape = f"{array.dtype.str}{array.shape}"
    return forge.npy(forged), f"{what} of {shape} -> {forged.dtype.str}{forged.shape}"


def _lying(array: np.ndarray, rng: random.Random) -> tuple[bytes, str]:
    body, shape, dtype = array.tobytes(), array.shape, array.dtype.str
    lie = rng.randrange(12)
    if lie == 0:
        shape = tuple(rng.choice([0, -1, 2, 2**31, 2**40, 2**63, -n]) for n in shape)
    elif lie == 1:
        shape = rng.choice([(_MANY,), (2**40, 0), (0, 2**62), (2**62, 0, 2**62)])
        dtype, body = rng.choice([dtype, "<U0", "|S0", "|V0"]), b""
    elif lie == 2:
        dtype = rng.choice(_DTYPES)
    elif lie == 3:
        body = body[: len(body) // 2]
    elif lie == 4:
        body += b"\0" * rng.choice([1, 8, 4096])
    elif lie == 5:
        return _npy(
            f"({', '.join(['1'] * 40)},)", dtype, body[: array.itemsize]
        ), "axes"
    elif lie == 6:
        header = rng.choice(
            [b"", b"{", b"[" * 300, b"{'descr': 1}", b"\0" * 64, b"1" * 9_000]
        )
        return _npy_with(header, body), f"header {header[:10]!r}"
    elif lie == 7:
        version = rng.choice([b"\x02\x00", b"\x03\x00", b"\x09\x00"])
        header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}}}"
        return _npy_with(header.encode(), body, version), f"version {version!r}"
    elif lie == 8:
        n = len(body)
        return _npy(
            shape, dtype, body, fortran=rng.choice(["2", "'x'", "None"])
        ), f"{n}"
    elif lie == 9:
        fields = repr([("a", dtype), ("b", dtype)])
        header = f"{{'descr': {fields}, 'fortran_order': False, 'shape': {shape}}}"
        return _npy_with(header.encode(), body * 2), "fields"
    elif lie == 10:
        return rng.choice([b"", b"\x93NUMPY", b"PK\x03\x04", b"\x80\x04N."]), "no array"
    else:
        dtype = rng.choice(["<U0", "|V0", "|S0", "(2,)<f4", "<f4,<f4"])
        body = body if rng.random() < 0.5 else b""
    return _npy(shape, dtype, body), f"header says {dtype} {shape} of {array.shape}"


def _extreme(array: np.ndarray, rng: random.Random) -> Any:
    kind = array.dtype.kind
    if kind == "f":
        info = np.finfo(array.dtype)
        return rng.choice(
            [0, -1, 1, 0.5, 1e9, -1e9, info.max, info.min, info.tiny, np.nan, np.inf]
        )
    if kind in "iu":
        info = np.iinfo(array.dtype)
        near = [0, 1, 2, 5, 44, 45, 100]
        return rng.choice([*near, info.max, info.min, info.max // 2])
    if kind == "U":
        return rng.choice(["", "a", "zz", "\0", "\U0010ffff"])
    return rng.random() < 0.5


def _other_values(array: np.ndarray, rng: random.Random) -> tuple[np.ndarray, str]:
    result = array.copy()
    flat = result.reshape(-1)
    if not flat.size:
        return np.ones((1,) * max(array.ndim, 1), array.dtype), "filled"
    choice = rng.randrange(7)
    if choice == 0:
        result[...] = value = _extreme(array, rng)
        return result, f"all {value!r}"
    if choice == 1 and result.ndim:
        at = rng.randrange(len(result))
        result[at] = value = _extreme(array, rng)
        return result, f"[{at}] {value!r}"
    if choice == 2 and array.dtype.kind in "fiub" and rng.random() < 0.7:
        return (array[::-1].copy() if array.ndim else array), "reversed"
    if choice == 3 and array.dtype.kind in "fi":
        return (-array).astype(array.dtype), "negative"
    if choice == 4 and array.dtype.kind in "fiu":
        by = rng.choice([2, 1e3, 1e30, 1e300])
        return (array * by).astype(array.dtype), f"times {by}"
    if choice == 2 and flat.size > 1 and array.dtype.kind in "iu":
        result = result.astype("<u8")  # whose sum stays the same
        result.flat[:2] += np.array(2**63, "<u8")
        return result, "overflow"
    at = rng.randrange(flat.size)
    if choice == 5 and array.dtype.kind in "fiu":
        flat[at] += np.array(rng.choice([1, -1])).astype(array.dtype)
        return result, f"flat[{at}] by one"
    flat[at] = value = _extreme(array, rng)
    return result, f"flat[{at}] {value!r}"


def _other_dtype(array: np.ndarray, rng: random.Random) -> tuple[np.ndarray, str]:
    dtype = rng.choice([dtype for dtype in _DTYPES if dtype not in ("|O", "|V8")])
    try:
        return array.astype(dtype), "type"
    except (ValueError, TypeError, SystemError):  # the last: of forged letters
        return np.zeros(array.shape, dtype), "type"


def _other_shape(array: np.ndarray, rng: random.Random) -> tuple[np.ndarray, str]:
    if not array.ndim:
        return array.reshape(1), "axis more"
    axis = rng.randrange(array.ndim)
    n = array.shape[axis]
    choice = rng.randrange(8)
    if choice <= 3 and n:
        wanted = rng.choice([0, 1, n - 1, n + 1, 2 * n, 1000])
        return _resized(array, axis, wanted), f"axis {axis}"
    if choice == 4:
        return array[..., np.newaxis], "axis more"
    if choice == 5 and n:
        return array.take(0, axis), "axis less"
    if choice == 6 and array.ndim > 1:
        return np.asfortranarray(array), "Fortran"
    return array.T.copy(), "transposed"


def _resized(array: np.ndarray, axis: int, n: int) -> np.ndarray:
    if array.size * n > 10**6:
        return array
    return array.take(np.arange(n) % max(array.shape[axis], 1), axis)


# Forgeries: each changes a file and returns what it did, or None if it can't.

_Forge = Callable[[_Forged, random.Random, Forger], str | None]


def _at(container: Any, key: Any) -> str:
    near = _class_name(container) if isinstance(container, dict) else ""
    return f"{key} {near}".strip()


def _leaf(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Set a leaf to an extreme value."""
    leaves = [
        (container, key)
        for container, key in _places(file.root)
        if not isinstance(container[key], list | dict | Array)
    ]
    if not leaves:
        return None
    container, key = rng.choice(leaves)
    before, value = container[key], rng.choice(_EXTREMES)
    if file.is_old and isinstance(before, str) and rng.random() < 0.7:
        try:  # the text of a JsonNode
            json.loads(before)
            value = json.dumps(value)
        except ValueError:
            pass
    elif rng.random() < 0.2:
        value = {"number": [rng.choice(_DTYPES), value]}
    container[key] = value
    return f"{_at(container, key)} {str(before)[:40]!r} -> {str(value)[:40]!r}"


def _near(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Change a number a little, or double it."""
    numbers = [
        (container, key)
        for container, key in _places(file.root)
        if type(container[key]) in (int, float)
    ]
    if not numbers:
        return None
    container, key = rng.choice(numbers)
    before = container[key]
    change = rng.choice(
        [lambda n: n + 1, lambda n: n - 1, lambda n: 2 * n, lambda n: -n, float]
    )
    container[key] = change(before)
    return f"{_at(container, key)} {before} -> {container[key]}"


def _samples(file: _Forged) -> list[Any]:
    """Return nodes of every kind."""
    array = _array_node(file, np.arange(3.0))
    texts = _array_node(file, np.array(["a", "b"]))
    masked = forge.node("MaskedArrayNode", "numpy.ma.MaskedArray", content={})
    nodes = [_node(file, value) for value in (None, True, 3, 2.5, "text", [], [1, "a"])]
    nodes += [
        _node(file, value)
        for value in (
            {"tuple": [1, 2]},
            {"dict": [["a", 1]]},
            {"slice": [0, 2, None]},
            {"genre tree": [["a", "b"], ["b", None]]},
            {"number": ["<f4", 0.5]},
            {"objects": ["a", "b", "c"]},
            {"function": "f_classif"},
        )
    ]
    return [*nodes, array, texts, masked, {}, {"x": 1}]


def _other_kind(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Set a node of another kind, or one from anywhere, in place of a node."""
    places = _places(file.root)
    if not places:
        return None
    container, key = rng.choice(places)
    if rng.random() < 0.5:
        node = rng.choice(_samples(file))
    else:
        node = copy.deepcopy(rng.choice(forger.nodes[file.is_old] or [None]))
    before, container[key] = container[key], node
    return f"{_at(container, key)} {_brief(before)} -> {_brief(node)}"


def _brief(node: Any) -> str:
    if isinstance(node, Array):
        return "array"
    if isinstance(node, dict):
        return "/".join(map(str, [*node][:1])) + f" {_class_name(node)}"
    return str(node)[:40]


def _another_class(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Give an object another class."""
    objects = _objects(file)
    if not objects:
        return None
    node, name = rng.choice(objects), rng.choice(forger.classes[file.is_old])
    before = _class_name(node)
    node["__class__" if file.is_old else "object"] = name
    return f"{before} -> {name}"


def _another_object(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Set another object in place of one."""
    objects = _objects(file)
    if not objects:
        return None
    node = rng.choice(objects)
    other = copy.deepcopy(rng.choice(forger.objects[file.is_old]))
    before = _class_name(node)
    node.clear()
    node.update(other)
    return f"{before} -> {_class_name(node)}"


def _another_attribute(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Give an object an attribute of any class, or the value of another attribute."""
    objects = _objects(file)
    if not objects:
        return None
    node = rng.choice(objects)
    which = rng.choice(_attributes(file, node))
    by_name = forger.by_name[file.is_old]
    name = rng.choice(list(by_name))
    value = copy.deepcopy(rng.choice(by_name[name]))
    if which and rng.random() < 0.6:
        name = rng.choice(list(which))
        if rng.random() < 0.7 and name in by_name:
            value = copy.deepcopy(rng.choice(by_name[name]))
    _set(file, node, which, name, value)
    return f"{_class_name(node)}.{name}"


def _dropped(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Leave something out."""
    places = [place for place in _places(file.root) if place[0] is not file.root]
    if not places:
        return None
    container, key = rng.choice(places)
    del container[key]
    return _at(container, key)


def _dropped_attribute(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    objects = _objects(file)
    if not objects:
        return None
    node = rng.choice(objects)
    which = rng.choice(_attributes(file, node))
    if not which:
        return None
    if rng.random() < 0.2:
        kept = rng.choice(list(which))
        for name in [*which]:
            if name != kept:
                _remove(file, node, which, name)
        return f"all of {_class_name(node)} but {kept}"
    name = rng.choice(list(which))
    _remove(file, node, which, name)
    return f"{_class_name(node)}.{name}"


def _remove(file: _Forged, node: dict, which: dict, name: str) -> None:
    if file.is_old:
        del node["content"]["key_types"]["content"][list(which).index(name)]
    del which[name]


def _twice(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Repeat, exchange or turn around the items of a list."""
    lists = [
        (container[key], key)
        for container, key in _places(file.root)
        if isinstance(container[key], list) and container[key]
    ]
    if not lists:
        return None
    items, key = rng.choice(lists)
    n, choice = len(items), rng.randrange(4)
    if choice == 0:
        items.append(copy.deepcopy(rng.choice(items)))
    elif choice == 1:
        items += copy.deepcopy(items) * rng.choice([1, 20])
    elif choice == 2:
        items.reverse()
    else:
        del items[:]
    return f"{key} {n} -> {len(items)}"


def _hostile(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Set what would do something, or ask for too much."""
    objects = _objects(file)
    if not objects:
        return None
    node = rng.choice(objects)
    known = [
        (which, name)
        for each in objects
        for which in _attributes(file, each)
        for name in which
        if name in _HOSTILE
    ]
    if known and rng.random() < 0.7:
        which, name = rng.choice(known)
    else:
        which = rng.choice(_attributes(file, node))
        name = rng.choice(list(_HOSTILE))
    value = rng.choice(_HOSTILE[name])
    owner = next(o for o in objects if any(which is a for a in _attributes(file, o)))
    _set(file, owner, which, name, _node(file, value))
    return f"{_class_name(owner)}.{name} = {str(value)[:60]}"


def _allowed(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Give a parameter a value that its class allows, at an end of the range."""
    objects = _objects(file)
    if not objects:
        return None
    node = rng.choice(objects)
    choices = list(_constrained(_class_name(node)))
    if not choices:
        return None
    name, value = rng.choice(choices)
    which = _attributes(file, node)[0]
    _set(file, node, which, name, _node(file, value))
    return f"{_class_name(node)}.{name} = {value!r}"


def _constrained(name: str) -> Iterator[tuple[str, Any]]:
    """Yield parameters of a class and values that its constraints allow."""
    from sklearn.utils._param_validation import Interval, Options

    from skgenre.persistence._classes import CLASSES

    if name not in CLASSES:
        return
    cls = getattr(importlib.import_module(CLASSES[name].module), name, None)
    constraints = getattr(cls, "_parameter_constraints", {})
    for parameter, kinds in sorted(constraints.items()):
        for kind in kinds if isinstance(kinds, list) else ():
            if isinstance(kind, Options):
                for option in sorted(kind.options, key=str):
                    if isinstance(option, str | int | float):
                        yield parameter, option
            elif isinstance(kind, Interval):
                for value in _NUMBERS:
                    is_finite = not isinstance(value, float) or abs(value) < 1e309
                    if is_finite and value in kind and abs(value) < 2**63:
                        yield parameter, value
            elif kind == "boolean":
                yield parameter, True
                yield parameter, False
            elif kind is None:
                yield parameter, None


def _resize(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Give all arrays of an object that share a size another one, and numbers, too."""
    objects = _objects(file)
    whole = [*objects, file.root]
    part = rng.choice(whole)
    places = _places([part])
    arrays = []
    for container, key in places:
        if isinstance(container[key], Array):
            array = _array_of(container[key].contents)
            if array is not None and array.dtype.names is None:
                arrays.append((container, key, array))
    sizes = sorted({n for _, _, array in arrays for n in array.shape if n})
    if not sizes:
        return None
    size = rng.choice(sizes)
    wanted = rng.choice([0, 1, 2, size - 1, size + 1, 2 * size, 50])
    for container, key, array in arrays:
        for axis, n in enumerate(array.shape):
            if n == size:
                array = _resized(array, axis, wanted)
        container[key] = Array(forge.npy(array))
    lists = []
    for container, key in places:
        if type(container[key]) is int and container[key] == size:
            container[key] = wanted
        elif isinstance(container[key], list) and len(container[key]) == size:
            lists.append(container[key])
    for items in lists:
        if any(isinstance(item, dict) for item in items):
            items[:] = [copy.deepcopy(items[i % size]) for i in range(wanted)]
    return f"{_brief(part)} {size} -> {wanted}"


def _array(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Change an array, or its header."""
    arrays = [
        (container, key)
        for container, key in _places(file.root)
        if isinstance(container[key], Array)
    ]
    tensors = file.tensors
    if tensors and rng.random() < 0.5:
        return _forge_tensor(rng.choice(tensors), rng)
    if not arrays:
        return None
    container, key = rng.choice(arrays)
    forged = _forge_contents(container[key].contents, rng)
    if forged is None:
        return None
    container[key] = Array(forged[0])
    return forged[1]


def _forge_tensor(tensor: Any, rng: random.Random) -> str:
    choice = rng.randrange(6)
    if choice == 0:
        tensor.dims[:] = rng.choice([[], [0], [-1], [2**40], [2**40, 0], [1] * 70])
    elif choice == 1:
        tensor.data_type = rng.choice([0, 2, 7, 8, 10, 11, 99])
    elif choice == 2:
        tensor.data_location = 1
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", rng.choice(["/etc/passwd", "x", "../x"])
    elif choice == 3:
        body = tensor.raw_data
        tensor.raw_data = rng.choice([b"", body[:-1], body[:-4], body * 2])
    elif choice == 4:
        tensor.name = rng.choice(["", "x", "weights_0", "weights_1"])
    else:
        values = np.frombuffer(tensor.raw_data, "<f4").copy()
        if values.size:
            values[rng.randrange(values.size)] = _extreme(values, rng)
        tensor.raw_data = values.tobytes()
    return f"tensor {tensor.name} {choice}"


def _members(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Change the archive: members twice, missing, added, compressed."""
    names = [file.model, *file.members]
    choice = rng.randrange(7)
    if choice == 0:
        name = rng.choice([*names, "0.npy", "names.npy"])
        file.extra.append((name, rng.choice([b"", b"null", b"{}"])))
        return f"{name} twice"
    if choice == 1:
        name = rng.choice([*names, "0.npy", "embeddings.npy"])
        file.lacks.add(name)
        return f"no {name}"
    if choice == 2:
        name = rng.choice(["x", "../x", "/tmp/x", "99.npy", "x.npy/", "schema.json"])  # nosec B108
        file.extra.append((name, forge.npy(np.zeros(3))))
        return f"{name} added"
    if choice == 3:
        file.compression = zipfile.ZIP_DEFLATED
        return "compressed"
    if choice == 4 and file.members:
        name = rng.choice(list(file.members))
        facts = {
            "format": rng.choice([0, 1, 2, 3, -1, 1.0, True, None, "2", 10**30]),
            "packages": rng.choice([None, {"scikit-learn": "x" * 999}, [1], {"a": 1}]),
        }
        file.members[name] = json.dumps(facts).encode()
        return f"{name} = {facts}"
    if choice == 5 and file.members:
        name = rng.choice(list(file.members))
        file.members[name] = rng.choice(
            [b"", b"[]", b"{", b"\xff", b"[" * 10**5, b"NaN"]
        )
        return f"{name} = {file.members[name][:10]!r}"
    if file.kind == "index":
        return None
    file.text = rng.choice(
        [b"", b"null", b"[" * 10**5, b"1" * 5_000, b"\xff\xfe", b'{"a":' * 10**4]
    )
    return f"{file.model} = {file.text[:10]!r}"


def _deep(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Put a model into many others, one in the other."""
    if file.is_old or file.kind == "index":
        return None
    depth = rng.choice([5, 20, 60, 100, 200, 5_000])
    begin, end = rng.choice(
        [
            (
                '{"object": "FrozenEstimator", "fitted": {}, "parameters": '
                '{"estimator": ',
                "}}",
            ),
            (
                '{"object": "Pipeline", "fitted": {}, "parameters": {"steps": '
                '[{"tuple": ["a", ',
                "]}]}}",
            ),
            (
                '{"object": "FeatureUnion", "fitted": {}, "parameters": '
                '{"transformer_list": [{"tuple": ["a", ',
                "]}]}}",
            ),
            (
                '{"object": "MissingClipClassifier", "fitted": {}, "parameters": '
                '{"estimator": ',
                "}}",
            ),
            (
                '{"object": "VotingClassifier", "fitted": {}, "parameters": '
                '{"estimators": [{"tuple": ["a", ',
                "]}]}}",
            ),
            ("[", "]"),
            ('{"tuple": [', "]}"),
        ]
    )
    inner = '{"object": "GaussianNB", "parameters": {}, "fitted": {}}'
    file.text = (begin * depth + inner + end * depth).encode()
    file.lacks |= {f"{i}.npy" for i in range(200)}
    return f"{depth} of {begin[:30]}"


def _wide(file: _Forged, rng: random.Random, forger: Forger) -> str | None:
    """Put steps in front of a model that multiply what it is given."""
    if file.is_old or file.kind == "index":
        return None
    n, depth = rng.choice([(2, 2), (10, 2), (10, 8), (200, 1), (200, 3)])
    pairs = [{"tuple": [f"{i}", "passthrough"]} for i in range(n)]
    union = {"transformer_list": pairs}
    steps = [
        {"object": "FeatureUnion", "parameters": copy.deepcopy(union), "fitted": {}}
        for _ in range(depth)
    ]
    named = [{"tuple": [f"{i}", step]} for i, step in enumerate([*steps, file.root[0]])]
    file.root[0] = {"object": "Pipeline", "parameters": {"steps": named}, "fitted": {}}
    return f"{depth} unions of {n}"


_FORGERIES: dict[_Forge, int] = {
    _leaf: 10,
    _near: 8,
    _other_kind: 10,
    _another_class: 5,
    _another_object: 5,
    _another_attribute: 8,
    _dropped: 3,
    _dropped_attribute: 4,
    _twice: 4,
    _hostile: 8,
    _allowed: 12,
    _resize: 8,
    _array: 14,
    _members: 2,
    _deep: 1,
    _wide: 1,
}
"""What is done to files, and how often in relation to one another."""
