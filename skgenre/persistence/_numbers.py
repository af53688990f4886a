"""Checks of the numbers in a model's parts, which compiled code uses unchecked."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skgenre._estimators import parts

_MAX_THREADS = 1024
_MAX_VALUES = 2**28  # of a spectrogram: 1 GB, as long as 27 hours


def check_parts(model: Any) -> None:
    """Refuse parts that would make compiled code fail, or exhaust the machine.

    Classes are recognised by name: importing them all would take longer than the rest.

    Parameters
    ----------
    model : estimator
        Model that was loaded, or is to be saved.

    Raises
    ------
    ValueError
        If the numbers in a decision tree, in support vectors or in clusters contradict
        one another, a method is named that no classifier has, or a parameter asks for
        unreasonably many threads or large arrays.
    """
    if not isinstance(model, BaseEstimator):
        raise ValueError(f"it holds {type(model).__name__}, which is not an estimator")
    found = list(parts(model))
    checked: set[int] = set()  # trees, which only their owners can check
    for part in found:
        _check_limits(part)
        kinds = {cls.__name__ for cls in type(part).__mro__}
        if "BaseDecisionTree" in kinds and hasattr(part, "tree_"):
            _check_tree(part.tree_, part.n_features_in_)
            checked.add(id(part.tree_))
        elif "BaseForest" in kinds and hasattr(part, "estimators_"):
            for member in part.estimators_:
                _check(member.n_features_in_ == part.n_features_in_, "forest")
        elif hasattr(part, "_predictors"):
            checked.update(_check_boosted_trees(part))
        elif "BaseLibSVM" in kinds and hasattr(part, "support_"):
            _check_support_vectors(part)
        elif kinds & {"KMeans", "MiniBatchKMeans"}:
            centers = getattr(part, "cluster_centers_", None)
            if centers is not None:
                _check(
                    centers.shape == (part.n_clusters, part.n_features_in_), "cluster"
                )
        elif "KNeighborsClassifier" in kinds and hasattr(part, "_y"):
            is_class = (part._y >= 0) & (part._y < len(part.classes_))
            _check(is_class.all() and len(is_class) == len(part._fit_X), "neighbour")
            _check(part._fit_X.shape[1:] == (part.n_features_in_,), "neighbour")
        elif "StackingClassifier" in kinds:
            methods = {"predict", "predict_proba", "decision_function"}
            _check(set(getattr(part, "stack_method_", ())) <= methods, "method")
        elif "Pipeline" in kinds:
            _check(part.memory is None, "cache")
        elif "AudioTransformer" in kinds:
            _check(getattr(part, "cache_dir", None) is None, "cache")
        elif "BaseGenreClassifier" in kinds:
            _check(getattr(part, "checkpoint_dir", None) is None, "checkpoint")
    for part in found:
        if type(part).__name__ in ("Tree", "TreePredictor"):
            _check(id(part) in checked, "decision tree")


def _check_limits(part: Any) -> None:
    """Check numbers of threads, sizes, and text that would be used as a format."""
    given = getattr(part, "__dict__", {})
    for name, least in (("n_jobs", -_MAX_THREADS), ("_n_threads", 1)):
        number = given.get(name)
        fits = isinstance(number, Integral) and least <= int(number) <= _MAX_THREADS
        _check(number is None or fits, f"number of threads ({name})")
    n_mels = given.get("n_mels") or given.get("n_mels_") or 1
    for name in ("n_frames", "n_fft", "window"):
        # Sizes of a spectrogram, of the mel filters, and of a window of frames.
        _check((given.get(name) or 1) * n_mels <= _MAX_VALUES, f"size ({name})")
    network = given.get("network_parameters_") or {}
    n_frames, n_mels = network.get("input_shape") or (1, 1)
    for number in (n_frames, network.get("n_mfcc") or 1):
        _check(number * n_mels <= _MAX_VALUES, "size (network_parameters_)")
    # A string would be used as a format.
    verbose = given.get("verbose_feature_names_out", True)
    _check(isinstance(verbose, bool | np.bool_), "way of naming features")


def _check_tree(tree: Any, n_features: int) -> None:
    _check(tree.n_features == n_features, "decision tree")
    _check(0 < tree.node_count <= tree.capacity, "decision tree")
    inner = tree.children_left != -1
    children = tree.children_left, tree.children_right
    _check_nodes(inner, children, tree.feature, n_features)


def _check_boosted_trees(part: Any) -> Iterable[int]:
    # The preprocessor maps categories and checks the width of X, but isn't checked.
    _check(getattr(part, "_preprocessor", None) is None, "category")
    for predictor in (p for iteration in part._predictors for p in iteration):
        nodes = predictor.nodes
        _check(not nodes["is_categorical"].any(), "category")
        inner = nodes["is_leaf"] == 0
        children = nodes["left"], nodes["right"]
        _check_nodes(inner, children, nodes["feature_idx"], part.n_features_in_)
        yield id(predictor)


def _check_nodes(
    inner: np.ndarray,
    children: tuple[np.ndarray, np.ndarray],
    feature: np.ndarray,
    n_features: int,
) -> None:
    """Check that every path leads to later nodes of the tree, and so ends."""
    number = np.arange(len(inner))[inner]
    for child in children:
        after = child[inner]
        _check((number < after).all() and (after < len(inner)).all(), "decision tree")
    features = feature[inner]
    _check((0 <= features).all() and (features < n_features).all(), "decision tree")


def _check_support_vectors(svm: Any) -> None:
    _check(not svm._sparse, "support vector")
    n_support, n_features = svm._n_support, svm.n_features_in_
    n_vectors = len(svm.support_)
    is_kernel_matrix = svm.kernel == "precomputed"
    _check((n_support >= 0).all() and n_support.sum() == n_vectors, "support vector")
    _check(len(n_support) == len(svm.classes_), "support vector")
    _check(
        is_kernel_matrix or svm.support_vectors_.shape == (n_vectors, n_features),
        "support vector",
    )
    if is_kernel_matrix:  # the support vectors are columns of it
        is_column = (svm.support_ >= 0) & (svm.support_ < svm.shape_fit_[0])
        _check(is_column.all(), "support vector")
    for coefficients in (svm.dual_coef_, svm._dual_coef_):
        _check(coefficients.shape == (len(n_support) - 1, n_vectors), "support vector")
    n_pairs = len(n_support) * (len(n_support) - 1) // 2
    _check(len(svm.intercept_) == len(svm._intercept_) == n_pairs, "support vector")
    n_sigmoids = len(svm._probA)
    _check(len(svm._probB) == n_sigmoids in (0, n_pairs), "support vector")


def _check(holds: Any, what: str) -> None:
    if not holds:
        raise ValueError(f"a {what} in it is not as scikit-learn would make it")
