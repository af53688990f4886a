"""Faults of a data set: damaged, short, silent and repeated clips, and leaks."""

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_consistent_length

from skgenre._files import digest
from skgenre._sklearn_compat import Interval, validate_params
from skgenre.audio import map_clips
from skgenre.audio._clip import FileClip
from skgenre.audio._outcome import attempt
from skgenre.audio._readers import open_file
from skgenre.audio._reading import SILENCE_DB, read_samples
from skgenre.audio._remote import is_url

if TYPE_CHECKING:
    import pandas

_SAMPLE_RATE = 22050
_FRAME = _SAMPLE_RATE // 10
_SILENCE = 10 ** (SILENCE_DB / 20)  # root mean square of a frame
_SILENT_SHARE = 0.9

# Member of the data set, and what its values are called.
_OWNERS = {"groups": "artist", "albums": "album"}

_Finding = tuple[int, str, str]


class _Heard(NamedTuple):
    """Measures of one clip, or why it can't be read."""

    error: str = ""
    damage: str = ""
    duration: float = 0.0
    silent_share: float = 0.0
    file_digest: bytes = b""
    audio_digest: bytes = b""


def _hear(path: Any) -> _Heard:
    with open_file(path) as file:
        file_digest = hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]
        # What was fetched isn't fetched again; libsndfile reads local files itself.
        clip = FileClip(file, os.fspath(path)) if is_url(path) else path
        waveform = read_samples(clip, _SAMPLE_RATE, lambda n_samples, _: (0, n_samples))
    n_frames = max(1, len(waveform) // _FRAME)
    frames = waveform[: n_frames * _FRAME].reshape(n_frames, -1)
    levels = np.sqrt(np.square(frames).mean(axis=1))
    return _Heard(
        duration=len(waveform) / _SAMPLE_RATE,
        silent_share=float(np.mean(levels < _SILENCE)),
        file_digest=file_digest,
        audio_digest=hashlib.sha256(waveform.tobytes()).digest(),
    )


@validate_params(
    {
        "tracks": [dict],
        "min_duration": [Interval(Real, 0, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def audit(
    tracks: Bunch,
    *,
    min_duration: float | None = None,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> "pandas.DataFrame":
    """Listen to all clips of a data set and list what is wrong with it.

    Parameters
    ----------
    tracks : :class:`~sklearn.utils.Bunch`
        What :func:`load_fma`, :func:`load_gtzan`, :func:`load_audio_folder` or
        :func:`load_music_library` return.
        Of its members ``paths`` has to be there; ``target``, ``split``, ``groups``
        and ``albums`` are looked at where they are there and not None.

    min_duration : float or None, default=None
        Seconds below which a clip is short. None takes half of the median duration.

    n_jobs : int or None, default=None
        Clips worked on at a time, in threads. None means 1 unless in a
        :func:`joblib.parallel_config` context; -1 means all processors. Results
        don't depend on it.

    verbose : bool or int, default=False
        Show a progress bar.

    Returns
    -------
    findings : DataFrame of shape (n_findings, 3)
        The index, named ``clip``, is the place of the clip in `tracks`; the columns
        are ``path``, ``problem`` and ``detail``, a sentence for people. Sorted by
        clip. Problems are:

        'undecodable'
            The file can't be read as audio.
        'damaged'
            A part of it is lost; the detail says how many seconds.
        'short'
            It lasts less than `min_duration`.
        'silent'
            In 90 % of it or more, the level is below -60 dB of full scale, measured
            in steps of 0.1 s.
        'duplicate file', 'duplicate audio'
            An earlier clip has the same bytes; or other bytes, such as other tags,
            that decode to the same samples. Where one of the two is trained on and the
            other judged, scores are too good; two artists, or two splits,
            make that likely, and the detail names both.
        'artist crosses split', 'album crosses split'
            Clips of the same artist, or album, are in several splits, and
            most of them, or as many, in another one than this. Clips whose split is
            None or NaN are in none.

        Without the clips that have findings, a data set has none of these faults, at
        the same `min_duration`.

    Raises
    ------
    ValueError
        If `tracks` has no ``paths``, or its members are not of equal lengths. Files
        raise nothing.

    TypeError
        If ``paths`` is not a sequence of paths.

    See Also
    --------
    load_audio_folder : Music of one's own.
    check_audio : Only finds the files that can't be read.

    Notes
    -----
    A clip costs about as much as its decoding. The same recording in another encoding,
    or another part of it, is not found.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skgenre.datasets import audit, load_audio_folder, make_genre_clips
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clips = make_genre_clips(4, duration=1, random_state=0, folder=folder)
    ...     good, copy, broken = (Path(path) for path in clips.paths[:3])
    ...     _ = copy.write_bytes(good.read_bytes())
    ...     _ = broken.write_bytes(b"no music")
    ...     findings = audit(load_audio_folder(folder))
    >>> findings["problem"]
    clip
    1    duplicate file
    2       undecodable
    Name: problem, dtype: object
    >>> np.delete(clips.target, findings.index.unique()).tolist()
    ['ambient', 'waltz']
    """
    import pandas as pd

    paths = _paths(tracks)
    members = {
        name: _with_none(tracks[name])
        for name in ("target", "split", *_OWNERS)
        if tracks.get(name) is not None
    }
    check_consistent_length(paths, *members.values())
    task = functools.partial(attempt, task=_hear, look=None)
    outcomes = map_clips(task, paths, n_jobs=n_jobs, verbose=verbose, desc="Audit")
    heard = [
        _Heard(o.error.cause)
        if o.error is not None
        else o.result._replace(damage=o.cause if o.reading.lost > 0 else "")
        for o in outcomes
    ]
    if min_duration is None and any(not clip.error for clip in heard):
        durations = [clip.duration for clip in heard if not clip.error]
        min_duration = float(np.median(durations)) / 2
    findings = [
        *_faults(heard, min_duration or 0.0),
        *_duplicates(heard, paths, members),
        *_crossings(members),
    ]
    findings.sort(key=lambda finding: finding[0])
    clips = [clip for clip, _, _ in findings]
    return pd.DataFrame(
        {
            "path": [os.fsdecode(paths[clip]) for clip in clips],
            "problem": [problem for _, problem, _ in findings],
            "detail": [detail for _, _, detail in findings],
        },
        index=pd.Index(clips, name="clip", dtype=np.int64),
        dtype=object,
    )


def _paths(tracks: Bunch) -> list:
    paths = tracks.get("paths")
    if paths is None:
        raise ValueError(
            "tracks has no member 'paths', whose files are listened to. Pass what "
            "load_audio_folder, load_fma or load_gtzan return, or make_genre_clips "
            "with a folder."
        )
    is_path = (str, bytes, os.PathLike)
    if isinstance(paths, is_path) or getattr(paths, "ndim", 1) != 1:
        raise TypeError(
            "The member 'paths' of tracks must be a list or 1-D array of paths. Got "
            f"one of type {type(paths).__name__}."
        )
    paths = list(paths)
    for i, path in enumerate(paths):
        if not isinstance(path, is_path):
            raise TypeError(
                f"Clip {i} of the member 'paths' of tracks is of type "
                f"{type(path).__name__}. Expected the path of a file."
            )
    return paths


def _with_none(values: Iterable[Any]) -> np.ndarray:
    """Return a member of `tracks`, in which whatever is missing is None."""
    import pandas as pd

    column = pd.Series(list(values), dtype=object)
    return column.where(column.notna(), None).to_numpy()


def _faults(heard: list[_Heard], min_duration: float) -> Iterator[_Finding]:
    for i, clip in enumerate(heard):
        if clip.error:
            yield i, "undecodable", clip.error
            continue
        if clip.damage:
            yield i, "damaged", clip.damage
        if clip.duration < min_duration:
            detail = f"lasts {clip.duration:.2f} s, less than {min_duration:.2f} s"
            yield i, "short", detail
        if clip.silent_share >= _SILENT_SHARE:
            yield i, "silent", f"{clip.silent_share:.0%} of it is below -60 dB"


def _duplicates(
    heard: list[_Heard], paths: list, members: dict[str, np.ndarray]
) -> Iterator[_Finding]:
    files: dict[bytes, int] = {}
    sounds: dict[bytes, int] = {}
    for i, clip in enumerate(heard):
        if clip.error:
            continue
        first = files.setdefault(clip.file_digest, i)
        if first != i:
            detail = f"same bytes as {os.fsdecode(paths[first])!r}"
            yield i, "duplicate file", detail + _differences(first, i, members)
            continue
        if clip.silent_share == 1:  # one silence is like another
            continue
        first = sounds.setdefault(clip.audio_digest, i)
        if first != i:
            detail = f"sounds exactly like {os.fsdecode(paths[first])!r}"
            yield i, "duplicate audio", detail + _differences(first, i, members)


def _differences(first: int, i: int, members: dict[str, np.ndarray]) -> str:
    """Return how two repeated clips differ: in genre, artist or split."""
    text = ""
    labels = {"target": "genre", "groups": "artist", "split": "split"}
    for name, label in labels.items():
        values = members.get(name)
        if values is not None and values[first] != values[i]:
            text += f"; {label} {str(values[i])!r} here, {str(values[first])!r} there"
    return text


def _crossings(members: dict[str, np.ndarray]) -> Iterator[_Finding]:
    import pandas as pd

    if "split" not in members:
        return
    split = pd.Series(members["split"])
    for name, owner in _OWNERS.items():
        if name not in members:
            continue
        for value, parts in split.groupby(members[name]):
            counts = parts.value_counts()
            if len(counts) < 2:
                continue
            numbers = ", ".join(f"{n} in {part}" for part, n in counts.items())
            for clip in parts.index[parts.notna() & (parts != counts.index[0])]:
                detail = f"{owner} {value!s} has {numbers}"
                yield int(clip), f"{owner} crosses split", detail


def repeated_files(paths: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Find files that hold the same bytes as an earlier one.

    Only those of one size are read.

    Parameters
    ----------
    paths : sequence of str
        Files, which are there; URLs are left out.

    Yields
    ------
    first, copy : int
        Places in `paths`, in the order of `copy`.
    """
    # Of URLs no size is known, and each would be downloaded again.
    sizes = [None if is_url(path) else os.path.getsize(path) for path in paths]
    of_size = Counter(sizes)
    first: dict[str, int] = {}
    for i, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        if size is not None and of_size[size] > 1:
            found = first.setdefault(digest(Path(path)), i)
            if found != i:
                yield found, i
