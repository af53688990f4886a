"""A map of songs as a page of HTML."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness

from skgenre.inspection._displays._style import COLORS
from skgenre.inspection._report._page import read_text, render_page

_WIDTH = 700
_MARGIN = 14
REDUCTIONS = {
    "pca": "Two directions of many are shown, those in which the songs differ most "
    "(principal components): what lies together may differ in others.",
    "umap": "UMAP keeps neighbours together; how far groups are from one another says "
    "little.",
}
"""What to know of each kind of map."""
# As colours and shapes have no common factor, all pairs come before one repeats.
SHAPES = (
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "M-4.5-4.5h9v9h-9z",
    "M0-5.5L5.5 4.5h-11z",
    "M0-6L6 0L0 6L-6 0z",
)
"""Outlines of points, some 10 wide."""
_N_GROUPS = len(COLORS) * len(SHAPES)
_GREY = len(COLORS)  # number of the colour of what belongs to no group
# Every pair of songs is compared.
_N_SAMPLED = 3000
_N_NEIGHBORS = 10


def map_page(
    E: NDArray,
    points: NDArray,
    labels: Sequence[str | None],
    songs: Sequence[dict[str, str]],
    *,
    title: str,
    meaning: str,
    axes: Sequence[str],
    notes: Sequence[str] = (),
) -> str:
    """Return a page with a map of songs, which needs nothing else.

    Parameters
    ----------
    E : ndarray of shape (n_songs, n_features)
        Their embeddings, with which the map is compared.
    points : ndarray of shape (n_songs, 2)
        Where they lie.
    labels : sequence of str or None
        Group of each, which decides its colour; None is grey.
    songs : sequence of dict
        'title', 'artist' and 'path' of each.
    title : str
        Title of the page.
    meaning : str
        What the groups are, after "Colours are".
    axes : sequence of str
        Names of the axes.
    notes : sequence of str, default=()
        Sentences at the end.
    """
    places, height = _places(points)
    trust, n_neighbors, n_sampled = trust_of_map(E, points)
    groups = [
        group
        | {"points": [songs[i] | dict(zip("xy", places[i], strict=True)) for i in rows]}
        for group, rows in _groups(labels)
    ]
    return render_page(
        "_map.html",
        style=_style(),
        script="_map.js",
        title=title,
        meaning=meaning,
        points=points,
        groups=groups,
        width=_WIDTH,
        height=height,
        scale=round(float(np.clip(18 / len(points) ** 0.5, 0.3, 1.2)), 2),
        axes=axes,
        trust=trust,
        n_neighbors=n_neighbors,
        n_sampled=n_sampled,
        notes=notes,
    )


def _style() -> str:
    fills = "".join(
        f".c{i}{{fill:{color}}}" for i, color in enumerate((*COLORS, "var(--open)"))
    )
    return read_text("_style.css") + read_text("_map.css") + fills


def _places(points: NDArray) -> tuple[list[list[float]], float]:
    """Return where points lie in the plot, to scale, and the plot's height."""
    spans = np.maximum(np.ptp(points, axis=0), 1e-9)
    height = round(float(np.clip(_WIDTH * spans[1] / spans[0], 300, 560)))
    size = np.array([_WIDTH, height])
    scale = ((size - 2 * _MARGIN) / spans).min()
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    places = size / 2 + scale * (points - middle) * [1, -1]
    return places.round(1).tolist(), height


def _groups(labels: Sequence[str | None]) -> list[tuple[dict[str, Any], list[int]]]:
    """Return name, size, colour and shape of each group, and its rows."""
    counts = Counter(label for label in labels if label is not None)
    names = [name for name, _ in counts.most_common(_N_GROUPS)]
    groups: list[tuple[dict[str, Any], list[int]]] = []
    for i, name in enumerate(names):
        rows = [row for row, label in enumerate(labels) if label == name]
        style = {"color": i % len(COLORS), "shape": SHAPES[i % len(SHAPES)]}
        groups.append(({"name": name, "size": len(rows), **style}, rows))
    if rest := [row for row, label in enumerate(labels) if label not in names]:
        n_rare = len(counts) - len(names)
        name = f"none, or {n_rare} rarer ones" if n_rare else "none"
        style = {"color": _GREY, "shape": SHAPES[0]}
        groups.append(({"name": name, "size": len(rest), **style}, rest))
    return groups


def trust_of_map(
    E: NDArray, points: NDArray, most: int = _N_SAMPLED
) -> tuple[float | None, int, int | None]:
    """Return the trustworthiness, the neighbours that it is of, and the sample."""
    n_sampled = None
    if len(E) > most:
        n_sampled = most
        rows = np.random.default_rng(0).permutation(len(E))[:n_sampled]
        E, points = E[rows], points[rows]
    n_neighbors = min(_N_NEIGHBORS, (len(E) - 1) // 2)
    if n_neighbors < 1:
        return None, 0, None
    trust = trustworthiness(E, points, n_neighbors=n_neighbors)
    return float(trust), n_neighbors, n_sampled
