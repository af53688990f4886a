"""A model as JSON and arrays, and back.

What JSON has is written as it is. Anything else is an object with one key that says
what it is: 'tuple', 'dict', 'slice', 'number' (of a NumPy type, or not finite), 'array'
(the name of a member of the file), 'objects' (an array of texts and numbers), 'genre
tree' (pairs of a genre and the one above) or 'function'; or it is an estimator: an
'object' of a class, its 'parameters' and 'fitted' attributes. There are no references:
an object or an array is described where it is used, and once.
"""

import importlib
import inspect
import io
import math
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from skgenre._files import read_array
from skgenre.datasets import GenreTree
from skgenre.persistence._classes import CLASSES, find_class
from skgenre.persistence._classes._savable import (
    FUNCTIONS,
    NOT_SAVED,
    SavableClass,
    check_parameters,
)
from skgenre.persistence._kinds import (
    MAX_TEXT,
    Kind,
    Sizes,
    dict_of,
    text,
    values,
)

_SCALARS = {
    np.dtype(name).str: np.dtype(name)
    for name in "i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()
}
_PLAIN = (bool, int, float, str)
_FEATURE_NAMES = {"feature_names_in_": values("U", "n")}
_OUTPUT_CONFIG = {
    "_sklearn_output_config": dict_of(
        text("transform"), text("default", "pandas", "polars")
    )
}
_NEVER_SAVED = {
    "_metadata_request",
    # Callbacks of scikit-learn's, and what there is of them inside `fit`.
    *("_skl_callbacks", "_skl_callbacks_to_teardown"),
    *("_callback_fit_ctx", "_parent_callback_ctx"),
}
# Estimators that are in one another: each takes scikit-learn's repr twice as long, of
# which 2**16 in all take seconds.
_MAX_DEPTH = 10
_MAX_REPR = 2**16
# Showing an estimator as HTML takes milliseconds. The trees of a forest are not shown,
# and each takes kilobytes of the file.
_MAX_ESTIMATORS = 2_000
_TREES = {"DecisionTreeClassifier", "ExtraTreeClassifier"}


class Description:
    """A model as JSON, and the arrays that it names.

    Parameters
    ----------
    model : estimator
        What is described.

    Attributes
    ----------
    value : object
        As JSON holds it.
    arrays : dict of str to bytes
        The arrays, as files of NumPy, by name.

    Raises
    ------
    TypeError
        If the model holds what no model file may.
    """

    def __init__(self, model: Any) -> None:
        self.arrays: dict[str, bytes] = {}
        self.value = self._object(model)

    @classmethod
    def of(cls, value: Any, arrays: dict[str, bytes]) -> Self:
        """Return a description that was read."""
        description = cls.__new__(cls)
        description.value, description.arrays = value, arrays
        return description

    def _any(self, value: Any) -> Any:
        if isinstance(value, np.bool_ | np.str_):
            value = value.item()
        if value is None or type(value) in (bool, str):
            return value
        if type(value) is int and abs(value) < 2**63:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"number": ["<f8", str(value)]}
        if isinstance(value, np.number) and value.dtype.str in _SCALARS:
            number = value.item()
            if isinstance(number, float) and not math.isfinite(number):
                number = str(number)
            return {"number": [value.dtype.str, number]}
        if type(value) is list:
            return [self._any(item) for item in value]
        if type(value) is tuple:
            return {"tuple": [self._any(item) for item in value]}
        if type(value) is dict:
            pairs = [[self._any(key), self._any(item)] for key, item in value.items()]
            return {"dict": pairs}
        if type(value) is GenreTree:
            return {"genre tree": [[*pair] for pair in value.items()]}
        if type(value) is slice:
            ends = (value.start, value.stop, value.step)
            return {"slice": [self._any(end) for end in ends]}
        if type(value) is np.ndarray:
            return self._array(value)
        if inspect.isfunction(value) and value.__name__ in FUNCTIONS:
            if value is find_function(value.__name__):
                return {"function": value.__name__}
        return self._object(value)

    def _array(self, value: np.ndarray) -> Any:
        if value.dtype == object:
            items = value.tolist() if value.ndim == 1 else [None]
            if not all(type(item) in _PLAIN for item in items):
                raise TypeError("it holds an array of objects that are no texts")
            return {"objects": [self._any(item) for item in items]}
        file = io.BytesIO()
        np.save(file, value, allow_pickle=False)
        read_array(file.getvalue())  # or raises a ValueError: a type that is not read
        name = f"{len(self.arrays)}.npy"
        self.arrays[name] = file.getvalue()
        return {"array": name}

    def _object(self, value: Any) -> Any:
        name = type(value).__name__
        if name not in CLASSES or type(value) is not find_class(name):
            raise TypeError(
                f"it holds {_full_name(value)}, which is not among the classes that "
                "can be in a model file"
            )
        known = CLASSES[name]
        stand_ins = known.stand_ins(value)
        parameters = {
            name: self._parameter(name, stand_ins.get(name, getattr(value, name)))
            for name in parameter_names(type(value))
            if name not in NOT_SAVED
        }
        return {
            "object": name,
            "parameters": parameters,
            "fitted": {
                name: self._any(item) for name, item in _fitted(value, known).items()
            },
        }

    def _parameter(self, name: str, value: Any) -> Any:
        # A generator has a state of its own; a seed is what can be kept.
        if name == "random_state" and not isinstance(value, int | np.integer):
            return None
        return self._any(value)


def _fitted(estimator: Any, known: SavableClass) -> dict[str, Any]:
    """Return the fitted attributes to write, or refuse unknown ones."""
    attributes = dict(vars(estimator))
    shared = _shared_attributes(type(estimator)).keys()
    everywhere = {name: attributes[name] for name in shared if name in attributes}
    of_fit = {
        name
        for name in attributes.keys() - set_by_constructor(type(estimator))
        if name not in known.not_saved | shared | _NEVER_SAVED
    }
    if unknown := of_fit - known.fitted.keys():
        raise TypeError(
            f"{type(estimator).__name__} has {', '.join(sorted(unknown))}, which fit "
            "doesn't set in the versions of scikit-learn that this skgenre knows"
        )
    if known.take is not None:
        is_fitted = of_fit or attributes.keys() & known.not_saved
        return everywhere | (known.take(estimator) if is_fitted else {})
    return everywhere | {name: attributes[name] for name in sorted(of_fit)}


class Builder:
    """Makes a model of its description, after it was held against the closed list.

    Parameters
    ----------
    arrays : mapping of str to bytes
        The arrays in the file, by name.
    """

    def __init__(self, arrays: Mapping[str, bytes]) -> None:
        self._arrays = dict(arrays)
        self._depth = self._n_estimators = self._repr = 0

    def build(self, node: Any) -> Any:
        """Return what a node of the description stands for.

        Raises
        ------
        ValueError
            If a node is of no known kind, or what it describes is not in the list.
        """
        if node is None or type(node) is bool:
            return node
        if type(node) is int and abs(node) < 2**63:
            return node
        if type(node) is float and math.isfinite(node):
            return node
        if type(node) is str:
            return _short(node)
        if type(node) is list:
            return [self.build(item) for item in node]
        if type(node) is dict:
            if node.keys() == {"object", "parameters", "fitted"}:
                return self._object(**node)
            if len(node) == 1:
                (kind, content), *_ = node.items()
                if kind in _NODES:
                    return _NODES[kind](self, content)
        raise ValueError(
            "its description has a node of an unknown kind, or too large a number"
        )

    def _tuple(self, content: Any) -> tuple:
        return tuple(self._items(content))

    def _items(self, content: Any, n: int | None = None) -> list:
        if type(content) is not list or n not in (None, len(content)):
            raise ValueError("its description has a node of the wrong length")
        return [self.build(item) for item in content]

    def _dict(self, content: Any) -> dict:
        pairs = self._items(content)
        if not all(
            type(pair) is list and len(pair) == 2 and isinstance(pair[0], _KEYS)
            for pair in pairs
        ):
            raise ValueError("a dict has keys that are neither texts nor numbers")
        return dict(pairs)

    def _genre_tree(self, content: Any) -> GenreTree:
        pairs = self._dict(content)
        if len(pairs) < len(content):
            raise ValueError("a genre tree has a genre twice")
        return GenreTree(pairs)

    def _slice(self, content: Any) -> slice:
        return slice(*self._items(content, 3))

    def _number(self, content: Any) -> Any:
        dtype, number = self._items(content, 2)
        if dtype not in _SCALARS or type(number) not in (int, float, str):
            raise ValueError("a number is of an unknown type")
        if type(number) is str:
            if number not in ("nan", "inf", "-inf") or "f" not in dtype:
                raise ValueError("a number is of an unknown type")
            number = float(number)
        if dtype == "<f8" and not math.isfinite(number):
            return number
        try:
            value = np.array(number, dtype=_SCALARS[dtype])[()]
        except (OverflowError, TypeError) as error:
            raise ValueError("a number doesn't fit its type") from error
        # Products of NumPy's integers would wrap, and pass any bound.
        return int(value) if isinstance(value, np.integer) else value

    def _array(self, content: Any) -> np.ndarray:
        if type(content) is not str or content not in self._arrays:
            raise ValueError(
                "it names an array that it doesn't have, or names it twice"
            )
        return read_array(self._arrays.pop(content))

    def _objects(self, content: Any) -> np.ndarray:
        items = self._items(content)
        if not all(type(item) in _PLAIN for item in items):
            raise ValueError("an array of objects holds what is no text or number")
        result = np.empty(len(items), object)
        result[:] = items
        return result

    def _function(self, content: Any) -> Callable:
        if type(content) is not str or content not in FUNCTIONS:
            raise ValueError("it holds a function that is not in the list")
        return find_function(content)

    def _object(self, object: Any, parameters: Any, fitted: Any) -> Any:
        if type(object) is not str:
            raise ValueError("a class has no name")
        cls, known = find_class(object), CLASSES[object]
        if type(parameters) is not dict or type(fitted) is not dict:
            raise ValueError(f"{object} has no parameters by name")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError(f"more than {_MAX_DEPTH} estimators are in one another")
        if not (fitted and object in _TREES):
            self._n_estimators += 1
            self._repr += 2**self._depth
        if self._n_estimators > _MAX_ESTIMATORS:
            raise ValueError(f"it holds more than {_MAX_ESTIMATORS} estimators")
        if self._repr > _MAX_REPR:
            raise ValueError("it holds too many estimators that are in one another")
        try:
            made = self._made(cls, known, parameters, fitted)
        except ValueError as error:
            raise ValueError(f"{object}: {error}") from error
        self._depth -= 1
        return made

    def _made(
        self, cls: type, known: SavableClass, parameters: dict, fitted: dict
    ) -> Any:
        names = parameter_names(cls)
        if stray := parameters.keys() - (names - NOT_SAVED) - known.retired:
            raise ValueError(f"it has no parameter {min(stray)[:80]!r}")
        sizes: Sizes = {}
        given = {
            name: self.build(node)
            for name, node in parameters.items()
            if name in names
            and not (name in known.former and node == known.former[name])
        }
        for name, value in given.items():
            if inspect.isfunction(value) and name != "score_func":
                raise ValueError(f"{name} is a function")
            if isinstance(value, GenreTree) and name != "genre_tree":
                raise ValueError(f"{name} is a genre tree")
            if name in known.limits:
                _held_against(known.limits[name], name, value, sizes)
        estimator = cls(**given)
        known.bounds(estimator)  # first: the other check computes with parameters
        if isinstance(estimator, BaseEstimator):
            check_parameters(estimator)
        kinds = {**known.fitted, **_shared_attributes(cls)}
        if stray := fitted.keys() - kinds.keys():
            raise ValueError(f"it has no attribute {min(stray)[:80]!r}")
        lacking = known.fitted.keys() - fitted.keys() - known.may_lack
        is_fitted = bool(fitted.keys() & known.fitted.keys())
        if is_fitted and lacking:
            raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
        attributes = {name: self.build(node) for name, node in fitted.items()}
        for name, value in attributes.items():
            _held_against(kinds[name], name, value, sizes)
        if is_fitted and known.give is not None:
            known.give(estimator, attributes)
        else:
            vars(estimator).update(attributes)
        if is_fitted:
            known.relation(estimator, sizes)
        return estimator

    def finish(self) -> None:
        """Refuse arrays that nothing has named.

        Raises
        ------
        ValueError
            If there are any.
        """
        if self._arrays:
            raise ValueError("it has arrays that belong to nothing")


_KEYS = (bool, int, float, str, np.number)
_NODES: dict[str, Callable[[Builder, Any], Any]] = {
    "array": Builder._array,
    "dict": Builder._dict,
    "function": Builder._function,
    "genre tree": Builder._genre_tree,
    "number": Builder._number,
    "objects": Builder._objects,
    "slice": Builder._slice,
    "tuple": Builder._tuple,
}


def _shared_attributes(cls: type) -> dict[str, Kind]:
    """Return the attributes that scikit-learn may set in any estimator of a class."""
    # A property, as of a pipeline, says what a part has.
    has_names = issubclass(cls, BaseEstimator) and not hasattr(cls, "feature_names_in_")
    return {
        **(_FEATURE_NAMES if has_names else {}),
        **(_OUTPUT_CONFIG if hasattr(cls, "set_output") else {}),
    }


def _held_against(kind: Kind, name: str, value: Any, sizes: Sizes) -> None:
    try:
        kind(value, sizes)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _short(value: str) -> str:
    if len(value) > MAX_TEXT:
        raise ValueError(f"it has a text of more than {MAX_TEXT} characters")
    return value


def find_function(name: str) -> Callable:
    """Return a function of the list, by its name."""
    return getattr(importlib.import_module(FUNCTIONS[name]), name)


def parameter_names(cls: type) -> set[str]:
    """Return the names of the parameters of a class's constructor."""
    return set(inspect.signature(cls).parameters)


def set_by_constructor(cls: type) -> set[str]:
    """Return the attributes that an estimator has before it is fitted."""
    required = {
        name: None
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.default is parameter.empty
    }
    return set(vars(cls(**required)))


def _full_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
