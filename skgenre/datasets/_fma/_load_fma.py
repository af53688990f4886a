"""FMA, the free music archive's data set for music analysis."""

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from skgenre._files import data_home_folder
from skgenre._sklearn_compat import StrOptions, validate_params
from skgenre.datasets._fma._archives import BASE_URL, fetch_archive
from skgenre.datasets._fma._tables import METADATA, SUBSETS, read_tracks, table_path
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
_NO_GENRE = "the track has no single top-level genre (genre_top)"


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "subset": [StrOptions({*SUBSETS, "full"})],
        "keep_faulty": ["boolean"],
        "download": ["boolean"],
        "base_url": [str],
    },
    prefer_skip_nested_validation=True,
)
def load_fma(
    data_home: str | os.PathLike[str] | None = None,
    *,
    subset: str = "small",
    keep_faulty: bool = False,
    download: bool = False,
    base_url: str = BASE_URL,
) -> Bunch:
    """List the tracks of the FMA data set, with genres, artists and official split.

    No audio is read: the paths are what the first step of a pipeline takes.

    Parameters
    ----------
    data_home : str, os.PathLike or None, default=None
        The folder that holds FMA's archives, extracted: ``fma_metadata/tracks.csv``
        and, of the small subset, ``fma_small/000/000002.mp3`` and so on. None takes
        the folder that the environment variable ``SKGENRE_DATA`` names or, without
        it, ``~/skgenre_data``.

    subset : {'small', 'medium', 'large', 'full'}, default='small'
        Which tracks: 8,000 clips of 30 s in 8 genres of equal size, 25,000 clips in 16
        genres, or 106,574 clips, many of them without one top-level genre; each holds
        the ones before it. 'full' are the tracks of 'large' in their whole length.
        Clips of a subset are taken from ``fma_{subset}`` or, if there is no such
        folder, from that of a larger one.

    keep_faulty : bool, default=False
        Whether to keep clips that are known to hold no audio, to last much less than
        30 s, or to be silent.

    download : bool, default=False
        Whether to download and extract the archives whose folders are missing: the
        metadata, 342 MiB, and the clips, 7.2 GiB ('small'), 22 GiB ('medium'), 93 GiB
        ('large') or 879 GiB ('full'). As much again is needed for their content. The
        archives stay beside their folders, and may be deleted.

    base_url : str, default='https://os.unil.cloud.switch.ch/fma/'
        Where to download ``fma_metadata.zip`` and so on: the authors' server, or a
        mirror of it.

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`
        With the attributes:

        paths : ndarray of shape (n_tracks,), object
            Names of the MP3 files, each a str that begins with `data_home`, in the
            order of the track ids.
        target : ndarray of shape (n_tracks,), str
            Top-level genres.
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
        left_out : DataFrame of shape (n_left_out, 2)
            Columns ``track_id`` and ``reason``: the faulty clips, and tracks of
            several top-level genres or of none.
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

    ConnectionError
        If a download fails. What has arrived is kept, and the next call resumes
        there.

    OSError
        If the disk has not enough room for an archive or its content.

    ValueError
        If ``tracks.csv`` is not the table of FMA's metadata, if no track is left, or
        if an archive is not the published one or unsafe to extract.

    See Also
    --------
    load_fma_features : FMA's own MFCC statistics of the tracks.
    load_audio_folder : Music of one's own.

    Notes
    -----
    The data set is described in [1]_. Labels are those of albums rather than of
    tracks, and are noisy. Clips that hold no audio or little of it are
    known from FMA's authors [2]_; in 'full' the same tracks are whole, and none is
    left out as faulty.

    Downloads are checked by the SHA-1 sums that the authors published [3]_. A folder
    is there only when all of its archive has been extracted; one that ends in
    ``.part-`` and other letters was left by a killed process, and may be deleted.

    References
    ----------
    .. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: a dataset for
       music analysis", ISMIR 2017.
    .. [2] https://github.com/mdeff/fma/issues/8
    .. [3] https://github.com/mdeff/fma

    Examples
    --------
    Two tracks, in files of FMA's form:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import load_fma
    >>> table = '''
    ... ,album,artist,set,set,track,track
    ... ,id,id,split,subset,genre_top,title
    ... track_id,,,,,,
    ... 2,1,1,training,small,Hip-Hop,Food
    ... 10,6,6,test,small,Pop,Freeway
    ... 98565,9,7,training,small,Rock,Cut wrongly
    ... '''
    >>> with tempfile.TemporaryDirectory() as data_home:
    ...     for name in ("fma_metadata/tracks.csv", "fma_small/000/000002.mp3",
    ...                  "fma_small/000/000010.mp3"):
    ...         Path(data_home, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(data_home, name).write_text(table.strip())
    ...     tracks = load_fma(data_home)
    >>> [Path(path).name for path in tracks.paths]
    ['000002.mp3', '000010.mp3']
    >>> tracks.target.tolist(), tracks.split.tolist(), tracks.groups.tolist()
    (['Hip-Hop', 'Pop'], ['training', 'test'], [1, 6])
    >>> tracks.left_out.to_dict("records")
    [{'track_id': 98565, 'reason': 'the clip is much shorter than 30 s'}]
    """
    folder = data_home_folder(data_home)
    if download:
        _download(folder, subset, base_url)
    table = table_path(folder, "tracks.csv")
    clips = _clip_folder(folder, subset)
    frame = read_tracks(table, "large" if subset == "full" else subset)
    reasons = _reasons(frame, known_faults=subset != "full" and not keep_faulty)
    left_out = reasons[reasons != ""].rename_axis("track_id").reset_index(name="reason")
    frame = frame[reasons == ""]
    if frame.empty:
        raise ValueError(
            f"{table!r} lists no usable track of subset={subset!r} "
            f"({len(left_out)} are left out). Choose a larger subset, or extract "
            "fma_metadata.zip anew."
        )
    ids = frame.index.to_numpy()
    paths = [_clip_path(clips, track_id) for track_id in ids]
    _check_files(paths, clips)
    target = frame["track", "genre_top"].to_numpy(dtype=str)
    return Bunch(
        paths=np.array(paths, dtype=object),
        target=target,
        target_names=np.unique(target),
        split=frame["set", "split"].to_numpy(dtype=str),
        groups=frame["artist", "id"].to_numpy(),
        albums=frame["album", "id"].to_numpy(),
        track_ids=ids,
        frame=frame,
        left_out=left_out,
        duplicates=_duplicates(ids) if subset != "full" else _duplicates([]),
        DESCR=_description(frame, left_out, subset, clips),
    )


def _download(folder: str, subset: str, base_url: str) -> None:
    if not os.path.isdir(os.path.join(folder, METADATA)):
        fetch_archive(METADATA, folder, base_url)
    archives = _archives_with(subset)
    if not any(os.path.isdir(os.path.join(folder, name)) for name in archives):
        fetch_archive(archives[0], folder, base_url)


def _archives_with(subset: str) -> list[str]:
    """Name the archives that hold a subset's clips, the smallest first."""
    larger = SUBSETS[SUBSETS.index(subset) :] if subset in SUBSETS else (subset,)
    return [f"fma_{name}" for name in larger]


def _clip_folder(folder: str, subset: str) -> str:
    archives = _archives_with(subset)
    for name in archives:
        clips = os.path.join(folder, name)
        if os.path.isdir(clips):
            return clips
    raise FileNotFoundError(
        f"{folder!r} has no folder {' or '.join(archives)}. Pass download=True, or "
        f"extract {archives[0]}.zip there."
    )


def _clip_path(clips: str, track_id: int) -> str:
    name = f"{track_id:06d}"
    return os.path.join(clips, name[:3], f"{name}.mp3")


def _reasons(frame: "pandas.DataFrame", known_faults: bool) -> "pandas.Series":
    """Return why tracks are left out, by track; kept tracks are not in it."""
    import pandas as pd

    reasons = pd.Series("", index=frame.index, dtype=object)
    if known_faults:
        faulty = frame.index[frame.index.isin(list(_FAULTS))]
        reasons[faulty] = [_FAULTS[track_id] for track_id in faulty]
    without_genre = frame["track", "genre_top"].isna()
    reasons[without_genre & (reasons == "")] = _NO_GENRE
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
            "and pass download=True, or extract the archive anew."
        )


def _description(
    frame: "pandas.DataFrame", left_out: "pandas.DataFrame", subset: str, clips: str
) -> str:
    splits = frame["set", "split"].value_counts()
    parts = ", ".join(f"{count} {name}" for name, count in splits.items())
    genres = frame["track", "genre_top"].value_counts().sort_index()
    numbers = ", ".join(f"{count} {name}" for name, count in genres.items())
    return (
        f"FMA, subset {subset}: {len(frame)} tracks by "
        f"{frame['artist', 'id'].nunique()} artists from {clips} ({parts}): {numbers}. "
        f"{len(left_out)} are left out."
    )
