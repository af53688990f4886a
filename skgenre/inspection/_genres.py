"""What pictures of several genres share: their labels and their looks."""

from collections.abc import Sized
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skgenre.classifiers._checks import check_none_missing

# Okabe and Ito's colours, which colour-blind people tell apart, without yellow, too
# faint on white, and black. Their numbers have no common factor with those of the
# markers: every pair comes once before one comes again.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_HATCHES = ("", "////", "....", "xxxx")


def point_style(i: int) -> dict[str, Any]:
    """Return colour and marker of the genre of number i; 56 differ."""
    return {"color": COLORS[i % len(COLORS)], "marker": _MARKERS[i % len(_MARKERS)]}


def area_style(i: int) -> dict[str, Any]:
    """Return colour and hatching of the genre of number i; 28 differ."""
    hatch = _HATCHES[i // len(COLORS) % len(_HATCHES)]
    return {
        "facecolor": COLORS[i % len(COLORS)],
        "edgecolor": "white",
        "linewidth": 0,
        "hatch": hatch,
    }


def check_labels(labels: ArrayLike, name: str, X: Sized) -> NDArray:
    """Return the labels of the clips, genres or clusters, as a 1-D array."""
    column = column_or_1d(labels)
    if not len(column):
        raise ValueError(f"{name} is empty: there are no clips to draw.")
    check_consistent_length(X, column)
    check_none_missing(name, column)
    check_classification_targets(column)
    return column
