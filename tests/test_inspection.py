import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import AbstainingClassifier, CRNNClassifier, MelSpectrogramTransformer
from skgenre.inspection import (
    LearningCurvesDisplay,
    RiskCoverageDisplay,
    SpectrogramDisplay,
)

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_spectrogram_axes_are_seconds_and_hertz():
    seconds = np.arange(4 * 22050) / 22050
    mel = MelSpectrogramTransformer(n_frames=86)
    display = SpectrogramDisplay.from_estimator(mel, np.sin(6283 * seconds))
    left, right = display.ax_.get_xlim()
    assert right - left == pytest.approx(86 * 1024 / 22050, rel=0.02)
    assert display.ax_.get_ylim()[1] == pytest.approx(11025, rel=0.05)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == (
        "Seconds",
        "Hz (mel scale)",
    )
    # The loudest band is where a tone of 1 kHz belongs.
    mesh = display.ax_.collections[0]
    loudest = mesh.get_array().reshape(128, 86)[:, 40].argmax()
    edges = mesh.get_coordinates()[:, 0, 1]
    assert edges[loudest] == pytest.approx(1000, rel=0.05)
    assert display.colorbar_ is not None
    display.figure_.canvas.draw()


def test_spectrogram_leaves_the_step_as_it_is():
    waveforms = np.random.default_rng(0).normal(size=(3, 4000))
    mel = MelSpectrogramTransformer(n_frames=4).fit(waveforms)
    SpectrogramDisplay.from_estimator(mel, np.ones(9000))
    assert mel.n_features_in_ == 4000


def test_spectrogram_on_given_axes_without_colorbar():
    figure, ax = plt.subplots()
    display = SpectrogramDisplay(np.zeros((10, 8))).plot(ax=ax, colorbar=False)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.colorbar_ is None


def test_learning_curves_of_a_network_and_of_a_pipeline():
    X, y = np.random.default_rng(0).normal(size=(40, 8, 2)), ["a", "b"] * 20
    crnn = CRNNClassifier(filters=(4,), lstm_units=4, epochs=3, random_state=0)
    pipeline = make_pipeline(FunctionTransformer(), crnn).fit(X, y)
    display = LearningCurvesDisplay.from_estimator(pipeline)
    assert [ax.get_ylabel() for ax in display.axes_] == [
        "Loss",
        "Accuracy",
        "Learning rate",
    ]
    training, validation = display.axes_[1].lines
    np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(validation.get_ydata(), crnn.history_["val_accuracy"])
    display.figure_.canvas.draw()
    again = LearningCurvesDisplay.from_estimator(crnn, axes=display.axes_)
    assert again.figure_ is display.figure_


def test_learning_curves_refuse_what_has_no_history():
    with pytest.raises(ValueError, match="needs a network.*got SVC"):
        LearningCurvesDisplay.from_estimator(SVC().fit([[0], [1]], [0, 1]))
    with pytest.raises(NotFittedError):
        LearningCurvesDisplay.from_estimator(CRNNClassifier())


class TestRiskCoverage:
    def test_of_a_fitted_classifier_in_a_pipeline(self):
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

    def test_of_predictions_on_given_axes(self):
        figure, ax = plt.subplots()
        display = RiskCoverageDisplay.from_predictions(
            ["a", "b", "a"], ["a", "b", "b"], [0.9, 0.7, 0.5], ax=ax, name="it"
        )
        assert display.ax_ is ax and display.figure_ is figure
        np.testing.assert_allclose(display.line_.get_ydata(), [0, 0, 1 / 3])
        np.testing.assert_allclose(display.line_.get_xdata(), [1 / 3, 2 / 3, 1])

    def test_refuses_what_is_not_fitted_or_of_other_lengths(self):
        with pytest.raises(NotFittedError):
            RiskCoverageDisplay.from_estimator(LogisticRegression(), [[0]], ["a"])
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            RiskCoverageDisplay.from_predictions(["a"], ["a", "b"], [1, 1])
