"""What is in a model file, and how an estimator becomes one."""

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
    """Return the contents of a model file.

    Raises
    ------
    TypeError
        If the model is no estimator, or holds what `load` would refuse.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    if not isinstance(model, BaseEstimator):
        raise TypeError(f"model must be a fitted estimator, got {model!r}.")
    _check_no_network_of_its_own(model)
    copied = _without_what_serves_fitting(model)
    try:
        contents = skops.io.dumps(copied)
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            _, foreign = checked(archive)
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
        "genres": getattr(model, "classes_", None),
        "sample_rate": _sample_rate(model),
        "metrics": metrics or {},
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": {name: version(name) for name in _PACKAGES},
    }
    return _with_info(contents, info)


def _check_no_network_of_its_own(model: BaseEstimator) -> None:
    from skgenre.features import KerasEmbedding

    if any(isinstance(part, KerasEmbedding) for part in parts(model)):
        raise TypeError(
            "KerasEmbedding can't be saved: its network is of Keras or ONNX, which "
            "have files of their own, and a model file that names another would not be "
            "safe to load. Save the steps after it, such as model[1:], and put them "
            "behind a KerasEmbedding of the same parameters again."
        )


def _without_what_serves_fitting(model: BaseEstimator) -> BaseEstimator:
    """Return a copy without metadata requests, runtimes, caches and generators.

    In the requests skops would loop forever; the files of a pipeline's cache are
    pickles, and no file is to name folders.
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


def checked(archive: zipfile.ZipFile) -> tuple[Callable[[], Any], set[str]]:
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
        archive.writestr(INFO, json_text(info, indent=2))
    return result.getvalue()


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON of what people read: what it has no type for, a date, is text."""
    return json.dumps(json_value(value), indent=indent, default=str)


def json_value(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's, and NaN as None."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sample_rate(model: BaseEstimator) -> float | None:
    """Return the rate of the audio steps; None where they have several, or none is."""
    from skgenre.features._base import AudioTransformer

    steps = [part for part in parts(model) if isinstance(part, AudioTransformer)]
    rates = {part.sample_rate for part in steps}
    return rates.pop() if len(rates) == 1 else None
