"""Songs of a library that are near others, or between two."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from skgenre.cli._commands._embeddings._songs import Embedded, read_all_tags
from skgenre.cli._console import plain
from skgenre.clustering import TrackRecommender
from skgenre.datasets._library._load_library import artist_key
from skgenre.datasets._tracks_csv import read_tracks_csv


def similar_songs(
    songs: Embedded,
    liked: Sequence[str],
    disliked: Sequence[str],
    *,
    k: int,
    artists: dict[str, str],
    console: Console,
) -> list[dict[str, Any]]:
    """Return songs near the liked ones and not near the disliked, the best first.

    Parameters
    ----------
    songs : Embedded
        The library, with the songs that are liked and disliked.
    liked, disliked : sequence of str
        As they were given to `embed_songs`. Those that can't be read are left out.
    k : int
        Number of songs.
    artists : dict of str to str
        Artists by the real names of files; songs of those that are liked are left out.
    console : rich.console.Console
        Where a warning is printed if there are fewer than `k`.

    Returns
    -------
    list of dict
        With 'path', 'distance', and 'like', the liked song that each is near.

    Raises
    ------
    ValueError
        If a song is liked and disliked.
    """
    tracks = list(songs.embeddings)
    near, far = (
        dict.fromkeys(songs.names[song] for song in group if song in songs.names)
        for group in (liked, disliked)
    )
    if both := near.keys() & far.keys():
        raise ValueError(
            f"{min(both)!r} is to be both liked and disliked. Leave it out of one of "
            "them."
        )
    if not near:
        return []
    # Who is not known is an artist of one track; names of both kinds can't be equal.
    groups = [
        f"by {artists[real]}" if (real := os.path.realpath(track)) in artists else real
        for track in tracks
    ]
    recommender = TrackRecommender().fit(list(songs.embeddings.values()), groups=groups)
    with _warnings_printed(console):
        found = recommender.recommend(
            [tracks.index(song) for song in near],
            k,
            disliked=[tracks.index(song) for song in far] or None,
        )
    return [
        {
            "path": tracks[row],
            "distance": round(float(distance), 4),
            "like": tracks[song],
        }
        for row, distance, song in zip(
            found.rows, found.distances, found.liked, strict=True
        )
    ]


def songs_between(
    songs: Embedded, start: str, end: str, *, k: int, console: Console
) -> list[dict[str, Any]]:
    """Return `k` songs from one to another, these two included.

    Returns
    -------
    list of dict
        With 'path' and 'distance', from the song before; none if one of the two can't
        be read.

    Raises
    ------
    ValueError
        If both are the same file.
    """
    if not {start, end} <= songs.names.keys():
        return []
    if songs.names[start] == songs.names[end]:
        raise ValueError(f"A path needs two songs, and {start!r} and {end!r} are one.")
    tracks = list(songs.embeddings)
    ends = (tracks.index(songs.names[song]) for song in (start, end))
    recommender = TrackRecommender().fit(list(songs.embeddings.values()))
    with _warnings_printed(console):
        found = recommender.path(*ends, k)
    return [
        {"path": tracks[row], "distance": round(float(distance), 4)}
        for row, distance in zip(found.rows, found.distances, strict=True)
    ]


@contextmanager
def _warnings_printed(console: Console) -> Iterator[None]:
    with warnings.catch_warnings(record=True, action="always") as caught:
        yield
    for warning in caught:
        console.print(plain(warning.message), soft_wrap=True)


def artists_of(paths: Sequence[str], library: Path, n_jobs: int) -> dict[str, str]:
    """Return the artists of files, by their real names.

    They are those of the library's ``tracks.csv``, where it names the file, or else
    those of the files' tags.
    """
    table = library / "tracks.csv"
    artists = {}
    if table.is_file():
        # Files that are gone are no concern of a library that changes.
        tracks = read_tracks_csv(str(table), must_exist=False)
        artists = {
            os.path.realpath(t.path): t.group for t in tracks if t.group is not None
        }
    others = [path for path in paths if os.path.realpath(path) not in artists]
    for path, tags in zip(others, read_all_tags(others, n_jobs), strict=True):
        if tags.artist is not None:
            artists[os.path.realpath(path)] = artist_key(tags.artist)
    return artists
