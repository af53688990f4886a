"""Estimators of scikit-learn whose compiled code reads what is checked only here."""

from typing import Any

import numpy as np

from skgenre import _sklearn_compat as compat
from skgenre.persistence._classes._savable import (
    CLASS_LABELS,
    COUNT,
    N_FEATURES,
    SavableClass,
    names,
)
from skgenre.persistence._kinds import (
    Sizes,
    array,
    flag,
    integer,
    list_of,
    nothing,
    number,
    optional,
    part,
    require,
    size,
    text,
    tuple_of,
    values,
)

_MOST_NODES = 2**31 - 1
_MAX_NEIGHBORS = 1_000  # that each clip is given, all at once


def _check_nodes(
    inner: np.ndarray,
    children: tuple[np.ndarray, np.ndarray],
    feature: np.ndarray,
    n_features: int,
) -> int:
    """Return the depth of a tree, after checking that it is one.

    Every node but the first is the child of one node before it.
    """
    require(len(inner) > 0, "a decision tree has no nodes")
    parents = np.arange(len(inner))[inner]
    left, right = (child[inner] for child in children)
    for child in (left, right):
        is_later = (parents < child).all() and (child < len(inner)).all()
        require(is_later, "a decision tree doesn't lead on")
    once = np.sort(np.concatenate([left, right]).astype(np.int64))
    is_tree = np.array_equal(once, np.arange(1, len(inner)))
    require(is_tree, "a decision tree leads to a node twice, or never")
    features = feature[inner]
    are_known = (features >= 0).all() and (features < n_features).all()
    require(are_known, "a decision tree asks for a feature that there is not")
    depths = [0] * len(inner)
    edges = zip(parents.tolist(), left.tolist(), right.tolist(), strict=True)
    for node, one, other in edges:
        depths[one] = depths[other] = depths[node] + 1
    return max(depths)


_NODES = {
    "left_child": array("integers", "nodes", low=-1),
    "right_child": array("integers", "nodes", low=-1),
    "feature": array("integers", "nodes"),
    "threshold": array("numbers", "nodes", finite=False),  # infinite: missing or not
    "impurity": array("numbers", "nodes"),
    "n_node_samples": array("integers", "nodes", low=0),
    "weighted_n_node_samples": array("numbers", "nodes"),
    "missing_go_to_left": array("integers", "nodes", low=0, high=1),
    "values": array("numbers", "nodes", 1, "k"),
    "max_depth": COUNT,
}
_TREE_ATTRIBUTES = {
    "n_features_in_": N_FEATURES,
    "n_outputs_": integer(1, 1),
    "classes_": CLASS_LABELS,
    "n_classes_": size("k"),
    "max_features_": COUNT,
}


def _take_tree(estimator: Any) -> dict[str, Any]:
    return {
        **{name: vars(estimator)[name] for name in _TREE_ATTRIBUTES},
        **compat.tree_arrays(estimator.tree_),
    }


def _give_tree(estimator: Any, fitted: dict[str, Any]) -> None:
    arrays = {name: fitted.pop(name) for name in _NODES}
    left, n_features = arrays["left_child"], fitted["n_features_in_"]
    inner, children = left != -1, (left, arrays["right_child"])
    depth = _check_nodes(inner, children, arrays["feature"], n_features)
    # As much as this is reserved for a path through the tree.
    require(arrays["max_depth"] == depth, "a decision tree has another depth")
    vars(estimator).update(fitted)
    estimator.tree_ = compat.make_tree(n_features, len(fitted["classes_"]), arrays)


def _check_forest(forest: Any, sizes: Sizes) -> None:
    require(len(forest.estimators_) > 0, "a forest has no trees")


_FOREST = SavableClass(
    "sklearn.ensemble",
    {
        "n_features_in_": N_FEATURES,
        "n_outputs_": integer(1, 1),
        "classes_": CLASS_LABELS,
        "n_classes_": size("k"),
        "estimator_": part("DecisionTreeClassifier", "ExtraTreeClassifier"),
        "estimators_": list_of(
            part(
                "DecisionTreeClassifier",
                "ExtraTreeClassifier",
                n_features="n",
                classes="k",
            )
        ),
        "oob_score_": number(),
        "oob_decision_function_": array("numbers", "clips", "k", finite=False),
    },
    may_lack=names("oob_score_ oob_decision_function_"),
    not_saved=names("_n_samples _sample_weight _n_samples_bootstrap"),
    relation=_check_forest,
)

_BOOSTED_NODES = {
    "value": array("numbers", "nodes"),
    "count": array("integers", "nodes", low=0),
    "feature_idx": array("integers", "nodes"),
    "num_threshold": array("numbers", "nodes", finite=False),
    "missing_go_to_left": array("integers", "nodes", low=0, high=1),
    "left": array("integers", "nodes", low=0),
    "right": array("integers", "nodes", low=0),
    "gain": array("numbers", "nodes", finite=False),
    "depth": array("integers", "nodes", low=0),
    "is_leaf": array("integers", "nodes", low=0, high=1),
    "bin_threshold": array("integers", "nodes", low=0),
}
_BOOSTING_ATTRIBUTES = {
    "n_features_in_": N_FEATURES,
    "classes_": CLASS_LABELS,
    "n_trees_per_iteration_": size("trees"),
    "do_early_stopping_": flag,
    "train_score_": array("numbers", "scores", finite=False),
    "validation_score_": array("numbers", "validations", finite=False),
    "_baseline_prediction": array("numbers", 1, "trees"),
}


def _take_boosting(estimator: Any) -> dict[str, Any]:
    return {
        **{name: vars(estimator)[name] for name in _BOOSTING_ATTRIBUTES},
        **compat.boosting_arrays(estimator, _BOOSTED_NODES),
    }


def _give_boosting(estimator: Any, fitted: dict[str, Any]) -> None:
    nodes = {name: fitted.pop(name) for name in _BOOSTED_NODES}
    n_nodes = fitted.pop("n_nodes")
    k, n_trees = len(fitted["classes_"]), fitted["n_trees_per_iteration_"]
    require(n_trees == (1 if k <= 2 else k), "boosting has not a tree for each class")
    is_whole = len(n_nodes) > 0 and len(n_nodes) % n_trees == 0
    require(is_whole, "boosting has not as many trees for each class")
    # Python's integers: those of an array could add up to more than they can hold.
    n_all = sum(n_nodes.tolist())
    require(n_all == len(nodes["left"]), "trees have other numbers of nodes")
    n_nodes = n_nodes.astype(np.intp)
    for start, n in zip(np.cumsum(n_nodes) - n_nodes, n_nodes, strict=True):
        tree = {name: values[start : start + n] for name, values in nodes.items()}
        inner, children = tree["is_leaf"] == 0, (tree["left"], tree["right"])
        _check_nodes(inner, children, tree["feature_idx"], fitted["n_features_in_"])
    vars(estimator).update(fitted)
    compat.set_boosting_arrays(estimator, nodes, n_nodes)


def _check_svm(svm: Any, sizes: Sizes) -> None:
    k, n_vectors = sizes["k"], sizes["vectors"]
    n_support = svm._n_support
    require(k >= 2, "a support vector machine has less than two classes")
    require(
        sum(n_support.tolist()) == n_vectors, "support vectors are not of the classes"
    )
    require(sizes["rows"] == k - 1, "support vectors have other coefficients")
    n_pairs = k * (k - 1) // 2
    require(sizes["pairs"] == n_pairs, "a support vector machine has other pairs")
    require(sizes["sigmoids"] in (0, n_pairs), "there is not a sigmoid for each pair")


def _give_svm(svm: Any, fitted: dict[str, Any]) -> None:
    vars(svm).update(fitted)
    sign = -1 if len(svm.classes_) == 2 else 1
    svm._sparse = False
    svm._intercept_ = sign * svm.intercept_
    svm._dual_coef_ = sign * svm.dual_coef_


def _take_neighbors(estimator: Any) -> dict[str, Any]:
    return {
        "fit_X": estimator._fit_X,
        "fit_y": estimator.classes_[estimator._y],
        **_feature_names(estimator),
    }


def _give_neighbors(estimator: Any, fitted: dict[str, Any]) -> None:
    X, y = fitted.pop("fit_X"), fitted.pop("fit_y")
    require(estimator.n_neighbors <= len(X), "more neighbours are asked for than are")
    estimator.fit(X, y)
    vars(estimator).update(fitted)


def _feature_names(estimator: Any) -> dict[str, Any]:
    given = vars(estimator).get("feature_names_in_")
    return {} if given is None else {"feature_names_in_": given}


def _check_kmeans(estimator: Any, sizes: Sizes) -> None:
    require(sizes["clusters"] > 0, "there are no clusters")


def _give_kmeans(estimator: Any, fitted: dict[str, Any]) -> None:
    n = len(fitted["cluster_centers_"])
    require(estimator.n_clusters == n, "there is not a centre for each cluster")
    require((fitted["labels_"] < n).all(), "a clip is of a cluster that there is not")
    vars(estimator).update(fitted)
    estimator._n_threads = compat.effective_threads()


COMPILED: dict[str, SavableClass] = {
    "KMeans": SavableClass(
        "sklearn.cluster",
        {
            "n_features_in_": N_FEATURES,
            "cluster_centers_": array("numbers", "clusters", "n"),
            "labels_": array("integers", "clips", low=0),
            "inertia_": number(0),
            "n_iter_": COUNT,
            "_n_features_out": size("clusters"),
        },
        not_saved=names("_tol _n_init _algorithm _n_threads"),
        relation=_check_kmeans,
        give=_give_kmeans,
    ),
    "KNeighborsClassifier": SavableClass(
        "sklearn.neighbors",
        {"fit_X": array("numbers", "clips", "n"), "fit_y": values("fibU", "clips")},
        not_saved=names(
            "n_features_in_ outputs_2d_ classes_ _y effective_metric_params_ "
            "effective_metric_ _fit_method _fit_X n_samples_fit_ _tree"
        ),
        limits={
            "n_neighbors": integer(1, _MAX_NEIGHBORS),
            "leaf_size": integer(1, 10_000),
            "metric": text(
                *("minkowski", "euclidean", "manhattan", "chebyshev", "cosine"),
                *("canberra", "braycurtis", "l1", "l2", "cityblock"),
            ),
            "metric_params": nothing,
            "p": number(0.1, 100),
            "weights": optional(text("uniform", "distance")),
        },
        take=_take_neighbors,
        give=_give_neighbors,
    ),
    "SVC": SavableClass(
        "sklearn.svm",
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "class_weight_": array("numbers", "k"),
            "support_": array("integers", "vectors", low=0),
            "support_vectors_": array("numbers", "vectors", "n"),
            "dual_coef_": array("numbers", "rows", "vectors"),
            "intercept_": array("numbers", "pairs"),
            "n_iter_": array("integers", "pairs", low=0),
            "fit_status_": integer(0, 1),
            "shape_fit_": tuple_of(COUNT, 2),
            "_n_support": array("integers", "k", low=0),
            "_probA": array("numbers", "sigmoids"),
            "_probB": array("numbers", "sigmoids"),
            "_gamma": number(0),
            "_effective_probability": flag,
        },
        may_lack=names("_effective_probability"),
        not_saved=names("_sparse _intercept_ _dual_coef_ _num_iter"),
        limits={
            "kernel": text("linear", "poly", "rbf", "sigmoid"),
            "degree": integer(0, 2**31 - 1),  # a C int
        },
        relation=_check_svm,
        give=_give_svm,
    ),
    "DecisionTreeClassifier": SavableClass(
        "sklearn.tree",
        _TREE_ATTRIBUTES | _NODES,
        not_saved=names("tree_"),
        take=_take_tree,
        give=_give_tree,
    ),
    "ExtraTreeClassifier": SavableClass(
        "sklearn.tree",
        _TREE_ATTRIBUTES | _NODES,
        not_saved=names("tree_"),
        take=_take_tree,
        give=_give_tree,
    ),
    "RandomForestClassifier": _FOREST,
    "ExtraTreesClassifier": _FOREST,
    "HistGradientBoostingClassifier": SavableClass(
        "sklearn.ensemble",
        _BOOSTING_ATTRIBUTES
        | _BOOSTED_NODES
        | {"n_nodes": array("integers", "all trees", low=1, high=_MOST_NODES)},
        not_saved=names(
            "is_categorical_ _preprocessor _is_categorical_remapped _label_encoder "
            "_random_seed _feature_subsample_rng _n_features _loss "
            "_use_validation_data _bin_mapper _predictors _scorer"
        ),
        take=_take_boosting,
        give=_give_boosting,
    ),
}
