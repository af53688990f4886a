"""A fitted estimator in one file that cannot run code when it is loaded."""

import copy
import inspect
import io
import json
import math
import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skgenre._files import check_writable, write_atomically
from skgenre._model_parts import check_parts, parts
from skgenre._model_schema import SchemaCheck
from skgenre.runtime._session import MISSING, is_installed

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
        If the model is no estimator, or holds objects of other packages or a
        :class:`~skgenre.features.KerasEmbedding`, which `load` would refuse.
    OSError
        If the file can't be written.

    See Also
    --------
    load : Read it back.
    read_info : What a file holds, without loading it.

    Notes
    -----
    What ``set_fit_request`` and its like have set, and a pipeline's `memory`, are not
    saved: they serve fitting only.

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
    from skops.io.exceptions import UnsupportedTypeException

    if not isinstance(model, BaseEstimator):
        raise TypeError(f"model must be a fitted estimator, got {model!r}.")
    target = check_writable(path)
    _check_no_network_of_its_own(model)
    copied = _without_what_serves_fitting(model)
    try:
        contents = skops.io.dumps(copied)
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            _, foreign = _checked(archive)
        check_parts(copied)
    except (TypeError, ValueError, UnsupportedTypeException) as error:
        raise TypeError(
            f"{type(model).__name__} can't be saved: {str(error).rstrip('.')}. Replace "
            "it."
        ) from error
    if foreign:
        raise TypeError(
            f"{type(model).__name__} can't be saved: it holds "
            f"{', '.join(sorted(foreign))}. Only estimators for genres of "
            "skgenre and scikit-learn, numbers and strings can be loaded again without "
            "a risk; replace the others (of a search, save its best_estimator_)."
        )
    info = {
        "format": FORMAT,
        "estimator": type(model).__name__,
        "genres": _genres(model),
        "sample_rate": _sample_rate(model),
        "metrics": _json_value(metrics or {}),
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": {name: version(name) for name in _PACKAGES},
    }
    write_atomically(target, _with_info(contents, info))


def _check_no_network_of_its_own(model: BaseEstimator) -> None:
    from skgenre.features import KerasEmbedding

    if any(isinstance(part, KerasEmbedding) for part in parts(model)):
        raise TypeError(
            "KerasEmbedding can't be saved: its network is of Keras or ONNX, which "
            "have files of their own, and a model file that names another would not be "
            "safe to load. Save the steps after it, such as model[1:], and put them "
            "behind a KerasEmbedding of the same parameters again."
        )


def load(path: str | os.PathLike, *, runtime: str = "auto") -> Any:
    """Load an estimator that `save` has written.

    Nothing in the file is executed: it may only hold plain values, arrays and objects
    of scikit-learn, NumPy and this package.

    Parameters
    ----------
    path : str or PathLike
        File that `save` has written.
    runtime : {'auto', 'keras', 'onnx'}, default='auto'
        What the networks in it are run by. 'onnx' is ONNX Runtime, which needs the
        extra `onnx`, starts in a fraction of a second and never imports TensorFlow;
        its probabilities are those of Keras to about 1e-6. 'auto' takes it where it is
        installed. Training, and whatever looks into a network, goes by Keras.

    Returns
    -------
    estimator
        As it was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no such runtime.
    ImportError
        If it is 'onnx', which is not installed.
    ModelFileError
        If the file is none of `save`'s, is damaged, comes from a newer version, or
        names types of other packages.
    """
    chosen = _chosen_runtime(runtime)
    read_info(path)
    try:
        with zipfile.ZipFile(path) as archive:
            build, foreign = _checked(archive)
        if not foreign:
            model = build()
            check_parts(model)
            _give_new_parameters(model)
            for part in parts(model):
                if hasattr(type(part), "_runtime"):
                    part._runtime = chosen
            return model
    except Exception as error:
        # What a damaged or forged description makes Python raise is of any type.
        raise ModelFileError(
            f"{os.fspath(path)!r} is damaged: {error}. Save the model again."
        ) from error
    raise ModelFileError(
        f"{os.fspath(path)!r} is refused: it holds {', '.join(sorted(foreign))}, "
        "and only estimators for genres of skgenre and scikit-learn, numbers and "
        "strings are loaded. Don't use files of unknown origin."
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
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        EOFError,
        OSError,
        RuntimeError,
    ) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{name!r} is not a model file of skgenre, or is damaged: {error}. {advice}"
        ) from error
    if damaged is not None:
        raise ModelFileError(f"{name!r} is damaged in its part {damaged!r}. {advice}")
    if not isinstance(info, dict) or type(info.get("format")) is not int:
        raise ModelFileError(f"{name!r} names no format version. {advice}")
    if info["format"] < 1:
        raise ModelFileError(f"{name!r} has no format {info['format']}. {advice}")
    if info["format"] > FORMAT:
        raise ModelFileError(
            f"{name!r} has format {info['format']}, and this skgenre "
            f"{version('skgenre')} reads up to {FORMAT}. Upgrade it: "
            "`pip install --upgrade skgenre`."
        )
    return info


def _chosen_runtime(runtime: str) -> str:
    if runtime not in ("auto", "keras", "onnx"):
        raise ValueError(
            "The 'runtime' parameter must be 'auto', 'keras' or 'onnx', got "
            f"{runtime!r}."
        )
    if runtime == "auto":
        return "onnx" if is_installed() else "keras"
    if runtime == "onnx" and not is_installed():
        raise ImportError(MISSING)
    return runtime


def _without_what_serves_fitting(model: BaseEstimator) -> BaseEstimator:
    """Return a copy without metadata requests, runtimes, caches and generators.

    In the requests skops would loop forever; the files of a cache are pickles.
    """
    model = copy.deepcopy(model)
    for part in parts(model):
        attributes = getattr(part, "__dict__", {})
        attributes.pop("_metadata_request", None)
        attributes.pop("_runtime", None)
        if "_feature_subsample_rng" in attributes:  # of gradient boosting
            attributes["_feature_subsample_rng"] = None
        if isinstance(part, Pipeline):
            part.memory = None
    return model


def _give_new_parameters(model: BaseEstimator) -> None:
    """Set parameters that are newer than the file, whose defaults change nothing."""
    for part in parts(model):
        if type(part).__module__.startswith("skgenre."):
            for name, parameter in inspect.signature(type(part)).parameters.items():
                if name not in vars(part) and parameter.default is not parameter.empty:
                    setattr(part, name, parameter.default)
            if hasattr(part, "network_parameters_"):
                for name in part._network_parameters:
                    part.network_parameters_.setdefault(name, getattr(part, name))


def _checked(archive: zipfile.ZipFile) -> tuple[Callable[[], Any], set[str]]:
    """Return what makes the object in a file of skops, and the foreign types in it.

    Raises
    ------
    ValueError
        If the file can't be what `save` has written.
    """
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    check = SchemaCheck({name: archive.read(name) for name in names})
    return check.check(json.loads(archive.read("schema.json"))), check.foreign


def _with_info(contents: bytes, info: dict[str, Any]) -> bytes:
    result = io.BytesIO(contents)
    with zipfile.ZipFile(result, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(_INFO, json.dumps(info, indent=2))
    return result.getvalue()


def _json_value(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's, and NaN as None."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _genres(model: BaseEstimator) -> list | None:
    classes = getattr(model, "classes_", None)
    return None if classes is None else classes.tolist()


def _sample_rate(model: BaseEstimator) -> float | None:
    """Return the rate of the audio steps; None where they have several, or none is."""
    from skgenre.features._base import AudioTransformer

    steps = [part for part in parts(model) if isinstance(part, AudioTransformer)]
    rates = {part.sample_rate for part in steps}
    return rates.pop() if len(rates) == 1 else None
