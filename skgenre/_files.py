"""Writing files whole or not at all, checking archives, arrays and free space.

And the folder in which whatever is downloaded is kept.
"""

import contextlib
import errno
import hashlib
import io
import math
import os
import re
import secrets
import shutil
import stat
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TEMPORARY = re.compile(r"\.skgenre-[0-9a-f]{16}")
"""Names of files that are not complete yet."""
OLD_TEMPORARY = 3600.0
"""Age in seconds from which they are of a killed process; most live for one second."""

DATA_VARIABLE = "SKGENRE_DATA"
"""Environment variable that names the folder of what is downloaded."""
_DATA_HOME = os.path.join("~", "skgenre_data")


def data_home_folder(data_home: str | os.PathLike[str] | None = None) -> str:
    """Return the folder of what is downloaded, which need not exist.

    Parameters
    ----------
    data_home : str, os.PathLike or None, default=None
        The folder. None takes the one that the environment variable ``SKGENRE_DATA``
        names or, without it, ``~/skgenre_data``.

    Returns
    -------
    str
        Its path; ``~`` at the beginning is the user's home.
    """
    if data_home is None:
        data_home = os.environ.get(DATA_VARIABLE) or _DATA_HOME
    return os.path.expanduser(os.fspath(data_home))


def check_writable(path: str | os.PathLike) -> Path:
    """Return the path to write to, after following links.

    Raises
    ------
    OSError
        If there is no such folder, it can't be written to, or the path is that of a
        folder, a device or anything else that isn't a regular file.
    """
    target = Path(os.path.realpath(path))
    name = os.fspath(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {os.fspath(target.parent)!r} to save {name!r} in. "
            "Make it first."
        )
    if target.exists() and not target.is_file():
        raise FileExistsError(f"{name!r} exists and is no file. Choose another name.")
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(
            f"The folder {os.fspath(target.parent)!r} can't be written to. Choose "
            "another one."
        )
    return target


def write_atomically(
    path: Path, contents: bytes, *, survive_crash: bool = True
) -> None:
    """Write a file under another name in the same folder, then rename it.

    Parameters
    ----------
    path : Path
        File to write.
    contents : bytes
        Contents of the file.
    survive_crash : bool, default=True
        Wait until the file and its name are on the disk, and delete the incomplete
        files that killed processes have left in the folder. If False, a crash of the
        machine (not of the program) may leave an incomplete file.

    Raises
    ------
    OSError
        If the file can't be written; an older file is kept then.
    """
    if survive_crash:
        _delete_old_temporaries(path.parent)
    temporary = path.parent / f".skgenre-{secrets.token_hex(8)}"
    try:
        with open(temporary, "xb", opener=_not_for_all) as file:
            file.write(contents)
            if survive_crash:
                file.flush()
                os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk
            raise OSError(
                error.errno,
                f"{error.strerror}. Nothing was changed; make room, or choose another "
                "place",
                os.fspath(path),
            ) from error
        raise
    if survive_crash:
        sync_folder(path.parent)


def _not_for_all(path: str, flags: int) -> int:
    """Open a new file that not everybody may write to, whatever the umask is."""
    return os.open(path, flags, 0o664)


def open_regular(path: str | os.PathLike[str], flags: int = os.O_RDONLY) -> int:
    """Return the descriptor of a file that is no link, pipe or device.

    Of files that a program has left for itself in a folder where others may have put
    something else under their names. Opening a pipe would wait for a writer, and a link
    may lead to a device that never ends.

    Parameters
    ----------
    path : str or PathLike
        The file.
    flags : int, default=os.O_RDONLY
        As `os.open` takes them; a file that is made is not one to which everybody may
        write.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    OSError
        If it is something else, or can't be opened.
    """
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags, 0o664)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        number = errno.EINVAL
    except OSError as error:
        if error.errno != errno.ELOOP:  # of a link
            raise
        number = errno.ELOOP
    raise OSError(
        number,
        "It is a link, pipe or device, where a file is expected. Delete it, or choose "
        "another name",
        os.fspath(path),
    )


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows, and some network file systems
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_space(folder: str, n_bytes: int, purpose: str) -> None:
    """Raise an error if a folder's disk has too little free space.

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
    """Return a number of bytes as text in B, KiB, MiB or GiB."""
    for unit in ("B", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.4g} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:,.1f} GiB"


def _delete_old_temporaries(folder: Path) -> None:
    oldest = time.time() - OLD_TEMPORARY
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if TEMPORARY.fullmatch(entry.name):
                with contextlib.suppress(OSError):  # gone, or not ours
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        os.unlink(entry.path)


def check_stored(archive: zipfile.ZipFile, n_bytes: int) -> None:
    """Refuse an archive whose members are larger than its file of `n_bytes`.

    Raises
    ------
    ValueError
        If a member is compressed, or if members share bytes of the file.
    """
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is compressed, which is refused")
    if sum(member.file_size for member in members) > n_bytes:
        raise ValueError("its members claim to be larger than the file")


_NUMBERS = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split())
# Twice what NumPy reads at the most.
_LONGEST_HEADER = 20_000
# Of an array without elements, whose bytes bound nothing.
_LONGEST_EMPTY = 1 << 16


def read_array(
    contents: bytes | memoryview, *, structured: np.dtype | None = None
) -> NDArray:
    """Return the array in the contents of a ``.npy`` file of unknown origin.

    The file's header is believed only where its bytes confirm it, so that the array is
    no larger than the contents.

    Parameters
    ----------
    contents : bytes or memoryview
        The whole file, as `numpy.save` writes it.
    structured : dtype or None, default=None
        A structured type that is allowed, too, if it is exactly this one. Without
        objects; what the fields hold is not checked.

    Returns
    -------
    ndarray
        Booleans, integers or floats of up to 8 bytes, or text of a fixed length, in
        the byte order of this machine or little-endian. It is a copy of its own, and
        has the order of the file, C or Fortran.

    Raises
    ------
    ValueError
        If the contents are nothing of that, or are longer or shorter than the header
        says. The text begins in lower case, for a sentence that names the file.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> file = io.BytesIO()
    >>> np.save(file, np.eye(2))
    >>> read_array(file.getvalue())
    array([[1., 0.],
           [0., 1.]])
    >>> read_array(file.getvalue()[:-8])
    Traceback (most recent call last):
        ...
    ValueError: an array of shape (2, 2) and type <f8 takes 32 bytes, and there are 24
    """
    file = io.BytesIO(contents[:_LONGEST_HEADER])
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("it has not version 1.0")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # of any type, where somebody has forged the header
        raise ValueError(f"an array's header is damaged: {error}") from error
    is_text = dtype.kind == "U" and dtype.itemsize > 0
    is_plain = dtype.str[1:] in _NUMBERS or is_text
    if not (is_plain and (dtype.isnative or dtype.str[0] == "<")) and (
        structured is None or dtype != structured
    ):
        raise ValueError(f"an array has the type {dtype.str}, which is refused")
    body = memoryview(contents)[file.tell() :]
    n_bytes = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or n_bytes != len(body):
        raise ValueError(
            f"an array of shape {shape} and type {dtype.str} takes {n_bytes} bytes, "
            f"and there are {len(body)}"
        )
    if n_bytes == 0 and max(shape) > _LONGEST_EMPTY:
        raise ValueError(f"an array without elements has the shape {shape}")
    try:
        array: NDArray = np.ndarray(
            shape, dtype, buffer=body, order="F" if is_fortran else "C"
        ).copy("K")
    except (TypeError, ValueError) as error:  # of too many axes
        raise ValueError(f"an array can't have the shape {shape}: {error}") from error
    # What is no such value would be undefined behaviour, or an error much later.
    if dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
        raise ValueError("an array of booleans holds other values")
    if dtype.kind == "U":
        codes = np.frombuffer(body, dtype.str[0] + "u4")
        if codes.max(initial=0) > sys.maxunicode:
            raise ValueError("an array of text holds what is no Unicode")
    return array


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's contents, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
