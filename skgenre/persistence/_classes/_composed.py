"""Estimators of scikit-learn made of others, which may be in a model file."""

import dataclasses
from collections import UserList
from collections.abc import Iterable
from typing import Any

import numpy as np

from skgenre import _sklearn_compat as compat
from skgenre.persistence._classes._savable import (
    CLASS_LABELS,
    COUNT,
    MAX_FEATURES,
    N_FEATURES,
    N_SAMPLES,
    PART,
    SavableClass,
    names,
    y_type,
)
from skgenre.persistence._kinds import (
    Sizes,
    anything,
    array,
    dict_of,
    either,
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

_ESTIMATOR_NAME = text()
_WEIGHTS = either(
    list_of(number(0)), tuple_of(number(0)), array("numbers", "weights", low=0)
)
_WEIGHTS_BY_NAME = optional(dict_of(text(), number()))


def _check_names(pairs: Iterable[tuple], what: str) -> None:
    names = [name for name, *_ in pairs]
    require(len(set(names)) == len(names), f"{what} have a name twice")
    # A name becomes an attribute of a `Bunch`.
    require(not any("__" in name for name in names), f"a name of {what} has '__'")


def _pairs(value: Any, sizes: Sizes) -> None:
    """Refuse anything but (name, estimator) pairs; a word may stand for the latter.

    There is one at least: scikit-learn asks the first of them what it was fitted on.
    """
    require(type(value) is list and value, "expected a list of (name, estimator)")
    for pair in value:
        require(type(pair) is tuple and len(pair) == 2, "expected (name, estimator)")
        _ESTIMATOR_NAME(pair[0], sizes)
        either(nothing, text("passthrough", "drop"), PART)(pair[1], sizes)
    _check_names(value, "estimators")


def _columns(value: Any, sizes: Sizes) -> None:
    kinds = either(text(), integer(), flag)
    if type(value) is slice:
        for end in (value.start, value.stop, value.step):
            optional(integer())(end, sizes)
    elif type(value) is np.ndarray:
        either(array("integers", "of columns"), array("booleans", "of columns"))(
            value, {}
        )
    else:
        either(kinds, list_of(kinds))(value, sizes)


def _transformers(value: Any, sizes: Sizes) -> None:
    require(type(value) is list, "expected a list of (name, transformer, columns)")
    for each in value:
        require(type(each) is tuple and len(each) == 3, "expected three of each")
        _ESTIMATOR_NAME(each[0], sizes)
        either(text("passthrough", "drop"), PART)(each[1], sizes)
        _columns(each[2], sizes)
    _check_names(value, "transformers")


def _slices(value: Any, sizes: Sizes) -> None:
    require(type(value) is dict, "expected slices by name")
    for name, each in value.items():
        text()(name, sizes)
        require(type(each) is slice, "expected a slice")
        _columns(each, sizes)


def _take_columns(transformer: Any) -> dict[str, Any]:
    """Return the attributes; lists of scikit-learn's own, of 1.6, become plain."""

    def plain(each: tuple) -> tuple:
        name, part, columns = each
        return name, part, columns.data if isinstance(columns, UserList) else columns

    known = COMPOSED["ColumnTransformer"].fitted
    attributes = {
        name: value for name, value in vars(transformer).items() if name in known
    }
    attributes["transformers_"] = [plain(each) for each in transformer.transformers_]
    attributes["_remainder"] = plain(transformer._remainder)
    return attributes


def _give_isotonic(estimator: Any, fitted: dict[str, Any]) -> None:
    x = fitted["X_thresholds_"]
    require(len(x) > 0 and (np.diff(x) >= 0).all(), "thresholds don't rise")
    compat.set_state(estimator, fitted)  # which makes the function again


def _check_members(members: Iterable[Any]) -> None:
    """Refuse members that predict several genres a clip, where one is expected."""
    are_of_one = not any(y_type(each).startswith("multilabel") for each in members)
    require(are_of_one, "an estimator predicts several genres a clip")


def _check_calibration(model: Any, sizes: Sizes) -> None:
    for each in model.calibrated_classifiers_:
        is_same = np.array_equal(each.classes, model.classes_)
        require(is_same, "a classifier is calibrated for other classes")


def _check_calibrated(calibrated: Any) -> None:
    _check_members([calibrated.estimator])
    k = len(calibrated.classes)
    expected = (1 if k == 2 or calibrated.method == "temperature" else k,)
    require(
        len(calibrated.calibrators) in expected, "there is not a calibrator a class"
    )


def _give_named(estimator: Any, fitted: dict[str, Any]) -> None:
    """Set the attributes, and `named_estimators_`, which holds the same estimators."""
    from sklearn.utils import Bunch

    vars(estimator).update(fitted)
    names = [name for name, each in estimator.estimators if each != "drop"]
    members = estimator.estimators_
    require(len(names) == len(members), "there are more estimators than names")
    estimator.named_estimators_ = Bunch(**dict(zip(names, members, strict=True)))
    for name, each in estimator.estimators:
        if isinstance(each, str):
            estimator.named_estimators_[name] = each


def _give_search(search: Any, fitted: dict[str, Any]) -> None:
    from sklearn.metrics import check_scoring

    vars(search).update(fitted, multimetric_=False)
    search.scorer_ = check_scoring(search.best_estimator_, scoring=search.scoring)


def _check_codes(encoder: Any, classes: np.ndarray, members: list) -> None:
    """Check that estimators predict the numbers of the classes, which are indices."""
    _check_members(members)
    is_same = np.array_equal(encoder.classes_, classes)
    require(is_same, "the numbers of the classes are those of others")
    for each in members:
        are_codes = np.array_equal(each.classes_, np.arange(len(classes)))
        require(are_codes, "an estimator predicts other numbers than the classes'")


def _check_rest(model: Any, sizes: Sizes) -> None:
    _check_members(model.estimators_)
    binarizer, k = model.label_binarizer_, sizes["k"]
    is_same = np.array_equal(binarizer.classes_, model.classes_)
    require(is_same, "the columns of the classes are those of others")
    n = 1 if k == 2 and not binarizer.y_type_.startswith("multilabel") else k
    require(len(model.estimators_) == n, "there is not an estimator a class")
    for each in model.estimators_:
        is_constant = type(each).__name__ == "_ConstantPredictor"
        is_binary = is_constant or np.array_equal(each.classes_, [0, 1])
        require(is_binary, "an estimator predicts something else than a column")


def _check_voting(vote: Any, sizes: Sizes) -> None:
    _check_codes(vote.le_, vote.classes_, vote.estimators_)


def _check_stacking(estimator: Any, sizes: Sizes) -> None:
    encoder, final = estimator._label_encoder, estimator.final_estimator_
    _check_codes(encoder, estimator.classes_, [final])
    _check_members(estimator.estimators_)
    n, k = len(estimator.estimators_), sizes["k"]
    require(len(estimator.stack_method_) == n, "there is not a method an estimator")
    # A column a class, or one a pair of them.
    most = max(k, k * (k - 1) // 2)
    has_columns = all(columns <= most for columns in estimator._n_feature_outs)
    require(has_columns, "an estimator gives more columns than there are classes")
    n_columns = sum(estimator._n_feature_outs)
    require(n_columns <= MAX_FEATURES, f"{n_columns} columns are too many")


def _check_bagging(estimator: Any, sizes: Sizes) -> None:
    require(len(estimator.estimators_) > 0, "there are no estimators")
    _check_members(estimator.estimators_)
    for columns in estimator.estimators_features_:
        require((columns < sizes["n"]).all(), "an estimator takes other features")


def _check_boosting(boosting: Any, sizes: Sizes) -> None:
    _check_members(boosting.estimators_)
    n = len(boosting.estimators_)
    # Boosting that ends early leaves weights of 0 behind.
    require(0 < n <= sizes["weights"], "there is not a weight for each estimator")


_SPLITTER = SavableClass(
    "sklearn.model_selection",
    limits={
        "n_splits": integer(2),
        "shuffle": flag,
        "random_state": optional(integer(0, 2**32 - 1)),
    },
)
_SEARCH = SavableClass(
    "sklearn.model_selection",
    {
        "best_estimator_": PART,
        "best_score_": number(finite=False),
        "best_params_": dict_of(text(), anything),
        "best_index_": COUNT,
        "n_splits_": COUNT,
        "refit_time_": number(0),
    },
    may_lack=names("best_score_ best_params_ best_index_"),
    not_saved=names(
        "cv_results_ multimetric_ scorer_ _checked_cv_orig _n_samples_orig"
    ),
    limits={
        "scoring": optional(text()),
        "refit": flag,
        "error_score": number(finite=False),
    },
    give=_give_search,
)
_HALVING = dataclasses.replace(
    _SEARCH,
    module=compat.HALVING_MODULE,
    not_saved=_SEARCH.not_saved
    | names(
        "n_iterations_ n_required_iterations_ n_possible_iterations_ min_resources_ "
        "max_resources_ n_resources_ n_candidates_ n_remaining_candidates_"
    ),
)

COMPOSED: dict[str, SavableClass] = {
    "Pipeline": SavableClass("sklearn.pipeline", limits={"steps": _pairs}),
    "FeatureUnion": SavableClass(
        "sklearn.pipeline",
        limits={
            "transformer_list": _pairs,
            "transformer_weights": _WEIGHTS_BY_NAME,
            "verbose_feature_names_out": flag,
        },
    ),
    "ColumnTransformer": SavableClass(
        "sklearn.compose",
        {
            "n_features_in_": N_FEATURES,
            "transformers_": _transformers,
            "output_indices_": _slices,
            "sparse_output_": flag,
            "_columns": list_of(_columns),
            "_transformer_to_input_indices": dict_of(text(), list_of(COUNT)),
            "_remainder": lambda value, sizes: _transformers([value], sizes),
            "_transformers_feature_names_out": values("U", axes=1),
        },
        may_lack=names("_transformers_feature_names_out"),
        take=_take_columns,
        not_saved=names("_name_to_fitted_passthrough _n_features"),
        retired=names("force_int_remainder_cols"),
        limits={
            "transformers": _transformers,
            "transformer_weights": _WEIGHTS_BY_NAME,
            # A text would be used as a format.
            "verbose_feature_names_out": flag,
        },
    ),
    "FunctionTransformer": SavableClass(  # "passthrough" in a ColumnTransformer
        "sklearn.preprocessing",
        {"n_features_in_": N_FEATURES},
        may_lack=names("n_features_in_"),
        limits=dict.fromkeys(
            ("func", "inverse_func", "kw_args", "inv_kw_args"), nothing
        )
        | {"feature_names_out": optional(text("one-to-one"))},
    ),
    "FrozenEstimator": SavableClass("sklearn.frozen", limits={"estimator": PART}),
    "CalibratedClassifierCV": SavableClass(
        "sklearn.calibration",
        {
            "n_features_in_": N_SAMPLES,
            "classes_": CLASS_LABELS,
            "calibrated_classifiers_": list_of(part("_CalibratedClassifier")),
        },
        may_lack=names("n_features_in_"),
        relation=_check_calibration,
    ),
    "_CalibratedClassifier": SavableClass(
        "sklearn.calibration",
        limits={
            "estimator": PART,
            "calibrators": list_of(
                part("_SigmoidCalibration", "IsotonicRegression", "_TemperatureScaling")
            ),
            "classes": CLASS_LABELS,
            "method": text("sigmoid", "isotonic", "temperature"),
        },
        bounds=_check_calibrated,
    ),
    "_SigmoidCalibration": SavableClass(
        "sklearn.calibration", {"a_": number(), "b_": number()}
    ),
    "_TemperatureScaling": SavableClass(  # from scikit-learn 1.8
        "sklearn.calibration", {"beta_": either(number(), array("f"))}
    ),
    "IsotonicRegression": SavableClass(
        "sklearn.isotonic",
        {
            "increasing_": flag,
            "X_min_": number(),
            "X_max_": number(),
            "X_thresholds_": array("numbers", "thresholds"),
            "y_thresholds_": array("numbers", "thresholds"),
        },
        not_saved=names("f_"),
        give=_give_isotonic,
    ),
    "OneVsRestClassifier": SavableClass(
        "sklearn.multiclass",
        {
            "n_features_in_": N_SAMPLES,
            "classes_": CLASS_LABELS,
            "estimators_": list_of(part()),
            "label_binarizer_": part("LabelBinarizer"),
        },
        may_lack=names("n_features_in_"),
        relation=_check_rest,
    ),
    "_ConstantPredictor": SavableClass(  # of a column that is all 0 or all 1
        "sklearn.multiclass",
        {"n_features_in_": N_SAMPLES, "y_": array("integers", 1, low=0, high=1)},
        may_lack=names("n_features_in_"),
    ),
    "VotingClassifier": SavableClass(
        "sklearn.ensemble",
        {
            "classes_": CLASS_LABELS,
            "estimators_": list_of(part(classes="k")),
            "le_": part("LabelEncoder"),
        },
        not_saved=names("named_estimators_"),
        limits={"estimators": _pairs, "weights": optional(_WEIGHTS)},
        relation=_check_voting,
        give=_give_named,
    ),
    "StackingClassifier": SavableClass(
        "sklearn.ensemble",
        {
            "classes_": CLASS_LABELS,
            "estimators_": list_of(part()),
            "final_estimator_": part(classes="k"),
            "stack_method_": list_of(
                text("predict", "predict_proba", "decision_function")
            ),
            "_label_encoder": part("LabelEncoder"),
            "_n_feature_outs": list_of(COUNT),
        },
        not_saved=names("named_estimators_"),
        limits={"estimators": _pairs},
        relation=_check_stacking,
        give=_give_named,
    ),
    "AdaBoostClassifier": SavableClass(
        "sklearn.ensemble",
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "n_classes_": size("k"),
            "estimator_": part(),
            "estimators_": list_of(part(n_features="n", classes="k")),
            "estimator_weights_": array("numbers", "weights"),
            "estimator_errors_": array("numbers", "weights"),
        },
        retired=names("algorithm"),
        relation=_check_boosting,
    ),
    "BaggingClassifier": SavableClass(
        "sklearn.ensemble",
        {
            "n_features_in_": N_FEATURES,
            "classes_": CLASS_LABELS,
            "n_classes_": size("k"),
            "estimator_": part(),
            "estimators_": list_of(part(), "members"),
            "estimators_features_": list_of(values("i", low=0), "members"),
            "oob_score_": number(),
            "oob_decision_function_": array("numbers", "clips", "k", finite=False),
        },
        may_lack=names("oob_score_ oob_decision_function_"),
        not_saved=names("_n_samples _max_samples _max_features _sample_weight _seeds"),
        relation=_check_bagging,
    ),
    "GridSearchCV": _SEARCH,
    "RandomizedSearchCV": _SEARCH,
    "HalvingGridSearchCV": _HALVING,
    "HalvingRandomSearchCV": _HALVING,
    "GroupKFold": _SPLITTER,
    "KFold": _SPLITTER,
    "StratifiedGroupKFold": _SPLITTER,
    "StratifiedKFold": _SPLITTER,
}
