"""The contents of a model file: made of an estimator, and checked."""

import copy
import io
import json
import math
import sys
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skgenre._estimators import parts
from skgenre.persistence._numbers import check_parts
from skgenre.persistence._schema import SchemaCheck

FORMAT = 1
"""Version of the file format that `save` writes and the newest that `load` reads."""

INFO = "skgenre.json"
_PACKAGES = ("skgenre", "scikit-learn", "numpy", "skops")


def model_contents(model: BaseEstimator, metrics: Mapping[str, Any] | None) -> bytes:
    """Return the bytes of a model file.

    Raises
    ------
    TypeError
        If the model is not an estimator, or holds what `load` would refuse.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    if not isinstance(model, BaseEstimator):
        raise TypeError(f"model must be a fitted estimator, got {model!r}.")
    _check_no_keras_embedding(model)
    copied = _copy_to_save(model)
    try:
        contents = skops.io.dumps(copied)
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            _, foreign = check_description(read_members(archive))
        check_parts(copied)
    except (TypeError, ValueError, UnsupportedTypeException) as error:
        raise TypeError(
            f"{type(model).__name__} can't be saved: {str(error).rstrip('.')}. Replace "
            "it."
        ) from error
    if foreign:
        raise TypeError(
            f"{type(model).__name__} can't be saved: it holds "
            f"{', '.join(sorted(foreign))}. Only estimators of skgenre and "
            "scikit-learn, numbers and strings can be saved; replace the others (of a "
            "search, save its best_estimator_)."
        )
    info = {
        "format": FORMAT,
        "estimator": type(model).__name__,
        "genres": getattr(model, "classes_", None),
        "sample_rate": _sample_rate(model),
        "metrics": metrics or {},
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": {name: version(name) for name in _PACKAGES},
    }
    return _with_info(contents, info)


def _check_no_keras_embedding(model: BaseEstimator) -> None:
    from skgenre.features import KerasEmbedding

    if any(isinstance(part, KerasEmbedding) for part in parts(model)):
        raise TypeError(
            "KerasEmbedding can't be saved: its network is in a file of its own, of "
            "Keras or ONNX, and a model file must not name other files. Save the steps "
            "after it, such as model[1:], and put them behind a KerasEmbedding with "
            "the same parameters again."
        )


def _copy_to_save(model: BaseEstimator) -> BaseEstimator:
    """Return a copy without metadata requests, runtimes, caches and generators.

    skops would loop forever in the requests, a pipeline's cache consists of pickles,
    and no model file names folders.
    """
    from skgenre.classifiers import BaseGenreClassifier
    from skgenre.features._base import AudioTransformer

    model = copy.deepcopy(model)
    for part in parts(model):
        attributes = getattr(part, "__dict__", {})
        attributes.pop("_metadata_request", None)
        attributes.pop("_runtime", None)
        if "_feature_subsample_rng" in attributes:  # of gradient boosting
            attributes["_feature_subsample_rng"] = None
        if isinstance(part, Pipeline):
            part.memory = None
        elif isinstance(part, AudioTransformer):
            part.cache_dir = None
        elif isinstance(part, BaseGenreClassifier):
            part.checkpoint_dir = None
    return model


def read_members(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the contents of all members by name; of one name, those of the last.

    Raises
    ------
    zipfile.BadZipFile
        If the contents of a member don't have the checksum that the archive states.
    """
    return {member.filename: archive.read(member) for member in archive.infolist()}


def check_description(
    members: Mapping[str, bytes],
) -> tuple[Callable[[], Any], set[str]]:
    """Return a function that builds the model, and the foreign types in its file.

    Parameters
    ----------
    members : mapping of str to bytes
        The members of a file of skops, by name.

    Raises
    ------
    ValueError
        If `save` can't have written the file.
    """
    arrays = {name: members[name] for name in members if name.endswith(".npy")}
    check = SchemaCheck(arrays)
    return check.check(json.loads(members["schema.json"])), check.foreign


def _with_info(contents: bytes, info: dict[str, Any]) -> bytes:
    result = io.BytesIO(contents)
    with zipfile.ZipFile(result, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(INFO, json_text(info, indent=2))
    return result.getvalue()


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON; what JSON has no type for, such as a date, becomes text."""
    return json.dumps(json_value(value), indent=indent, default=str)


def json_value(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's, and NaN and infinity as None."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sample_rate(model: BaseEstimator) -> float | None:
    """Return the sample rate of the audio steps; None if there is not exactly one."""
    from skgenre.features._base import AudioTransformer

    steps = [part for part in parts(model) if isinstance(part, AudioTransformer)]
    rates = {part.sample_rate for part in steps}
    return rates.pop() if len(rates) == 1 else None
