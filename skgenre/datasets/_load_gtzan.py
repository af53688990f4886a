"""GTZAN, the best known data set of genres, without its best known faults."""

import os
import re
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import validate_params
from skgenre.audio import AudioError, load_audio
from skgenre.datasets._audio_files import is_audio
from skgenre.datasets._form import FORM_CONSTRAINTS, FORM_DOCS, in_form
from skgenre.datasets._gtzan_split import (
    GENRES,
    N_CLIPS,
    clip_name,
    fault_filtered_split,
)
from skgenre.datasets._tracks_csv import quoted

# Where the genres' folders are in the folder that people have: at the top, or below
# it in the archive of the authors, or in the one that is common today.
_FOLDERS = ("", "genres", "genres_original")
# Damaged in the archive that is common today, and whole in the authors'.
_MAY_BE_DAMAGED = "jazz.00054"
_FAULTY = "not in the fault-filtered split: a repetition, or faulty otherwise"


@substitute(**FORM_DOCS)
@validate_params(
    {"path": [str, os.PathLike]} | FORM_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def load_gtzan(
    path: str | os.PathLike[str], *, return_X_y: bool = False, as_frame: bool = False
) -> Any:
    """List the clips of the GTZAN data set, with the fault-filtered split.

    A thousand clips of 30 s in ten genres. Many are repetitions of others, and artists
    have many clips each [1]_: accuracies on random splits of them say little. The
    fault-filtered split [2]_ leaves 70 clips out, and divides the other 930 so that
    artists are not repeated across the splits.

    Parameters
    ----------
    path : str or os.PathLike
        The folder of the ten genres' folders, as ``genres/blues/blues.00000.wav``; or
        the folder that holds this one by the name of ``genres`` or
        ``genres_original``. The files may be of any format (``.wav``, ``.au`` …).

    %(return_X_y)s

    %(as_frame)s

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`, or tuple
        With the attributes:

        paths : ndarray of shape (n_clips,), object
            Names of the files, each a str that begins with `path`, sorted by genre
            and number.
        target : ndarray of shape (n_clips,), str
            Genres.
        target_names : ndarray of shape (10,), str
            The genres, sorted.
        split : ndarray of shape (n_clips,), str
            'training' (443 clips), 'validation' (197) or 'test' (290).
        groups : None
            The files don't name the artists.
        track_ids : ndarray of shape (n_clips,), str
            Names of the clips, such as 'blues.00000'.
        left_out : DataFrame of shape (n_left_out, 2)
            Columns ``track_id`` and ``reason``: the 70 clips of the 1,000, and
            'jazz.00054' where it can't be decoded.
        %(frame)s
        DESCR : str
            Where the clips come from and how many there are.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or clips are missing.

    See Also
    --------
    load_audio_folder : Reads the same folder without a split, all clips of it.
    load_fma : A larger data set with known artists.

    Notes
    -----
    'jazz.00054' is training music by the split. In a common copy of the data set its
    file is damaged; it is decoded here to find out.

    References
    ----------
    .. [1] B. L. Sturm, "The GTZAN dataset: its contents, its faults, their effects on
       evaluation, and its future use", 2013. https://arxiv.org/abs/1306.1461
    .. [2] C. Kereliuk, B. L. Sturm, J. Larsen, "Deep learning and music adversaries",
       IEEE Transactions on Multimedia, 2015. https://arxiv.org/abs/1507.04761

    Examples
    --------
    A folder with files of the data set's names:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import load_audio_folder, load_gtzan
    >>> genres = "blues classical country disco hiphop jazz metal pop reggae rock"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for genre in genres.split():
    ...         Path(folder, "genres", genre).mkdir(parents=True)
    ...         for number in range(100):
    ...             Path(folder, "genres", genre, f"{genre}.{number:05d}.wav").touch()
    ...     tracks = load_gtzan(folder)
    ...     everything = load_audio_folder(Path(folder, "genres"))
    >>> len(tracks.paths), (tracks.split == "test").sum().item()
    (929, 290)
    >>> tracks.track_ids[0].item(), tracks.target[0].item(), tracks.split[0].item()
    ('blues.00000', 'blues', 'validation')
    >>> tracks.left_out[tracks.left_out["reason"].str.contains("decode")].values
    array([['jazz.00054', 'cannot be decoded: the file is empty (0 bytes)']],
          dtype=object)
    >>> len(everything.paths)
    1000
    """
    import pandas as pd

    folder = _genre_folder(os.fspath(path))
    files = _files(folder)
    split = fault_filtered_split()
    missing = sorted(split.keys() - files.keys())
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(split)} clips are not in {folder!r}: "
            f"{quoted(missing)}. Each has to be in its genre's folder, as "
            "blues/blues.00000.wav; extract the whole archive anew."
        )
    left_out = {}
    for genre in GENRES:
        for number in range(N_CLIPS):
            name = clip_name(genre, number)
            if name not in split:
                left_out[name] = _FAULTY
    damage = _damage(files[_MAY_BE_DAMAGED])
    if damage:
        left_out[_MAY_BE_DAMAGED] = f"cannot be decoded: {damage}"
        del split[_MAY_BE_DAMAGED]
    names = sorted(split)
    parts = np.array([split[name] for name in names])
    counts = ", ".join(
        f"{np.sum(parts == part)} {part}" for part in ("training", "validation", "test")
    )
    tracks = Bunch(
        paths=np.array([files[name] for name in names], dtype=object),
        target=np.array([name.split(".")[0] for name in names]),
        target_names=np.array(GENRES),
        split=parts,
        groups=None,
        track_ids=np.array(names),
        left_out=pd.DataFrame(
            sorted(left_out.items()), columns=["track_id", "reason"], dtype=object
        ),
        DESCR=(
            f"GTZAN: {len(names)} clips in {len(GENRES)} genres from {folder} "
            f"({counts}). {len(left_out)} are left out."
        ),
    )
    return in_form(tracks, return_X_y=return_X_y, as_frame=as_frame)


def _genre_folder(path: str) -> str:
    for name in _FOLDERS:
        folder = os.path.join(path, name) if name else path
        if all(os.path.isdir(os.path.join(folder, genre)) for genre in GENRES):
            return folder
    raise FileNotFoundError(
        f"{path!r} does not hold the folders {', '.join(GENRES)}, nor does a folder "
        f"{' or '.join(_FOLDERS[1:])} in it. Give the folder of the GTZAN data set, or "
        "read other music by load_audio_folder."
    )


def _files(folder: str) -> dict[str, str]:
    """Return the files by the names of their clips."""
    files: dict[str, str] = {}
    for genre in GENRES:
        for name in sorted(os.listdir(os.path.join(folder, genre))):
            match = re.fullmatch(rf"({genre}\.\d{{5}})\.\w+", name)
            path = os.path.join(folder, genre, name)
            if match and is_audio(name) and os.path.isfile(path):
                files.setdefault(match[1], path)
    return files


def _damage(path: str) -> str:
    try:
        load_audio(path, sample_rate=None)
    except AudioError as error:
        return error.cause
    return ""
