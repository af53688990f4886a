"""Genres computed from musicnn's tags, and their names in other languages."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre._text import format_list
from skgenre.datasets._library._genre_names import genre_key
from skgenre.features._pretrained._musicnn import view_names

VIEWS = (("mtt", "tags"), ("msd", "tags"))
"""Weights and output, whose tags are side by side."""

GENRES = {
    "ambient": "ambient",
    "blues": "blues",
    "classical": "classical",
    "country": "country",
    "dance": "dance",
    "electronic": "electronic",
    "folk": "folk",
    "funk": "funk",
    "hip-hop": "Hip-Hop",
    "jazz": "jazz",
    "metal": "metal",
    "pop": "pop",
    "punk": "punk",
    "rock": "rock",
    "soul": "soul",
}
"""Genres and their tags."""

# In German, French and Spanish, where they differ by more than the word for music.
_ALIASES = {
    "classical": "Klassik, klassisch, klassische, classique, clásica",
    "dance": "Tanz, danse, baile",
    "electronic": "Elektronik, elektronisch, elektronische, électronique, electrónica",
    "folk": "folklore, folclore",
    "hip-hop": "rap",
}
_MUSIC = ("musicade", "musiquede", "musica", "musique", "musik", "music")

FEATURE_NAMES = view_names(VIEWS)
"""Names of the features, as `MusicnnEmbedding` gives them: mtt_tags_guitar."""
TAG_NAMES = [
    name.removeprefix(f"{weights}_{output}_")
    for weights, output in VIEWS
    for name in FEATURE_NAMES
    if name.startswith(f"{weights}_{output}_")
]
"""Name of each feature's tag; a tag of both sets is there twice."""


# Of a tag that both have, the Million Song Dataset's counts: it comes later.
_COLUMNS = {
    genre_key(name): i
    for names in (TAG_NAMES, FEATURE_NAMES)
    for i, name in enumerate(names)
}


def _key(genre: str) -> str:
    """Return what spellings and languages of a genre have in common."""
    letters = unicodedata.normalize("NFKD", genre)
    key = genre_key("".join(c for c in letters if not unicodedata.combining(c)))
    for word in _MUSIC:
        key = key.removesuffix(word).removeprefix(word) or key
    return key


_DEFAULT = {_key(genre): genre for genre in GENRES} | {
    _key(alias): genre
    for genre, aliases in _ALIASES.items()
    for alias in aliases.split(", ")
}


def genre_weights(genres: Any) -> tuple[NDArray, NDArray]:
    """Return genres and how much each tag counts for them.

    Parameters
    ----------
    genres : None, sequence of str, or mapping of str to str or sequence of str
        As :class:`GenreTagger` takes them.

    Returns
    -------
    names : ndarray of shape (n_genres,)
        Sorted, and spelt as they were given.
    weights : ndarray of shape (n_genres, n_tags)
        Each row has the sum 1.

    Raises
    ------
    ValueError
        If a genre or a tag is unknown, or there are fewer than two genres.

    Examples
    --------
    >>> names, weights = genre_weights(["Rock", "Klassik"])
    >>> names.tolist(), (weights > 0).sum(axis=1).tolist()
    (['Klassik', 'Rock'], [1, 1])
    """
    if genres is None:
        genres = GENRES
    tags = genres if isinstance(genres, Mapping) else _tags_of(genres)
    if len(tags) < 2:
        raise ValueError(
            f"The 'genres' parameter must name at least 2 genres. Got {genres!r}."
        )
    names = sorted(tags, key=str)
    weights = np.array([_row(name, tags[name]) for name in names])
    return np.array(names), weights


def _tags_of(genres: Any) -> dict[str, str]:
    """Return the tags of genres of the default mapping, by their names as given."""
    tags: dict[str, str] = {}
    for name in genres:
        known = _DEFAULT.get(_key(name)) if isinstance(name, str) else None
        if known is None:
            raise ValueError(
                f"The 'genres' parameter has {name!r}, and the genres to choose from "
                f"are {', '.join(GENRES)}. For another genre, pass GenreTagger a "
                "mapping from genres to tags in Python, such as {'techno': ['techno'], "
                "'opera': ['opera']}."
            )
        if GENRES[known] in tags.values():
            raise ValueError(f"The 'genres' parameter names {known!r} twice: {name!r}.")
        tags[name] = GENRES[known]
    return tags


def _row(genre: Any, tags: Any) -> NDArray:
    """Return the weights of one genre: those of all its tags are the same."""
    names = [tags] if isinstance(tags, str) else tags
    if not isinstance(genre, str) or not genre or not isinstance(names, list | tuple):
        raise ValueError(
            "The 'genres' parameter must map names of genres to tags, such as "
            f"{{'techno': ['techno', 'House']}}. Got {genre!r}: {tags!r}."
        )
    row = np.zeros(len(FEATURE_NAMES))
    for name in names:
        column = _COLUMNS.get(genre_key(name)) if isinstance(name, str) else None
        if column is None:
            known = format_list(dict.fromkeys(TAG_NAMES), limit=len(TAG_NAMES))
            raise ValueError(
                f"The 'genres' parameter has the tag {name!r} for {genre!r}. Tags are: "
                f"{known}."
            )
        row[column] = 1
    if not row.any():
        raise ValueError(f"The 'genres' parameter has no tag for {genre!r}. Give one.")
    return row / row.sum()


def top_tags(probabilities: NDArray, k: int) -> list[tuple[str, float]]:
    """Return the most probable tags of one clip, and the mean of both sets for each."""
    of_tag: dict[str, list[float]] = {}
    for name, probability in zip(TAG_NAMES, probabilities.tolist(), strict=True):
        of_tag.setdefault(name, []).append(probability)
    means = {name: sum(each) / len(each) for name, each in of_tag.items()}
    return sorted(means.items(), key=lambda pair: (-pair[1], pair[0]))[:k]


def tag_embedding(tags: NDArray) -> NDArray:
    """Return the embedding that the probabilities of tags are: their square roots.

    Distances between them are Hellinger's, in which a rare tag counts, too. It is made
    of nothing but what ``tag`` computes and keeps.
    """
    return np.sqrt(tags)
