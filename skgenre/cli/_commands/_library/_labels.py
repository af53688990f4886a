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
from skgenre.datasets._library._genre_names import genre_key
from skgenre.datasets._tracks_csv import quoted
from skgenre.persistence import read_info

# To learn a genre and be judged on it: an artist for each, and more than a few tracks.
FEWEST_ARTISTS, FEWEST_TRACKS = 2, 5
_OF_EACH_TRACK = ("paths", "target", "groups", "genres", "albums")


def labelled_tracks(
    music: Path, labels: Labels, console: Console, *, models: Sequence[Path] = ()
) -> Bunch:
    """Return tracks with genres, and artists where they are known.

    Of a library, those without a genre in their tags are left out, and reported; its
    genres are spelt as those of the models, if they are the same.

    Returns
    -------
    Bunch
        'paths', 'target', 'groups' (or None) and 'target_names', as of
        `load_audio_folder`; of a library also 'genres' and 'albums'.

    Raises
    ------
    OSError
        If there is no such folder or file.
    ValueError
        If it holds no music with genres.
    """
    if labels == Labels.folders:
        with _printed_warnings(console):
            return load_audio_folder(music)
    with _printed_warnings(console):
        library = load_music_library(music, n_jobs=-1, verbose=console.is_terminal)
    _report(library, console)
    if not library.has_genre.any():
        raise ValueError(
            f"No track below {str(music)!r} has a genre in its tags. `skgenre tag "
            "--write-tags` can write some."
        )
    library.genres = np.fromiter(library.genres, dtype=object)  # an array of lists
    tracks = some_tracks(library, library.has_genre)
    known = [read_info(model).get("genres") for model in models]
    spelling = {
        genre_key(str(genre)): str(genre)
        for genres in known
        if isinstance(genres, list)  # which a file may say of its model
        for genre in genres
    }
    names = [spelling.get(genre_key(genre), genre) for genre in tracks.target.tolist()]
    tracks.target = np.array(names)
    tracks.target_names = np.unique(tracks.target)
    return tracks


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
    chosen = {
        name: None if tracks.get(name) is None else tracks[name][rows]
        for name in _OF_EACH_TRACK
    }
    return Bunch(**chosen, target_names=np.unique(tracks.target[rows]))


def _report(library: Bunch, console: Console) -> None:
    """Print how many tracks have a genre, and which spellings were taken for one."""
    n_tracks, n_labelled = len(library.paths), int(library.has_genre.sum())
    n_artists = len(np.unique(library.groups[library.has_genre].astype(str)))
    lines = [
        f"Tags: {n_labelled} of {n_tracks} tracks have a genre, by {n_artists} artists."
    ]
    if n_labelled < n_tracks:
        lines[0] += f" The other {n_tracks - n_labelled} are left out."
    found = library.spellings
    folded = found[found["genre"].notna() & (found["written"] != found["genre"])]
    if len(folded):
        pairs = [f"{row.written!r} is {row.genre!r}" for row in folded.itertuples()]
        lines.append(f"Spellings: {format_list(pairs)}.")
    if junk := found["written"][found["genre"].isna()].tolist():
        lines.append(f"Taken for no genre: {quoted(junk)}.")
    for line in lines:
        console.print(plain(line), soft_wrap=True, highlight=False)


def fold_rare_genres(tracks: Bunch, tree: GenreTree, console: Console) -> Bunch:
    """Return the tracks, those of rare genres as of the genres above; print which."""
    known = {} if tracks.groups is None else {"groups": tracks.groups}
    target = tree.fold_rare(
        tracks.target,
        min_clips=FEWEST_TRACKS,
        min_groups=FEWEST_ARTISTS if known else 1,
        **known,
    )
    counts = Counter(zip(tracks.target.tolist(), target.tolist(), strict=True))
    folded = [f"{a} as {b} ({n})" for (a, b), n in counts.items() if a != b]
    if folded:
        console.print(
            plain(f"Rare genres count as those above: {format_list(sorted(folded))}."),
            soft_wrap=True,
            highlight=False,
        )
    return Bunch(**tracks | {"target": target, "target_names": np.unique(target)})


def without_rare_genres(tracks: Bunch, console: Console) -> Bunch:
    """Return the tracks of genres that can be learnt and judged; print which can't.

    Raises
    ------
    ValueError
        If fewer than two genres are left.
    """
    rare = []
    for genre in tracks.target_names:
        is_of_genre = tracks.target == genre
        n_tracks = int(is_of_genre.sum())
        n_artists = len(np.unique(tracks.groups[is_of_genre]))
        if n_tracks < FEWEST_TRACKS or n_artists < FEWEST_ARTISTS:
            rare.append((genre, f"{genre} ({n_tracks} by {n_artists})"))
    if not rare:
        return tracks
    kept = ~np.isin(tracks.target, [genre for genre, _ in rare])
    needed = f"{FEWEST_TRACKS} tracks by {FEWEST_ARTISTS} artists"
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
    return some_tracks(tracks, kept)
