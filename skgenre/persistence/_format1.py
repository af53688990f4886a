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
from skgenre._sklearn_compat import node_types
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
_KEYS = {"str": str, "int": int, "float": float}
_NUMPY_KEYS = frozenset(
    "bool str int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split()
)
# Estimators shared arrays with their copies, and so a file names some several times.
_MAX_REPEATS = 16


@dataclasses.dataclass
class _Found:
    """An object of scikit-learn or of this package, by its class and attributes."""

    name: str
    attributes: dict[str, Any]


class _LeftOut:
    """Stands for what only training used; it can't be described again."""


def translate(members: Mapping[str, bytes]) -> Description:
    """Return the description of today of a model in a file of format 1.

    A search becomes its best estimator.

    Parameters
    ----------
    members : mapping of str to bytes
        The members of the file, by name.

    Raises
    ------
    ValueError
        If the file holds anything but estimators that can be described.
    """
    found = _Reader(members).node(json.loads(members["schema.json"]))
    if isinstance(found, _Found) and found.name in _SEARCHES:
        found = found.attributes.get("best_estimator_")
    try:
        return _Translation(found)
    except TypeError as error:
        raise ValueError(str(error)) from error


class _Translation(Description):
    def _object(self, value: Any) -> Any:
        if not isinstance(value, _Found):
            return super()._object(value)
        if value.name not in CLASSES:
            raise TypeError(f"it holds {value.name}, which is not in the list")
        known, attributes = CLASSES[value.name], value.attributes
        cls = find_class(value.name)
        names = parameter_names(cls)
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
    return {"fit_X": fitted["_fit_X"], "fit_y": classes[y]}


def _boosting(fitted: dict[str, Any]) -> dict[str, Any]:
    if "_predictors" not in fitted:
        return fitted
    if fitted.get("_preprocessor") is not None:
        raise ValueError("it has categorical features")
    nodes = [
        tree.attributes["nodes"] for trees in fitted["_predictors"] for tree in trees
    ]
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
        read = _READERS.get(state["__loader__"])
        if read is None:
            raise ValueError(f"it holds {state['__module__']}.{state['__class__']}")
        return read(self, state)

    def _json(self, state: Any) -> Any:
        return json.loads(state["content"])

    def _list(self, state: Any) -> list:
        return [self.node(item) for item in state["content"]]

    def _tuple(self, state: Any) -> tuple:
        return tuple(self._list(state))

    def _slice(self, state: Any) -> slice:
        return slice(*(state["content"][key] for key in ("start", "stop", "step")))

    def _dict(self, state: Any) -> dict:
        kinds = [kind["__class__"] for kind in state["key_types"]["content"]]
        result = {}
        pairs = zip(kinds, state["content"].items(), strict=True)
        for kind, (key, item) in pairs:
            if kind in _KEYS:
                result[_KEYS[kind](key)] = self.node(item)
            else:
                name = kind.removesuffix("_")
                if name not in _NUMPY_KEYS:
                    raise ValueError(f"it has keys of the type {kind}")
                result[np.array(key).astype(name)[()]] = self.node(item)
        return result

    def _array(self, state: Any) -> Any:
        if state["type"] == "json":
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
            raise ValueError(f"it holds {state['__module__']}.{state['__class__']}")
        return find_function(state["__class__"])

    def _object(self, state: Any) -> Any:
        if not state["__module__"].startswith(("sklearn.", "skgenre.")):
            raise ValueError(f"it holds {state['__module__']}.{state['__class__']}")
        attributes = self.node(state["content"]) if "content" in state else {}
        return _Found(state["__class__"], attributes or {})

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
