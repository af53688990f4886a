"""What skgenre takes from scikit-learn's private modules, in one place.

A release of scikit-learn may move or change these names without notice: nothing else
in skgenre imports a private one.
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
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_feature_names_in",
    "check_sample_weight",
    "fit_context",
    "num_samples",
    "safe_indexing",
    "tree_class",
    "validate_parameter_constraints",
    "validate_params",
    "wrap_data_with_container",
]


def tree_class() -> type:
    """Return the class of a decision tree's arrays, imported when it is asked for."""
    from sklearn.tree._tree import Tree

    return Tree
