"""Estimators of scikit-learn whose fitted state is tables that NumPy computes with."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from skgenre.persistence._classes._savable import (
    BY_FEATURE,
    CLASS_LABELS,
    COUNT,
    N_FEATURES,
    SavableClass,
    names,
)
from skgenre.persistence._kinds import (
    Kind,
    Sizes,
    array,
    either,
    flag,
    integer,
    label,
    list_of,
    number,
    optional,
    part,
    require,
    size,
    text,
    tuple_of,
    values,
)


def _one_row_if_binary(estimator: Any, sizes: Sizes) -> None:
    k, rows = sizes["k"], sizes.get("rows", 1)
    may_have_one = type(estimator).__name__.startswith("RidgeClassifier")
    require(k >= 2 or may_have_one, "a linear classifier has less than two classes")
    require(rows == (1 if k == 2 else k), "one row a class is expected")
    is_possible = rows == 1 or estimator.coef_.ndim == 2
    require(is_possible, "several classes share one row")


def _linear(
    module: str,
    *may_lack: str,
    relation: Callable[[Any, Sizes], None] = _one_row_if_binary,
    **more: Kind,
) -> SavableClass:
    """Return a linear classifier with more attributes than all of them have."""
    return SavableClass(
        module,
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "coef_": either(array("numbers", "rows", "n"), array("numbers", "n")),
            "intercept_": either(array("numbers", "rows"), number()),
            "n_iter_": optional(either(COUNT, array("integers", "runs", low=0))),
            **more,
        },
        may_lack=frozenset(may_lack),
        retired=names("multi_class"),
        not_saved=names(
            "t_ _expanded_class_weight _loss_function_ solver_ _average_coef "
            "_average_intercept _standard_coef _standard_intercept"
        ),
        relation=relation,
    )


def _check_discriminant(lda: Any, sizes: Sizes) -> None:
    _one_row_if_binary(lda, sizes)
    is_possible = sizes.get("axes out", 0) <= sizes["n"]
    require(is_possible, "there are more axes than features")


def _give_ridge(ridge: Any, fitted: dict[str, Any]) -> None:
    """Set the attributes, and the classes, which scikit-learn 1.6 has in a part."""
    of_part = vars(fitted["_label_binarizer"]).get("classes_")
    require(of_part is not None, "a label binarizer has no classes")
    vars(ridge).update({"classes_": of_part, **fitted})


def _check_mlp(mlp: Any, sizes: Sizes) -> None:
    k = sizes["k"]
    require(mlp.n_outputs_ == (1 if k == 2 else k), "a network has other outputs")
    widths = [sizes["n"], *(len(b) for b in mlp.intercepts_)]
    require(widths[-1] == mlp.n_outputs_, "a network's last layer is of another size")
    require(mlp.n_layers_ == len(widths), "a network has another number of layers")
    shapes = [weights.shape for weights in mlp.coefs_]
    require(shapes == list(pairwise(widths)), "a network's layers don't fit")
    binarizer = mlp._label_binarizer
    known = vars(binarizer).get("classes_", ())
    require(np.array_equal(known, mlp.classes_), "a label binarizer has other classes")
    require(not binarizer.sparse_input_, "a label binarizer makes sparse arrays")


def _check_dummy(dummy: Any, sizes: Sizes) -> None:
    is_class = dummy.constant in dummy.classes_.tolist()
    is_free = dummy._strategy != "constant"
    require(is_free or is_class, "the constant is none of the classes")


def _check_quadratic(qda: Any, sizes: Sizes) -> None:
    for rotation, scaling in zip(qda.rotations_, qda.scalings_, strict=True):
        is_whole = rotation.shape == (sizes["n"], len(scaling))
        require(is_whole, "a class has other axes than deviations")


_STRATEGY = text("constant", "most_frequent", "prior", "stratified", "uniform")
_N_SEEN = either(COUNT, number(0), array("numbers", "n", low=0))
_COMPONENTS = {
    "n_features_in_": N_FEATURES,
    "components_": array("numbers", "components", "n"),
    "explained_variance_": array("numbers", "components"),
    "explained_variance_ratio_": array("numbers", "components", finite=False),
    "singular_values_": array("numbers", "components"),
}
# A ridge classifier finds its penalty itself, or is given it.
_RIDGE = dataclasses.replace(
    _linear(
        "sklearn.linear_model",
        *("classes_", "n_iter_", "alpha_", "best_score_"),
        alpha_=number(0),
        best_score_=number(),
        _label_binarizer=part("LabelBinarizer", classes="k"),
    ),
    give=_give_ridge,
)
_LOGISTIC_CV = _linear(
    "sklearn.linear_model",
    "C_",
    C_=either(array("numbers", "penalties"), number(0)),
    n_iter_=values("i", low=0),
)
_SELECTOR = SavableClass(
    "sklearn.feature_selection",
    {
        "n_features_in_": N_FEATURES,
        "scores_": array("numbers", "n", finite=False),
        "pvalues_": optional(array("numbers", "n", finite=False)),
    },
)


TABLES: dict[str, SavableClass] = {
    "LabelEncoder": SavableClass("sklearn.preprocessing", {"classes_": CLASS_LABELS}),
    "LabelBinarizer": SavableClass(
        "sklearn.preprocessing",
        {
            "classes_": CLASS_LABELS,
            "y_type_": text("binary", "multiclass", "multilabel-indicator"),
            "sparse_input_": flag,
        },
    ),
    "StandardScaler": SavableClass(
        "sklearn.preprocessing",
        {
            "n_features_in_": N_FEATURES,
            "n_samples_seen_": _N_SEEN,
            "mean_": optional(BY_FEATURE),
            "var_": optional(BY_FEATURE),
            "scale_": optional(BY_FEATURE),
        },
    ),
    "MinMaxScaler": SavableClass(
        "sklearn.preprocessing",
        {
            "n_features_in_": N_FEATURES,
            "n_samples_seen_": _N_SEEN,
            **dict.fromkeys(
                ("scale_", "min_", "data_min_", "data_max_", "data_range_"), BY_FEATURE
            ),
        },
        limits={"feature_range": tuple_of(number(), 2)},
    ),
    "MaxAbsScaler": SavableClass(
        "sklearn.preprocessing",
        {
            "n_features_in_": N_FEATURES,
            "n_samples_seen_": _N_SEEN,
            "max_abs_": BY_FEATURE,
            "scale_": BY_FEATURE,
        },
    ),
    "RobustScaler": SavableClass(
        "sklearn.preprocessing",
        {
            "n_features_in_": N_FEATURES,
            "center_": optional(BY_FEATURE),
            "scale_": optional(BY_FEATURE),
        },
        limits={"quantile_range": tuple_of(number(0, 100), 2)},
    ),
    "Normalizer": SavableClass("sklearn.preprocessing", {"n_features_in_": N_FEATURES}),
    "PowerTransformer": SavableClass(
        "sklearn.preprocessing",
        {
            "n_features_in_": N_FEATURES,
            "lambdas_": BY_FEATURE,
            "_scaler": part("StandardScaler", n_features="n"),
        },
        may_lack=names("_scaler"),
    ),
    "QuantileTransformer": SavableClass(
        "sklearn.preprocessing",
        {
            "n_features_in_": N_FEATURES,
            "n_quantiles_": size("quantiles"),
            "references_": array("numbers", "quantiles"),
            "quantiles_": array("numbers", "quantiles", "n"),
        },
    ),
    "PCA": SavableClass(
        "sklearn.decomposition",
        _COMPONENTS
        | {
            "n_samples_": COUNT,
            "n_components_": size("components"),
            "mean_": BY_FEATURE,
            "noise_variance_": number(),
        },
        not_saved=names("_fit_svd_solver"),
    ),
    "IncrementalPCA": SavableClass(
        "sklearn.decomposition",
        _COMPONENTS
        | {
            "n_samples_seen_": number(0),
            "n_components_": size("components"),
            "batch_size_": COUNT,
            "mean_": BY_FEATURE,
            "var_": BY_FEATURE,
            "noise_variance_": number(),
        },
        may_lack=names("batch_size_"),
    ),
    "TruncatedSVD": SavableClass("sklearn.decomposition", _COMPONENTS),
    "SelectKBest": _SELECTOR,
    "SelectPercentile": _SELECTOR,
    "VarianceThreshold": SavableClass(
        "sklearn.feature_selection",
        {"n_features_in_": N_FEATURES, "variances_": BY_FEATURE},
    ),
    "LogisticRegression": _linear("sklearn.linear_model"),
    "LogisticRegressionCV": dataclasses.replace(
        _LOGISTIC_CV,
        not_saved=_LOGISTIC_CV.not_saved
        | names("Cs_ l1_ratio_ l1_ratios_ scores_ coefs_paths_"),
        limits={"scoring": optional(text())},
    ),
    "Perceptron": _linear("sklearn.linear_model"),
    "RidgeClassifier": _RIDGE,
    "RidgeClassifierCV": dataclasses.replace(
        _RIDGE,
        not_saved=_RIDGE.not_saved | names("cv_results_ _store_cv_results"),
        limits={"scoring": optional(text())},
    ),
    "SGDClassifier": dataclasses.replace(
        _linear("sklearn.linear_model"), former={"eta0": 0.0}
    ),
    "LinearSVC": _linear("sklearn.svm"),
    "LinearDiscriminantAnalysis": _linear(
        "sklearn.discriminant_analysis",
        *("n_iter_ covariance_ xbar_ scalings_ explained_variance_ratio_".split()),
        *("_max_components _n_features_out".split()),
        priors_=array("numbers", "k"),
        means_=array("numbers", "k", "n"),
        xbar_=BY_FEATURE,
        scalings_=array("numbers", "n", "axes"),
        explained_variance_ratio_=array("numbers", "ratios", finite=False),
        covariance_=array("numbers", "n", "n"),
        _max_components=size("axes out"),
        _n_features_out=size("axes out"),
        relation=_check_discriminant,
    ),
    "QuadraticDiscriminantAnalysis": SavableClass(
        "sklearn.discriminant_analysis",
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "priors_": array("numbers", "k", low=0),
            "means_": array("numbers", "k", "n"),
            "rotations_": list_of(values("f", axes=2), "k"),
            "scalings_": list_of(values("f", axes=1), "k"),
            "covariance_": list_of(array("numbers", "n", "n"), "k"),
        },
        may_lack=names("covariance_"),
        relation=_check_quadratic,
    ),
    "NearestCentroid": SavableClass(
        "sklearn.neighbors",
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "centroids_": array("numbers", "k", "n"),
            "class_prior_": array("numbers", "k", low=0),
            "within_class_std_dev_": BY_FEATURE,
            "deviations_": array("numbers", "k", "n"),
        },
        # Not every version of scikit-learn has them.
        may_lack=names("class_prior_ within_class_std_dev_ deviations_"),
        limits={"metric": text("euclidean", "manhattan")},
    ),
    "GaussianNB": SavableClass(
        "sklearn.naive_bayes",
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "epsilon_": number(0),
            "theta_": array("numbers", "k", "n"),
            "var_": array("numbers", "k", "n", low=0),
            "class_count_": array("numbers", "k", low=0),
            "class_prior_": array("numbers", "k", low=0),
        },
    ),
    "DummyClassifier": SavableClass(
        "sklearn.dummy",
        {
            "n_features_in_": N_FEATURES,
            "n_outputs_": integer(1, 1),
            "classes_": CLASS_LABELS,
            "n_classes_": size("k"),
            "class_prior_": array("numbers", "k", low=0),
            "sparse_output_": flag,
            "_strategy": _STRATEGY,
        },
        limits={"strategy": _STRATEGY, "constant": optional(label)},
        may_lack=names("n_features_in_"),
        relation=_check_dummy,
    ),
    "MLPClassifier": SavableClass(
        "sklearn.neural_network",
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "n_outputs_": COUNT,
            "n_layers_": COUNT,
            "n_iter_": COUNT,
            "t_": COUNT,
            "out_activation_": text("logistic", "softmax"),
            "coefs_": list_of(values("f", axes=2)),
            "intercepts_": list_of(values("f", axes=1)),
            "loss_": number(),
            "loss_curve_": list_of(number()),
            "best_loss_": optional(number()),
            "validation_scores_": optional(list_of(number())),
            "best_validation_score_": optional(number()),
            "_label_binarizer": part("LabelBinarizer"),
        },
        may_lack=names(
            "loss_curve_ best_loss_ validation_scores_ best_validation_score_ t_"
        ),
        not_saved=names(
            "_random_state _optimizer _best_coefs _best_intercepts "
            "_no_improvement_count _coef_indptr _intercept_indptr"
        ),
        relation=_check_mlp,
    ),
}
