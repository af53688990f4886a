"""Files that are written whole, or not at all."""

import hashlib
import os
import re
import secrets
from pathlib import Path

TEMPORARY = re.compile(r"\.skgenre-[0-9a-f]{16}")
"""Names of files that are not whole yet."""


def check_writable(path: str | os.PathLike) -> Path:
    """Return where a file will be written; links are followed.

    Raises
    ------
    OSError
        If there is no such folder, it can't be written to, or the path is that of a
        folder, a device or another thing that is no file.
    """
    target = Path(os.path.realpath(path))
    name = os.fspath(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {os.fspath(target.parent)!r} to save {name!r} in. "
            "Make it first."
        )
    if target.exists() and not target.is_file():
        raise FileExistsError(
            f"{name!r} is there already and is no file. Choose another name."
        )
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(
            f"The folder {os.fspath(target.parent)!r} can't be written to. Choose "
            "another one."
        )
    return target


def write_atomically(
    path: Path, contents: bytes, *, survive_crash: bool = True
) -> None:
    """Write under another name in the same folder, then rename.

    Parameters
    ----------
    path : Path
        The file.
    contents : bytes
        What it is to hold.
    survive_crash : bool, default=True
        Wait until it is on the disk. Without, a crash of the machine (not of the
        program) may leave a file that isn't whole.
    """
    temporary = path.parent / f".skgenre-{secrets.token_hex(8)}"
    try:
        with open(temporary, "xb") as file:
            file.write(contents)
            if survive_crash:
                file.flush()
                os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def digest(path: Path) -> str:
    """Return what tells a file's contents from all others."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
