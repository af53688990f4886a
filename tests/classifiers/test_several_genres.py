import numpy as np
import pandas
import polars
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.metrics import f1_score

from skgenre.classifiers._several_genres import (
    INDICATOR,
    LISTS,
    best_thresholds,
    in_columns_of,
    read_several,
    splitting_classes,
)

COLUMNS = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])


def objects(*lists):
    return np.fromiter(lists, dtype=object, count=len(lists))


@pytest.mark.parametrize(
    ("y", "classes", "y_type"),
    [
        (COLUMNS, [0, 1, 2], INDICATOR),
        (COLUMNS.astype(bool), [0, 1, 2], INDICATOR),
        (COLUMNS.tolist(), [0, 1, 2], INDICATOR),
        (list(COLUMNS.astype(float)), [0, 1, 2], INDICATOR),
        (csr_array(COLUMNS), [0, 1, 2], INDICATOR),
        # Columns stay where they are, so that predictions are as given.
        (pandas.DataFrame(COLUMNS, columns=[*"cab"]), ["c", "a", "b"], INDICATOR),
        (pandas.DataFrame(COLUMNS, dtype="Int64"), [0, 1, 2], INDICATOR),
        (pandas.DataFrame(COLUMNS, dtype="boolean"), [0, 1, 2], INDICATOR),
        (polars.DataFrame(COLUMNS, schema=[*"cab"]), ["c", "a", "b"], INDICATOR),
        ([("a", "c"), (), ("b",)], ["a", "b", "c"], LISTS),
        ([{"c", "a"}, [], ["b", "b"]], ["a", "b", "c"], LISTS),
        (pandas.Series([["a", "c"], [], ["b"]]), ["a", "b", "c"], LISTS),
        (polars.Series([["a", "c"], [], ["b"]]), ["a", "b", "c"], LISTS),
        (objects((7, 9), (), (8,)), [7, 8, 9], LISTS),
    ],
    ids=["array", "booleans", "rows", "arrays", "sparse", "frame", "integers"]
    + ["nullable booleans", "polars", "tuples", "sets", "series", "lists", "numbers"],
)
def test_forms_of_several_genres(y, classes, y_type):
    target = read_several("y", y)
    assert_array_equal(target.values, COLUMNS)
    assert target.values.dtype == int
    assert target.classes.tolist() == classes
    assert target.y_type == y_type


@pytest.mark.parametrize(
    "y",
    [
        ["a", "b"],
        np.array(["a", "b"], dtype=object),
        np.array([0, 1, 1]),
        [1, 2],
        np.array([[0], [1]]),
        [[0], [1]],
        pandas.DataFrame({"genre": ["a", "b"]}),
        polars.Series(["a", "b"]),
    ],
    ids=["texts", "objects", "numbers", "list", "column", "rows", "frame", "series"],
)
def test_one_genre_each_is_left_to_others(y):
    assert read_several("y", y) is None


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (COLUMNS + 1, "3 columns, whose values must be 0 and 1"),
        (COLUMNS * np.nan, "3 columns, whose values must be 0 and 1"),
        ([("a",), None], "None in row 1"),
        ([("a",), "b"], "'b' in row 1"),
        ([("a",), ("b", None)], "None in the list of row 1"),
        ([("a", 1), ("b",)], "strings and others that are numbers"),
        (pandas.DataFrame(COLUMNS, columns=[*"aab"]), "two columns of one genre"),
    ],
    ids=["values", "nan", "none", "text", "missing", "types", "twice"],
)
def test_what_is_refused(y, message):
    with pytest.raises(ValueError, match=f"y has .*{message}"):
        read_several("y", y)


def test_lists_of_no_genre():
    nothing = read_several("y", [(), ()])
    assert nothing.y_type == LISTS
    assert in_columns_of(np.array(["folk", "rock"]), nothing, "y").tolist() == [
        [0, 0],
        [0, 0],
    ]


def test_columns_of_other_classes():
    classes = np.array(["rock", "folk", "jazz"])
    lists = read_several("y", [("folk",), ("jazz", "rock"), ()])
    assert in_columns_of(classes, lists, "y").tolist() == [
        [0, 1, 0],
        [1, 0, 1],
        [0, 0, 0],
    ]
    with pytest.raises(ValueError, match=r"it has genres .*: \['ska'\]"):
        in_columns_of(classes, read_several("y", [("ska", "folk"), ()]), "it")
    assert_array_equal(in_columns_of(classes, read_several("y", COLUMNS), "y"), COLUMNS)
    with pytest.raises(ValueError, match="it has 2 columns, but there are 3 genres"):
        in_columns_of(classes, read_several("y", COLUMNS[:, :2]), "it")


def test_thresholds_have_the_highest_f1():
    rng = np.random.default_rng(0)
    y = (rng.random((200, 3)) < [0.5, 0.2, 0]).astype(int)
    probabilities = (rng.random((200, 3)) + y) / 2
    chosen = best_thresholds(y, probabilities)
    for genre in range(2):
        scores = [
            f1_score(y[:, genre], probabilities[:, genre] >= threshold)
            for threshold in (chosen[genre], *np.unique(probabilities[:, genre]))
        ]
        assert scores[0] == max(scores)
    # The third genre has no clips: what is best for all of them together.
    pooled = [
        f1_score(y.ravel(), probabilities.ravel() >= threshold)
        for threshold in (chosen[2], *np.unique(probabilities))
    ]
    assert pooled[0] == max(pooled)
    # Clips of weight 0 are as if they were not there.
    half = best_thresholds(y, probabilities, np.arange(200) % 2)
    assert_allclose(half, best_thresholds(y[1::2], probabilities[1::2]))
    assert best_thresholds(y * 0, probabilities).tolist() == [0.5] * 3
    # The only clip of a genre is in the one fold that has not learned it.
    y[:, 2], probabilities[:, 2] = np.arange(200) == 7, 0.01
    probabilities[7, 2] = 0
    assert best_thresholds(y, probabilities)[2] > 0.1


def test_the_rarest_genre_of_a_clip_decides_its_fold():
    y = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 0, 1], [0, 0, 0]])
    assert splitting_classes(y).tolist() == [1, 0, 2, 2, 3]
    assert splitting_classes(np.array(["a", "b"])).tolist() == ["a", "b"]
