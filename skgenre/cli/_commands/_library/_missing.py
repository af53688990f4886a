"""Files whose tags name no genre."""

from collections.abc import Sequence
from typing import TypeVar

from rich.console import Console

from skgenre.audio import map_clips
from skgenre.audio._clip import FileClip
from skgenre.datasets._library._tags import read_tags

_File = TypeVar("_File", bound=str | FileClip)


def without_genre(
    files: Sequence[_File], *, n_jobs: int, console: Console
) -> list[_File]:
    """Return the files whose tags name no genre, and print how many do.

    "Other", "Unknown" and the like are no genres. Open files, and those that can't be
    read, are among the files.
    """
    has_genre = map_clips(_has_genre, files, n_jobs=n_jobs, verbose=False)
    missing = [file for file, has in zip(files, has_genre, strict=True) if not has]
    console.print(
        f"{len(files) - len(missing)} of {len(files)} files have a genre in their "
        f"tags; the genre of the other {len(missing)} is predicted.",
        soft_wrap=True,
    )
    return missing


def _has_genre(file: object) -> bool:
    return isinstance(file, str) and bool(read_tags(file).genre_names)
