"""Songs of a library that are near others, or between two."""

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from skgenre.cli._commands._embeddings._songs import Embedded
from skgenre.cli._console import plain
from skgenre.clustering import TrackRecommender
from skgenre.datasets._library._load_library import artist_key
from skgenre.datasets._library._tags import read_all_tags
from skgenre.datasets._tracks_csv import TABLE, read_tracks_csv


class Artists:
    """The artists of files, by a library's ``tracks.csv``, or else by their tags.

    Parameters
    ----------
    library : Path
        The folder.
    n_jobs : int
        Files whose tags are read at a time.

    Raises
    ------
    OSError, ValueError
        If there is a ``tracks.csv`` that is none.
    """

    def __init__(self, library: Path, n_jobs: int) -> None:
        self._n_jobs = n_jobs
        self._in_table: dict[str, str] = {}
        table = library / TABLE
        if table.is_file():
            # Files that are gone are no concern of a library that changes.
            for track in read_tracks_csv(str(table), must_exist=False):
                if track.group is not None:
                    self._in_table[os.path.realpath(track.path)] = track.group

    def of(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the artists of those files that have one, by path."""
        artists, others = {}, []
        for path in paths:
            if (real := os.path.realpath(path)) in self._in_table:
                artists[path] = self._in_table[real]
            else:
                others.append(path)
        for path, tags in zip(others, read_all_tags(others, self._n_jobs), strict=True):
            if tags.artist is not None:
                artists[path] = artist_key(tags.artist)
        return artists


def similar_songs(
    songs: Embedded,
    liked: Sequence[str],
    disliked: Sequence[str],
    *,
    k: int,
    artists: Artists | None,
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
    artists : Artists or None
        Songs by the artists of liked ones are left out; None recommends them, too.
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
    tracks = list(songs.embeddings)
    embeddings = list(songs.embeddings.values())
    rows = [tracks.index(song) for song in near]
    unwanted = [tracks.index(song) for song in far] or None
    # Who is not known is an artist of one track; names of both kinds can't be equal.
    groups = {track: f"in {track}" for track in tracks}
    unknown = set(tracks) if artists is not None else set()
    asked, n_candidates = [*near], k
    while True:
        # Only the tags of songs that would be recommended are read; where their artists
        # leave too few, those of more and more songs.
        if artists is not None:
            groups |= {path: f"by {name}" for path, name in artists.of(asked).items()}
            unknown.difference_update(asked)
        recommender = TrackRecommender().fit(embeddings, groups=[*groups.values()])
        with warnings.catch_warnings(record=True, action="always") as caught:
            found = recommender.recommend(rows, k, disliked=unwanted)
        if unknown.isdisjoint(tracks[row] for row in found.rows):
            break
        with warnings.catch_warnings(action="ignore"):  # as this is not what is asked
            near_too = recommender.recommend(rows, n_candidates, disliked=unwanted)
        asked = [tracks[row] for row in near_too.rows if tracks[row] in unknown]
        n_candidates *= 2
    _print_warnings(caught, console)
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
    with warnings.catch_warnings(record=True, action="always") as caught:
        found = recommender.path(*ends, k)
    _print_warnings(caught, console)
    return [
        {"path": tracks[row], "distance": round(float(distance), 4)}
        for row, distance in zip(found.rows, found.distances, strict=True)
    ]


def _print_warnings(
    caught: Iterable[warnings.WarningMessage], console: Console
) -> None:
    for warning in caught:
        console.print(plain(warning.message), soft_wrap=True)
