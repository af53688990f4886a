"""Signs that folders which should be genres are artists."""

import os
from collections import Counter
from collections.abc import Sequence

import numpy as np

from skgenre.audio._remote import is_url
from skgenre.datasets._library._genre_names import genre_key, split_genres
from skgenre.datasets._library._tags import Tags, read_tags

# Files whose tags are read, and those that have to agree at least.
_N_READ = 48
_FEWEST = 3
# Folders of genres are seldom that many, with so few files each.
_MANY, _FEW_FILES = 20, 30
# Even where the files have no tags and there are no albums.
_VERY_MANY, _VERY_FEW_FILES = 60, 15


def sign_of_artists(root: str, tracks: Sequence[tuple[str, str]]) -> str:
    """Return why the genres of tracks look like artists.

    Parameters
    ----------
    root : str
        The folder that holds the folders of genres.
    tracks : sequence of (path, genre)
        Files and the folders that stand for their genres. The tags of a few dozen are
        read, but of no URLs.

    Returns
    -------
    str
        The part of a sentence; empty if there is no such sign.
    """
    counts = Counter(genre for _, genre in tracks)
    sample = [tracks[i] for i in _spread(len(tracks)) if not is_url(tracks[i][0])]
    pairs = [(genre, read_tags(path)) for path, genre in sample]
    by_artist = [_is_artist(genre, tags) for genre, tags in pairs if tags.artist]
    by_genre = [_is_genre(genre, tags) for genre, tags in pairs if _genre_keys(tags)]
    if sum(by_artist) >= _FEWEST and 2 * sum(by_artist) > len(by_artist):
        name = next(genre for genre, tags in pairs if _is_artist(genre, tags))
        return (
            f"the tags of {sum(by_artist)} of {len(by_artist)} files have the folder's "
            f"name for the artist, such as {name!r}"
        )
    if sum(by_genre) >= _FEWEST and 2 * sum(by_genre) > len(by_genre):
        return ""
    n_files = float(np.median(list(counts.values())))
    size = f"they are {len(counts)}, with a median of {n_files:g} files"
    if len(counts) >= _MANY and n_files <= _FEW_FILES:
        if len(by_genre) >= _FEWEST and 4 * sum(by_genre) < len(by_genre):
            return f"{size}, and tags that name other genres"
        if np.mean([_is_in_album(path, root) for path, _ in tracks]) > 0.5:
            return f"{size}, which lie in folders as albums do"
    if len(counts) >= _VERY_MANY and n_files <= _VERY_FEW_FILES:
        return size
    return ""


def _spread(n_tracks: int) -> list[int]:
    return np.unique(np.linspace(0, n_tracks - 1, _N_READ).astype(int)).tolist()


def _is_artist(folder: str, tags: Tags) -> bool:
    keys = {genre_key(name) for name in (tags.artist, tags.track_artist) if name}
    return genre_key(folder) in keys


def _genre_keys(tags: Tags) -> set[str]:
    return {genre_key(name) for name in tags.genre_names}


def _is_genre(folder: str, tags: Tags) -> bool:
    return bool(_genre_keys(tags) & {genre_key(name) for name in split_genres(folder)})


def _is_in_album(path: str, root: str) -> bool:
    """Return whether a path is root/artist/album/song, not deeper nor less deep."""
    below = path.removeprefix(root).replace(os.sep, "/").strip("/")
    return below.count("/") == 2
