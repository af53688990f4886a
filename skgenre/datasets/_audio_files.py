"""Audio files below folders."""

import os
import warnings
from collections.abc import Iterable

AUDIO_SUFFIXES = frozenset(
    ".aac .aif .aifc .aiff .au .caf .flac .m4a .m4b .mka .mov .mp2 .mp3 .mp4 .oga .ogg "
    ".opus .rf64 .snd .w64 .wav .wave .webm .wma .wv".split()
)
"""Ends of file names, in lower case, that are taken for audio."""


def is_audio(name: str) -> bool:
    """Tell whether a file name is one of audio, and not hidden."""
    suffix = os.path.splitext(name)[1].lower()
    return suffix in AUDIO_SUFFIXES and not name.startswith(".")


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _fail(error: OSError) -> None:
    raise error


def audio_files_below(folder: str, root: str | None = None) -> list[str]:
    """List the audio files in a folder and all folders below.

    Parameters
    ----------
    folder : str
        Where to look. Links are followed; hidden files and folders are left out.
    root : str or None, default=None
        A folder above that is not to be entered through a link.

    Returns
    -------
    list of str
        Sorted; each begins with `folder`.
    """
    # Every folder once: links may lead in circles.
    seen = {_identity(folder)} | ({_identity(root)} if root else set())
    files = []
    for parent, subfolders, names in os.walk(folder, onerror=_fail, followlinks=True):
        new = {}
        for name in sorted(subfolders):
            identity = _identity(os.path.join(parent, name))
            if not name.startswith(".") and identity not in seen:
                new[name] = identity
                seen.add(identity)
        subfolders[:] = new
        files += [os.path.join(parent, name) for name in names if is_audio(name)]
    return sorted(files)


def find_audio_files(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> list[str]:
    """List audio files: those named, and those in the folders named.

    Parameters
    ----------
    paths : str, os.PathLike or iterable of these
        Files, which are taken whatever their names end in, and folders, which are
        searched at any depth for names that end like audio (``.mp3``, ``.flac``,
        ``.wav``, ``.m4a`` …). Hidden files and folders are left out; links are
        followed.

    Returns
    -------
    list of str
        Sorted, each file once.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.

    ValueError
        If there is no audio file at all.

    Warns
    -----
    UserWarning
        If one of several folders holds no audio file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import find_audio_files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.mp3", "a.flac", "cover.jpg"):
    ...         Path(folder, name).touch()
    ...     files = find_audio_files(folder)
    >>> [Path(file).name for file in files]
    ['a.flac', 'b.mp3']
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    names = [os.fspath(path) for path in paths]
    files: set[str] = set()
    empty = []
    for name in names:
        if os.path.isdir(name):
            found = audio_files_below(name)
            files.update(found)
            if not found:
                empty.append(name)
        elif os.path.exists(name):
            files.add(name)
        else:
            raise FileNotFoundError(
                f"There is no file or folder {name!r}. Check the path."
            )
    if not files:
        raise ValueError(
            f"No audio files in {', '.join(map(repr, names)) or 'an empty list'}. "
            f"Expected names that end in one of {' '.join(sorted(AUDIO_SUFFIXES))}."
        )
    if empty:
        warnings.warn(f"No audio files in {', '.join(map(repr, empty))}.", stacklevel=2)
    return sorted(files)
