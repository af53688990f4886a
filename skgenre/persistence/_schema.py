"""What a model file may describe, checked before anything is built.

skops only asks whether each type in a file is trusted; it would then set any attribute,
call any type with any value, and follow references in circles. Here a description is
refused unless it consists of the few kinds of nodes, types and attributes that
estimators for genres consist of. skops only writes the files: its import takes half a
second, and reading needs no more than this module.
"""

import functools
import importlib
import inspect
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre._sklearn_compat import (
    COMPILED_LOSSES,
    SAVABLE_PRIVATE_CLASSES,
    TREE_MODULE,
)


def _modules_by_name(tables: Mapping[str, str]) -> dict[str, str]:
    return {name: module for module, names in tables.items() for name in names.split()}


_SKGENRE = _modules_by_name(
    {
        "skgenre.classifiers": """
            AbstainingClassifier CRNNClassifier MissingClipClassifier
            ParallelCNNRNNClassifier SecondOrderClassifier SegmentClassifier
        """,
        "skgenre.clustering": "EmbeddingKMeans TrackRecommender",
        "skgenre.features": """
            MFCCStandardizer MelSpectrogramTransformer MusicnnEmbedding
        """,
    }
)

# Estimators for tables of numbers, and their public parts, that neither call functions
# that they hold nor hold types.
_SKLEARN = _modules_by_name(
    {
        "sklearn.calibration": "CalibratedClassifierCV",
        "sklearn.cluster": "KMeans MiniBatchKMeans",
        "sklearn.compose": "ColumnTransformer",
        "sklearn.decomposition": """
            FactorAnalysis FastICA IncrementalPCA PCA TruncatedSVD
        """,
        "sklearn.discriminant_analysis": """
            LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis
        """,
        "sklearn.dummy": "DummyClassifier",
        "sklearn.ensemble": """
            AdaBoostClassifier BaggingClassifier ExtraTreesClassifier
            HistGradientBoostingClassifier RandomForestClassifier StackingClassifier
            VotingClassifier
        """,
        "sklearn.feature_selection": "SelectKBest SelectPercentile VarianceThreshold",
        "sklearn.frozen": "FrozenEstimator",
        "sklearn.isotonic": "IsotonicRegression",
        "sklearn.kernel_approximation": "Nystroem",
        "sklearn.linear_model": """
            LogisticRegression LogisticRegressionCV PassiveAggressiveClassifier
            Perceptron RidgeClassifier RidgeClassifierCV SGDClassifier
        """,
        "sklearn.model_selection": """
            GridSearchCV GroupKFold KFold RandomizedSearchCV StratifiedGroupKFold
            StratifiedKFold
        """,
        "sklearn.multiclass": "OneVsOneClassifier OneVsRestClassifier",
        "sklearn.naive_bayes": "GaussianNB",
        "sklearn.neighbors": "KNeighborsClassifier NearestCentroid",
        "sklearn.neural_network": "MLPClassifier",
        "sklearn.pipeline": "FeatureUnion Pipeline",
        "sklearn.preprocessing": """
            LabelBinarizer LabelEncoder MaxAbsScaler MinMaxScaler Normalizer
            PolynomialFeatures PowerTransformer QuantileTransformer RobustScaler
            StandardScaler
        """,
        "sklearn.svm": "LinearSVC NuSVC SVC",
        "sklearn.tree": "DecisionTreeClassifier ExtraTreeClassifier",
        "sklearn.utils": "Bunch",
    }
)
_FUNCTIONS = {
    "chi2": "sklearn.feature_selection",
    "f_classif": "sklearn.feature_selection",
    "mutual_info_classif": "sklearn.feature_selection",
}
_SCALARS = {
    f"numpy.{kind.__name__}": kind
    for kind in set(np.sctypeDict.values())
    if issubclass(kind, np.bool_ | np.integer | np.floating | np.str_)
}
# Not booleans: skops writes them as words, each of which is true.
_KEYS: dict[str, type] = {
    name: kind
    for name, kind in {
        "builtins.str": str,
        "builtins.int": int,
        "builtins.float": float,
        **_SCALARS,
    }.items()
    if not issubclass(kind, np.bool_)
}
_PROTOCOL = 2
"""Version of skops's own format that is known."""

Build = Callable[[], Any]
# Estimators share arrays with their copies in `named_estimators_` and the like, and
# so a file may name its parts several times, but not any number of times.
_MAX_REPEATS = 16


def _find(module: str, name: str) -> Any:
    """Return an allowed class or function from where it is today, or None.

    The module that a file names only says which package it is of: later versions may
    define the class elsewhere.
    """
    tables: tuple[dict[str, str], ...] = ()
    if module.startswith("skgenre."):
        tables = (_SKGENRE,)
    elif name in COMPILED_LOSSES:
        is_its_own = module in ("_loss", COMPILED_LOSSES[name])  # scikit-learn 1.6's
        tables = (COMPILED_LOSSES,) if is_its_own else ()
    elif module.startswith("sklearn."):
        tables = (SAVABLE_PRIVATE_CLASSES, _FUNCTIONS, _SKLEARN)
    for table in tables:
        if name in table:
            return getattr(importlib.import_module(table[name]), name, None)
    return None


def _is_class_attribute(cls: type, name: str) -> bool:
    # An attribute doesn't hide a property, and some properties were attributes once.
    return hasattr(cls, name) and not isinstance(
        inspect.getattr_static(cls, name), property
    )


class SchemaCheck:
    """Check of one file's description.

    Parameters
    ----------
    arrays : mapping of str to bytes
        Names and contents of the arrays in the file.

    Attributes
    ----------
    foreign : set of str
        Types in the description that may not be in a model.
    """

    def __init__(self, arrays: Mapping[str, bytes]) -> None:
        self.foreign: set[str] = set()
        self._arrays = arrays
        self._n_bytes_left = _MAX_REPEATS * sum(map(len, arrays.values()))

    def check(self, schema: dict[str, Any]) -> Build:
        """Return a function that builds what is described; nothing is built yet.

        Parameters
        ----------
        schema : dict
            As skops writes it.

        Returns
        -------
        callable
            Builds what is described. To be called only if nothing is foreign.

        Raises
        ------
        ValueError
            If skops can't have written it for an estimator.
        """
        protocol = schema["protocol"]
        if type(protocol) is not int or not 0 <= protocol <= _PROTOCOL:
            raise ValueError(f"its description has the protocol {protocol!r}")
        return self._node(schema)

    def _node(self, state: dict[str, Any]) -> Build:
        checks: dict[str, Callable[[dict[str, Any]], Build]] = {
            "DictNode": self._dict,
            "FunctionNode": self._function,
            "JsonNode": self._json,
            "ListNode": self._items,
            "LossNode": self._loss,
            "MaskedArrayNode": self._masked_array,
            "NdArrayNode": self._array,
            "ObjectNode": self._object,
            "RandomStateNode": self._random_state,
            "SetNode": self._items,
            "SliceNode": self._slice,
            "TreeNode": self._tree,
            "TupleNode": self._items,
        }
        return checks.get(state["__loader__"], self._refuse)(state)

    def _refuse(self, state: dict[str, Any]) -> Build:
        self.foreign.add(f"{state['__module__']}.{state['__class__']}")
        return _nothing

    def _allow(self, state: dict[str, Any], *names: str) -> None:
        if f"{state['__module__']}.{state['__class__']}" not in names:
            self._refuse(state)

    def _class(self, state: dict[str, Any]) -> Any:
        found = _find(state["__module__"], state["__class__"])
        if found is None:
            self._refuse(state)
        return found

    def _json(self, state: dict[str, Any]) -> Build:
        self._allow(state, "builtins.str")
        return functools.partial(json.loads, state["content"])

    def _items(self, state: dict[str, Any]) -> Build:
        kind = {"ListNode": list, "SetNode": set, "TupleNode": tuple}[
            state["__loader__"]
        ]
        self._allow(state, f"builtins.{kind.__name__}")
        parts = [self._node(item) for item in state["content"]]
        return lambda: kind(part() for part in parts)

    def _slice(self, state: dict[str, Any]) -> Build:
        self._allow(state, "builtins.slice")
        ends = [state["content"][key] for key in ("start", "stop", "step")]
        if not all(end is None or type(end) is int for end in ends):
            raise ValueError("a slice has ends that are no integers")
        return functools.partial(slice, *ends)

    def _dict(self, state: dict[str, Any]) -> Build:
        kinds = [
            f"{kind['__module__']}.{kind['__class__']}"
            for kind in state["key_types"]["content"]
        ]
        if not set(kinds) <= _KEYS.keys():
            raise ValueError(
                "a dict has keys that are neither strings nor numbers: "
                f"{', '.join(sorted(set(kinds)))}"
            )
        if state["__class__"] == "Bunch":
            cls = self._class(state)
        else:
            self._allow(state, "builtins.dict")
            cls = dict
        parts = [
            (_KEYS[kind], key, self._node(part))
            for kind, (key, part) in zip(kinds, state["content"].items(), strict=True)
        ]

        def build() -> Any:
            content = cls()
            content.update((kind(key), part()) for kind, key, part in parts)
            return content

        return build

    def _object(self, state: dict[str, Any]) -> Build:
        cls = self._class(state)
        given = state.get("content", {"content": "null"})
        attributes = self._node(given) if "content" in state else _nothing
        if cls is None:
            return _nothing
        if given.get("content") != "null":
            if given["__loader__"] != "DictNode":
                raise ValueError(f"{state['__class__']} has no attributes by name")
            for name in given["content"]:
                # It would replace a method or a constant of the class, or change how
                # Python treats the object.
                if name.startswith("__") or _is_class_attribute(cls, name):
                    raise ValueError(
                        f"{state['__class__']} may have no attribute {name!r}"
                    )
        return lambda: _with_state(cls.__new__(cls), attributes())

    def _array(self, state: dict[str, Any]) -> Build:
        name = f"{state['__module__']}.{state['__class__']}"
        self._allow(state, "numpy.ndarray", *_SCALARS)
        if state["type"] == "json":
            if len(state["shape"]["content"]) != 1:
                # NumPy would ask the objects for numbers.
                self.foreign.add("a numpy.ndarray of objects with several axes")
                return _nothing
            return functools.partial(
                _object_array, [self._node(item) for item in state["content"]]
            )
        contents = self._arrays[state["file"]]
        self._n_bytes_left -= len(contents)
        if self._n_bytes_left < 0:
            raise ValueError("its arrays are named more often than estimators do")
        kind = _SCALARS.get(name, np.asarray)
        return lambda: kind(np.load(io.BytesIO(contents), allow_pickle=False))

    def _masked_array(self, state: dict[str, Any]) -> Build:
        self._allow(state, "numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray")
        data, mask = (self._node(state["content"][key]) for key in ("data", "mask"))
        return lambda: np.ma.MaskedArray(data(), mask())

    def _function(self, state: dict[str, Any]) -> Build:
        if state["__class__"] not in _FUNCTIONS:
            return self._refuse(state)
        found = self._class(state)
        return lambda: found

    def _random_state(self, state: dict[str, Any]) -> Build:
        self._allow(
            state, "numpy.random.RandomState", "numpy.random.mtrand.RandomState"
        )
        given = state["content"]
        content = self._node(given)
        position = given["content"]["state"]["content"]["pos"]["content"]
        if json.loads(position) not in range(625):  # NumPy reads wherever it points
            raise ValueError("a random state is out of range")

        def build() -> np.random.RandomState:
            random_state = np.random.RandomState()
            random_state.set_state(content())
            return random_state

        return build

    def _constructed(self, cls: Any, state: dict[str, Any]) -> Build:
        """Check the arguments of a compiled object's constructor, and its state."""
        arguments = self._node(state["__reduce__"]["args"])
        content = self._node(state["content"])
        return lambda: _with_state(cls(*arguments()), content() or None)

    def _loss(self, state: dict[str, Any]) -> Build:
        if state["__class__"] not in COMPILED_LOSSES:
            return self._refuse(state)
        return self._constructed(self._class(state), state)

    def _tree(self, state: dict[str, Any]) -> Build:
        self._allow(state, f"{TREE_MODULE}.Tree")
        *_, n_outputs = state["__reduce__"]["args"]["content"]
        if json.loads(n_outputs["content"]) != 1:
            raise ValueError("a decision tree has more outputs than the genre")
        return self._constructed(importlib.import_module(TREE_MODULE).Tree, state)


def _nothing() -> None:
    """Return None, in place of what is refused or has no attributes."""


def _with_state(instance: Any, state: Any) -> Any:
    """Give an object its state, as pickle does."""
    if state is not None:
        if hasattr(instance, "__setstate__"):
            instance.__setstate__(state)
        else:
            instance.__dict__.update(state)
    return instance


def _object_array(parts: list[Build]) -> NDArray:
    result = np.empty(len(parts), object)
    for i, part in enumerate(parts):
        result[i] = part()
    return result
