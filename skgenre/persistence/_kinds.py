"""Kinds of values: what an attribute of a fitted estimator may be.

A kind is a function that takes a value and the sizes found so far, and refuses what it
doesn't know by a `ValueError`. Sizes have names, such as 'n' for the number of
features; wherever an estimator names one again, it must be the same number.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

Sizes = dict[str, int]
Kind = Callable[[Any, Sizes], None]

# Kinds of NumPy's types; integers may stand in place of floating-point numbers.
_DTYPES = {"numbers": "fiu", "integers": "iu", "booleans": "b", "texts": "U"}
_MAX_INTEGER = 2**53
# Votes count numbers that stand for labels, from 0 to the largest.
_MAX_LABEL = 10**6
MAX_TEXT = 10_000
# Predictions repeat a label, and scikit-learn the names of columns.
_MAX_LETTERS = 1_000


def require(holds: Any, what: str) -> None:
    """Refuse with these words what doesn't hold."""
    if not holds:
        raise ValueError(what)


def equal_size(name: str, value: int, sizes: Sizes) -> None:
    """Refuse another size than was found before under this name.

    Raises
    ------
    ValueError
        If it differs.
    """
    known = sizes.setdefault(name, value)
    require(known == value, f"a size is {value} here and {known} elsewhere")


def _check_letters(value: np.ndarray) -> None:
    """Refuse an array in which a text is too long."""
    longest = 0
    if value.dtype.kind == "U":
        longest = value.dtype.itemsize // 4
    elif value.dtype == object:
        longest = max(map(len, value.flat), default=0)
    require(
        longest <= _MAX_LETTERS,
        f"expected texts of up to {_MAX_LETTERS} characters, got {longest}",
    )


def size(name: str, high: int = _MAX_INTEGER) -> Kind:
    """Return the kind of an integer, up to `high`, that is the size of this name."""

    def check(value: Any, sizes: Sizes) -> None:
        integer(0, high)(value, sizes)
        equal_size(name, int(value), sizes)

    return check


def integer(low: int = -_MAX_INTEGER, high: int = _MAX_INTEGER) -> Kind:
    """Return the kind of an integer in [low, high]."""

    def check(value: Any, sizes: Sizes) -> None:
        is_integer = isinstance(value, Integral) and not isinstance(value, bool)
        require(is_integer, f"expected an integer, got {type(value).__name__}")
        require(
            low <= value <= high, f"expected {low} to {high}, got {str(value)[:30]}"
        )

    return check


def number(
    low: float = -math.inf, high: float = math.inf, *, finite: bool = True
) -> Kind:
    """Return the kind of a number in [low, high]; finite, unless said otherwise."""

    def check(value: Any, sizes: Sizes) -> None:
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        require(is_number, f"expected a number, got {type(value).__name__}")
        require(not finite or math.isfinite(value), "expected a finite number")
        inside = math.isnan(value) or low <= value <= high
        require(inside, f"expected {low} to {high}, got {value}")

    return check


def text(*choices: str, most: int = MAX_TEXT) -> Kind:
    """Return the kind of a text of up to `most` letters: any, or one of the choices."""

    def check(value: Any, sizes: Sizes) -> None:
        require(
            type(value) is str and len(value) <= most,
            f"expected a text of up to {most} characters",
        )
        require(
            not choices or value in choices,
            f"expected one of {', '.join(choices)}, got {str(value)[:30]!r}",
        )

    return check


def flag(value: Any, sizes: Sizes) -> None:
    """Refuse anything but True and False."""
    require(isinstance(value, bool | np.bool_), "expected True or False")


def nothing(value: Any, sizes: Sizes) -> None:
    """Refuse anything but None."""
    require(value is None, "expected None")


def anything(value: Any, sizes: Sizes) -> None:
    """Accept what a description can hold; nothing reads it in a prediction."""


def array(
    what: str,
    *axes: str | int,
    low: float = -math.inf,
    high: float = math.inf,
    finite: bool = True,
) -> Kind:
    """Return the kind of an array.

    Parameters
    ----------
    what : {'numbers', 'integers', 'booleans', 'texts'}
        What is in it.
    *axes : str or int
        The size of each axis, or its name.
    low, high : float
        Bounds of the values.
    finite : bool, default=True
        Refuse NaN and infinity.
    """

    def check(value: Any, sizes: Sizes) -> None:
        require(type(value) is np.ndarray, "expected an array")
        require(
            value.dtype.kind in _DTYPES[what],
            f"expected an array of {what}, got {value.dtype}",
        )
        require(
            value.ndim == len(axes),
            f"expected an array with {len(axes)} axes, got {value.ndim}",
        )
        for axis, n in zip(axes, value.shape, strict=True):
            if isinstance(axis, str):
                equal_size(axis, n, sizes)
            else:
                require(n == axis, f"expected a size of {axis}, got {n}")
        if value.size and value.dtype.kind in "fiu":
            if finite:
                require(np.isfinite(value).all(), "expected finite values")
            require(
                not (value < low).any() and not (value > high).any(),
                f"expected values of {low} to {high}",
            )

    return check


def values(
    dtypes: str,
    n: str | None = None,
    *,
    axes: int | None = None,
    low: float = -math.inf,
) -> Kind:
    """Return the kind of an array of one of several types.

    Parameters
    ----------
    dtypes : str
        Letters of NumPy's kinds of types, as in 'fi'; with 'U', also objects that all
        are texts.
    n : str or None, default=None
        Name of the size of its only axis.
    axes : int or None, default=None
        Number of axes; None is any number.
    low : float
        Lower bound of numbers, which are finite.
    """

    def check(value: Any, sizes: Sizes) -> None:
        require(type(value) is np.ndarray, "expected an array")
        kind = value.dtype.kind
        if kind == "O" and "U" in dtypes:
            require(all(type(v) is str for v in value.flat), "expected texts")
        else:
            require(kind in dtypes, f"an array of {value.dtype} is not expected here")
        if "U" in dtypes:
            _check_letters(value)
        if kind in "fiu":
            require(np.isfinite(value).all(), "expected finite values")
            require(not (value < low).any(), f"expected values from {low}")
        if n is not None:
            require(value.ndim == 1, "expected an array with one axis")
            equal_size(n, len(value), sizes)
        require(axes in (None, value.ndim), f"expected an array with {axes} axes")

    return check


def labels(name: str, *, rise: bool = True) -> Kind:
    """Return the kind of different labels, as many as the size of this name.

    They are sorted, unless said otherwise.
    """

    def check(value: Any, sizes: Sizes) -> None:
        require(
            type(value) is np.ndarray and value.ndim == 1 and len(value),
            "expected an array of labels",
        )
        is_plain = value.dtype.kind in "biufU"
        are_texts = value.dtype == object and all(type(v) is str for v in value)
        require(is_plain or are_texts, "expected labels that are texts or numbers")
        _check_letters(value)
        in_order = value if rise else np.sort(value)
        rises = all(a < b for a, b in pairwise(in_order))
        require(rises, "expected labels that are sorted and different")
        equal_size(name, len(value), sizes)

    return check


label_text = text(most=_MAX_LETTERS)


def label(value: Any, sizes: Sizes) -> None:
    """Refuse anything but a short text or a number up to a million."""
    numbers = number(-_MAX_LABEL, _MAX_LABEL, finite=False)
    either(label_text, flag, numbers)(value, sizes)


def either(*kinds: Kind) -> Kind:
    """Return the kind of a value that is of one of these kinds."""

    def check(value: Any, sizes: Sizes) -> None:
        errors = []
        for kind in kinds:
            found = dict(sizes)
            try:
                kind(value, found)
            except ValueError as error:
                errors.append(str(error))
            else:
                sizes.update(found)
                return
        raise ValueError(", or ".join(dict.fromkeys(errors)))

    return check


def optional(kind: Kind) -> Kind:
    """Return the kind of a value that may be None."""
    return either(nothing, kind)


def list_of(kind: Kind, n: str | int | None = None, *, type_: type = list) -> Kind:
    """Return the kind of a list, all of whose items are of one kind.

    Parameters
    ----------
    kind : callable
        Kind of the items; sizes that it names must be the same in all of them.
    n : str, int or None, default=None
        Number of items, or its name; None is any number.
    type_ : type, default=list
        Or `tuple`.
    """

    def check(value: Any, sizes: Sizes) -> None:
        require(type(value) is type_, f"expected a {type_.__name__}")
        if isinstance(n, str):
            equal_size(n, len(value), sizes)
        elif n is not None:
            require(len(value) == n, f"expected {n} items, got {len(value)}")
        for item in value:
            kind(item, sizes)

    return check


def tuple_of(kind: Kind, n: str | int | None = None) -> Kind:
    """Return the kind of a tuple, all of whose items are of one kind."""
    return list_of(kind, n, type_=tuple)


def dict_of(key: Kind, kind: Kind) -> Kind:
    """Return the kind of a dict with such keys and values."""

    def check(value: Any, sizes: Sizes) -> None:
        require(type(value) is dict, "expected a dict")
        for name, item in value.items():
            key(name, sizes)
            kind(item, sizes)

    return check


def part(
    *names: str, n_features: str | None = None, classes: str | None = None
) -> Kind:
    """Return the kind of a fitted part: an estimator that was itself checked.

    Parameters
    ----------
    *names : str
        Classes it may be of; any that a model file may hold, if there are none.
    n_features : str or None, default=None
        Size that its features must be as many as, where it says them.
    classes : str or None, default=None
        Size that its classes must be as many as; without them, it is refused.
    """

    def check(value: Any, sizes: Sizes) -> None:
        is_one = isinstance(value, BaseEstimator) or type(value).__name__ in names
        require(is_one, f"expected an estimator, got {type(value).__name__}")
        require(
            not names or type(value).__name__ in names,
            f"expected {' or '.join(names)}, got {type(value).__name__}",
        )
        n = vars(value).get("n_features_in_")
        if n_features is not None and n is not None:
            equal_size(n_features, n, sizes)
        if classes is not None:
            # Of a pipeline, those of a step, which was checked itself.
            known: Any = getattr(value, "classes_", None)
            require(known is not None, f"{type(value).__name__} has no classes")
            equal_size(classes, len(known), sizes)

    return check
