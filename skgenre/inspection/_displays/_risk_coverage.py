"""Plot of wrong predictions over the share of clips with a prediction."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skgenre._estimators import describe_estimator, split_last_step
from skgenre._install import require
from skgenre.classifiers import (
    AbstainingClassifier,
    MissingClipClassifier,
    risk_coverage_curve,
)
from skgenre.classifiers._meta._abstaining import branch_curve
from skgenre.classifiers._meta._back_off import likeliest_branches
from skgenre.classifiers._several_genres import genre_thresholds
from skgenre.datasets import GenreTree
from skgenre.inspection._displays._style import check_clip_labels
from skgenre.inspection._scores._bootstrap import check_genres_of_clips

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class RiskCoverageDisplay:
    """Share of wrong predictions over the share of clips with a prediction.

    Make it by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    coverage : ndarray of shape (n_thresholds,)
        Share of the clips with a prediction.
    risk : ndarray of shape (n_thresholds,)
        Share of these predictions that are wrong.
    chosen : tuple of (float, float), default=None
        Coverage and risk at a threshold that was chosen.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curve is.
    figure_ : matplotlib Figure
        Figure that holds it.
    line_ : matplotlib Line2D
        The curve.

    See Also
    --------
    skgenre.AbstainingClassifier : Chooses a threshold.

    Examples
    --------
    >>> from skgenre.inspection import RiskCoverageDisplay
    >>> display = RiskCoverageDisplay.from_predictions(
    ...     ["folk", "rock", "rock"], ["folk", "rock", "folk"], [0.9, 0.8, 0.6]
    ... )
    >>> display.ax_.get_xlabel()
    'Share of clips with a prediction'
    """

    def __init__(
        self,
        coverage: NDArray,
        risk: NDArray,
        chosen: tuple[float, float] | None = None,
    ) -> None:
        self.coverage = coverage
        self.risk = risk
        self.chosen = chosen

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        ax: "Axes | None" = None,
        name: str | None = None,
    ) -> Self:
        """Draw the curve of a fitted classifier, on clips it was not trained on.

        Parameters
        ----------
        estimator : estimator
            Fitted classifier with `predict_proba`, or a Pipeline or search that ends
            with one. The threshold of an `AbstainingClassifier` is marked; with a
            `genre_tree`, the curve is that of genres and those above them.
        X : array-like of shape (n_clips, ...)
            What it takes. Clips that a `MissingClipClassifier` leaves out have no
            prediction at any threshold.
        y : array-like of shape (n_clips,)
            True genres.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Label of the curve; None takes the estimator's name.

        Returns
        -------
        RiskCoverageDisplay

        Raises
        ------
        ValueError
            If lengths do not match, the classifier predicts several genres a clip, or
            all clips are missing.
        """
        check_is_fitted(estimator)
        genres = check_clip_labels(y, "y", X)
        if genre_thresholds(estimator) is not None:
            raise ValueError(
                f"{describe_estimator(estimator)} predicts several genres a clip, and "
                "the curve is for one. Score it by multilabel_score_intervals."
            )
        _, last = split_last_step(estimator, through=(MissingClipClassifier,))
        abstains = isinstance(last, AbstainingClassifier)
        tree = last._tree() if abstains else GenreTree({})
        probabilities = np.asarray(estimator.predict_proba(X))
        heard = ~np.isnan(probabilities).all(axis=1)
        if not heard.any():
            raise ValueError("All clips of X are missing: there is nothing to draw.")
        branches = likeliest_branches(probabilities[heard], estimator.classes_, tree)
        right = branches.right(genres[heard], tree)
        coverage, risk, thresholds = branch_curve(branches, right, None)
        coverage *= heard.mean()
        chosen = None
        n_reached = np.count_nonzero(thresholds >= last.threshold_) if abstains else 0
        if n_reached:
            chosen = float(coverage[n_reached - 1]), float(risk[n_reached - 1])
        name = type(last).__name__ if name is None else name
        return cls(coverage, risk, chosen).plot(ax=ax, name=name)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        confidence: ArrayLike,
        *,
        ax: "Axes | None" = None,
        name: str | None = None,
    ) -> Self:
        """Draw the curve of given predictions.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_clips,)
            True and predicted genres.
        confidence : array-like of shape (n_clips,)
            Such as the probability of the predicted genre.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Label of the curve.

        Returns
        -------
        RiskCoverageDisplay
        """
        true, predicted = check_genres_of_clips(y_true=y_true, y_pred=y_pred)
        check_consistent_length(true, confidence)
        coverage, risk, _ = risk_coverage_curve(true == predicted, confidence)
        return cls(coverage, risk).plot(ax=ax, name=name)

    def plot(self, *, ax: "Axes | None" = None, name: str | None = None) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Label of the curve.

        Returns
        -------
        RiskCoverageDisplay
        """
        require("matplotlib")
        import matplotlib.pyplot as plt

        if ax is None:
            ax = plt.figure(layout="constrained").add_subplot()
        (self.line_,) = ax.plot(
            self.coverage,
            self.risk,
            drawstyle="steps-post",
            label=name,
            clip_on=False,  # a risk of 0 is visible, too
            zorder=3,
        )
        if self.chosen is not None:
            color = self.line_.get_color()
            ax.plot(
                *self.chosen,
                "o",
                color=color,
                label="chosen threshold",
                clip_on=False,
                zorder=3,
            )
        ax.set(
            xlabel="Share of clips with a prediction",
            ylabel="Share of predictions that are wrong",
            xlim=(0, 1),
        )
        ax.set_ylim(bottom=0)
        if ax.get_legend_handles_labels()[1]:
            ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
