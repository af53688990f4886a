"""All private names of scikit-learn that skgenre uses, and those not in each release.

A release of scikit-learn may move or change them without notice, which is mended here:
no other module imports a private name, or says where one is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils._set_output import (
    _wrap_data_with_container as wrap_data_with_container,
)
from sklearn.utils.validation import (
    _check_feature_names_in as check_feature_names_in,
)
from sklearn.utils.validation import (
    _check_sample_weight as check_sample_weight,
)
from sklearn.utils.validation import (
    _num_samples as num_samples,
)

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # of scikit-learn before 1.9, which has no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Gives an estimator nothing."""


__all__ = [
    "BUNCHES",
    "CallbackSupportMixin",
    "HALVING_MODULE",
    "HasMethods",
    "Interval",
    "StrOptions",
    "TREES",
    "boosting_arrays",
    "check_feature_names_in",
    "check_sample_weight",
    "effective_threads",
    "fit_context",
    "make_tree",
    "node_types",
    "num_samples",
    "safe_indexing",
    "set_boosting_arrays",
    "set_state",
    "tree_arrays",
    "validate_parameter_constraints",
    "validate_parameters",
    "validate_params",
    "wrap_data_with_container",
]


HALVING_MODULE = "sklearn.model_selection._search_successive_halving"
"""Where the halving searches are, which can be imported without enabling them."""


BUNCHES = {"sklearn.utils.Bunch", "sklearn.utils._bunch.Bunch"}
"""What a `Bunch` is called in files of format 1."""
TREES = {"sklearn.tree._tree.Tree"}
"""What the compiled object of a decision tree is called there."""


def validate_parameters(estimator: Any) -> None:
    """Hold an estimator's parameters against the constraints of its class, if any.

    Raises
    ------
    ValueError
        If one is outside its range, or of another type.
    """
    if hasattr(type(estimator), "_parameter_constraints"):
        estimator._validate_params()


def set_state(estimator: Any, attributes: Mapping[str, Any]) -> None:
    """Set attributes, and what an estimator makes of them when it is unpickled."""
    state = {**vars(estimator), **attributes, "_sklearn_version": sklearn.__version__}
    estimator.__setstate__(state)


def effective_threads() -> int:
    """Return how many threads OpenMP is to use."""
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

    return _openmp_effective_n_threads()


def node_types() -> tuple[np.dtype, np.dtype]:
    """Return the types of a node of a decision tree, and of one of a boosted tree."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.tree._tree import NODE_DTYPE

    return NODE_DTYPE, PREDICTOR_RECORD_DTYPE


def tree_arrays(tree: Any) -> dict[str, Any]:
    """Return the arrays of a fitted decision tree's `tree_`, and its depth."""
    state = tree.__getstate__()
    nodes = state["nodes"]
    return {
        **{name: np.ascontiguousarray(nodes[name]) for name in nodes.dtype.names},
        "values": state["values"],
        "max_depth": state["max_depth"],
    }


def make_tree(n_features: int, n_classes: int, arrays: Mapping[str, Any]) -> Any:
    """Return the `tree_` of such arrays, which are not checked."""
    from sklearn.tree._tree import NODE_DTYPE, Tree

    tree = Tree(n_features, np.array([n_classes], dtype=np.intp), 1)
    nodes = np.zeros(len(arrays["feature"]), NODE_DTYPE)
    for name in nodes.dtype.names or ():
        nodes[name] = arrays[name]
    tree.__setstate__(
        {
            "max_depth": arrays["max_depth"],
            "node_count": len(nodes),
            "nodes": nodes,
            "values": np.ascontiguousarray(arrays["values"], dtype=np.float64),
        }
    )
    return tree


def boosting_arrays(boosting: Any, names: Iterable[str]) -> dict[str, NDArray]:
    """Return the nodes of all trees of histogram boosting, one tree after the other.

    Raises
    ------
    TypeError
        If features are categorical.
    """
    if boosting._preprocessor is not None or boosting.is_categorical_ is not None:
        raise TypeError("it has categorical features")
    nodes = [tree.nodes for trees in boosting._predictors for tree in trees]
    arrays = {name: np.concatenate([each[name] for each in nodes]) for name in names}
    return arrays | {"n_nodes": np.array([len(each) for each in nodes])}


def set_boosting_arrays(
    boosting: Any, arrays: Mapping[str, NDArray], n_nodes: NDArray
) -> None:
    """Set what histogram boosting predicts with; the arrays are not checked."""
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
    from sklearn.ensemble._hist_gradient_boosting.common import X_BITSET_INNER_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    nodes = np.zeros(n_nodes.sum(), node_types()[1])
    for name, values in arrays.items():
        nodes[name] = values
    no_categories = np.zeros((0, 8), X_BITSET_INNER_DTYPE)
    trees = [
        TreePredictor(np.ascontiguousarray(each), no_categories, no_categories)
        for each in np.split(nodes, np.cumsum(n_nodes)[:-1])
    ]
    n = boosting.n_trees_per_iteration_
    boosting._predictors = [trees[i : i + n] for i in range(0, len(trees), n)]
    boosting._n_features = boosting.n_features_in_
    boosting._preprocessor = boosting.is_categorical_ = None
    boosting._is_categorical_remapped = None
    boosting._loss = boosting._get_loss(sample_weight=None)
    boosting._bin_mapper = _BinMapper()
    boosting._bin_mapper.is_categorical_ = np.zeros(boosting.n_features_in_, np.uint8)
    boosting._bin_mapper.bin_thresholds_ = []
