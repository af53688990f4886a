"""A fitted estimator in one file that cannot run code when it is loaded."""

import inspect
import io
import json
import os
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from skgenre._estimators import parts
from skgenre._files import check_stored, check_writable, write_atomically
from skgenre.persistence._contents import FORMAT, INFO, checked, model_contents
from skgenre.persistence._numbers import check_parts
from skgenre.persistence._onnx import SUFFIX, model_in_onnx
from skgenre.runtime._session import MISSING, is_installed


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
    What ``set_fit_request`` and its like have set, a pipeline's `memory`, the
    `cache_dir` of audio steps and the `checkpoint_dir` of networks are not saved: they
    serve here only.

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
    target = check_writable(path)
    write_atomically(target, model_contents(model, metrics))


def load(path: str | os.PathLike, *, runtime: str = "keras") -> Any:
    """Load an estimator that `save` or `export_onnx` has written.

    Nothing in the file is executed: it may only hold plain values, arrays and objects
    of scikit-learn, NumPy and this package.

    Parameters
    ----------
    path : str or PathLike
        File that `save` has written, or `export_onnx`: then its name ends in
        ``.onnx``, and the package `onnx` is needed.
    runtime : {'keras', 'onnx', 'auto'}, default='keras'
        What the networks in it are run by. Keras answers to the last bit as before.
        'onnx' is ONNX Runtime, which needs the extra `onnx`, starts in a fraction of a
        second and never imports TensorFlow; its probabilities are those of Keras to
        about 1e-6. 'auto' takes it where it is installed, as the shell's commands do.
        Training, and whatever looks into a network, goes by Keras.

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
        with _archive(path) as archive:
            build, foreign = checked(archive)
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
        with _archive(path) as archive:
            info = json.loads(archive.read(INFO))
            damaged = archive.testzip()
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        EOFError,
        OSError,
        RuntimeError,
    ) as error:
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


def _archive(path: str | os.PathLike) -> zipfile.ZipFile:
    """Open a model file, or the one in an ONNX file.

    Raises
    ------
    ValueError
        If its parts are larger than it is: `save` compresses nothing.
    """
    is_onnx = Path(path).suffix == SUFFIX
    file = io.BytesIO(model_in_onnx(path)) if is_onnx else open(path, "rb")
    archive = zipfile.ZipFile(file)
    check_stored(archive, file.seek(0, os.SEEK_END))
    return archive


def _chosen_runtime(runtime: str) -> str:
    if runtime not in ("keras", "onnx", "auto"):
        raise ValueError(
            "The 'runtime' parameter must be 'keras', 'onnx' or 'auto', got "
            f"{runtime!r}."
        )
    if runtime == "auto":
        return "onnx" if is_installed() else "keras"
    if runtime == "onnx" and not is_installed():
        raise ImportError(MISSING)
    return runtime


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
