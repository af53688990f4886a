"""Large downloads that can be resumed."""

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from skgenre._files import check_space, size_text
from skgenre.audio._map_clips import progress_bar

if TYPE_CHECKING:
    import requests

_N_RETRIES = 3
_DELAY = 1.0  # seconds; as long as scikit-learn's loaders wait
_TIMEOUT = (10.0, 60.0)  # seconds: to connect, and between two pieces
# What has arrived of the piece at which a connection breaks is lost.
_PIECE = 1 << 14


class _BrokenOff(Exception):
    """The server gave less than all; another attempt may give the rest."""


def download(url: str, path: str) -> None:
    """Download a file, in as many attempts as it takes.

    What has arrived stays in ``{path}.part`` if the download is broken off, by the
    network or by the user, and the next call asks the server for the rest only. Several
    processes may download the same file: each piece has its place.

    Parameters
    ----------
    url : str
        What to download.

    path : str
        Where to put it when it is complete. A file that is there is left as it is.

    Raises
    ------
    ConnectionError
        If the server doesn't give the file.

    OSError
        If the disk is too small.
    """
    import requests

    partial = f"{path}.part"
    n_failures = 0
    most = _n_bytes(partial)
    while not os.path.exists(path):  # another process may be quicker
        try:
            _attempt(url, partial)
            break
        # Of addresses that can't be, some are urllib3's own ValueErrors.
        except (requests.RequestException, _BrokenOff, ValueError) as error:
            _raise_if_final(url, error)
            arrived = _n_bytes(partial)
            # Not against the last attempt: a server that begins anew each time
            # would seem to get on.
            n_failures = 0 if arrived > most else n_failures + 1
            most = max(most, arrived)
            if n_failures > _N_RETRIES:
                raise ConnectionError(
                    f"The download of {url} broke off after {size_text(arrived)} "
                    f"({error}). Call again to resume it."
                ) from error
            time.sleep(_DELAY)
    if os.path.exists(path):
        _remove(partial)
    else:
        os.replace(partial, path)


def _n_bytes(path: str) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.remove(path)


def _attempt(url: str, partial: str) -> None:
    import requests

    start = _n_bytes(partial)
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        status = response.status_code
        if status == requests.codes.requested_range_not_satisfiable:
            if _total(response, 0) == start:
                return  # all was there
            _remove(partial)
            raise _BrokenOff("the server has a shorter file than what arrived")
        response.raise_for_status()
        if status == requests.codes.ok:
            start = 0  # the server sends all of it again
        elif status != requests.codes.partial_content:
            raise _BrokenOff(f"the server returned {status} {response.reason}")
        elif _range_start(response) != start:
            _remove(partial)
            raise _BrokenOff("the server sent another part than was asked for")
        # Of a proxy or a login, with any status. It must not replace what arrived.
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise _BrokenOff("the server sent a web page and not the file")
        total = _total(response, start)
        _receive(response, partial, start, total)
    if total is not None and _n_bytes(partial) != total:
        raise _BrokenOff(f"the server announced {size_text(total)}")


def _receive(
    response: "requests.Response", partial: str, start: int, total: int | None
) -> None:
    name = os.path.basename(partial).removesuffix(".part")
    if total is not None:
        # What is there already is written over, not beside.
        n_bytes = total - _n_bytes(partial)
        check_space(os.path.dirname(partial), n_bytes, f"The rest of {name}")
    # Neither emptied nor appended to: another process may be writing the same bytes.
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
    descriptor = os.open(partial, flags, 0o666)
    with (
        open(descriptor, "wb") as file,
        progress_bar(
            total=total,
            initial=start,
            desc=name,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
        ) as bar,
    ):
        if os.fstat(descriptor).st_size < start:
            raise _BrokenOff("another process took what had arrived")
        file.seek(start)
        for piece in response.iter_content(_PIECE):
            file.write(piece)
            bar.update(len(piece))
        if start == 0:
            file.truncate()  # something longer had been there


def _total(response: "requests.Response", start: int) -> int | None:
    """Return the size of the whole file, if the server gives it."""
    match = re.fullmatch(r"bytes .*/(\d+)", response.headers.get("Content-Range", ""))
    if match:
        return int(match[1])
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _range_start(response: "requests.Response") -> int:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _raise_if_final(url: str, error: Exception) -> None:
    """Raise the errors that another attempt would only repeat."""
    response = getattr(error, "response", None)
    status = 0 if response is None else response.status_code
    is_refusal = 400 <= status < 500 and status not in (408, 429)
    if is_refusal or isinstance(error, ValueError):  # requests' bad addresses are some
        raise ConnectionError(
            f"{url} can't be downloaded: {error}. Check the address, or name another "
            "mirror by base_url."
        ) from error
