"""FMA, the free music archive's data set for music analysis."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from skgenre._docstrings import substitute
from skgenre._files import data_home_folder
from skgenre._sklearn_compat import StrOptions, validate_params
from skgenre._text import format_list
from skgenre.datasets._fma._tables import (
    SUBSETS,
    genre_parents,
    read_genres,
    read_tracks,
    table_path,
)
from skgenre.datasets._form import FORM_CONSTRAINTS, FORM_DOCS, in_form
from skgenre.datasets._genres._tree import GenreTree
from skgenre.datasets._tracks_csv import quoted

if TYPE_CHECKING:
    import pandas

# The clips were cut from the middle of tracks whose lengths FMA's web interface had
# wrong; the first list is after the end of the track, the second near it.
# https://github.com/mdeff/fma/issues/8 lists both, for all clips of the large subset.
_NO_AUDIO = (
    *(1486, 5574, 65753, 80391, 98558, 98559, 98560, 98571, 99134, 105247, 108925),
    *(126981, 127336, 133297, 143992),
)
_TOO_SHORT = (98565, 98566, 98567, 98568, 98569, 108924)
# Searched for in the small subset only; `audit` finds those of the others.
_SILENT = (72059, 107535, 110736, 119979)
# Found by equal features of the small subset's clips; of the last, two genres.
_DUPLICATES = (
    *((45102, 51785), (74348, 86761), (114212, 115294), (114222, 115292)),
    *((114223, 115290), (114235, 125821), (114236, 125820), (120470, 133016)),
    *((130170, 130650), (144933, 145702), (144938, 145707), (57371, 72149)),
)

_FAULTS = (
    dict.fromkeys(_NO_AUDIO, "the clip holds no audio")
    | dict.fromkeys(_TOO_SHORT, "the clip is much shorter than 30 s")
    | dict.fromkeys(_SILENT, "the clip is nearly silent")
)
_NO_GENRE = {
    "genre_top": "the track has no single top-level genre (genre_top)",
    "genres": "the track has no genre",
    "genres_all": "the track has no genre",
}

FMA_CONSTRAINTS = {
    "data_home": [str, os.PathLike, None],
    "subset": [StrOptions({*SUBSETS, "full"})],
    "target": [StrOptions(set(_NO_GENRE))],
    "keep_faulty": ["boolean"],
    **FORM_CONSTRAINTS,
}
"""Constraints of the parameters of `load_fma`, for `validate_params`."""

FMA_DOCS = FORM_DOCS | {
    "subset": """
    subset : {'small', 'medium', 'large', 'full'}, default=%(subset)s
        Which tracks: 8,000 clips of 30 s in 8 genres of equal size, 25,000 clips in 16
        genres, or 106,574 clips, many of them without one top-level genre; each holds
        the ones before it. 'full' are the tracks of 'large' in their whole length.
        Clips of a subset are taken from ``fma_{subset}`` or, if there is no such
        folder, from that of a larger one.
    """,
    "target": """
    target : {'genre_top', 'genres', 'genres_all'}, default=%(target)s
        The column of the table that is the target: the one top-level genre, which 47 %
        of the tracks have; the genres that the artist chose, which 98 % have; or these
        and all genres above them.
    """,
    "keep_faulty": """
    keep_faulty : bool, default=%(keep_faulty)s
        Whether to keep clips that are known to hold no audio, to last much less than
        30 s, or to be silent.
    """,
}
"""Documentation of these parameters, for `substitute`."""


@substitute(**FMA_DOCS)
@validate_params(FMA_CONSTRAINTS, prefer_skip_nested_validation=True)
def load_fma(
    data_home: str | os.PathLike[str] | None = None,
    *,
    subset: str = "small",
    target: str = "genre_top",
    keep_faulty: bool = False,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """List the tracks of the FMA data set, with genres, artists and official split.

    No audio is read: the paths are what the first step of a pipeline takes.

    Parameters
    ----------
    data_home : str, os.PathLike or None, default=None
        The folder that holds FMA's archives, extracted: ``fma_metadata/tracks.csv``
        and, of the small subset, ``fma_small/000/000002.mp3`` and so on. None takes
        the folder that the environment variable ``SKGENRE_DATA`` names or, without
        it, ``~/skgenre_data``.

    %(subset)s

    %(target)s

    %(keep_faulty)s

    %(return_X_y)s

    %(as_frame)s

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`, or tuple
        With the attributes:

        paths : ndarray of shape (n_tracks,), object
            Names of the MP3 files, each a str that begins with `data_home`, in the
            order of the track ids.
        target : ndarray of shape (n_tracks,), str or object
            Top-level genres or, for ``target="genres"`` and ``"genres_all"``, a tuple
            of genres for each track.
        target_names : ndarray of shape (n_classes,), str
            The genres, sorted.
        split : ndarray of shape (n_tracks,), str
            'training', 'validation' or 'test': FMA's own split, in which no artist
            is in two parts.
        groups : ndarray of shape (n_tracks,), int
            Ids of the artists.
        albums : ndarray of shape (n_tracks,), int
            Ids of the albums.
        track_ids : ndarray of shape (n_tracks,), int
            FMA's numbers of the tracks, by which :func:`load_fma_features` finds
            their features.
        frame : DataFrame of shape (n_tracks, 52)
            All that ``tracks.csv`` holds on these tracks, by track id, in columns of
            two levels such as ``("track", "title")``.
        genres : DataFrame of shape (163, 5)
            Columns ``#tracks``, ``parent``, ``title``, ``top_level`` and ``color``, by
            the ids of the genres: what ``genres.csv`` holds, and the colours from
            ``raw_genres.csv``, None without this file.
        genre_tree : GenreTree
            The genre above each of these.
        left_out : DataFrame of shape (n_left_out, 2)
            Columns ``track_id`` and ``reason``: the faulty clips, and tracks without
            such a target.
        duplicates : DataFrame of shape (n_duplicates, 2)
            Columns ``track_id`` and ``duplicate_of``: clips among these tracks that
            sound the same as another one. Each pair is in one part of the split. They
            are known of the small subset only, and are not left out.
        DESCR : str
            Where the tracks come from and how many there are.

    Raises
    ------
    FileNotFoundError
        If the tables, the folder of the clips, or clips in it are missing.

    ValueError
        If ``tracks.csv`` or ``genres.csv`` is not the table of FMA's metadata, or no
        track is left.

    See Also
    --------
    fetch_fma : Downloads what is missing first.
    load_fma_features : FMA's own MFCC statistics of the tracks.
    load_audio_folder : Music of one's own.

    Notes
    -----
    The data set is described in [1]_. Labels are those of albums rather than of
    tracks, and are noisy. Clips that hold no audio or little of it are
    known from FMA's authors [2]_; in 'full' the same tracks are whole, and none is
    left out as faulty.

    References
    ----------
    .. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: a dataset for
       music analysis", ISMIR 2017.
    .. [2] https://github.com/mdeff/fma/issues/8

    Examples
    --------
    Two tracks, in files of FMA's form:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import load_fma
    >>> table = '''
    ... ,album,artist,set,set,track,track,track
    ... ,id,id,split,subset,genre_top,genres,title
    ... track_id,,,,,,,
    ... 2,1,1,training,small,Hip-Hop,[21],Food
    ... 10,6,6,test,small,Pop,"[10, 76]",Freeway
    ... 98565,9,7,training,small,Rock,[12],Cut wrongly
    ... '''
    >>> genres = '''
    ... genre_id,#tracks,parent,title,top_level
    ... 10,13845,0,Pop,10
    ... 12,32923,0,Rock,12
    ... 21,8389,0,Hip-Hop,21
    ... 76,7144,10,Experimental Pop,10
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     home = Path(folder)
    ...     (home / "fma_metadata").mkdir()
    ...     _ = (home / "fma_metadata" / "tracks.csv").write_text(table.strip())
    ...     _ = (home / "fma_metadata" / "genres.csv").write_text(genres.strip())
    ...     (home / "fma_small" / "000").mkdir(parents=True)
    ...     for name in ("000002.mp3", "000010.mp3"):
    ...         (home / "fma_small" / "000" / name).touch()
    ...     tracks = load_fma(home)
    ...     _, several = load_fma(home, target="genres", return_X_y=True)
    >>> [Path(path).name for path in tracks.paths]
    ['000002.mp3', '000010.mp3']
    >>> tracks.target.tolist(), tracks.split.tolist(), tracks.groups.tolist()
    (['Hip-Hop', 'Pop'], ['training', 'test'], [1, 6])
    >>> several.tolist()
    [('Hip-Hop',), ('Pop', 'Experimental Pop')]
    >>> tracks.genre_tree.lineage("Experimental Pop")
    ('Pop', 'Experimental Pop')
    >>> tracks.left_out.to_dict("records")
    [{'track_id': 98565, 'reason': 'the clip is much shorter than 30 s'}]
    """
    folder = data_home_folder(data_home)
    table = table_path(folder, "tracks.csv")
    genre_table = table_path(folder, "genres.csv")
    clips = _clip_folder(folder, subset)
    frame = read_tracks(table, "large" if subset == "full" else subset)
    genres = read_genres(genre_table)
    goals = _targets(frame, target, genres["title"].to_dict(), table)
    reasons = _reasons(goals, target, known_faults=subset != "full" and not keep_faulty)
    left_out = reasons[reasons != ""].rename_axis("track_id").reset_index(name="reason")
    frame, goals = frame[reasons == ""], goals[reasons == ""]
    if frame.empty:
        raise ValueError(
            f"{table!r} lists no usable track of subset={subset!r} "
            f"({len(left_out)} are left out). Choose a larger subset, or extract "
            "fma_metadata.zip anew."
        )
    ids = frame.index.to_numpy()
    paths = [_clip_path(clips, track_id) for track_id in ids]
    _check_files(paths, clips)
    single = target == "genre_top"
    counts = goals.explode().value_counts()
    tracks = Bunch(
        paths=np.array(paths, dtype=object),
        target=goals.to_numpy(dtype=str if single else object),
        target_names=np.unique(counts.index.to_numpy(dtype=str)),
        split=frame["set", "split"].to_numpy(dtype=str),
        groups=frame["artist", "id"].to_numpy(),
        albums=frame["album", "id"].to_numpy(),
        track_ids=ids,
        frame=frame,
        genres=genres,
        genre_tree=GenreTree(genre_parents(genres)),
        left_out=left_out,
        duplicates=_duplicates(ids) if subset != "full" else _duplicates([]),
        DESCR=_description(frame, counts, left_out, subset, clips),
    )
    return in_form(tracks, return_X_y=return_X_y, as_frame=as_frame)


def archives_with(subset: str) -> list[str]:
    """Name the archives that hold a subset's clips, the smallest first."""
    larger = SUBSETS[SUBSETS.index(subset) :] if subset in SUBSETS else (subset,)
    return [f"fma_{name}" for name in larger]


def _clip_folder(folder: str, subset: str) -> str:
    archives = archives_with(subset)
    for name in archives:
        clips = os.path.join(folder, name)
        if os.path.isdir(clips):
            return clips
    raise FileNotFoundError(
        f"{folder!r} has no folder {' or '.join(archives)}. Download it by "
        f"fetch_fma, or extract {archives[0]}.zip there."
    )


def _clip_path(clips: str, track_id: int) -> str:
    name = f"{track_id:06d}"
    return os.path.join(clips, name[:3], f"{name}.mp3")


def _targets(
    frame: "pandas.DataFrame", target: str, titles: dict[int, str], table: str
) -> "pandas.Series":
    """Return the genre of each track, or a tuple of genres; None without any."""
    import pandas as pd

    if target == "genre_top":
        return frame["track", target]
    if ("track", target) not in frame:
        raise ValueError(f"{table!r} has no column ('track', {target!r}).")
    ids = frame["track", target]
    named = {number for numbers in ids for number in numbers}
    strange = sorted(named - titles.keys(), key=str)
    if strange:
        raise ValueError(
            f"{table!r} names genres by ids that are not in genres.csv: "
            f"{quoted(strange)}. Extract fma_metadata.zip anew."
        )
    genres = [tuple(titles[number] for number in numbers) or None for numbers in ids]
    return pd.Series(genres, frame.index, dtype=object)


def _reasons(
    genres: "pandas.Series", target: str, known_faults: bool
) -> "pandas.Series":
    """Return why tracks are left out, by track; "" for those that are kept."""
    import pandas as pd

    reasons = pd.Series("", index=genres.index, dtype=object)
    if known_faults:
        faulty = genres.index[genres.index.isin(list(_FAULTS))]
        reasons[faulty] = [_FAULTS[track_id] for track_id in faulty]
    reasons[genres.isna() & (reasons == "")] = _NO_GENRE[target]
    return reasons


def _duplicates(track_ids: ArrayLike) -> "pandas.DataFrame":
    """Return the pairs of which both clips are there."""
    import pandas as pd

    pairs = [(other, one) for one, other in _DUPLICATES]
    table = pd.DataFrame(pairs, columns=["track_id", "duplicate_of"])
    return table[table.isin(track_ids).all(axis=1)].reset_index(drop=True)


def _check_files(paths: list[str], clips: str) -> None:
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        archive = os.path.basename(clips)
        raise FileNotFoundError(
            f"{len(missing)} of {len(paths)} clips are not in {clips!r}: "
            f"{quoted(missing)}. The folder is not all of {archive}.zip: delete it, "
            "and call fetch_fma, or extract the archive anew."
        )


def _description(
    frame: "pandas.DataFrame",
    counts: "pandas.Series",
    left_out: "pandas.DataFrame",
    subset: str,
    clips: str,
) -> str:
    splits = frame["set", "split"].value_counts()
    parts = ", ".join(f"{count} {name}" for name, count in splits.items())
    numbers = [f"{count} {name}" for name, count in counts.sort_index().items()]
    return (
        f"FMA, subset {subset}: {len(frame)} tracks by "
        f"{frame['artist', 'id'].nunique()} artists from {clips} ({parts}): "
        f"{format_list(numbers, limit=20)}. "
        f"{len(left_out)} are left out."
    )
