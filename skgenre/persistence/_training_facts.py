"""What a model was trained on, as its file keeps it: known facts, and no others."""

from collections.abc import Mapping
from typing import Any

from skgenre.persistence._kinds import (
    Kind,
    Sizes,
    dict_of,
    flag,
    integer,
    optional,
    text,
)

_MOST_GENRES = 10_000


def _genre_counts(value: Any, sizes: Sizes) -> None:
    dict_of(text(), integer(0))(value, sizes)
    if len(value) > _MOST_GENRES:
        raise ValueError(f"expected up to {_MOST_GENRES} genres")


FACTS: dict[str, Kind] = {
    "recipe": text(),
    "labels": text(),
    "seed": optional(integer(0)),
    "n_clips": integer(0),
    "n_artists": optional(integer(0)),
    "genres": _genre_counts,
    "digest": text(),
    "refit": flag,
    "note": text(most=2000),
}
"""Kinds of the facts, by name."""


def check_training(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts on a training, each of a known name and kind.

    Raises
    ------
    ValueError
        If one is not; the text begins with its name.
    """
    for name, value in facts.items():
        if name not in FACTS:
            raise ValueError(f"{name!r} is none of {', '.join(FACTS)}")
        try:
            FACTS[name](value, {})
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from None
    return dict(facts)
