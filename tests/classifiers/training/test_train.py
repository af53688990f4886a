import keras
import numpy as np
import pytest
from sklearn.metrics import label_ranking_average_precision_score

from skgenre.classifiers._training._train import (
    OneHotLoss,
    SeveralCrossentropy,
    label_ranking_precision,
)


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.CategoricalCrossentropy(reduction="sum", dtype="float64"),
        keras.losses.Huber(0.1),
    ],
    ids=["sum", "Huber"],
)
def test_a_loss_of_one_hot_labels_takes_numbers(loss):
    rng = np.random.default_rng(0)
    y, weights = rng.integers(4, size=9), rng.uniform(size=9)
    p = rng.dirichlet(np.ones(4), size=9)
    ours, expected = OneHotLoss(loss)(y, p, weights), loss(np.eye(4)[y], p, weights)
    assert ours.dtype == expected.dtype
    assert float(ours) == pytest.approx(float(expected), rel=1e-6)


class TestSeveralGenres:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=(9, 4)).astype(np.float32)
    p = rng.uniform(0.1, 0.9, size=(9, 4)).round(1).astype(np.float32)

    def test_equals_keras_without_weights(self):
        expected = keras.losses.BinaryCrossentropy(label_smoothing=0.2)
        loss = SeveralCrossentropy(0.2, None)(self.y, self.p)
        assert float(loss) == pytest.approx(float(expected(self.y, self.p)), rel=1e-5)

    def test_weights_of_clips_without_and_with_a_genre(self):
        weights = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
        losses = -np.log(np.where(self.y > 0, self.p, 1 - self.p))
        losses *= np.where(self.y > 0, weights[1], weights[0])
        loss = SeveralCrossentropy(0.0, weights)
        assert float(loss(self.y, self.p)) == pytest.approx(losses.mean(), rel=1e-4)

    def test_ranking_is_that_of_scikit_learn(self):
        y = np.vstack([self.y, np.zeros(4), np.ones(4)]).astype(np.float32)
        p = np.vstack([self.p, self.p[:2]])
        expected = label_ranking_average_precision_score(y, p)
        assert np.mean(label_ranking_precision(y, p)) == pytest.approx(expected)
