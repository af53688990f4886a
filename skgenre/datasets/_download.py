"""Large downloads that go on where they were broken off."""

import errno
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

if TYPE_CHECKING:
    import requests

_N_RETRIES = 3
_DELAY = 1.0  # seconds; as long as scikit-learn's loaders wait
_TIMEOUT = (10.0, 60.0)  # seconds: to connect, and between two pieces
# What has arrived of the piece at which a connection breaks is lost.
_PIECE = 1 << 14


class _BrokenOff(Exception):
    """The server gave less than all; another attempt may give the rest."""


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
            "free. Make room, or choose another folder as data_home",
            folder,
        )


def size_text(n_bytes: float) -> str:
    """Return a size for people."""
    for unit in ("B", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.4g} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:,.1f} GiB"


class ResumableDownloader:
    """Download a file for :func:`pooch.retrieve`, in as many attempts as it takes.

    What has arrived stays in the file `partial` if the download is broken off, by the
    network or by the user, and the next one asks the server for the rest only.

    Parameters
    ----------
    partial : str
        Where to collect the bytes.
    """

    def __init__(self, partial: str) -> None:
        self._partial = partial

    def __call__(self, url: str, output_file: Any, pooch: Any) -> None:
        """Download `url` to `output_file`, as pooch calls it."""
        import requests

        n_failures = 0
        most = self._n_bytes()
        while True:
            try:
                self._attempt(url)
                break
            except (requests.RequestException, _BrokenOff) as error:
                _raise_if_final(error)
                # Not against the last attempt: a server that begins anew each time
                # would seem to get on.
                n_failures = 0 if self._n_bytes() > most else n_failures + 1
                most = max(most, self._n_bytes())
                if n_failures > _N_RETRIES:
                    raise ConnectionError(
                        f"The download of {url} broke off after "
                        f"{size_text(self._n_bytes())} ({error}). Call again: it goes "
                        "on from there."
                    ) from error
                time.sleep(_DELAY)
        os.replace(self._partial, output_file)

    def _n_bytes(self) -> int:
        exists = os.path.exists(self._partial)
        return os.path.getsize(self._partial) if exists else 0

    def _attempt(self, url: str) -> None:
        import requests

        start = self._n_bytes()
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(
            url, headers=headers, stream=True, timeout=_TIMEOUT
        ) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                if _total(response, 0) == start:
                    return  # all was there
                os.remove(self._partial)
                raise _BrokenOff("the server has a shorter file than what arrived")
            response.raise_for_status()
            if response.status_code != requests.codes.partial_content:
                start = 0  # the server sends all of it again
            elif _range_start(response) != start:
                os.remove(self._partial)
                raise _BrokenOff("the server sent another part than was asked for")
            total = _total(response, start)
            self._receive(response, start, total)
        if total is not None and self._n_bytes() != total:
            raise _BrokenOff(f"the server announced {size_text(total)}")

    def _receive(
        self, response: "requests.Response", start: int, total: int | None
    ) -> None:
        name = os.path.basename(self._partial)
        if total is not None:
            folder = os.path.dirname(self._partial)
            check_space(folder, total - start, f"The rest of {name}")
        with (
            open(self._partial, "ab" if start else "wb") as file,
            tqdm(
                total=total,
                initial=start,
                desc=name,
                unit="B",
                unit_scale=True,
                unit_divisor=1024,
            ) as bar,
        ):
            for piece in response.iter_content(_PIECE):
                file.write(piece)
                bar.update(len(piece))


def _total(response: "requests.Response", start: int) -> int | None:
    """Return the size of the whole file, where the server tells it."""
    match = re.fullmatch(r"bytes .*/(\d+)", response.headers.get("Content-Range", ""))
    if match:
        return int(match[1])
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _range_start(response: "requests.Response") -> int:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _raise_if_final(error: Exception) -> None:
    """Raise the errors that another attempt would only repeat."""
    response = getattr(error, "response", None)
    status = 0 if response is None else response.status_code
    if 400 <= status < 500 and status not in (408, 429):
        raise ConnectionError(
            f"{error}. Check the address, or name another mirror by base_url."
        ) from error
