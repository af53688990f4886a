"""All private names of scikit-learn that skgenre uses.

A release of scikit-learn may move or change them without notice, which is mended here:
no other module imports a private name, or says where one is.
"""

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

__all__ = [
    "COMPILED_LOSSES",
    "SAVABLE_PRIVATE_CLASSES",
    "TREE_MODULE",
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_feature_names_in",
    "check_sample_weight",
    "fit_context",
    "num_samples",
    "safe_indexing",
    "validate_parameter_constraints",
    "validate_params",
    "wrap_data_with_container",
]

_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
_HALVING = "sklearn.model_selection._search_successive_halving"

SAVABLE_PRIVATE_CLASSES = {
    "AdamOptimizer": "sklearn.neural_network._stochastic_optimizers",
    "HalfBinomialLoss": "sklearn._loss.loss",
    "HalfLogitLink": "sklearn._loss.link",
    "HalfMultinomialLoss": "sklearn._loss.loss",
    "HalvingGridSearchCV": _HALVING,
    "HalvingRandomSearchCV": _HALVING,
    "IdentityLink": "sklearn._loss.link",
    "Interval": "sklearn._loss.link",
    "LogitLink": "sklearn._loss.link",
    "MultinomialLogit": "sklearn._loss.link",
    "SGDOptimizer": "sklearn.neural_network._stochastic_optimizers",
    "TreePredictor": f"{_BOOSTING}.predictor",
    "_BinMapper": f"{_BOOSTING}.binning",
    "_CalibratedClassifier": "sklearn.calibration",
    "_ConstantPredictor": "sklearn.multiclass",
    "_PassthroughScorer": "sklearn.metrics._scorer",
    "_SigmoidCalibration": "sklearn.calibration",
    "_TemperatureScaling": "sklearn.calibration",  # from scikit-learn 1.8
}
"""Classes that fitted estimators consist of, and the modules to import them from."""

COMPILED_LOSSES = {
    "CyHalfBinomialLoss": "sklearn._loss._loss",
    "CyHalfMultinomialLoss": "sklearn._loss._loss",
    "Hinge": "sklearn.linear_model._sgd_fast",
    "ModifiedHuber": "sklearn.linear_model._sgd_fast",
    "SquaredHinge": "sklearn.linear_model._sgd_fast",
}
"""Losses that are constructed with arguments, and the modules to import them from."""

TREE_MODULE = "sklearn.tree._tree"
"""Module of `Tree`, the arrays of a decision tree."""
