"""What is said of a class that may be in a model file."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sklearn.frozen import FrozenEstimator

from skgenre import _sklearn_compat as compat
from skgenre._estimators import split_last_step
from skgenre.persistence._kinds import (
    Kind,
    Sizes,
    array,
    integer,
    labels,
    part,
    size,
)

NOT_SAVED = frozenset(
    {
        *("cache_dir", "callbacks", "checkpoint_dir", "memory", "metrics", "n_jobs"),
        *("time_limit", "verbose"),
    }
)
"""Parameters that change how work is done, and not what comes of it.

They are not saved, a file that has them is refused, and a loaded estimator has their
defaults.
"""

FUNCTIONS = {
    "chi2": "sklearn.feature_selection",
    "f_classif": "sklearn.feature_selection",
    "mutual_info_classif": "sklearn.feature_selection",
}
"""Functions that may be the parameter `score_func`, and where to import them from."""


def _as_they_are(estimator: Any) -> dict[str, Any]:
    """Have all parameters written as they are."""
    return {}


def _no_bounds(estimator: Any) -> None:
    """Accept any combination of parameters."""


def _no_relation(estimator: Any, sizes: Sizes) -> None:
    """Accept any combination of attributes."""


@dataclasses.dataclass(frozen=True)
class SavableClass:
    """What a class consists of in a model file.

    Parameters
    ----------
    module : str
        Where the class is imported from.
    fitted : mapping of str to kind
        Attributes that `fit` sets, and their kinds.
    may_lack : frozenset of str, default=frozenset()
        Those that not every fit or every version of scikit-learn sets.
    not_saved : frozenset of str, default=frozenset()
        Attributes that only training uses, or that `give` restores.
    retired : frozenset of str, default=frozenset()
        Parameters that not every version of scikit-learn has, and no prediction uses.
    former : mapping of str to object, default={}
        Defaults of earlier versions of scikit-learn that later ones refuse; a parameter
        that has one is of the default of today.
    limits : mapping of str to kind, default={}
        Parameters that may have fewer values in a file than elsewhere.
    bounds : callable, default=_no_bounds
        Takes an estimator, fitted or not, and refuses parameters that together ask for
        too much.
    relation : callable, default=_no_relation
        Takes a fitted estimator and the sizes, and refuses attributes that contradict
        one another.
    stand_ins : callable, default=_as_they_are
        Takes an estimator and returns parameters to write in place of its own.
    take : callable or None, default=None
        Takes a fitted estimator and returns the attributes to write; None takes those
        of `fitted`.
    give : callable or None, default=None
        Takes an estimator and attributes that were checked, and sets them; None sets
        them by their names.
    """

    module: str
    fitted: Mapping[str, Kind] = dataclasses.field(default_factory=dict)
    may_lack: frozenset[str] = frozenset()
    not_saved: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()
    former: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    limits: Mapping[str, Kind] = dataclasses.field(default_factory=dict)
    bounds: Callable[[Any], None] = _no_bounds
    relation: Callable[[Any, Sizes], None] = _no_relation
    stand_ins: Callable[[Any], dict[str, Any]] = _as_they_are
    take: Callable[[Any], dict[str, Any]] | None = None
    give: Callable[[Any, dict[str, Any]], None] | None = None

    @property
    def package(self) -> str:
        """Package that the class is of."""
        return self.module.split(".")[0]


def names(of: str) -> frozenset[str]:
    return frozenset(of.split())


_BINARIZERS = {
    "MLPClassifier": "_label_binarizer",
    "OneVsRestClassifier": "label_binarizer_",
}
"""Attributes of the classes whose parts know the form of the genres."""


def y_type(model: Any) -> str:
    """Return the form of the genres that a classifier predicts."""
    last = split_last_step(model)[1]
    while isinstance(last, FrozenEstimator):
        last = split_last_step(last.estimator)[1]
    name = _BINARIZERS.get(type(last).__name__)
    encoder = last if name is None else vars(last)[name]
    return vars(encoder).get("y_type_", "multiclass")


# Kinds that several classes share.

# An estimator that holds no array of this size has a name for each all the same.
MAX_FEATURES = 2**22
N_FEATURES = size("n", MAX_FEATURES)
N_SAMPLES = size("n")  # of waveforms, where an estimator takes those
COUNT = integer(0)
CLASS_LABELS = labels("k")
BY_FEATURE = array("numbers", "n")
PART = part()


def check_parameters(estimator: Any) -> None:
    """Hold an estimator's parameters against its class's constraints.

    Raises
    ------
    ValueError
        If one is outside its range, or of another type.
    """
    compat.validate_parameters(estimator)
    check = getattr(type(estimator), "_check_parameters", None)
    if check is not None:
        check(estimator)
