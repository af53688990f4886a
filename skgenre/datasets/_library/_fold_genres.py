"""The genres that a library's tags mean, under one name each."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from skgenre.datasets._genres._tree import GenreTree
from skgenre.datasets._library._genre_names import (
    KNOWN_GENRES,
    common_spellings,
    genre_key,
    split_genres,
)


class Spelling(NamedTuple):
    """A genre as it is written in tags, and what it was taken for."""

    written: str
    genre: str | None
    n_tracks: int


def fold_genres(
    tags: Sequence[Sequence[str]], tree: GenreTree
) -> tuple[list[list[str]], list[Spelling]]:
    """Return the genres of each track under one name each.

    Parameters
    ----------
    tags : sequence of sequences of str
        Texts of the genre tags of each track.
    tree : GenreTree
        Its subgenres count as their top genres.

    Returns
    -------
    genres : list of list of str
        Of each track, each genre once, in the order of the tags.
    spellings : list of Spelling
        Each pair of text and genre, the most common first.
    """
    split = {text: split_genres(text) for texts in tags for text in texts}
    counts = Counter(name for texts in tags for text in texts for name in split[text])
    # A name that the user gives is spelt as it is given.
    names = (
        {genre_key(name): name for name in common_spellings(counts).values()}
        | KNOWN_GENRES
        | {genre_key(top): top for top in tree.top_genres}
    )
    genre_of = {name: names[genre_key(tree.lineage(name)[0])] for name in counts}
    found: Counter[tuple[str, str | None]] = Counter()
    genres = []
    for texts in tags:
        pairs = [(text, genre_of[name]) for text in texts for name in split[text]]
        genres.append(list(dict.fromkeys(genre for _, genre in pairs)))
        found.update(set(pairs))
        found.update({(text, None) for text in texts if not split[text]})
    rows = [Spelling(text, genre, count) for (text, genre), count in found.items()]
    rows.sort(key=lambda row: (-row.n_tracks, row.written, row.genre or ""))
    return genres, rows
