import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest

from skgenre.inspection._displays._style import (
    area_style,
    check_clip_labels,
    legend_beside,
    point_style,
)

pytestmark = pytest.mark.usefixtures("no_figures_left")


def test_genres_look_different():
    points = {tuple(point_style(i).values()) for i in range(56)}
    assert len(points) == 56
    areas = {tuple(area_style(i).values()) for i in range(28)}
    assert len(areas) == 28
    # Neighbours in a legend differ in both.
    for i in range(60):
        one, next_one = point_style(i), point_style(i + 1)
        assert one["color"] != next_one["color"]
        assert one["marker"] != next_one["marker"]
    point_style(1000), area_style(1000)


@pytest.mark.parametrize("container", [list, np.array, pd.Series, pl.Series])
@pytest.mark.parametrize("labels", [["Fado", "フォーク"], [3, 1], [True, False]])
def test_labels_of_any_container_become_an_array(container, labels):
    checked = check_clip_labels(container(labels), "y", [0, 0])
    assert isinstance(checked, np.ndarray) and checked.tolist() == labels


def test_refuses_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_clip_labels(["a"], "y", [0, 0])
    with pytest.raises(ValueError, match="y contains NaN or None in row 1"):
        check_clip_labels(["a", None], "y", [0, 0])
    with pytest.raises(ValueError, match="1d array"):
        check_clip_labels([["a", "b"]], "y", [0])
    with pytest.raises(ValueError, match="continuous"):
        check_clip_labels([0.5, 0.25], "y", [0, 0])


ODD = ["$_$", "", "R$B$", "_hidden", "a_b^c"]  # the first is no formula


@pytest.mark.parametrize("reverse", [False, True])
def test_a_legend_has_every_name_as_it_is(reverse):
    _, ax = plt.subplots()
    artists = [ax.scatter(0, 0) for name in ODD]
    legend = legend_beside(ax, artists, ODD, reverse=reverse)
    ax.figure.canvas.draw()  # which would fail where dollars were a formula
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown == (ODD[::-1] if reverse else ODD)


@pytest.mark.parametrize("n_genres", [3, 30])
def test_a_legend_of_many_genres_is_in_the_figure(n_genres):
    figure, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
    artists = [ax.scatter(0, 0) for _ in range(n_genres)]
    legend = legend_beside(ax, artists, [f"genre {i}" for i in range(n_genres)])
    figure.canvas.draw()
    box = legend.get_window_extent()
    assert box.y0 >= 0 and box.x1 <= figure.bbox.x1
    # The layout holds: nearly all of the height is the axes'.
    assert ax.get_window_extent().height > 0.8 * figure.bbox.height
