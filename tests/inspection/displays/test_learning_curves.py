import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import CRNNClassifier, SegmentClassifier
from skgenre.inspection import LearningCurvesDisplay

pytestmark = pytest.mark.usefixtures("no_figures_left")


def test_of_a_network_and_of_a_pipeline():
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
    assert [line.get_label() for line in (training, validation)] == [
        "training",
        "validation",
    ]
    assert [ax.get_yscale() for ax in display.axes_] == ["linear", "linear", "log"]
    np.testing.assert_array_equal(training.get_ydata(), crnn.history_["accuracy"])
    np.testing.assert_array_equal(validation.get_ydata(), crnn.history_["val_accuracy"])
    display.figure_.canvas.draw()
    again = LearningCurvesDisplay.from_estimator(crnn, axes=display.axes_)
    assert again.figure_ is display.figure_


def test_refuse_what_has_no_history():
    with pytest.raises(ValueError, match="network is needed .*Got SVC"):
        LearningCurvesDisplay.from_estimator(SVC().fit([[0], [1]], [0, 1]))
    with pytest.raises(NotFittedError):
        LearningCurvesDisplay.from_estimator(CRNNClassifier())


def test_of_the_network_in_a_classifier_of_windows():
    X, y = np.random.default_rng(0).normal(size=(20, 8, 2)), ["a", "b"] * 10
    crnn = CRNNClassifier(filters=(4,), lstm_units=4, epochs=2, random_state=0)
    segments = SegmentClassifier(crnn, window=4, hop=4)
    model = make_pipeline(FunctionTransformer(), segments).fit(X, y)
    display = LearningCurvesDisplay.from_estimator(model)
    assert display.history is model[-1].estimator_.history_


def test_refuses_axes_that_do_not_fit_and_histories_without_curves():
    history = {"loss": [1.2, 0.8], "accuracy": [0.5, 0.6]}
    with pytest.raises(ValueError, match=r"2 curves \(loss, accuracy\).* Got 1"):
        LearningCurvesDisplay(history).plot(axes=plt.figure().add_subplot())
    with pytest.raises(ValueError, match=r"none of loss, .* got \['mae'\]"):
        LearningCurvesDisplay({"mae": [1.0]}).plot()


def test_a_single_epoch_is_seen():
    display = LearningCurvesDisplay({"loss": [1.2], "val_loss": [1.3]}).plot()
    assert all(line.get_marker() == "." for line in display.axes_[0].lines)
    display.figure_.canvas.draw()
    assert all(float(tick).is_integer() for tick in display.axes_[0].get_xticks())
