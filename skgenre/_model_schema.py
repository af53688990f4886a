"""What a model file may describe, checked before anything is made of it.

skops asks of each type in a file whether it is trusted, and would then set any
attribute, call any type with any value, and follow references in circles. Here a
description is refused unless it consists of the few kinds of nodes, types and
attributes that estimators for genres are made of.
"""

import functools
import importlib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_SKGENRE = """
    AbstainingClassifier CRNNClassifier EmbeddingKMeans MFCCStandardizer
    MelSpectrogramTransformer MissingClipClassifier MusicnnEmbedding
    ParallelCNNRNNClassifier SecondOrderClassifier SegmentClassifier TrackRecommender
""".split()

# Those that work on tables of numbers, and on the parts of this package, and neither
# call functions that they hold nor hold types.
_SKLEARN = """
    AdaBoostClassifier BaggingClassifier CalibratedClassifierCV ColumnTransformer
    DecisionTreeClassifier
    DummyClassifier ExtraTreeClassifier ExtraTreesClassifier FactorAnalysis FastICA
    FeatureUnion FrozenEstimator GaussianNB GridSearchCV HistGradientBoostingClassifier
    IncrementalPCA IsotonicRegression KMeans KNeighborsClassifier LabelBinarizer
    LabelEncoder LinearDiscriminantAnalysis LinearSVC LogisticRegression
    LogisticRegressionCV MLPClassifier MaxAbsScaler MinMaxScaler MiniBatchKMeans
    NearestCentroid Normalizer NuSVC Nystroem OneVsOneClassifier
    OneVsRestClassifier PCA PassiveAggressiveClassifier Perceptron Pipeline
    PolynomialFeatures PowerTransformer QuadraticDiscriminantAnalysis
    QuantileTransformer
    RandomForestClassifier RandomizedSearchCV RidgeClassifier RidgeClassifierCV
    RobustScaler SGDClassifier SVC SelectKBest SelectPercentile StackingClassifier
    StandardScaler TruncatedSVD VarianceThreshold VotingClassifier
""".split()

# Parts of them that are no estimators, or not among those of `all_estimators`.
_HALVING = "sklearn.model_selection._search_successive_halving"
_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
_HELPERS = {
    "AdamOptimizer": "sklearn.neural_network._stochastic_optimizers",
    "Bunch": "sklearn.utils",
    "GroupKFold": "sklearn.model_selection",
    "HalfBinomialLoss": "sklearn._loss.loss",
    "HalfLogitLink": "sklearn._loss.link",
    "HalfMultinomialLoss": "sklearn._loss.loss",
    "HalvingGridSearchCV": _HALVING,
    "HalvingRandomSearchCV": _HALVING,
    "IdentityLink": "sklearn._loss.link",
    "Interval": "sklearn._loss.link",
    "KFold": "sklearn.model_selection",
    "LogitLink": "sklearn._loss.link",
    "MultinomialLogit": "sklearn._loss.link",
    "SGDOptimizer": "sklearn.neural_network._stochastic_optimizers",
    "StratifiedGroupKFold": "sklearn.model_selection",
    "StratifiedKFold": "sklearn.model_selection",
    "TreePredictor": f"{_BOOSTING}.predictor",
    "_BinMapper": f"{_BOOSTING}.binning",
    "_CalibratedClassifier": "sklearn.calibration",
    "_ConstantPredictor": "sklearn.multiclass",
    "_PassthroughScorer": "sklearn.metrics._scorer",
    "_SigmoidCalibration": "sklearn.calibration",
    "_TemperatureScaling": "sklearn.calibration",  # from scikit-learn 1.8
}
_FUNCTIONS = {
    "chi2": "sklearn.feature_selection",
    "f_classif": "sklearn.feature_selection",
    "mutual_info_classif": "sklearn.feature_selection",
}
_LOSSES = {
    "CyHalfBinomialLoss": "sklearn._loss._loss",
    "CyHalfMultinomialLoss": "sklearn._loss._loss",
    "Hinge": "sklearn.linear_model._sgd_fast",
    "ModifiedHuber": "sklearn.linear_model._sgd_fast",
    "SquaredHinge": "sklearn.linear_model._sgd_fast",
}
# Not booleans: skops restores every such key as True.
_KEYS = {"builtins.str", "builtins.int", "builtins.float"}
_SCALARS = {
    f"numpy.{kind.__name__}"
    for kind in set(np.sctypeDict.values())
    if issubclass(kind, np.bool_ | np.integer | np.floating | np.str_)
}
# Estimators share arrays with their copies in `named_estimators_` and the like, and
# so a file may name its parts several times, but not any number of times.
_MAX_REPEATS = 16


@functools.cache
def _sklearn_estimators() -> dict[str, type]:
    from sklearn.utils import all_estimators

    return {name: cls for name, cls in all_estimators() if name in _SKLEARN}


def _find(module: str, name: str) -> tuple[Any, str]:
    """Return the class that is meant and the module that it is in today, or None."""
    found = None
    if module.startswith("skgenre.") and name in _SKGENRE:
        found = getattr(importlib.import_module("skgenre"), name)
    elif name in _LOSSES and module in ("_loss", _LOSSES[name]):  # in scikit-learn 1.6
        module = _LOSSES[name]
        return getattr(importlib.import_module(module), name), module
    elif module.startswith("sklearn."):
        for table in (_HELPERS, _FUNCTIONS):
            if name in table:
                module = table[name]
                return getattr(importlib.import_module(module), name, None), module
        found = _sklearn_estimators().get(name)
    return found, found.__module__ if found else module


def _is_of_class(cls: type, name: str) -> bool:
    # A property is not hidden by an attribute; some have once been attributes.
    return hasattr(cls, name) and not isinstance(
        inspect.getattr_static(cls, name), property
    )


class SchemaCheck:
    """One check of a file's description.

    Parameters
    ----------
    sizes : mapping of str to int
        Names and sizes in bytes of the arrays in the file.

    Attributes
    ----------
    foreign : set of str
        Types that may not be in a model.
    trusted : set of str
        The others.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.foreign: set[str] = set()
        self.trusted: set[str] = set()
        self._sizes = sizes
        self._n_bytes_left = _MAX_REPEATS * sum(sizes.values())

    def clean(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the description without what isn't needed.

        Parameters
        ----------
        schema : dict
            As skops writes it.

        Returns
        -------
        dict
            Without references between nodes; classes named as they are today.

        Raises
        ------
        ValueError
            If it is none that skops has written for an estimator.
        """
        skops_own = {key: schema[key] for key in ("protocol", "_skops_version")}
        return self._node(schema) | skops_own

    def _node(self, state: dict[str, Any]) -> dict[str, Any]:
        loader = state["__loader__"]
        check: Callable[[dict[str, Any]], dict[str, Any]] | None = {
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
        }.get(loader)
        named = {key: str(state[key]) for key in ("__class__", "__module__")}
        if check is None:
            self.foreign.add(f"{named['__module__']}.{named['__class__']}")
            return {}
        return named | {"__loader__": loader} | check(state)

    def _allow(self, state: dict[str, Any], *names: str) -> None:
        name = f"{state['__module__']}.{state['__class__']}"
        (self.trusted if name in names else self.foreign).add(name)

    def _class(self, state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the class that a node names, and its name of today."""
        found, module = _find(state["__module__"], state["__class__"])
        if found is None:
            self._allow(state)
            return None, {}
        self.trusted.add(f"{module}.{state['__class__']}")
        return found, {"__class__": state["__class__"], "__module__": module}

    def _json(self, state: dict[str, Any]) -> dict[str, Any]:
        self._allow(state, "builtins.str")
        return {"content": str(state["content"]), "is_json": True}

    def _items(self, state: dict[str, Any]) -> dict[str, Any]:
        kind = state["__loader__"].removesuffix("Node").lower()
        self._allow(state, f"builtins.{kind}")
        return {"content": [self._node(item) for item in state["content"]]}

    def _slice(self, state: dict[str, Any]) -> dict[str, Any]:
        self._allow(state, "builtins.slice")
        ends = {key: state["content"][key] for key in ("start", "stop", "step")}
        if not all(end is None or type(end) is int for end in ends.values()):
            raise ValueError("a slice has ends that are no integers")
        return {"content": ends}

    def _dict(self, state: dict[str, Any]) -> dict[str, Any]:
        kinds = state["key_types"]["content"]
        names = {f"{kind['__module__']}.{kind['__class__']}" for kind in kinds}
        if not names <= _KEYS | _SCALARS - {"numpy.bool", "numpy.bool_"}:
            raise ValueError(
                "a dict has keys that are neither strings nor numbers: "
                f"{', '.join(sorted(names))}"
            )
        self.trusted |= names
        as_type = {"__loader__": "TypeNode"}
        named: dict[str, Any] = {}
        if state["__class__"] == "Bunch":
            _, named = self._class(state)
        else:
            self._allow(state, "builtins.dict")
        return named | {
            "content": {k: self._node(v) for k, v in state["content"].items()},
            "key_types": {
                "__class__": "list",
                "__module__": "builtins",
                "__loader__": "ListNode",
                "content": [
                    {k: kind[k] for k in ("__class__", "__module__")} | as_type
                    for kind in kinds
                ],
            },
        }

    def _object(self, state: dict[str, Any]) -> dict[str, Any]:
        cls, named = self._class(state)
        if "content" not in state:
            return named
        attributes = self._node(state["content"])
        if cls is None or attributes.get("content") == "null":
            return named  # a foreign object, or one without attributes
        if attributes["__loader__"] != "DictNode":
            raise ValueError(f"{state['__class__']} has no attributes by name")
        for name in attributes["content"]:
            # It would stand in for a method or for what a class says of itself, or say
            # how Python treats the object.
            if name.startswith("__") or _is_of_class(cls, name):
                raise ValueError(f"{state['__class__']} may have no attribute {name!r}")
        return named | {"content": attributes}

    def _array(self, state: dict[str, Any]) -> dict[str, Any]:
        self._allow(state, "numpy.ndarray", *_SCALARS)
        if state["type"] == "json":
            shape = self._node(state["shape"])
            if len(shape["content"]) != 1:  # NumPy would ask the objects for numbers
                self.foreign.add("a numpy.ndarray of objects with several axes")
                return {}
            items = [self._node(item) for item in state["content"]]
            return {"type": "json", "content": items, "shape": shape}
        self._n_bytes_left -= self._sizes[state["file"]]
        if self._n_bytes_left < 0:
            raise ValueError("its arrays are named more often than estimators do")
        return {"type": "numpy", "file": state["file"]}

    def _masked_array(self, state: dict[str, Any]) -> dict[str, Any]:
        self._allow(state, "numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray")
        parts = {key: self._node(state["content"][key]) for key in ("data", "mask")}
        return {"content": parts}

    def _function(self, state: dict[str, Any]) -> dict[str, Any]:
        if state["__class__"] not in _FUNCTIONS:
            self._allow(state)
            return {}
        return self._class(state)[1]

    def _random_state(self, state: dict[str, Any]) -> dict[str, Any]:
        self._allow(
            state, "numpy.random.RandomState", "numpy.random.mtrand.RandomState"
        )
        content = self._node(state["content"])
        position = content["content"]["state"]["content"]["pos"]["content"]
        if json.loads(position) not in range(625):  # NumPy reads wherever it points
            raise ValueError("a random state is out of its range")
        return {"content": content}

    def _arguments(self, state: dict[str, Any]) -> dict[str, Any]:
        """Check what a compiled object is constructed with, and then told."""
        return {
            "__reduce__": {"args": self._node(state["__reduce__"]["args"])},
            "content": self._node(state["content"]),
        }

    def _loss(self, state: dict[str, Any]) -> dict[str, Any]:
        if state["__class__"] not in _LOSSES:
            self._allow(state)
        return self._class(state)[1] | self._arguments(state)

    def _tree(self, state: dict[str, Any]) -> dict[str, Any]:
        self._allow(state, "sklearn.tree._tree.Tree")
        *_, n_outputs = state["__reduce__"]["args"]["content"]
        if json.loads(n_outputs["content"]) != 1:
            raise ValueError("a decision tree has more outputs than the genre")
        return self._arguments(state)
