import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgenre import (
    AbstainingClassifier,
    MissingClipClassifier,
    MultiLabelClassifier,
)
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
    predicted = model.predict(X)
    assert display.chosen == pytest.approx(
        (
            np.mean(predicted != "unknown"),
            np.mean((predicted != y)[predicted != "unknown"]),
        )
    )
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["AbstainingClassifier", "chosen threshold"]
    display.figure_.canvas.draw()
    # A clip exactly at the threshold has a prediction.
    careful.threshold_ = np.sort(model.predict_proba(X).max(axis=1))[-50]
    display = RiskCoverageDisplay.from_estimator(model, X, y)
    assert display.chosen[0] == pytest.approx(np.mean(model.predict(X) != "unknown"))


@pytest.mark.parametrize("around", ["search", "pipeline", "missing", "both"])
def test_the_threshold_is_marked_whatever_holds_it(around):
    rng = np.random.default_rng(0)
    y = np.repeat(["folk", "rock"], 100)
    X = rng.normal(size=(200, 1)) + (y == "rock")[:, None]
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.8)
    search = GridSearchCV(careful, {"estimator__C": [1, 10]}, cv=2)
    model = {
        "search": search,
        "pipeline": make_pipeline(StandardScaler(), make_pipeline(search)),
        "missing": MissingClipClassifier(careful),
        "both": MissingClipClassifier(make_pipeline(StandardScaler(), search)),
    }[around].fit(X, y)
    display = RiskCoverageDisplay.from_estimator(model, X, y)
    given = model.predict(X) != "unknown"
    assert display.chosen == pytest.approx(
        (given.mean(), np.mean(model.predict(X)[given] != y[given]))
    )
    (marker,) = [line for line in display.ax_.lines if line.get_marker() == "o"]
    assert marker.get_xydata()[0] == pytest.approx(display.chosen)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["AbstainingClassifier", "chosen threshold"]


def test_other_classifiers_have_no_threshold_to_mark():
    X, y = np.arange(20.0)[:, None], np.repeat(["folk", "rock"], 10)
    # Its probabilities are others than those that the threshold was chosen by.
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0)
    for model in (LogisticRegression(), CalibratedClassifierCV(careful, cv=2)):
        display = RiskCoverageDisplay.from_estimator(model.fit(X, y), X, y)
        assert display.chosen is None and len(display.ax_.lines) == 1


def test_missing_clips_have_no_prediction():
    rng = np.random.default_rng(0)
    y = np.repeat(["folk", "rock"], 100)
    X = rng.normal(size=(200, 1)) + (y == "rock")[:, None]
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.8)
    model = MissingClipClassifier(careful, missing_label="unknown").fit(X, y)
    X[::4] = np.nan
    display = RiskCoverageDisplay.from_estimator(model, X, y)
    predicted = model.predict(X)
    given = predicted != "unknown"
    assert display.chosen == pytest.approx(
        (given.mean(), np.mean((predicted != y)[given]))
    )
    assert display.coverage[-1] == 0.75
    X[:] = np.nan
    with pytest.raises(ValueError, match="All clips of X are missing"):
        RiskCoverageDisplay.from_estimator(model, X, y)


def test_a_genre_above_in_the_tree_is_a_prediction():
    rng = np.random.default_rng(0)
    y = np.repeat(["house", "techno", "folk"], 100)
    X = rng.normal(size=(300, 2)) + np.repeat([[0, 3], [1, 3], [0, 0]], 100, axis=0)
    model = AbstainingClassifier(
        LogisticRegression(),
        target_precision=0.9,
        genre_tree={"house": "dance", "techno": "dance"},
    ).fit(X, y)
    display = RiskCoverageDisplay.from_estimator(model, X, y)
    predicted = model.predict(X)
    assert (predicted == "dance").any()
    given = predicted != "unknown"
    right = (predicted == y) | ((predicted == "dance") & (y != "folk"))
    assert display.chosen == pytest.approx((given.mean(), 1 - right[given].mean()))
    # It is on the curve.
    on_curve = np.isclose(display.coverage, display.chosen[0])
    assert np.isclose(display.risk[on_curve], display.chosen[1]).any()


def test_several_genres_a_clip_are_refused():
    X = np.arange(20.0)[:, None]
    y = np.column_stack([X > 5, X > 12]).astype(int)
    several = OneVsRestClassifier(LogisticRegression())
    model = MultiLabelClassifier(several, cv=2).fit(X, y)
    with pytest.raises(ValueError, match="predicts several genres a clip"):
        RiskCoverageDisplay.from_estimator(model, X, y[:, 0])
    plain = LogisticRegression().fit(X, y[:, 0])
    with pytest.raises(ValueError, match="y should be a 1d array"):
        RiskCoverageDisplay.from_estimator(plain, X[:2], np.eye(2))
    with pytest.raises(ValueError, match="y should be a 1d array"):
        RiskCoverageDisplay.from_predictions(np.eye(2), ["a", "b"], [1, 1])


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
