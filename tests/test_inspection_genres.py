import numpy as np
import pandas as pd
import polars as pl
import pytest

from skgenre.inspection._genres import area_style, check_labels, point_style


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
    checked = check_labels(container(labels), "y", [0, 0])
    assert isinstance(checked, np.ndarray) and checked.tolist() == labels


def test_refuses_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_labels(["a"], "y", [0, 0])
    with pytest.raises(ValueError, match="y contains NaN or None in row 1"):
        check_labels(["a", None], "y", [0, 0])
    with pytest.raises(ValueError, match="1d array"):
        check_labels([["a", "b"]], "y", [0])
    with pytest.raises(ValueError, match="continuous"):
        check_labels([0.5, 0.25], "y", [0, 0])
