import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgenre import AbstainingClassifier
from skgenre.inspection import RiskCoverageDisplay

pytestmark = pytest.mark.usefixtures("no_figures_left")


def test_of_a_fitted_classifier_in_a_pipeline():
    rng = np.random.default_rng(0)
    y = np.repeat(["folk", "rock"], 100)
    X = rng.normal(size=(200, 1)) + (y == "rock")[:, None]
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.8)
    model = make_pipeline(FunctionTransformer(), careful).fit(X, y)
    display = RiskCoverageDisplay.from_estimator(model, X, y)
    assert display.risk[-1] == pytest.approx(
        1 - np.mean(model.classes_[model.predict_proba(X).argmax(axis=1)] == y)
    )
    answers = model.predict(X)
    assert display.chosen == pytest.approx(
        (
            np.mean(answers != "unknown"),
            np.mean((answers != y)[answers != "unknown"]),
        )
    )
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["AbstainingClassifier", "chosen threshold"]
    display.figure_.canvas.draw()


def test_of_predictions_on_given_axes():
    figure, ax = plt.subplots()
    display = RiskCoverageDisplay.from_predictions(
        ["a", "b", "a"], ["a", "b", "b"], [0.9, 0.7, 0.5], ax=ax, name="it"
    )
    assert display.ax_ is ax and display.figure_ is figure
    np.testing.assert_allclose(display.line_.get_ydata(), [0, 0, 1 / 3])
    np.testing.assert_allclose(display.line_.get_xdata(), [1 / 3, 2 / 3, 1])


def test_refuses_what_is_not_fitted_or_of_other_lengths():
    with pytest.raises(NotFittedError):
        RiskCoverageDisplay.from_estimator(LogisticRegression(), [[0]], ["a"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        RiskCoverageDisplay.from_predictions(["a"], ["a", "b"], [1, 1])
