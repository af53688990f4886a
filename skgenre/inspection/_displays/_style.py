"""Labels, colours and legends of plots with several genres."""

from collections.abc import Iterable, Sequence, Sized
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length

from skgenre.classifiers._checks import check_labels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.text import Text

# Okabe and Ito's colours, which colour-blind people can distinguish, without black and
# without yellow, too faint on white. There are 7 colours and 8 markers, without a
# common factor: every pair comes once before one repeats.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_HATCHES = ("", "////", "....", "xxxx")
# Height of a row of a legend, in points, in matplotlib's own font size.
_LEGEND_ROW = 15.5
# Share of a figure's height that axes have until matplotlib lays them out.
_AXES_SHARE = 0.77


def point_style(i: int) -> dict[str, Any]:
    """Return colour and marker of genre i; 56 differ."""
    return {"color": COLORS[i % len(COLORS)], "marker": _MARKERS[i % len(_MARKERS)]}


def area_style(i: int) -> dict[str, Any]:
    """Return colour and hatching of genre i; 28 differ."""
    hatch = _HATCHES[i // len(COLORS) % len(_HATCHES)]
    return {
        "facecolor": COLORS[i % len(COLORS)],
        "edgecolor": "white",
        "linewidth": 0,
        "hatch": hatch,
    }


def write_literally(texts: Iterable["Text"]) -> None:
    """Keep matplotlib from taking dollars in names such as 'R$B$' for formulas."""
    for text in texts:
        text.set_parse_math(False)


def legend_beside(
    ax: "Axes", artists: "Sequence[Artist]", names: Sequence[str], **kwargs: Any
) -> "Legend":
    """Add a legend right of the axes, in columns no taller than these."""
    height = ax.get_window_extent().height * 72 / ax.figure.dpi / _AXES_SHARE
    n_rows = max(1, int(height / _LEGEND_ROW))
    legend = ax.legend(
        [*artists],
        [" "] * len(artists),
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        ncols=-(-len(artists) // n_rows),
        **kwargs,
    )
    # Given afterwards, since matplotlib may leave out names that start with '_'.
    names = names[::-1] if kwargs.get("reverse") else names
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)
    write_literally(legend.get_texts())
    return legend


def check_clip_labels(labels: ArrayLike, name: str, X: Sized) -> NDArray:
    """Return the genres or clusters of clips as a 1-D array."""
    column = check_labels(name, labels)
    if not len(column):
        raise ValueError(f"{name} is empty: there are no clips to draw.")
    check_consistent_length(X, column)
    check_classification_targets(column)
    return column
