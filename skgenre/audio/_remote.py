"""Files that lie elsewhere: URLs of fsspec's stores, copied to a temporary file."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeGuard

from skgenre.audio._errors import AudioError

# Two letters at least: C:// is a drive. A colon inside is that of a chain, a::b://c.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://")
_LOCAL_PROTOCOLS = ("file", "local")
_BLOCK = 1 << 20
# What a task puts on the disk at the most: three hours of uncompressed stereo. A
# radio station's stream, which never ends, stops here as well.
_MAX_BYTES = 2 << 30


def is_url(path: Any) -> TypeGuard[str]:
    """Tell whether a path is a URL: a str that begins with ``protocol://``.

    Nothing else is: bytes and :class:`os.PathLike` always name local files.
    """
    return isinstance(path, str) and _URL.match(path) is not None


def is_upath(path: Any) -> bool:
    """Tell whether this is a path of universal_pathlib that isn't local."""
    return hasattr(path, "storage_options") and hasattr(path, "protocol")


def upath_to_url(path: Any) -> Any:
    """Return the URL of a `UPath` that isn't local, anything else as it is.

    Raises
    ------
    ValueError
        If the path has options of its own, which a URL can't tell.
    """
    if not is_upath(path) or hasattr(path, "__fspath__"):
        return path
    if path.storage_options:
        raise ValueError(
            f"{str(path)!r} has storage options of its own "
            f"({', '.join(map(repr, path.storage_options))}), which workers would not "
            "get. Write them into fsspec's configuration, and pass the URL."
        )
    return str(path)


def filesystem(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the URL's name in it.

    Parameters
    ----------
    url : str
        Such as ``s3://bucket/song.mp3``.

    Returns
    -------
    fs : fsspec.AbstractFileSystem
        With the options and credentials of fsspec's configuration.

    name : str
        What `fs` calls the file or folder.

    Raises
    ------
    AudioError
        If fsspec doesn't know the protocol, it is one of archives or caches, which
        lie in another store, or several are chained.

    ImportError
        If fsspec or the package of the protocol is missing.
    """
    protocol, rest = url.split("://", 1)
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise ImportError(
            f'{url!r} is a URL, which fsspec opens: pip install "skgenre[remote]". A '
            "local file of such a name is passed as a pathlib.Path."
        ) from error
    if "::" in url:
        raise AudioError(
            url,
            "it has a '::', which chains protocols",
            "Pass the URL of the file itself.",
        )
    try:
        return url_to_fs(f"{protocol.lower()}://{rest}")
    except ImportError as error:
        raise ImportError(f"Can't read {url!r}: {error}, by pip.") from error
    except Exception as error:  # each store has its own
        raise AudioError(
            url,
            f"there is no way to a store by {protocol!r} ({_text(error)})",
            "Check the protocol, and fsspec's configuration of it.",
        ) from error


def local_path(url: str) -> str | None:
    """Return the path that a ``file://`` URL names, None for other URLs."""
    protocol = url.split("://", 1)[0].lower()
    return filesystem(url)[1] if protocol in _LOCAL_PROTOCOLS else None


@contextmanager
def fetched(url: str) -> Iterator[BinaryIO]:
    """Copy a file to a temporary one, which is there until the end of the block.

    Parameters
    ----------
    url : str
        The file.

    Yields
    ------
    file : binary file
        At its beginning; it has a descriptor.

    Raises
    ------
    AudioError
        If there is no such file, it is empty or too large, or the store fails.

    ImportError
        If fsspec or the package of the protocol is missing.

    Notes
    -----
    libsndfile reads an MP3 from its beginning to the end of the excerpt and seeks on
    the way, so that little would be saved by fetching parts: 61 % of a track's bytes
    are needed for 30 s from its middle. Whole files are one request or a few, and both
    decoders then work on them as on any file. Linux writes a temporary file that is
    gone within seconds to no disk: it took no longer than one in memory.
    """
    with tempfile.TemporaryFile() as file:
        n_bytes = 0
        for block in _blocks(url):
            n_bytes += len(block)
            if n_bytes > _MAX_BYTES:
                raise AudioError(
                    url,
                    f"it is larger than {_MAX_BYTES >> 30} GiB",
                    "Download it and pass the path of the local file.",
                )
            file.write(block)
        if not n_bytes:
            raise AudioError(
                url, "the file is empty (0 bytes)", "Replace it or leave it out."
            )
        file.seek(0)  # which writes what is buffered, too
        yield file


def _blocks(url: str) -> Iterator[bytes]:
    fs, name = filesystem(url)
    try:
        with fs.open(name, "rb") as source:
            while block := source.read(_BLOCK):
                yield block
    except (ImportError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise AudioError(url, "there is no such file", "Check the URL.") from error
    except IsADirectoryError as error:
        raise AudioError(
            url, "it is a directory", "Pass the URLs of the files inside it."
        ) from error
    except PermissionError as error:
        raise AudioError(
            url, f"access is denied ({_text(error)})", "Check the credentials."
        ) from error
    except TimeoutError as error:
        raise AudioError(
            url,
            f"the store did not answer in time ({_text(error)})",
            "Try again, or allow it more time in fsspec's configuration.",
        ) from error
    except Exception as error:  # each store has its own
        raise AudioError(
            url,
            f"the store failed ({_text(error)})",
            "Check the URL, the network and the credentials.",
        ) from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": .")
