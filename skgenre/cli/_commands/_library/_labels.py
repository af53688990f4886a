"""Labelled music as the commands take it: by folders, by a table, or by its tags."""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.utils import Bunch

from skgenre._text import format_list
from skgenre.cli._console import plain
from skgenre.cli._options import Labels
from skgenre.datasets import GenreTree, load_audio_folder, load_music_library
from skgenre.datasets._form import object_array
from skgenre.datasets._library._genre_names import genre_key
from skgenre.datasets._tracks_csv import quoted
from skgenre.persistence import read_info

# To learn a genre and be judged on it: an artist for each, and more than a few tracks.
FEWEST_ARTISTS, FEWEST_TRACKS = 2, 5
# Where tracks have several, so that folds of artists can choose a threshold.
_FEWEST_OF_SEVERAL = 4, 10
_OF_EACH_TRACK = ("paths", "target", "groups", "genres", "albums")


def labelled_tracks(
    music: Path,
    labels: Labels,
    console: Console,
    *,
    models: Sequence[Path] = (),
    multi_label: bool = False,
) -> Bunch:
    """Return tracks with genres, and artists where they are known.

    Of a library, those without a genre in their tags are left out, and reported; its
    genres are spelt as those of the models, if they are the same.

    Returns
    -------
    Bunch
        'paths', 'target', 'genres', 'groups' (or None) and 'target_names', as of
        `load_audio_folder`; of a library also 'albums'. The target is a genre of each
        track or, for `multi_label`, a tuple of all of them.

    Raises
    ------
    OSError
        If there is no such folder or file.
    ValueError
        If it holds no music with genres.
    """
    target = "genres" if multi_label else "genre"
    if labels == Labels.folders:
        with _printed_warnings(console):
            return load_audio_folder(music, target=target)
    with _printed_warnings(console):
        # That none of them has a genre is an error here.
        warnings.filterwarnings("ignore", "(?s)None of the .* has a genre")
        library = load_music_library(
            music, target=target, n_jobs=-1, verbose=console.is_terminal
        )
    _report(library, console)
    if not library.has_genre.any():
        raise ValueError(
            f"No track below {str(music)!r} has a genre in its tags. Train on a "
            "CSV of path,genre,group or on one folder per genre, or use `skgenre tag`, "
            "which needs no labels."
        )
    tracks = some_tracks(library, library.has_genre)
    known = [read_info(model).get("genres") for model in models]
    spelling = {
        genre_key(str(genre)): str(genre)
        for genres in known
        if isinstance(genres, list)  # which a file may say of its model
        for genre in genres
    }
    tracks.target = as_target(
        [
            tuple(dict.fromkeys(spelling.get(genre_key(name), name) for name in genres))
            for genres in genres_of_each(tracks.target)
        ],
        several=multi_label,
    )
    tracks.target_names = genre_counts(tracks.target)[0]
    return tracks


def genres_of_each(target: NDArray) -> list[tuple[str, ...]]:
    """Return the genres of each track, of which it has one or several."""
    return [each if isinstance(each, tuple) else (each,) for each in target.tolist()]


def as_target(genres: list[tuple[str, ...]], *, several: bool) -> NDArray:
    """Return tuples of genres as a target; not `several`, the first of each."""
    if several:
        return np.fromiter(genres, dtype=object, count=len(genres))
    return np.array([names[0] for names in genres])


def genre_counts(target: NDArray) -> tuple[NDArray, NDArray]:
    """Return the genres of a target, sorted, and how many tracks each has."""
    names = [name for genres in genres_of_each(target) for name in genres]
    return np.unique(np.array(names, dtype=str), return_counts=True)


@contextmanager
def _printed_warnings(console: Console) -> Iterator[None]:
    """Print warnings in a line each, without the place in the code."""
    with warnings.catch_warnings(record=True, action="always") as noted:
        yield
    for warning in noted:
        text = plain(warning.message)
        console.print(f"[yellow]Warning:[/] {text}", soft_wrap=True, highlight=False)


def some_tracks(tracks: Bunch, rows: NDArray) -> Bunch:
    """Return the tracks in some rows, by number or as a mask."""
    chosen: dict[str, NDArray | None] = dict.fromkeys(_OF_EACH_TRACK)
    for name in chosen:
        if (of_each := tracks.get(name)) is not None:
            # Loaders list all genres of each track.
            array = object_array(of_each) if isinstance(of_each, list) else of_each
            chosen[name] = array[rows]
    return Bunch(**chosen, target_names=genre_counts(tracks.target[rows])[0])


def _report(library: Bunch, console: Console) -> None:
    """Print how many tracks have a genre, and which spellings were taken for one."""
    n_tracks, n_labelled = len(library.paths), int(library.has_genre.sum())
    n_artists = len(np.unique(library.groups[library.has_genre].astype(str)))
    lines = []
    if n_labelled:
        has = f"{n_labelled} of {n_tracks} tracks have a genre, by {n_artists} artists."
        others = f" The other {n_tracks - n_labelled} are left out."
        lines.append(f"Tags: {has}" + (others if n_labelled < n_tracks else ""))
    found = library.spellings
    folded = found[found["genre"].notna() & (found["written"] != found["genre"])]
    if len(folded):
        pairs = [f"{row.written!r} is {row.genre!r}" for row in folded.itertuples()]
        lines.append(f"Spellings: {format_list(pairs)}.")
    if junk := found["written"][found["genre"].isna()].tolist():
        lines.append(f"Taken for no genre: {quoted(junk)}.")
    for line in lines:
        console.print(plain(line), soft_wrap=True, highlight=False)


def folded_genres(before: NDArray, after: NDArray) -> str:
    """Return which genres count as which others, and of how many tracks; "" if none."""
    counts = Counter(zip(before.tolist(), after.tolist(), strict=True))
    return format_list(
        sorted(f"{a} as {b} ({n})" for (a, b), n in counts.items() if a != b)
    )


def fold_rare_genres(tracks: Bunch, tree: GenreTree, console: Console) -> Bunch:
    """Return the tracks, those of rare genres as of the genres above; print which."""
    known = {} if tracks.groups is None else {"groups": tracks.groups}
    target = tree.fold_rare(
        tracks.target,
        min_clips=FEWEST_TRACKS,
        min_groups=FEWEST_ARTISTS if known else 1,
        **known,
    )
    if folded := folded_genres(tracks.target, target):
        console.print(
            plain(f"Rare genres count as those above: {folded}."),
            soft_wrap=True,
            highlight=False,
        )
    return Bunch(**tracks | {"target": target, "target_names": np.unique(target)})


def add_genres_above(tracks: Bunch, tree: GenreTree, console: Console) -> Bunch:
    """Return the tracks of several genres, as of the genres above, too; print which."""
    target = tree.with_genres_above(tracks.target)
    genres, counts = genre_counts(target)
    before = dict(zip(*genre_counts(tracks.target), strict=True))
    added = {g: n - before.get(g, 0) for g, n in zip(genres, counts, strict=True)}
    if texts := [f"{genre} ({n})" for genre, n in added.items() if n]:
        console.print(
            plain(f"Tracks are of the genres above theirs, too: {format_list(texts)}."),
            soft_wrap=True,
            highlight=False,
        )
    return Bunch(**tracks | {"target": target, "target_names": genres})


def without_rare_genres(tracks: Bunch, console: Console) -> Bunch:
    """Return the tracks of genres that can be learnt and judged; print which can't.

    Raises
    ------
    ValueError
        If fewer than two genres are left.
    """
    rare = []
    of_each = genres_of_each(tracks.target)
    several = tracks.target.dtype == object
    fewest_artists, fewest_tracks = (
        _FEWEST_OF_SEVERAL if several else (FEWEST_ARTISTS, FEWEST_TRACKS)
    )
    for genre in tracks.target_names:
        is_of_genre = np.array([genre in genres for genres in of_each])
        n_tracks = int(is_of_genre.sum())
        artists = np.arange(n_tracks)  # where they are not known
        if tracks.groups is not None:
            artists = tracks.groups[is_of_genre]
        n_artists = len(np.unique(artists))
        if n_tracks < fewest_tracks or n_artists < fewest_artists:
            rare.append((genre, f"{genre} ({n_tracks} by {n_artists})"))
    if not rare:
        return tracks
    left_out = {genre for genre, _ in rare}
    of_each = [tuple(g for g in genres if g not in left_out) for genres in of_each]
    kept = np.array([bool(genres) for genres in of_each])
    needed = f"{fewest_tracks} tracks by {fewest_artists} artists"
    names = format_list([text for _, text in rare])
    if len(tracks.target_names) - len(rare) < 2:
        raise ValueError(
            f"At least two genres are needed with {needed} each, so that some artists "
            f"can be held out. Fewer have {names}. Add music, or tag more of it."
        )
    console.print(
        plain(f"Genres left out, as they have fewer than {needed}: {names}."),
        soft_wrap=True,
        highlight=False,
    )
    if several:
        tracks = Bunch(**tracks | {"target": as_target(of_each, several=True)})
    return some_tracks(tracks, kept)
