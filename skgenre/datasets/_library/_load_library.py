"""Music libraries, whose genres and artists are in the files' tags."""

import math
import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import StrOptions, validate_params
from skgenre._text import format_list
from skgenre.audio import AudioError, map_clips
from skgenre.audio._outcome import read_facts
from skgenre.datasets._audio_files import (
    EXPECTED,
    audio_files_below,
    exists,
    is_folder,
)
from skgenre.datasets._form import FORM_CONSTRAINTS, FORM_DOCS, in_form, object_array
from skgenre.datasets._genres._tree import GenreTree
from skgenre.datasets._library._fold_genres import Spelling, fold_genres
from skgenre.datasets._library._tags import Tags, read_tags
from skgenre.datasets._tracks_csv import quoted


@substitute(**FORM_DOCS)
@validate_params(
    {
        "path": [str, os.PathLike],
        "genre_tree": [Mapping, None],
        "target": [StrOptions({"genre", "genres"})],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }
    | FORM_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def load_music_library(
    path: str | os.PathLike[str],
    *,
    genre_tree: Mapping[str, str | None] | None = None,
    target: str = "genre",
    n_jobs: int | None = None,
    verbose: bool | int = False,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    r"""List the music below a folder, with genres and artists from the files' tags.

    For music that is sorted by artist and album, or not at all. No audio is decoded.

    Parameters
    ----------
    path : str or os.PathLike
        The folder, or its URL, of which every file is fetched whole. Audio files in it,
        at any depth, are taken by their names' ends (``.mp3``, ``.flac``, ``.m4a`` …);
        hidden ones are left out, and those in recycle bins. Links are followed.

    genre_tree : GenreTree, mapping of str to str, or None, default=None
        The genre above each subgenre, such as ``{"Deep House": "House", "House":
        "Electronic"}``: tracks of a subgenre count as those of the genre at the top.
        Case, blanks and punctuation of the names don't matter. To fold rare subgenres
        only, leave it out, and use `GenreTree.fold_rare` on the target.

    target : {'genre', 'genres'}, default='genre'
        Whether the target is the first genre of each track, or a tuple of all of them.

    n_jobs : int or None, default=None
        Files read at a time, in threads, which helps with folders on a network. None
        means 1 unless in a :func:`joblib.parallel_config` context; -1 means all
        processors. Results don't depend on it.

    verbose : bool or int, default=False
        Show a progress bar.

    %(return_X_y)s

    %(as_frame)s

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`, or tuple
        With the attributes:

        paths : ndarray of shape (n_tracks,), object
            Names of the files, sorted, each a str that begins with `path`.
        target : ndarray of shape (n_tracks,), object
            The first genre of each track, a str; None where the tags name none. With
            ``target="genres"``, a tuple of str, which is empty then. Classifiers refuse
            None: train on ``tracks.paths[tracks.has_genre]``.
        has_genre : ndarray of shape (n_tracks,), bool
            Whether the tags name a genre.
        genres : list of list of str
            All genres of each track, the first one first.
        groups : ndarray of shape (n_tracks,), object
            Artists, for splits that keep an artist's tracks together: those of the
            albums or else of the tracks, in one case and with single blanks. A track
            without an artist is a group of its own, named by its path.
        target_names : ndarray of shape (n_classes,), str
            The genres in `target`, sorted.
        artists, albums, titles : ndarray of shape (n_tracks,), object
            As the tags spell them; None where they don't. An artist is that of the
            album, or that of the track on compilations by various artists.
        years : ndarray of shape (n_tracks,), float
            NaN where it is not known.
        durations : ndarray of shape (n_tracks,), float
            Seconds, by the files' headers, of MP3s without one estimated; NaN where
            they don't say.
        frame : DataFrame of shape (n_tracks, 7)
            Columns ``path``, ``genre``, ``artist``, ``album``, ``title``, ``year`` and
            ``duration``.
        spellings : DataFrame of shape (n_spellings, 3)
            What the tags were taken for: ``written``, a tag's text; ``genre``, None
            where it names none, in a row for each where it names several; and
            ``n_tracks``. The most common first.
        unreadable : DataFrame of shape (n_unreadable, 2)
            Columns ``path`` and ``reason``: the tracks whose tags, or whose sound,
            can't be read. They are among the tracks, mostly without a genre.
        DESCR : str
            Where the tracks come from and how many there are.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.

    ValueError
        If `path` is no folder or holds no audio files; if `genre_tree` has a genre
        below two others, or leads in a circle. Files raise nothing.

    Warns
    -----
    UserWarning
        If files can't be read, or no track has a genre.

    See Also
    --------
    load_audio_folder : Music in one folder per genre, or in a table.
    audit : Finds damaged and repeated files.

    Notes
    -----
    Tags are read in the forms ID3 (1 to 2.4; in MP3, WAV and AIFF), Vorbis comments
    (FLAC, Ogg), MP4, APEv2, ASF (WMA) and RIFF INFO. Files of other forms, and those
    without tags, have no genre here.

    Genres are made of tags by these rules:

    - A tag may name several, in repeated fields or between ``;``, ``/``, ``,``, ``|``,
      ``\`` and zeros; "&" does not separate. Numbers, alone or as in
      "(4)Eurodisco", are those of ID3's list [1]_.
    - "Other", "Unknown", "misc" and the like, numbers beyond the list, years and
      addresses of web sites name no genre.
    - Names that differ only in case, blanks, hyphens and other punctuation are one, as
      are "&", "and" and "'n'", and a few abbreviations such as "DnB" and "RnB". It is
      spelt as in ID3's list if it is there, else as most tracks spell it. Names that
      mean nearly the same, such as "Electronic" and "Electronica", are two;
      `genre_tree` makes them one.

    References
    ----------
    .. [1] https://en.wikipedia.org/wiki/List_of_ID3v1_genres

    Examples
    --------
    Four files, of which the tags of two agree on the genre:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import soundfile
    >>> from skgenre.datasets import load_music_library
    >>> tags = [("hip hop", "Ann"), ("Hip-Hop", "ANN "), ("17/Deep House", "Bob"), None]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for i, tag in enumerate(tags):
    ...         name = Path(folder, f"{i}.flac")
    ...         with soundfile.SoundFile(name, "w", 8000, 1) as file:
    ...             if tag is not None:
    ...                 file.genre, file.artist = tag
    ...             file.write(np.zeros(8000))
    ...     tracks = load_music_library(folder, genre_tree={"Deep House": "House"})
    >>> tracks.target.tolist(), tracks.genres[2]
    (['Hip-Hop', 'Hip-Hop', 'Rock', None], ['Rock', 'House'])
    >>> tracks.groups[:3].tolist(), tracks.artists[:2].tolist()
    (['ann', 'ann', 'bob'], ['Ann', 'ANN'])
    >>> print(tracks.spellings.to_string(index=False))
          written   genre  n_tracks
    17/Deep House   House         1
    17/Deep House    Rock         1
          Hip-Hop Hip-Hop         1
          hip hop Hip-Hop         1
    >>> labelled = tracks.paths[tracks.has_genre], tracks.target[tracks.has_genre]
    >>> len(labelled[0]), tracks.durations.tolist()
    (3, [1.0, 1.0, 1.0, 1.0])
    """
    import pandas as pd

    tree = GenreTree({} if genre_tree is None else genre_tree)
    paths = _paths(os.fspath(path))
    tags = list(
        map_clips(_read, paths, n_jobs=n_jobs, verbose=verbose, desc="Reading tags")
    )
    genres, spellings = fold_genres([tag.genres for tag in tags], tree)
    first = object_array([names[0] if names else None for names in genres])
    has_genre = np.array([name is not None for name in first])
    columns = {
        "path": object_array(paths),
        "genre": first,
        "artist": object_array([tag.artist for tag in tags]),
        "album": object_array([tag.album for tag in tags]),
        "title": object_array([tag.title for tag in tags]),
        "year": np.array([tag.year for tag in tags]),
        "duration": np.array([tag.duration for tag in tags]),
    }
    unreadable = [
        (path, tag.problem)
        for path, tag in zip(paths, tags, strict=True)
        if tag.problem
    ]
    if unreadable:
        named = quoted([path for path, _ in unreadable])
        warnings.warn(
            f"{len(unreadable)} of {len(paths)} files can't be read: {named}. They are "
            "among the tracks; the member 'unreadable' says why they can't, as does "
            "`skgenre scan`.",
            stacklevel=3,
        )
    if not has_genre.any():
        warnings.warn(
            f"None of the {len(paths)} tracks below {os.fspath(path)!r} has a genre in "
            "its tags. Write some with a tag editor, or sort the files into one folder "
            "per genre for load_audio_folder.",
            stacklevel=3,
        )
    groups = [
        path if tag.artist is None else artist_key(tag.artist)
        for path, tag in zip(paths, tags, strict=True)
    ]
    known = first[has_genre].tolist()
    if target == "genres":
        known = [name for names in genres for name in names]
    tracks = Bunch(
        paths=columns["path"],
        target=first if target == "genre" else object_array(list(map(tuple, genres))),
        has_genre=has_genre,
        genres=genres,
        groups=object_array(groups),
        target_names=np.unique(np.array(known, dtype=str)),
        artists=columns["artist"],
        albums=columns["album"],
        titles=columns["title"],
        years=columns["year"],
        durations=columns["duration"],
        frame=pd.DataFrame(columns, dtype=object).astype(
            {"year": float, "duration": float}
        ),
        spellings=pd.DataFrame(
            spellings, columns=Spelling._fields, dtype=object
        ).astype({"n_tracks": int}),
        unreadable=pd.DataFrame(unreadable, columns=["path", "reason"], dtype=object),
        DESCR=_description(os.fspath(path), first, tags),
    )
    return in_form(tracks, return_X_y=return_X_y, as_frame=as_frame)


def _paths(folder: str) -> list[str]:
    if not exists(folder):
        raise FileNotFoundError(f"There is no folder {folder!r}. Check the path.")
    if not is_folder(folder):
        raise ValueError(
            f"{folder!r} is no folder. Give the one that holds the music; tables of "
            "tracks are read by load_audio_folder."
        )
    paths = audio_files_below(folder)
    if not paths:
        raise ValueError(f"No audio files below {folder!r}. {EXPECTED}")
    return paths


def _read(path: Any) -> Tags:
    tags = read_tags(path)
    if not math.isnan(tags.duration):
        return tags
    try:
        return tags._replace(duration=read_facts(path).duration)
    except AudioError as error:
        return tags._replace(problem=tags.problem or error.cause)


def artist_key(name: str) -> str:
    """Return what spellings of an artist have in common: all but case and blanks.

    Examples
    --------
    >>> artist_key("Sigur  Rós") == artist_key("SIGUR RÓS")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _description(folder: str, target: NDArray, tags: list[Tags]) -> str:
    counts = Counter(name for name in target if name is not None).most_common()
    numbers = [f"{count} {name}" for name, count in counts]
    n_missing = sum(name is None for name in target)
    if n_missing:
        numbers.append(f"{n_missing} without a genre")
    n_artists = len({artist_key(tag.artist) for tag in tags if tag.artist is not None})
    return (
        f"{len(tags)} tracks by {n_artists} artists from {folder}: "
        f"{format_list(numbers, limit=20)}."
    )
