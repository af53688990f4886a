"""A fitted estimator in one file that cannot run code when it is loaded."""

import copy
import io
import json
import math
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skgenre._model_parts import (
    TRUSTED_TYPES,
    check_tree_descriptions,
    check_trees,
    parts,
)

FORMAT = 1
"""Version of the file format that `save` writes and the newest that `load` reads."""

_INFO = "skgenre.json"
_PACKAGES = ("skgenre", "scikit-learn", "numpy", "skops")


class ModelFileError(ValueError):
    """A file is not a model that can be loaded safely.

    The message names the file, what is wrong with it and what to do.
    """


def save(
    model: BaseEstimator,
    path: str | os.PathLike,
    *,
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Save a fitted estimator to one file.

    The file is in skops's format: plain values and arrays in a ZIP archive, no
    pickles. It is written under another name first, so that an interruption leaves an
    older file of this name whole.

    Parameters
    ----------
    model : estimator
        Fitted estimator of this package, or a Pipeline or an ensemble of them with
        parts of scikit-learn.
    path : str or PathLike
        File to write; its folder must be there.
    metrics : dict, default=None
        Scores to keep with the model: numbers, strings, anything that JSON can hold.

    Raises
    ------
    TypeError
        If the model is no estimator, or holds objects of other packages, which `load`
        would refuse.
    OSError
        If the file can't be written.

    See Also
    --------
    load : Read it back.
    read_info : What a file holds, without loading it.

    Notes
    -----
    What ``set_fit_request`` and its like have set is not saved: it serves fitting only.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skgenre
    >>> mel = skgenre.MelSpectrogramTransformer(n_mels=64)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skgenre.save(mel, Path(folder) / "mel.model")
    ...     skgenre.load(Path(folder) / "mel.model").n_mels
    64
    """
    import skops.io

    if not isinstance(model, BaseEstimator):
        raise TypeError(f"model must be a fitted estimator, got {model!r}.")
    target = _check_writable(path)
    contents = skops.io.dumps(_without_requests(model))
    foreign = _foreign_types(contents)
    if foreign:
        raise TypeError(
            f"{type(model).__name__} can't be saved: it holds {', '.join(foreign)}. "
            "Only estimators of skgenre and scikit-learn, and NumPy arrays, can be "
            "loaded again without a risk; replace the others (for instance a "
            "FunctionTransformer with a function of yours; of a search, save its "
            "best_estimator_)."
        )
    try:
        check_trees(model)
    except ValueError as error:
        raise TypeError(f"{type(model).__name__} can't be saved: {error}.") from error
    info = {
        "format": FORMAT,
        "estimator": type(model).__name__,
        "genres": _genres(model),
        "sample_rate": _sample_rate(model),
        "metrics": {k: _json_value(v) for k, v in (metrics or {}).items()},
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": {name: version(name) for name in _PACKAGES},
    }
    _write_atomically(target, _with_info(contents, info))


def _check_writable(path: str | os.PathLike) -> Path:
    """Return where a model will be written; links are followed.

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


def load(path: str | os.PathLike) -> Any:
    """Load an estimator that `save` has written.

    Nothing in the file is executed: it may only hold plain values, arrays and objects
    of scikit-learn, NumPy and this package.

    Parameters
    ----------
    path : str or PathLike
        File that `save` has written.

    Returns
    -------
    estimator
        As it was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If the file is none of `save`'s, is damaged, comes from a newer version, or
        names types of other packages.
    """
    read_info(path)
    contents = Path(path).read_bytes()
    try:
        foreign = _foreign_types(contents)
        if not foreign:
            return _checked_load(contents)
    except Exception as error:
        # What a damaged or forged description makes skops raise is of any type.
        raise ModelFileError(
            f"{os.fspath(path)!r} is damaged: {error}. Save the model again."
        ) from error
    raise ModelFileError(
        f"{os.fspath(path)!r} is refused: it holds {', '.join(foreign)}, and only "
        "objects of scikit-learn, NumPy and skgenre are loaded. Don't use files of "
        "unknown origin."
    )


def read_info(path: str | os.PathLike) -> dict[str, Any]:
    """Return what is known of a saved model, without loading it.

    Parameters
    ----------
    path : str or PathLike
        File that `save` has written.

    Returns
    -------
    dict
        'format', 'estimator', 'genres', 'sample_rate', 'metrics', 'saved' (UTC),
        'python' and 'packages'.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If the file is none of `save`'s, is damaged or comes from a newer version.
    """
    name = os.fspath(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no model file {name!r}. Check the path.")
    advice = "Save the model by skgenre.save or `skgenre train`."
    try:
        with zipfile.ZipFile(path) as archive:
            # `save` stores without compression: nothing can be larger than the file.
            if any(m.compress_type != zipfile.ZIP_STORED for m in archive.infolist()):
                raise ModelFileError(
                    f"{name!r} is compressed, which is refused. {advice}"
                )
            info = json.loads(archive.read(_INFO))
            damaged = archive.testzip()
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{name!r} is not a model file of skgenre, or is damaged: {error}. {advice}"
        ) from error
    if damaged is not None:
        raise ModelFileError(f"{name!r} is damaged in its part {damaged!r}. {advice}")
    if not isinstance(info, dict) or not isinstance(info.get("format"), int):
        raise ModelFileError(f"{name!r} names no format version. {advice}")
    if info["format"] > FORMAT:
        raise ModelFileError(
            f"{name!r} has format {info['format']}, and this skgenre "
            f"{version('skgenre')} reads up to {FORMAT}. Upgrade it: "
            "`pip install --upgrade skgenre`."
        )
    return info


def _without_requests(model: BaseEstimator) -> BaseEstimator:
    """Return a copy without metadata requests, in which skops would loop forever."""
    model = copy.deepcopy(model)
    for part in parts(model):
        getattr(part, "__dict__", {}).pop("_metadata_request", None)
    return model


def _foreign_types(contents: bytes) -> list[str]:
    """Return the types in the file that may not be loaded."""
    import skops.io

    return sorted(set(skops.io.get_untrusted_types(data=contents)) - set(TRUSTED_TYPES))


def _checked_load(contents: bytes) -> Any:
    """Load a model of trusted types only; refuse what compiled code would trip over."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        check_tree_descriptions(archive.read("schema.json"))
    model = skops.io.loads(contents, trusted=TRUSTED_TYPES)
    check_trees(model)
    return model


def _with_info(contents: bytes, info: dict[str, Any]) -> bytes:
    """Add what is known of the model; drop the indents, most of a small file."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(contents)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as new,
    ):
        new.writestr(_INFO, json.dumps(info, indent=2))
        for name in old.namelist():
            part = old.read(name)
            if name == "schema.json":
                part = json.dumps(json.loads(part), separators=(",", ":")).encode()
            new.writestr(name, part)
    return result.getvalue()


def _json_value(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's, and NaN as None."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _genres(model: BaseEstimator) -> list | None:
    classes = getattr(model, "classes_", None)
    return None if classes is None else classes.tolist()


def _sample_rate(model: BaseEstimator) -> float | None:
    first = model[0] if isinstance(model, Pipeline) else model
    return getattr(first, "sample_rate", None)


def _write_atomically(path: Path, contents: bytes) -> None:
    """Write under another name in the same folder, then rename."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is the owner's alone; a saved one is as others are.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
