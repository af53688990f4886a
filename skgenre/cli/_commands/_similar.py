"""Find the tracks of a library that are near liked songs."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from skgenre._files import digest
from skgenre.cli._commands._index import LibraryIndex, file_states
from skgenre.cli._console import plain
from skgenre.cli._files import (
    apply_in_chunks,
    apply_to_files,
    prepare,
    print_notes,
)
from skgenre.cli._inputs import files_named
from skgenre.clustering import TrackRecommender
from skgenre.datasets import find_audio_files
from skgenre.datasets._tracks_csv import read_tracks_csv
from skgenre.persistence import load
from skgenre.pipelines import embedding_pipeline


def similar_tracks(
    model: Path,
    songs: Sequence[Path],
    library: Path,
    *,
    k: int,
    index: Path | None,
    same_artist: bool,
    cache_dir: Path | None,
    time_limit: float | None,
    n_jobs: int,
    console: Console,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the recommendations, best first, and errors of files.

    A recommendation has a 'path', its 'distance' and the song that it is near
    ('like').
    """
    if not library.is_dir():
        raise ValueError(f"--among must be a folder of music, got {str(library)!r}.")
    embedder = embedding_pipeline(load(model, runtime="auto"))
    kept = LibraryIndex(library, digest(model), index)
    paths = find_audio_files(library)
    artists = {} if same_artist else _artists(library)
    liked = files_named(songs)

    prepare(embedder, n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit)
    wanted, counts = kept.update(paths)
    if index is not None:
        console.print(f"Index: {counts}.")
    errors = _add_embeddings(kept, embedder, wanted, n_jobs=n_jobs, console=console)
    embeddings = kept.embeddings(paths)
    if not embeddings:
        raise ValueError(f"No file in {str(library)!r} can be read.")

    # A song that is in the library is known by its real name.
    in_library = {os.path.realpath(path): path for path in paths}
    liked = list(dict.fromkeys(in_library.get(os.path.realpath(s), s) for s in liked))
    others = [song for song in liked if song not in in_library.values()]
    of_others, broken, readings = apply_to_files(
        lambda files: _embed(embedder, files),
        embedder,
        others,
        n_jobs=n_jobs,
        title="Reading songs",
        console=console,
    )
    print_notes(readings, console)
    for embedding in of_others.values():
        kept.check_width(embedding)
    embeddings |= of_others
    errors |= broken
    messages = list(errors.values())
    liked = [song for song in liked if song in embeddings]
    if not liked:
        return [], messages
    return _recommend(embeddings, liked, artists, k=k, console=console), messages


def _artists(library: Path) -> dict[str, str]:
    """Return the artists of the library's files, by their real names."""
    table = library / "tracks.csv"
    if not table.is_file():
        return {}
    # Files that are gone are no concern of a library that changes.
    tracks = read_tracks_csv(str(table), must_exist=False)
    return {os.path.realpath(t.path): t.group for t in tracks if t.group is not None}


def _add_embeddings(
    kept: LibraryIndex,
    embedder: Any,
    wanted: Sequence[str],
    *,
    n_jobs: int,
    console: Console,
) -> dict[str, str]:
    """Add embeddings to an index; return by path what is wrong with broken files."""
    if not wanted:
        return {}
    states = file_states(wanted)
    errors: dict[str, str] = {}
    try:
        for embeddings, broken, readings in apply_in_chunks(
            lambda files: _embed(embedder, files),
            embedder,
            wanted,
            n_jobs=n_jobs,
            title="Reading the library",
            console=console,
        ):
            for path, embedding in embeddings.items():
                kept.add(path, states[path], embedding)
            errors |= broken
            print_notes(readings, console)
    finally:  # interrupted or not, what has been computed is kept
        kept.write()
    return errors


def _embed(embedder: Any, files: Sequence[str]) -> NDArray:
    embeddings = np.asarray(embedder.transform(files))
    if embeddings.ndim != 2:
        raise ValueError(
            f"The model has no embedding: it makes arrays of shape "
            f"{embeddings.shape[1:]} of a song. Train another one."
        )
    return embeddings.astype(np.float32)


def _recommend(
    embeddings: dict[str, NDArray],
    liked: Sequence[str],
    artists: dict[str, str],
    *,
    k: int,
    console: Console,
) -> list[dict[str, Any]]:
    tracks = list(embeddings)
    # Who is not known is an artist of one track; names of both kinds can't be equal.
    groups = [
        f"by {artists[real]}" if (real := os.path.realpath(track)) in artists else real
        for track in tracks
    ]
    recommender = TrackRecommender().fit(list(embeddings.values()), groups=groups)
    rows = [tracks.index(song) for song in liked]
    with warnings.catch_warnings(record=True, action="always") as caught:
        found = recommender.recommend(rows, k)
    for warning in caught:
        console.print(plain(warning.message), soft_wrap=True)
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
