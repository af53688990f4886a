"""scikit-learn's own checks on the networks, with real training of small ones."""

import pytest
from estimator_checks_3d import checks_3d
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgenre import CRNNClassifier, ParallelCNNRNNClassifier

SMALL = {"epochs": 30, "learning_rate": 0.02, "batch_size": 32, "random_state": 0}
NETWORKS = [
    CRNNClassifier(filters=(8,), lstm_units=8, embedding_units=8, dropout=0, **SMALL),
    ParallelCNNRNNClassifier(filters=(8,), pool_sizes=((2, 2),), gru_units=8, **SMALL),
]
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "batches are drawn from the clips, so a clip of weight 2 is not two clips; "
        "scikit-learn lists the same for its own MLP and SGD"
    ),
}

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.DataConversionWarning"
)


@pytest.mark.slow
@parametrize_with_checks(NETWORKS, expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_sklearn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("check", list(checks_3d()), ids=lambda check: check.__name__)
def test_check_3d(network, check):
    check(clone(network).set_params(epochs=3))
