"""Files of format 1, whose estimators skops has described.

They are translated to the description of today, which is then held against the closed
list like any other: nothing is built here but plain values and arrays.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skgenre._files import read_array
from skgenre._sklearn_compat import BUNCHES, TREES, node_types
from skgenre.persistence._classes import CLASSES, find_class
from skgenre.persistence._classes._savable import FUNCTIONS, NOT_SAVED
from skgenre.persistence._description import (
    Description,
    find_function,
    parameter_names,
    set_by_constructor,
)

_SEARCHES = {
    *("GridSearchCV", "RandomizedSearchCV"),
    *("HalvingGridSearchCV", "HalvingRandomSearchCV"),
}
_IGNORED = {"_sklearn_version"}
_FOLDERS = ("cache_dir", "checkpoint_dir", "memory")
_PROTOCOL = 2
"""Newest version of skops's own format that was written."""
# Not booleans: skops writes them as words, each of which is true.
_KEYS: dict[str, Callable[[str], Any]] = {
    **{f"builtins.{kind.__name__}": kind for kind in (str, int, float)},
    **{
        f"numpy.{kind.__name__}": kind
        for kind in (
            *(np.int8, np.int16, np.int32, np.int64, np.float16, np.float32),
            *(np.uint8, np.uint16, np.uint32, np.uint64, np.float64, np.str_),
        )
    },
}
# Estimators shared arrays with their copies, and so a file names some several times.
_MAX_REPEATS = 16
# Bytes for each byte of its number; NumPy's of 8 bytes allow 200 characters.
_LONGEST_LABEL = 100


@dataclasses.dataclass
class _Found:
    """An object of scikit-learn or of this package, by its class and attributes."""

    name: str
    attributes: dict[str, Any]


class _LeftOut:
    """Stands for what only training used; it can't be described again."""


def translate(schema: Any, members: Mapping[str, bytes]) -> Description:
    """Return the description of today of a model in a file of format 1.

    A search becomes its best estimator.

    Parameters
    ----------
    schema : object
        The description by skops, as JSON holds it.
    members : mapping of str to bytes
        The members of the file, by name.

    Raises
    ------
    ValueError
        If the file holds anything but estimators that can be described.
    """
    protocol = schema["protocol"]
    if type(protocol) is not int or not 0 <= protocol <= _PROTOCOL:
        raise ValueError(f"its description has the protocol {protocol!r}")
    found = _Reader(members).node(schema)
    if isinstance(found, _Found) and found.name in _SEARCHES:
        found = found.attributes.get("best_estimator_")
    try:
        return _Translation(found)
    except TypeError as error:
        raise ValueError(str(error)) from error


class _Translation(Description):
    def _object(self, value: Any) -> Any:
        if isinstance(value, _LeftOut):
            raise TypeError("it holds in a wrong place what only training uses")
        if not isinstance(value, _Found):
            return super()._object(value)
        if value.name not in CLASSES:
            raise TypeError(f"it holds {value.name}, which is not in the list")
        known, attributes = CLASSES[value.name], value.attributes
        cls = find_class(value.name)
        names = parameter_names(cls)
        for name in _FOLDERS:
            if attributes.get(name) is not None:
                raise TypeError(f"{value.name}: {name} names a folder")
        parameters = {
            name: self._parameter(name, item)
            for name, item in attributes.items()
            if name in names - NOT_SAVED
        }
        fitted = {
            name: item
            for name, item in attributes.items()
            if name not in names | set_by_constructor(cls) | known.retired | _IGNORED
        }
        if value.name in _TRANSLATED:
            fitted = _TRANSLATED[value.name](fitted)
        return {
            "object": value.name,
            "parameters": parameters,
            "fitted": {
                name: self._any(item)
                for name, item in fitted.items()
                if name not in known.not_saved
            },
        }


def _tree(fitted: dict[str, Any]) -> dict[str, Any]:
    tree = fitted.pop("tree_", None)
    return fitted if tree is None else fitted | tree


def _neighbors(fitted: dict[str, Any]) -> dict[str, Any]:
    if "_fit_X" not in fitted:
        return fitted
    y, classes = fitted["_y"], fitted["classes_"]
    if y.ndim != 1 or classes.ndim != 1 or (y < 0).any():  # counted from the end
        raise ValueError("a clip is of a class that there is not")
    if classes.itemsize > _LONGEST_LABEL * y.itemsize:  # of each clip, one is made
        raise ValueError("its labels are too long")
    return {"fit_X": fitted["_fit_X"], "fit_y": classes[y]}


def _boosting(fitted: dict[str, Any]) -> dict[str, Any]:
    if "_predictors" not in fitted:
        return fitted
    if fitted.get("_preprocessor") is not None:
        raise ValueError("it has categorical features")
    nodes = [
        tree.attributes["nodes"] for trees in fitted["_predictors"] for tree in trees
    ]
    if any(each["is_categorical"].any() for each in nodes):
        raise ValueError("it has categorical features")
    names = CLASSES["HistGradientBoostingClassifier"].fitted.keys()
    return {
        **{name: item for name, item in fitted.items() if name in names},
        **{
            name: np.concatenate([each[name] for each in nodes])
            for name in node_types()[1].names or ()
            if name in names
        },
        "n_nodes": np.array([len(each) for each in nodes]),
    }


_TRANSLATED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "DecisionTreeClassifier": _tree,
    "ExtraTreeClassifier": _tree,
    "HistGradientBoostingClassifier": _boosting,
    "KNeighborsClassifier": _neighbors,
}


class _Reader:
    """Reads the nodes of skops that describe plain values, arrays and estimators."""

    def __init__(self, members: Mapping[str, bytes]) -> None:
        self._members = members
        self._n_bytes_left = _MAX_REPEATS * sum(map(len, members.values()))

    def node(self, state: Any) -> Any:
        loader, name = state["__loader__"], _name(state)
        if loader not in _READERS or name not in _TYPES.get(loader, {name}):
            raise ValueError(f"it holds {name}")
        return _READERS[loader](self, state)

    def _json(self, state: Any) -> Any:
        return json.loads(state["content"])

    def _list(self, state: Any) -> list:
        return [self.node(item) for item in state["content"]]

    def _tuple(self, state: Any) -> tuple:
        return tuple(self._list(state))

    def _slice(self, state: Any) -> slice:
        return slice(*(state["content"][key] for key in ("start", "stop", "step")))

    def _dict(self, state: Any) -> dict:
        kinds = [_name(kind) for kind in state["key_types"]["content"]]
        if not _KEYS.keys() >= set(kinds):
            raise ValueError("a dict has keys that are neither texts nor numbers")
        return {
            _KEYS[kind](key): self.node(item)
            for kind, (key, item) in zip(kinds, state["content"].items(), strict=True)
        }

    def _array(self, state: Any) -> Any:
        if state["type"] == "json":
            if len(state["shape"]["content"]) != 1:
                raise ValueError("it holds an array of objects with several axes")
            result = np.empty(len(state["content"]), object)
            result[:] = self._list(state)
            return result
        contents = self._members[state["file"]]
        self._n_bytes_left -= len(contents)
        if self._n_bytes_left < 0:
            raise ValueError("its arrays are named more often than estimators do")
        array = _read(contents)
        return array if state["__class__"] == "ndarray" else array[()]

    def _function(self, state: Any) -> Any:
        if state["__class__"] not in FUNCTIONS:
            raise ValueError(f"it holds {_name(state)}")
        return find_function(state["__class__"])

    def _object(self, state: Any) -> Any:
        package, name = state["__module__"].split(".")[0], state["__class__"]
        known = CLASSES.get(name)
        packages = ("sklearn", "skgenre") if known is None else (known.package,)
        if package not in packages:
            raise ValueError(f"it holds {_name(state)}")
        attributes = self.node(state["content"]) if "content" in state else {}
        return _Found(name, attributes or {})

    def _tree(self, state: Any) -> dict[str, Any]:
        content = self.node(state["content"])
        nodes = content["nodes"]
        return {
            **{name: nodes[name].copy() for name in nodes.dtype.names},
            "values": content["values"],
            "max_depth": content["max_depth"],
        }

    def _left_out(self, state: Any) -> _LeftOut:
        return _LeftOut()


def _name(state: Any) -> str:
    return f"{state['__module__']}.{state['__class__']}"


def _read(contents: bytes) -> np.ndarray:
    try:
        return read_array(contents)
    except ValueError:
        for structured in node_types():
            try:
                return read_array(contents, structured=structured)
            except ValueError:
                pass
        raise


_TYPES = {
    "DictNode": {"builtins.dict", *BUNCHES},
    "JsonNode": {"builtins.str"},
    "ListNode": {"builtins.list"},
    "NdArrayNode": {"numpy.ndarray", "numpy.bool", "numpy.bool_", *_KEYS},
    "SliceNode": {"builtins.slice"},
    "TreeNode": TREES,
    "TupleNode": {"builtins.tuple"},
}
_READERS: dict[str, Callable[[_Reader, Any], Any]] = {
    "DictNode": _Reader._dict,
    "FunctionNode": _Reader._function,
    "JsonNode": _Reader._json,
    "ListNode": _Reader._list,
    "LossNode": _Reader._left_out,
    "MaskedArrayNode": _Reader._left_out,
    "NdArrayNode": _Reader._array,
    "ObjectNode": _Reader._object,
    "RandomStateNode": _Reader._left_out,
    "SetNode": _Reader._left_out,
    "SliceNode": _Reader._slice,
    "TreeNode": _Reader._tree,
    "TupleNode": _Reader._tuple,
}
