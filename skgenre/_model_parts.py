"""What a saved model may consist of, and how its parts are checked once loaded."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

TRUSTED_TYPES = [
    "skgenre.classifiers._crnn.CRNNClassifier",
    "skgenre.classifiers._parallel_cnn_rnn.ParallelCNNRNNClassifier",
    "skgenre.classifiers._segment.SegmentClassifier",
    "skgenre.clustering._embedding_kmeans.EmbeddingKMeans",
    "skgenre.features._mel_transformer.MelSpectrogramTransformer",
    "skgenre.features._mfcc_standardizer.MFCCStandardizer",
    # Plain classes and functions of scikit-learn that skops's own list leaves out.
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._search_successive_halving.HalvingGridSearchCV",
    "sklearn.model_selection._search_successive_halving.HalvingRandomSearchCV",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedGroupKFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
    # Decision trees, whose compiled code believes the indices it is given: for these,
    # see `check_tree_descriptions` and `check_trees`.
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
]


def parts(model: Any) -> Iterator[Any]:
    """Yield a model and every object in it, each once."""
    seen: set[int] = set()
    rest: list[Any] = [model]
    while rest:
        part = rest.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Mapping):
            rest += part.values()
        elif isinstance(part, list | tuple):
            rest += part
        elif isinstance(part, np.ndarray) and part.dtype == object:
            rest += part.ravel().tolist()
        elif type(part).__module__.startswith(("sklearn.", "skgenre.")):
            rest += getattr(part, "__dict__", {}).values()


def check_tree_descriptions(schema: bytes) -> None:
    """Refuse trees of several outputs, before one is made.

    scikit-learn's `Tree` reads as many numbers of classes as it is told outputs.

    Parameters
    ----------
    schema : bytes
        skops's description of a model, JSON.

    Raises
    ------
    ValueError
        If a tree is not one of one output.
    """

    def check(state: dict[str, Any]) -> dict[str, Any]:
        if state.get("__loader__") == "TreeNode":
            *_, n_outputs = state["__reduce__"]["args"]["content"]
            if json.loads(n_outputs["content"]) != 1:
                raise ValueError("a decision tree has more outputs than the genre")
        return state

    json.loads(schema, object_hook=check)


def check_trees(model: Any) -> None:
    """Refuse decision trees that would make compiled code read outside of them.

    Parameters
    ----------
    model : estimator
        As it was loaded, or is to be saved.

    Raises
    ------
    ValueError
        If a node's children or feature aren't there, or the trees are in an estimator
        that could not be checked.
    """
    from sklearn.ensemble import IsolationForest, RandomTreesEmbedding
    from sklearn.ensemble._forest import BaseForest
    from sklearn.ensemble._gb import BaseGradientBoosting
    from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import (
        BaseHistGradientBoosting,
    )
    from sklearn.tree import BaseDecisionTree

    for part in parts(model):
        if isinstance(
            part, BaseGradientBoosting | IsolationForest | RandomTreesEmbedding
        ):
            raise ValueError(
                f"the trees of {type(part).__name__} can't be checked; "
                "HistGradientBoostingClassifier and RandomForestClassifier can be"
            )
        if isinstance(part, BaseDecisionTree) and hasattr(part, "tree_"):
            tree = part.tree_
            _check(tree.n_features == part.n_features_in_)
            _check(0 < tree.node_count <= tree.capacity)
            inner = tree.children_left != -1
            _check_nodes(
                inner,
                tree.children_left,
                tree.children_right,
                tree.feature,
                part.n_features_in_,
            )
        elif isinstance(part, BaseForest) and hasattr(part, "estimators_"):
            for member in part.estimators_:
                _check(member.n_features_in_ == part.n_features_in_)
        elif isinstance(part, BaseHistGradientBoosting) and hasattr(
            part, "_predictors"
        ):
            for predictor in (p for iteration in part._predictors for p in iteration):
                nodes = predictor.nodes
                inner = nodes["is_leaf"] == 0
                _check(not nodes["is_categorical"].any())
                _check_nodes(
                    inner,
                    nodes["left"].astype(np.int64),
                    nodes["right"].astype(np.int64),
                    nodes["feature_idx"],
                    part.n_features_in_,
                )


def _check_nodes(
    inner: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    n_features: int,
) -> None:
    """Check that every walk goes on to later nodes of the tree, and ends."""
    number = np.arange(len(inner))[inner]
    for children in (left[inner], right[inner]):
        _check((number < children).all() and (children < len(inner)).all())
    _check((0 <= feature[inner]).all() and (feature[inner] < n_features).all())


def _check(holds: Any) -> None:
    if not holds:
        raise ValueError("a decision tree points at nodes or features it hasn't got")
