"""Plot of loss, accuracy and learning rate over epochs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skgenre._install import require
from skgenre.inspection._fitted_parts import find_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "label_ranking_precision": "Label-ranking average precision",
    "learning_rate": "Learning rate",
}
"""Titles of what is drawn, by Keras's names."""


class LearningCurvesDisplay:
    """Loss, accuracy and learning rate of a network, epoch by epoch.

    Make it by `from_estimator`, or from a given history.

    Parameters
    ----------
    history : dict of str to sequence of float
        Keras's names: 'loss', 'accuracy', 'val_loss', 'val_accuracy',
        'learning_rate', and of several genres a clip 'label_ranking_precision' instead
        of the accuracy; missing ones are not drawn.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each of loss, accuracy and learning rate in the history.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores over the number of clips.

    Examples
    --------
    >>> from skgenre.inspection import LearningCurvesDisplay
    >>> display = LearningCurvesDisplay(
    ...     {"loss": [1.2, 0.8, 0.5], "val_loss": [1.3, 1.0, 1.1]}
    ... ).plot()
    >>> [line.get_label() for line in display.axes_[0].lines]
    ['training', 'validation']
    """

    def __init__(self, history: Mapping[str, Sequence[float]]) -> None:
        self.history = history

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, axes: "Sequence[Axes] | None" = None
    ) -> Self:
        """Draw the training of a fitted network.

        Parameters
        ----------
        estimator : estimator
            Fitted network, or a Pipeline, SegmentClassifier, AbstainingClassifier or
            search that holds one. The accuracy of a SegmentClassifier is that of
            windows.
        axes : sequence of matplotlib Axes, default=None
            Where to draw, one for each curve; None makes a new figure.

        Returns
        -------
        LearningCurvesDisplay

        Raises
        ------
        ValueError
            If the estimator is no network and holds none.
        """
        return cls(find_network(estimator).history_).plot(axes=axes)

    def plot(self, *, axes: "Sequence[Axes] | None" = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw, one for each curve; None makes a new figure.

        Returns
        -------
        LearningCurvesDisplay

        Raises
        ------
        ValueError
            If the history has none of these curves, or another number than `axes`.
        """
        require("matplotlib")
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        names = [name for name in CURVES if name in self.history]
        if not names:
            raise ValueError(
                f"The history has none of {', '.join(CURVES)}, got {[*self.history]}."
            )
        if axes is None:
            figure = plt.figure(figsize=(4 * len(names), 3.5), layout="constrained")
            axes = list(figure.subplots(1, len(names), squeeze=False)[0])
        self.axes_: NDArray = np.ravel(np.asarray(axes, dtype=object))
        if len(self.axes_) != len(names):
            raise ValueError(
                f"The history has {len(names)} curves ({', '.join(names)}), which need "
                f"as many axes. Got {len(self.axes_)}."
            )
        for ax, name in zip(self.axes_, names, strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                if key in self.history:
                    values = self.history[key]
                    # Without a marker, a single epoch would be invisible.
                    ax.plot(range(1, len(values) + 1), values, marker=".", label=label)
            ax.set(xlabel="Epoch", ylabel=CURVES[name])
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            if name == "learning_rate":
                ax.set_yscale("log")
            else:
                ax.legend()
        self.figure_ = self.axes_[0].figure
        return self
