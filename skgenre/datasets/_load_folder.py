"""Music of the user's own: folders or a table."""

import os
import unicodedata
import warnings
from collections import Counter
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import StrOptions, validate_params
from skgenre._text import format_list
from skgenre.audio._remote import is_url
from skgenre.datasets._audio_files import (
    EXPECTED,
    audio_files_below,
    exists,
    is_audio,
    is_folder,
    is_hidden,
    join,
    list_folder,
)
from skgenre.datasets._form import FORM_CONSTRAINTS, FORM_DOCS, in_form
from skgenre.datasets._library._genre_names import common_spellings
from skgenre.datasets._library._signs import sign_of_artists
from skgenre.datasets._tracks_csv import TABLE, Track, quoted, read_tracks_csv

# From a warning out of the private functions, through `validate_params`, to the user.
_STACK_LEVEL = 5


@substitute(**FORM_DOCS)
@validate_params(
    {
        "path": [str, os.PathLike],
        "groups": [StrOptions({"folder"}), None],
        "target": [StrOptions({"genre", "genres"})],
    }
    | FORM_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def load_audio_folder(
    path: str | os.PathLike[str],
    *,
    groups: str | None = None,
    target: str = "genre",
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """List labelled music: a folder with one sub-folder per genre, or a CSV.

    No audio is decoded: the paths are what the first step of a pipeline takes.

    Parameters
    ----------
    path : str or os.PathLike
        One of these, or its URL, such as ``s3://bucket/music`` (the user guide says
        which URLs there are):

        - A folder with one sub-folder for each genre. All that lies in ``rock/``, at
          any depth, is rock. Files are taken by their names' ends (``.mp3``,
          ``.flac``, ``.wav``, ``.m4a`` …); hidden ones are left out, and so, with a
          warning, are audio files beside the sub-folders. Links are followed.
          Where the sub-folders are artists, :func:`load_music_library` takes the
          genres from the files' tags.
        - A CSV file in UTF-8 whose first line names the columns ``path`` and
          ``genre`` and, where artists are known, ``group``, ``artist_id`` or
          ``artist`` (the first of these that is there counts). Several genres of a
          track are separated by ``|``, as in ``rock|pop``. Relative paths begin
          at the CSV's folder; other columns are ignored. Paths may be URLs of the
          CSV's own host or bucket, or of object stores (``s3://``, ``gs://`` …).
        - A folder that holds such a CSV by the name of ``tracks.csv``: this is read
          then, and not the sub-folders.

    groups : {'folder'} or None, default=None
        How artists are named in a folder without ``tracks.csv``: 'folder' takes
        the folders in a genre for its artists (``rock/some artist/some
        album/song.mp3``). With None, artists are not known.

    target : {'genre', 'genres'}, default='genre'
        Whether the target is the first genre of each clip, or a tuple of all of them.

    %(return_X_y)s

    %(as_frame)s

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`, or tuple
        With the attributes:

        paths : ndarray of shape (n_clips,), object
            Names of the files, each a str that begins with `path`'s folder. Of a
            folder they are sorted by genre and name, of a CSV in its order.
        target : ndarray of shape (n_clips,), str or object
            Genres. Those that differ only in case are one, spelt as most clips have
            it.
        genres : list of list of str
            All genres of each clip, the first one first.
        groups : ndarray of shape (n_clips,), str, or None
            Artists, for splits that keep an artist's clips together.
        target_names : ndarray of shape (n_classes,), str
            The genres, sorted.
        %(frame)s
        DESCR : str
            Where the tracks come from and how many there are.

    Raises
    ------
    FileNotFoundError
        If `path` or a local file that the CSV lists does not exist. Stores are not
        asked for each file.

    ValueError
        If there are no sub-folders or no audio files in them, if the CSV lacks a
        column or a cell, or if a file lies outside any artist's folder with
        ``groups='folder'``; if a CSV's URL can't be read, or its host redirects to
        another one, or from https to http.

    Warns
    -----
    UserWarning
        If a genre's folder has no audio files, audio files lie beside the genres'
        folders, or a CSV lists a file more than once; if names of genres differ only
        in case; if the folders look like artists: tags of a few dozen files name them
        so, or they are many with few files each, in albums or with other genres in
        their tags.

    See Also
    --------
    load_music_library : Music whose genres are in the files' tags.
    make_genre_clips : Synthetic music, which this function reads back.
    find_audio_files : Audio files without genres.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import load_audio_folder
    >>> with tempfile.TemporaryDirectory() as music:
    ...     for name in ("jazz/ella/1.mp3", "rock/abc/1.mp3", "rock/abc/2.mp3"):
    ...         Path(music, name).parent.mkdir(parents=True, exist_ok=True)
    ...         Path(music, name).touch()
    ...     tracks = load_audio_folder(music, groups="folder")
    >>> [Path(path).name for path in tracks.paths]
    ['1.mp3', '1.mp3', '2.mp3']
    >>> tracks.target.tolist(), tracks.groups.tolist()
    (['jazz', 'rock', 'rock'], ['ella', 'abc', 'abc'])
    """
    name = os.fspath(path)
    if not exists(name):
        raise FileNotFoundError(
            f"There is no file or folder {name!r}. Give a folder with one sub-folder "
            "per genre, or a CSV of path,genre[,group]."
        )
    table = join(name, TABLE) if is_folder(name) else name
    if exists(table) if is_url(table) else os.path.isfile(table):
        _check_table(table, name, groups)
        found, source = _fold_case(read_tracks_csv(table)), table
    else:
        found, source = _tracks_of_folders(name, groups), f"the sub-folders of {name}"
        sign = sign_of_artists(name, [(track.path, track.genre) for track in found])
        if sign:
            _warn_of_artists(name, sign)
        # By genre and name, also where two folders have become one genre.
        found = sorted(_fold_case(found), key=lambda track: (track.genre, track.path))
    tracks = _bunch(found, source, target)
    return in_form(tracks, return_X_y=return_X_y, as_frame=as_frame)


def _check_table(table: str, name: str, groups: str | None) -> None:
    if groups is not None:
        raise ValueError(
            f"groups={groups!r} is for folders without {TABLE}, but artists are read "
            f"from {table!r}. Leave groups out and name the artists in the CSV's "
            "'group' column."
        )
    if not table.lower().endswith(".csv"):
        raise ValueError(
            f"{name!r} is neither a folder nor a CSV file (*.csv). Give a folder with "
            "one sub-folder per genre, or a CSV of path,genre[,group]."
        )


def _fold_case(tracks: list[Track]) -> list[Track]:
    """Return the tracks with one spelling of each genre, that of most tracks."""
    # Composed: some file systems split letters and accents.
    composed = [
        [unicodedata.normalize("NFC", genre) for genre in track.genres]
        for track in tracks
    ]
    counts = Counter(genre for genres in composed for genre in genres)
    names = common_spellings(counts, key=str.casefold)
    folded = {genre: name for genre, name in names.items() if genre != name}
    if folded:
        pairs = format_list([f"{old!r} is {new!r}" for old, new in folded.items()])
        warnings.warn(
            f"Genres that differ only in case are one: {pairs}. Rename them to be rid "
            "of this warning.",
            stacklevel=4,
        )
    return [
        track._replace(genres=tuple(dict.fromkeys(names[genre] for genre in genres)))
        for track, genres in zip(tracks, composed, strict=True)
    ]


def _tracks_of_folders(folder: str, groups: str | None) -> list[Track]:
    subfolders, files = list_folder(folder)
    genres = [name for name in subfolders if not is_hidden(name)]
    loose = [name for name in files if is_audio(name)]
    if not genres:
        raise ValueError(
            f"{folder!r} has no sub-folders{' but audio files' if loose else ''}. Make "
            "one for each genre and put its audio files there, or give a CSV of "
            "path,genre[,group]."
        )
    tracks = []
    empty = []
    for genre in genres:
        top = join(folder, genre)
        files = audio_files_below(top, root=folder)
        tracks += [
            Track(file, (genre,), os.path.dirname(os.path.relpath(file, top)))
            for file in files
        ]
        if not files:
            empty.append(genre)
    if not tracks:
        raise ValueError(
            f"The sub-folders of {folder!r} ({quoted(genres)}) hold no audio files. "
            + EXPECTED
        )
    if empty:
        _warn(f"No audio files in {quoted(empty)} of {folder!r}: not a genre then.")
    if loose:
        # Not refused: a stray mix beside the genres is no reason to move files.
        _warn(
            f"{len(loose)} audio files of {folder!r} are in no genre's folder and left "
            f"out: {quoted(loose)}."
        )
    if groups is None:
        return [track._replace(group=None) for track in tracks]
    without = [track.path for track in tracks if not track.group]
    if without:
        raise ValueError(
            "groups='folder' needs every file in an artist's folder (genre/artist/"
            f"song.mp3), but {len(without)} are in none: {quoted(without)}. Move them, "
            "or name the artists in a CSV of path,genre,group."
        )
    return [track._replace(group=str(track.group).split(os.sep)[0]) for track in tracks]


def _warn_of_artists(folder: str, sign: str) -> None:
    warnings.warn(
        f"The sub-folders of {folder!r} look like artists, not genres: {sign}. If they "
        f"are, load_music_library({folder!r}) takes genres from the files' tags, as "
        "`--labels tags` of the commands does.",
        stacklevel=4,
    )


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=_STACK_LEVEL)


def _bunch(tracks: list[Track], source: str, target: str) -> Bunch:
    first = np.array([track.genre for track in tracks])
    all_of_each = [track.genres for track in tracks]
    groups = None
    if tracks[0].group is not None:
        groups = np.array([track.group for track in tracks])
    genres, counts = np.unique(first, return_counts=True)
    numbers = ", ".join(f"{c} {g}" for g, c in zip(genres, counts, strict=True))
    artists = "" if groups is None else f" by {len(np.unique(groups))} artists"
    return Bunch(
        paths=np.array([track.path for track in tracks], dtype=object),
        target=first
        if target == "genre"
        else np.fromiter(all_of_each, dtype=object, count=len(tracks)),
        genres=[list(names) for names in all_of_each],
        groups=groups,
        target_names=genres
        if target == "genre"
        else np.unique([name for names in all_of_each for name in names]),
        DESCR=f"{len(tracks)} tracks{artists} from {source}: {numbers}.",
    )
