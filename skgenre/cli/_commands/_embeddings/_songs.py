"""The embeddings of a library and of songs beside it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from skgenre._files import digest
from skgenre.classifiers import GenreTagger
from skgenre.classifiers._tagging._tag_genres import tag_embedding
from skgenre.cli._commands._embeddings._index import LibraryIndex, file_states
from skgenre.cli._commands._weights import require_weights
from skgenre.cli._files import (
    apply_in_chunks,
    apply_to_files,
    prepare,
    print_notes,
    process_files,
)
from skgenre.cli._inputs import files_named
from skgenre.datasets import find_audio_files
from skgenre.datasets._library._playlists import is_playlist
from skgenre.features._precompute import FileResults
from skgenre.persistence import load
from skgenre.pipelines import embedding_pipeline


class Embedder(NamedTuple):
    """What makes embeddings of files."""

    model: Any
    """The estimator whose audio steps read them."""
    name: str
    """Embeddings of two names can't be compared."""
    embed: Callable[[Sequence[str]], NDArray]


def embedder_of(model: Path | None, *, yes: bool) -> Embedder:
    """Return what embeds songs: a model file or, without one, musicnn's tags.

    Raises
    ------
    ImportError
        If the weights of musicnn are needed and not here.
    ValueError
        If the model makes no embedding.
    """
    if model is None:
        require_weights(yes=yes)
        tagger = GenreTagger()
        return Embedder(
            tagger,
            "musicnn's tags",
            lambda files: tag_embedding(tagger.transform(files)),
        )
    pipeline = embedding_pipeline(load(model, runtime="auto"))
    return Embedder(pipeline, digest(model), lambda files: _transform(pipeline, files))


def _transform(embedder: Any, files: Sequence[str]) -> NDArray:
    embeddings = np.asarray(embedder.transform(files))
    if embeddings.ndim != 2:
        raise ValueError(
            f"The model has no embedding: it makes arrays of shape "
            f"{embeddings.shape[1:]} of a song. Train another one."
        )
    return embeddings.astype(np.float32)


class Embedded(NamedTuple):
    """Songs with their embeddings, and what is wrong with others."""

    embeddings: dict[str, NDArray]
    """Of the library's songs with music, and then of those beside it, by path."""
    names: dict[str, str]
    """Of the songs asked for, the path in `embeddings`, where they have one."""
    errors: list[str]


def library_files(library: Path) -> list[str]:
    """List the files of a library, which is a folder or a playlist.

    Raises
    ------
    ValueError
        If it is neither, or holds no music.
    """
    if library.is_dir():
        return find_audio_files(library)
    if is_playlist(library) and library.is_file():
        return files_named([library]).files
    raise ValueError(
        f"--among must be a folder of music or a playlist, got {str(library)!r}."
    )


def embed_songs(
    embedder: Embedder,
    library: Path,
    paths: Sequence[str],
    songs: Sequence[str],
    *,
    index: Path | None,
    console: Console,
    **how: Any,
) -> Embedded:
    """Return the embeddings of a library's files, and of songs in it or not.

    Parameters
    ----------
    embedder : Embedder
        What makes them.
    library : Path
        The folder or playlist.
    paths : sequence of str
        Its files.
    songs : sequence of str
        Files that are wanted in any case.
    index : Path or None
        File in which the library's embeddings are kept.
    console : rich.console.Console
        Where progress and notes are printed.
    **how : dict
        `n_jobs`, `cache_dir`, `time_limit` and `yes`, as `prepare` takes them.

    Raises
    ------
    ValueError
        If no file of the library can be read and holds music, or the index is of
        another model or library.
    """
    folder = library if library.is_dir() else library.parent
    kept = LibraryIndex(folder, embedder.name, index)
    prepare(embedder.model, **how)
    wanted, counts = kept.update(paths)
    if index is not None:
        console.print(f"Index: {counts}.")
    errors = _add_embeddings(kept, embedder, wanted, how["n_jobs"], console)
    embeddings = kept.embeddings(paths)
    if not embeddings:
        raise ValueError(f"No file in {str(library)!r} can be read and holds music.")

    # A song that is in the library is known by its real name.
    in_library = {os.path.realpath(path): path for path in paths}
    names = {song: in_library.get(os.path.realpath(song), song) for song in songs}
    others = [*dict.fromkeys(names.values()).keys() - in_library.values()]
    found = apply_to_files(
        embedder.embed,
        embedder.model,
        others,
        n_jobs=how["n_jobs"],
        title="Reading songs",
        console=console,
    )
    print_notes(found.readings, console)
    of_others = _of_music(found)
    for embedding in of_others.values():
        kept.check_width(embedding)
    embeddings |= of_others
    names = {song: name for song, name in names.items() if name in embeddings}
    return Embedded(embeddings, names, [*(errors | found.errors).values()])


def _add_embeddings(
    kept: LibraryIndex,
    embedder: Embedder,
    wanted: Sequence[str],
    n_jobs: int,
    console: Console,
) -> dict[str, str]:
    """Add embeddings to an index; return by path what is wrong with broken files.

    Files without music have none, and are read, and named, each time.
    """
    if not wanted:
        return {}
    states = file_states(wanted)
    errors: dict[str, str] = {}
    try:
        for found in apply_in_chunks(
            embedder.embed,
            embedder.model,
            wanted,
            n_jobs=n_jobs,
            title="Reading the library",
            console=console,
        ):
            for path, embedding in _of_music(found).items():
                kept.add(path, states[path], embedding)
            errors |= found.errors
            print_notes(found.readings, console)
    finally:  # interrupted or not, what has been computed is kept
        kept.write()
    return errors


def tag_probabilities(
    tagger: GenreTagger, paths: Sequence[str], *, console: Console, **how: Any
) -> tuple[dict[str, NDArray], list[str]]:
    """Return the tags' probabilities of files with music, by path, and errors."""
    found = process_files(
        tagger.transform, tagger, paths, title="Listening", console=console, **how
    )
    return _of_music(found), [*found.errors.values()]


def _of_music(found: FileResults) -> dict[str, NDArray]:
    """Return the results of files that are neither silent nor too short, by path."""
    without = {
        path for path, reading in found.readings.items() if not reading.has_music
    }
    return {path: row for path, row in found.results.items() if path not in without}
