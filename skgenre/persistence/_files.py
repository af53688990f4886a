"""Saving a fitted estimator to one file without pickles, and loading it."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sklearn
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from skgenre._estimators import parts
from skgenre._files import check_writable, write_atomically
from skgenre._text import printable
from skgenre._version import __version__
from skgenre.persistence._contents import (
    FORMAT,
    INFO,
    build_model,
    model_contents,
    parse_json,
    read_description,
    read_members,
)
from skgenre.persistence._onnx import SUFFIX, model_in_onnx
from skgenre.persistence._training_facts import check_training
from skgenre.runtime._session import MISSING, is_installed


class ModelFileError(ValueError):
    """A file is not a model file, is damaged, or holds what is refused.

    The message names the file, what is wrong with it and what to do.
    """


def save(
    model: BaseEstimator,
    path: str | os.PathLike,
    *,
    metrics: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Save a fitted estimator to one file.

    The file is a ZIP archive of JSON and arrays, and holds no pickles. It is written
    under another name first, so that an interruption leaves an older file of this name
    unchanged.

    Parameters
    ----------
    model : estimator
        Estimator of this package, fitted or not, or a Pipeline or an ensemble of them
        with parts of scikit-learn. The user guide lists what can be saved.
    path : str or PathLike
        File to write; its folder must exist.
    metrics : dict, default=None
        Scores to store with the model: numbers, strings, anything that JSON can hold.
    training : dict, default=None
        What it was trained on, any of: 'recipe' (str, such as the name of a
        :func:`genre_pipeline`), 'labels' (str, where they come from), 'seed' (int),
        'n_clips' and 'n_artists' (int), 'genres' (clips of each, dict of str to int),
        'digest' (str, of the data), 'refit' (bool: whether it was trained once more,
        on the clips of the `metrics`, too) and 'note' (str of up to 2,000 characters).

    Raises
    ------
    TypeError
        If the model is no estimator, or holds what `load` would refuse: objects of
        other packages, estimators that are not on the list, a
        :class:`~skgenre.features.KerasEmbedding`.
    ValueError
        If `training` has other facts.
    OSError
        If the file can't be written.

    See Also
    --------
    load : Read it back.
    read_info : Facts about a saved model, without loading it.

    Notes
    -----
    What only matters on this machine is not saved, and has its default in the loaded
    model: `n_jobs`, `verbose`, `time_limit`, a pipeline's `memory`, the `cache_dir` of
    audio steps, the `checkpoint_dir`, `callbacks` and `metrics` of networks.
    Metadata requests (``set_fit_request`` and the like), generators as `random_state`
    and the `cv_results_` of a search are not saved either.

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
    write_atomically(target, model_contents(model, metrics, training))


def load(path: str | os.PathLike, *, runtime: str = "keras") -> Any:
    """Load an estimator that `save` or `export_onnx` has written.

    The file is held against a closed list: the classes that may be in it, their
    parameters, and every fitted attribute by type, size and its relation to the
    others. Nothing else is built.

    Parameters
    ----------
    path : str or PathLike
        File that `save` has written, or one ending in ``.onnx`` that `export_onnx` has
        written.
    runtime : {'keras', 'onnx', 'auto'}, default='keras'
        What runs the networks for prediction. 'keras' gives the same probabilities as
        before saving, to the last bit. 'onnx' is ONNX Runtime, which needs the extra
        `onnx`, starts in a fraction of a second and never imports TensorFlow; its
        probabilities equal those of Keras to about 1e-6. 'auto' is 'onnx' where that
        is installed, and 'keras' elsewhere; the commands of the shell use it, and
        musicnn, which is never trained here, always does. Training, and the functions
        that look inside a network, always use Keras.

    Returns
    -------
    estimator
        The estimator that was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no such runtime.
    ImportError
        If `onnx` or `onnxruntime` is needed and not installed.
    ModelFileError
        If the file is not a model file, is damaged, comes from a newer version, or
        names types of other packages.
    """
    chosen = _choose_runtime(runtime)
    info, members = _read(path)
    saved_by = _other_sklearn(info)
    try:
        model = build_model(read_description(members, info["format"]))
    except MemoryError:  # of this machine
        raise
    except Exception as error:
        # A damaged or forged description can make Python raise any type of error.
        advice = "Only what skgenre.save writes is loaded; save the model again."
        if saved_by:
            advice += (
                f" It names scikit-learn {saved_by}, and {sklearn.__version__} is "
                "installed: that version may read it."
            )
        raise ModelFileError(
            f"{os.fspath(path)!r} is damaged or refused: {_one_line(error)}. {advice}"
        ) from error
    of_sklearn = (p for p in parts(model) if type(p).__module__.startswith("sklearn."))
    if saved_by and (part := next(of_sklearn, None)) is not None:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=type(part).__name__,
                current_sklearn_version=sklearn.__version__,
                original_sklearn_version=saved_by,
            ),
            stacklevel=2,
        )
    if runtime != "keras":  # the default, but of what is never trained
        for part in parts(model):
            if hasattr(type(part), "_runtime"):
                part._runtime = chosen
    return model


def _one_line(error: Exception) -> str:
    """Return what an error says, which may have parts of the file in it."""
    return printable(" ".join(str(error).split())[:300]).rstrip(".")


def _other_sklearn(info: Mapping[str, Any]) -> str | None:
    """Return the version of scikit-learn that a file names, if this is another."""
    packages = info.get("packages")
    saved = packages.get("scikit-learn") if isinstance(packages, dict) else None
    if not isinstance(saved, str) or saved == sklearn.__version__:
        return None
    return printable(saved[:30])


def read_info(path: str | os.PathLike) -> dict[str, Any]:
    """Return facts about a saved model, without loading it.

    Parameters
    ----------
    path : str or PathLike
        File that `save` has written.

    Returns
    -------
    dict
        'format', 'estimator', 'genres', 'sample_rate', 'window' (the seconds of a clip
        that are used, None for all), 'weights' (the pretrained ones that are needed),
        'metrics', 'training' (see `save`), 'saved' (UTC), 'python' and 'packages'.
        Older files have not all of them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If the file is not a model file, is damaged or comes from a newer version.
    """
    info, _ = _read(path)
    return info


def _read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the facts about a model, and the contents of all members of its file.

    The file is opened and read once, so that what was checked is what is loaded.
    """
    name = os.fspath(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no model file {name!r}. Check the path.")
    advice = "Save the model by skgenre.save or `skgenre train`."
    try:
        with open(path, "rb") as opened:
            is_onnx = Path(path).suffix == SUFFIX
            members = model_in_onnx(opened) if is_onnx else read_members(opened)
        if INFO not in members:
            raise ValueError(f"it has no member {INFO!r}")
        info = parse_json(members[INFO])
    except MemoryError:  # of this machine
        raise
    except Exception as error:  # of any type, as in `load`
        raise ModelFileError(
            f"{name!r} is not a model file of skgenre, or is damaged: "
            f"{_one_line(error)}. {advice}"
        ) from error
    if not isinstance(info, dict) or type(info.get("format")) is not int:
        raise ModelFileError(f"{name!r} has no format version. {advice}")
    if info["format"] < 1:
        raise ModelFileError(
            f"{name!r} has format {info['format']}, and the first is 1. {advice}"
        )
    if info["format"] > FORMAT:
        raise ModelFileError(
            f"{name!r} has format {info['format']}, and this skgenre "
            f"{__version__} reads up to {FORMAT}. Upgrade it: "
            "`pip install --upgrade skgenre`."
        )
    try:
        if "training" in info:
            check_training(info["training"])
    except (AttributeError, ValueError) as error:
        raise ModelFileError(
            f"{name!r} is damaged or refused: it states of its training what is not "
            f"expected, {_one_line(error)}. {advice}"
        ) from None
    return info, members


def _choose_runtime(runtime: str) -> str:
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
