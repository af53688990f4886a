"""Files that lie elsewhere: URLs of fsspec's stores, copied to a temporary file."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeGuard, cast
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from skgenre._text import format_list, shorten
from skgenre.audio._errors import AudioError

# Two letters at least: C:// is a drive. A colon inside is that of a chain, a::b://c.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://")
_LOCAL_PROTOCOLS = ("file", "local")
_BLOCK = 1 << 20
# What a task puts on the disk at the most: three hours of uncompressed stereo. A
# radio station's stream, which never ends, stops here as well.
MAX_BYTES = 2 << 30
_MAX_REDIRECTS = 10
_PORTS = {"http": 80, "https": 443}
_STATUS_MISSING = (404, 410)
_STATUS_DENIED = (401, 403)
# What stores call the thing that changes with a file's content.
_VERSIONS = (
    "etag",
    "md5hash",
    "content-md5",
    "mtime",
    "lastmodified",
    "last_modified",
    "last-modified",
    "updated",
    "created",
)


def is_url(path: Any) -> TypeGuard[str]:
    """Return whether a path is a URL: a str that begins with ``protocol://``.

    Nothing else is: bytes and :class:`os.PathLike` always name local files.
    """
    return isinstance(path, str) and _URL.match(path) is not None


def is_upath(path: Any) -> bool:
    """Return whether this is a path of universal_pathlib that isn't local."""
    return hasattr(path, "storage_options") and hasattr(path, "protocol")


def upath_to_url(path: Any) -> Any:
    """Return the URL of a `UPath` that isn't local, anything else as it is.

    Raises
    ------
    ValueError
        If the path has options of its own, which a URL can't hold.
    """
    if not is_upath(path) or hasattr(path, "__fspath__"):
        return path
    if path.storage_options:
        raise ValueError(
            f"{shorten(repr(str(path)))} has storage options of its own "
            f"({format_list(map(repr, path.storage_options))}), which workers would "
            "not get. Write them into fsspec's configuration, and pass the URL."
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
            f"{shorten(repr(url))} is a URL, which fsspec opens: "
            'pip install "skgenre[remote]". A local file of such a name is passed as a '
            "pathlib.Path."
        ) from error
    if "::" in url:
        raise AudioError(
            url,
            "it has a '::', which chains protocols",
            "Pass the URL of the file itself.",
        )
    try:
        if protocol.lower() in _LOCAL_PROTOCOLS:
            return _local_filesystem(rest)
        return url_to_fs(f"{protocol.lower()}://{rest}")
    except ImportError as error:
        raise ImportError(
            f"Can't read {shorten(repr(url))}: {error}, by pip."
        ) from error
    except Exception as error:  # each store has its own
        raise AudioError(
            url,
            f"there is no way to a store by {protocol!r} ({_text(error)})",
            "Check the protocol, and fsspec's configuration of it.",
        ) from error


def _local_filesystem(rest: str) -> tuple[Any, str]:
    """Return the local file system, and the path that a ``file://`` URL names.

    fsspec takes what stands in the URL for the path. Browsers, file managers and
    `pathlib.Path.as_uri` write escapes, as RFC 8089 has it: these are decoded where
    there is no file of the literal name.
    """
    from fsspec.core import url_to_fs

    if rest.lower().startswith("localhost/"):
        rest = rest[len("localhost") :]
    fs, name = url_to_fs(f"file://{rest}")
    if not fs.lexists(name):
        decoded = url_to_fs(f"file://{unquote(rest, errors='surrogateescape')}")[1]
        if fs.lexists(decoded):
            name = decoded
    return fs, name


def unescaped(url: str) -> str:
    """Return a ``file://`` URL with the path that it names; other URLs as they are."""
    path = local_path(url)
    return url if path is None else f"file://{path}"


def url_version(url: str) -> str | None:
    """Return a text that identifies a remote file and its version.

    Parameters
    ----------
    url : str
        The file.

    Returns
    -------
    str or None
        Its URL, size, and the version or time that its store gives it; None if the
        store gives none or the file can't be asked for.
    """
    try:
        fs, name = filesystem(url)
        info = {key.lower(): value for key, value in fs.info(name).items()}
    except Exception:  # each store has its own; reading the file will show the error
        return None
    version = next((info[key] for key in _VERSIONS if info.get(key)), None)
    if version is None or info.get("type") != "file":
        return None
    return f"{url} {info.get('size')} {version}"


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
            if n_bytes > MAX_BYTES:
                raise AudioError(
                    url,
                    f"it is larger than {MAX_BYTES >> 30} GiB",
                    "Download it and pass the path of the local file.",
                )
            file.write(block)
        if not n_bytes:
            raise AudioError(
                url, "the file is empty (0 bytes)", "Replace it or leave it out."
            )
        file.flush()
        # Not buffered: libsndfile begins where the descriptor is.
        file.raw.seek(0)
        yield cast("BinaryIO", file.raw)


def _blocks(url: str) -> Iterator[bytes]:
    fs, name = filesystem(url)
    # From the web in one response: some servers give no parts of a file.
    options = {"block_size": 0} if _is_web(url) else {}
    try:
        with fs.open(name, "rb", **options) as source:
            while block := source.read(_BLOCK):
                yield block
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # each store has its own
        raise _audio_error(url, error) from error


def exists_at_host(url: str) -> bool:
    """Return whether there is a file, asking no other host than the URL's.

    Raises
    ------
    AudioError
        If its host names another one.
    """
    fs, name = filesystem(url)
    if not _is_web(url):
        return fs.exists(name)
    try:
        with _at_host(fs, url):
            return True
    except AudioError:
        raise
    except Exception:  # of many types; reading the file will show the error
        return False


def read_at_host(url: str, max_bytes: int) -> bytes:
    """Return the contents of a file, which no other host than the URL's may have.

    Parameters
    ----------
    url : str
        The file.
    max_bytes : int
        Its size at the most.

    Raises
    ------
    AudioError
        If the file can't be read, is larger, or its host names another one, or http
        instead of https.
    """
    fs, name = filesystem(url)
    try:
        with _at_host(fs, url) if _is_web(url) else fs.open(name, "rb") as source:
            blocks, n_bytes = [], 0
            while n_bytes <= max_bytes and (block := source.read(_BLOCK)):
                blocks.append(block)
                n_bytes += len(block)
    except (AudioError, ImportError, MemoryError):
        raise
    except Exception as error:  # each store has its own
        raise _audio_error(url, error) from error
    if n_bytes > max_bytes:
        raise AudioError(
            url,
            f"it is larger than {max_bytes >> 20} MiB",
            "Download it and pass the path of the local file.",
        )
    return b"".join(blocks)


def _at_host(fs: Any, url: str) -> Any:
    """Open a file of a web server, following no redirect to another machine."""
    now = url
    for _ in range(_MAX_REDIRECTS):
        # Of a known size, fsspec doesn't ask for it first, and would follow redirects.
        source = fs.open(now, "rb", block_size=0, size=1, allow_redirects=False)
        location = source.r.headers.get("Location")
        if not (300 <= source.r.status < 400 and location):
            return source
        source.close()
        before, now = now, urljoin(now, location)
        if not _is_same_host(urlsplit(before), urlsplit(now)):
            raise AudioError(
                url,
                f"its host redirects to {now!r}, and another host, port or http "
                "instead of https is not followed",
                "If you trust that address, pass it instead.",
            )
    raise AudioError(
        url, f"its host redirects {_MAX_REDIRECTS} times", "Check the URL."
    )


def _is_same_host(before: SplitResult, now: SplitResult) -> bool:
    if before.hostname != now.hostname or set("@\\") & set(now.netloc):
        return False
    is_upgrade = (before.scheme, now.scheme) == ("http", "https")
    if not is_upgrade and before.scheme != now.scheme:
        return False
    try:
        ports = [
            _PORTS[url.scheme] if url.port is None else url.port
            for url in (before, now)
        ]
    except ValueError:  # no number
        return False
    return ports == [80, 443] if is_upgrade else ports[0] == ports[1]


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _audio_error(url: str, error: Exception) -> AudioError:
    """Return the meaning of a store's error, and what to do."""
    if _is_web(url) and isinstance(error.__cause__, Exception):
        # fsspec reports a missing file for every error of a web server.
        status = getattr(error.__cause__, "status", None)
        if status not in _STATUS_MISSING:
            error = error.__cause__
        if status in _STATUS_DENIED:
            error = PermissionError(str(error))
    kinds: list[tuple[type[Exception], str, str]] = [
        (FileNotFoundError, "there is no such file", "Check the URL."),
        (
            IsADirectoryError,
            "it is a directory",
            "Pass the URLs of the files inside it.",
        ),
        (
            PermissionError,
            f"access is denied ({_text(error)})",
            "Check the credentials.",
        ),
        (
            TimeoutError,
            f"the store did not respond in time ({_text(error)})",
            "Try again, or allow it more time in fsspec's configuration.",
        ),
        (
            Exception,
            f"the store failed ({_text(error)})",
            "Check the URL, the network and the credentials.",
        ),
    ]
    cause, advice = next(texts for kind, *texts in kinds if isinstance(error, kind))
    return AudioError(url, cause, advice)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": .")
