"""Files that are written whole, or not at all."""

import errno
import os
import secrets
import shutil
from pathlib import Path


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


def write_atomically(path: Path, contents: bytes) -> None:
    """Write under another name in the same folder, then rename."""
    temporary = path.parent / f".skgenre-{secrets.token_hex(8)}"
    try:
        with open(temporary, "xb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_space(folder: str, n_bytes: int, purpose: str) -> None:
    """Refuse to fill the disk.

    Raises
    ------
    OSError
        If less than `n_bytes` are free.
    """
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise OSError(
            errno.ENOSPC,
            f"{purpose} needs {size_text(n_bytes)}, but only {size_text(free)} are "
            "free. Make room, or choose another folder",
            folder,
        )


def size_text(n_bytes: float) -> str:
    """Return a size for people."""
    for unit in ("B", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.4g} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:,.1f} GiB"
