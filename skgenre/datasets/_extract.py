"""Archives to folders: all of it or nothing, and nothing outside the folder."""

import lzma
import os
import posixpath
import re
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from skgenre._files import check_space, size_text
from skgenre.audio._map_clips import progress_bar

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Text shrinks to a fifth, music not at all; what is made to fill a disk, a
# thousandfold.
_MAX_RATIO = 100
_PIECE = 1 << 20
_OLD = 60.0  # seconds, after which the folder of a process that lives is locked
_ENCRYPTED = 1  # bit of a member's flags
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
)


def extract_zip(archive: str, folder: str, name: str) -> None:
    """Extract an archive that holds one folder.

    Parameters
    ----------
    archive : str
        A ZIP file.

    folder : str
        Where the archive's folder is to be.

    name : str
        Name of the archive's folder. It is there only when it is complete.

    Raises
    ------
    ValueError
        If the file is no ZIP file or damaged, if it holds links, encrypted files, or
        names that lead elsewhere or occur twice, or if it would grow more than a
        hundredfold.

    OSError
        If the disk is too small.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            members = file.infolist()
            for member in members:
                _check(member, archive, name)
            _check_once(members, archive, name)
            n_bytes = sum(member.file_size for member in members)
            if n_bytes > _MAX_RATIO * os.path.getsize(archive):
                raise _refusal(
                    archive,
                    f"its {size_text(os.path.getsize(archive))} would fill "
                    f"{size_text(n_bytes)} of the disk",
                )
            check_space(folder, n_bytes, f"The content of {archive!r}")
            with _folder_of_its_own(folder, name) as top:
                _extract(file, members, n_bytes, top, name)
                _publish(os.path.join(top, name), os.path.join(folder, name))
    except _DAMAGE as error:
        raise _refusal(archive, str(error) or "it ends early") from error
    except OSError as error:
        if error.errno is None:  # bz2's: those of the disk have a number
            raise _refusal(archive, str(error)) from error
        raise


def _check(member: zipfile.ZipInfo, archive: str, name: str) -> None:
    parts = member.filename.removesuffix("/").split("/")
    is_outside = (
        parts[0] != name
        or not {"", ".", ".."}.isdisjoint(parts)
        or re.search(r"[\\:\0]", member.filename)
    )
    if is_outside:
        raise _refusal(
            archive, f"it holds {member.filename!r}, which is not in {name!r}"
        )
    if member.flag_bits & _ENCRYPTED:
        raise _refusal(archive, f"{member.filename!r} is encrypted")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(
            archive, f"{member.filename!r} is a link or device, and no file or folder"
        )


def _check_once(members: list[zipfile.ZipInfo], archive: str, name: str) -> None:
    """Refuse two members in one place, or one in the place of a folder."""
    taken = {name}
    for member in members:
        # The folder itself, of "a/"; or that of the file "a".
        folder = posixpath.dirname(member.filename)
        while folder:
            taken.add(folder)
            folder = posixpath.dirname(folder)
    for member in members:
        if member.is_dir():
            continue
        if member.filename in taken:
            raise _refusal(archive, f"it holds {member.filename!r} more than once")
        taken.add(member.filename)


def _extract(
    file: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    n_bytes: int,
    top: str,
    name: str,
) -> None:
    os.mkdir(os.path.join(top, name))
    with progress_bar(
        total=n_bytes, desc=name, unit="B", unit_scale=True, unit_divisor=1024
    ) as bar:
        for member in members:
            path = os.path.join(top, *member.filename.split("/"))
            if member.is_dir():
                os.makedirs(path, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with file.open(member) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target, _PIECE)
            bar.update(member.file_size)


@contextmanager
def _folder_of_its_own(folder: str, name: str) -> Iterator[str]:
    """Yield a new folder for this process; delete those of processes that are dead."""
    prefix = f"{name}.part-"  # so that people know what it is
    for entry in os.listdir(folder):
        path = os.path.join(folder, entry)
        if entry.startswith(prefix) and _age(path) > _OLD:
            with _lock(path) as is_ours:
                if is_ours:
                    shutil.rmtree(path, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as top, _lock(top):
        yield top


def _age(path: str) -> float:
    """Return the seconds since the last change; 0 where nothing is there any more."""
    try:
        return time.time() - os.lstat(path).st_mtime
    except FileNotFoundError:
        return 0.0


@contextmanager
def _lock(folder: str) -> Iterator[bool]:
    """Lock a folder as long as this process lives; yield whether that was possible."""
    if fcntl is None:
        yield False
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone, or no folder
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = True
    except OSError:  # another process has it, or the disk knows no locks
        is_ours = False
    try:
        yield is_ours
    finally:
        os.close(descriptor)


def _publish(complete: str, path: str) -> None:
    try:
        os.rename(complete, path)
    except OSError:
        if not os.path.isdir(path):  # else another process was quicker
            raise


def _refusal(archive: str, reason: str) -> ValueError:
    return ValueError(
        f"Cannot extract {archive!r}: {reason}. Delete it and download it again, from "
        "another place if need be."
    )
