"""Kinds of values, each with what it accepts and what it refuses."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skgenre.persistence import _kinds as kinds

X, y = np.eye(4), [0, 1, 0, 1]
FITTED = LogisticRegression().fit(X, y)


class Follows:
    """Has whatever is asked for, and fails the test if somebody asks."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked for")


class Subclass(np.ndarray):
    pass


MASKED = np.ma.MaskedArray([1.0, 2.0], [True, False])
MATRIX = np.zeros((2, 2)).view(Subclass)
NOTHING_KNOWN = (Follows(), print, int, MASKED, MATRIX, 1j, b"a", {1}, range(2))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (kinds.integer(0, 5), [0, 5, np.int8(3)], [-1, 6, 2.0, True, "1", None]),
        (kinds.integer(), [-(2**53), 2**53], [2**54, -(10**400), np.bool_(True)]),
        (kinds.number(0, 1), [0, 0.5, 1, np.float32(0.1)], [2, -1e-9, "0", False]),
        (kinds.number(), [1e308], [np.nan, np.inf, -np.inf, np.float32("nan")]),
        (kinds.number(finite=False), [np.nan, -np.inf], ["nan", None, [1.0]]),
        (kinds.text(), ["", "a" * 10_000], ["a" * 10_001, 1, None, np.str_("a")]),
        (kinds.label_text, ["", "a" * 1_000], ["a" * 1_001, 1, None]),
        (kinds.text("a", "b"), ["a"], ["c", "", ["a"]]),
        (kinds.flag, [True, np.bool_(False)], [0, 1, "True", None]),
        (kinds.nothing, [None], [0, False, "", []]),
        (
            kinds.label,
            ["a", 1, 0.5, True, np.nan],
            [None, [], ["a"], (1,), "a" * 1_001],
        ),
        (kinds.optional(kinds.flag), [None, True], [1, "a"]),
        (kinds.either(kinds.flag, kinds.text("a")), ["a", True], ["b", None, 1]),
        (kinds.list_of(kinds.flag), [[], [True]], [(True,), [1], {}, "a", None]),
        (kinds.list_of(kinds.flag, 2), [[True, True]], [[], [True], [True] * 3]),
        (kinds.tuple_of(kinds.flag), [(), (True,)], [[True], (1,), {}]),
        (
            kinds.dict_of(kinds.text(), kinds.flag),
            [{}, {"a": True}],
            [{1: True}, {"a": 1}, [], [("a", True)]],
        ),
        (
            kinds.array("numbers", 2),
            [np.zeros(2), np.zeros(2, np.float16), np.zeros(2, int)],
            [np.zeros(3), np.zeros((2, 1)), np.zeros(2, bool), np.zeros(2, "U1")]
            + [np.array([1, np.nan]), np.array([np.inf, 1]), np.zeros(2, object)]
            + [np.zeros(2, "M8[D]"), np.zeros(2, complex), np.zeros(()), [0.0, 0.0]],
        ),
        (kinds.array("numbers", 1, finite=False), [np.array([np.nan])], [np.zeros(0)]),
        (kinds.array("integers", 1, low=0, high=2), [np.array([2])], [np.array([3])]),
        (
            kinds.array("integers", 1, low=0),
            [np.array([2**63], np.uint64)],
            [np.array([-1])],
        ),
        (
            kinds.array("integers", 1),
            [np.zeros(1, np.uint8)],
            [np.zeros(1), np.zeros(1, bool)],
        ),
        (kinds.array("booleans", 1), [np.zeros(1, bool)], [np.zeros(1, np.int8)]),
        (kinds.array("texts", 1), [np.array(["a"])], [np.array(["a"], object)]),
        (
            kinds.values("fiU", axes=1),
            [np.zeros(3), np.array(["a"]), np.array(["a"], object)],
            [np.array([print]), np.array([1], object), np.zeros(1, bool)]
            + [np.array([np.nan]), np.zeros((1, 1)), ["a"], np.array(["a" * 1_001])],
        ),
        (kinds.values("i", low=0), [np.arange(3)], [-np.arange(3), np.zeros(3)]),
        (
            kinds.labels("k"),
            [np.array(["a", "b"]), np.array([1, 3]), np.array([False, True])]
            + [np.array(["a", "b"], object), np.array([0.5, 1])],
            [np.array(["b", "a"]), np.array([1, 1]), np.array([]), np.array([[1, 2]])]
            + [np.array([0.5, np.nan]), np.array([1, 2], object), ["a", "b"]]
            + [np.array(["a" * 1_001]), np.array(["a" * 1_001], object)],
        ),
        (
            kinds.part(),
            [FITTED, StandardScaler()],
            ["drop", None, LogisticRegression, [FITTED]],
        ),
        (kinds.part("StandardScaler"), [StandardScaler()], [FITTED, "StandardScaler"]),
        (kinds.part(n_features="n"), [FITTED], [1]),
    ],
)
def test_values(kind, good, bad):
    for value in good:
        kind(value, {})
    for value in (*bad, *NOTHING_KNOWN):
        with pytest.raises(ValueError, match=r"^\w"):
            kind(value, {})


@pytest.mark.parametrize(
    ("kind", "value", "other"),
    [
        (kinds.size("n"), 3, 4),
        (kinds.array("numbers", "n"), np.zeros(3), np.zeros(4)),
        (kinds.array("numbers", 1, "n"), np.zeros((1, 3)), np.zeros((1, 4))),
        (kinds.values("f", "n"), np.zeros(3), np.zeros(4)),
        (kinds.labels("n"), np.arange(3), np.arange(4)),
        (kinds.list_of(kinds.flag, "n"), [True] * 3, [True] * 4),
        (kinds.tuple_of(kinds.flag, "n"), (True,) * 3, (True,) * 4),
        (kinds.either(kinds.flag, kinds.size("n")), 3, 4),
        (kinds.part(n_features="n"), FITTED, LogisticRegression().fit(X[:, 1:], y)),
        (kinds.part(classes="n"), FITTED, LogisticRegression().fit(X, range(4))),
    ],
)
def test_a_size_is_the_same_wherever_it_is_named(kind, value, other):
    sizes = {}
    kind(value, sizes)
    kind(value, sizes)
    assert len(sizes) == 1
    before = dict(sizes)
    with pytest.raises(ValueError, match="a size is . here and . elsewhere"):
        kind(other, sizes)
    assert sizes == before


def test_what_is_refused_sets_no_size():
    sizes = {}
    kind = kinds.either(kinds.list_of(kinds.size("n"), 2), kinds.flag)
    with pytest.raises(ValueError, match="expected"):
        kind([3], sizes)
    kind(True, sizes)
    assert sizes == {}


def test_a_refusal_is_cut_to_a_line():
    for kind, value in (
        (kinds.text("a", "b"), "x" * 10_000),
        (kinds.integer(0, 1), 10**4000),
    ):
        with pytest.raises(ValueError, match="got") as caught:
            kind(value, {})
        assert len(str(caught.value)) < 100
