"""The contents of a model file: made of an estimator, and read."""

import io
import json
import math
import sys
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, BinaryIO

from sklearn.base import BaseEstimator

from skgenre._estimators import parts
from skgenre._files import check_stored
from skgenre._version import __version__
from skgenre.features._base import audio_steps
from skgenre.persistence._description import Builder, Description
from skgenre.persistence._growth import check_growth
from skgenre.persistence._training_facts import check_training

FORMAT = 2
"""Version of the file format that `save` writes and the newest that `load` reads."""

INFO = "skgenre.json"
MODEL = "model.json"
# A forest of 10,000 trees has half as many.
_MAX_CONTAINERS = 2**19
_PACKAGES = ("scikit-learn", "numpy")


def model_contents(
    model: BaseEstimator,
    metrics: Mapping[str, Any] | None,
    training: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the bytes of a model file.

    Raises
    ------
    TypeError
        If the model is not an estimator, or holds what `load` would refuse.
    ValueError
        If `training` has other facts than are known.
    """
    if not isinstance(model, BaseEstimator):
        raise TypeError(f"model must be a fitted estimator, got {model!r}.")
    _check_no_keras_embedding(model)
    try:
        description = Description(model)
        build_model(description)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{type(model).__name__} can't be saved: {str(error).rstrip('.')}. Replace "
            "it (of a search, save its best_estimator_)."
        ) from error
    try:
        facts = check_training(training or {})
    except ValueError as error:
        raise ValueError(f"training can't be saved: {error}.") from None
    info = {
        "format": FORMAT,
        "estimator": type(model).__name__,
        "genres": getattr(model, "classes_", None),
        "sample_rate": _only({step.sample_rate for step in audio_steps(model)}),
        "window": _only({_window(step) for step in audio_steps(model)}),
        "weights": _weights(model),
        "metrics": metrics or {},
        "training": facts,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": {
            "skgenre": __version__,
            **{name: version(name) for name in _PACKAGES},
        },
    }
    return write_members(
        {
            INFO: json_text(info, indent=2).encode(),
            MODEL: json.dumps(description.value, allow_nan=False).encode(),
            **description.arrays,
        }
    )


def build_model(description: Description) -> Any:
    """Return the model that is described, after it was held against the closed list.

    Raises
    ------
    ValueError
        If the description has anything that is not on the list.
    """
    builder = Builder(description.arrays)
    model = builder.build(description.value)
    builder.finish()
    if not isinstance(model, BaseEstimator):
        raise ValueError("it describes no estimator")
    check_growth(model)
    return model


def read_description(members: Mapping[str, bytes], format_: int) -> Description:
    """Return the description of a model in the members of its file.

    Raises
    ------
    ValueError
        If there is none.
    """
    if format_ == 1:
        from skgenre.persistence._format1 import translate

        return translate(parse_json(members["schema.json"]), members)
    arrays = {name: members[name] for name in members if name.endswith(".npy")}
    return Description.of(parse_json(members[MODEL], parse_constant=_refuse), arrays)


def parse_json(text: bytes, **options: Any) -> Any:
    """Return what JSON of unknown origin says.

    Raises
    ------
    ValueError
        If it is no JSON, or has so many lists and objects that Python would need many
        times the memory of the text.
    """
    if text.count(b"[") + text.count(b"{") > _MAX_CONTAINERS:
        raise ValueError(f"it has more than {_MAX_CONTAINERS} lists and objects")
    return json.loads(text, **options)


def _refuse(constant: str) -> None:
    raise ValueError(f"its description has the number {constant}")


def write_members(members: Mapping[str, bytes]) -> bytes:
    """Return the bytes of an uncompressed ZIP archive."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return result.getvalue()


def read_members(file: BinaryIO) -> dict[str, bytes]:
    """Return the contents of the members of an uncompressed ZIP archive, by name.

    Raises
    ------
    ValueError
        If members are compressed, larger than the file, or have one name.
    zipfile.BadZipFile
        If the file is no archive, or the contents of a member don't have the checksum
        that it states.
    """
    with zipfile.ZipFile(file) as archive:
        check_stored(archive, file.seek(0, io.SEEK_END))
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ValueError("it has two members of one name")
        return {name: archive.read(name) for name in names}


def _check_no_keras_embedding(model: BaseEstimator) -> None:
    from skgenre.features import KerasEmbedding

    if any(isinstance(part, KerasEmbedding) for part in parts(model)):
        raise TypeError(
            "KerasEmbedding can't be saved: its network is in a file of its own, of "
            "Keras or ONNX, and a model file must not name other files. Save the steps "
            "after it, such as model[1:], and put them behind a KerasEmbedding with "
            "the same parameters again."
        )


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


def _only(values: set[Any]) -> Any:
    """Return the one value that there is; None if there is not exactly one."""
    return next(iter(values)) if len(values) == 1 else None


def _window(step: Any) -> float | None:
    """Return how many seconds of a clip an audio step takes; None for all of them."""
    from skgenre.features import MelSpectrogramTransformer

    if not isinstance(step, MelSpectrogramTransformer):
        return step.duration
    if step.n_frames is None:
        return None
    return step.n_frames * step.hop_length / step.sample_rate


def _weights(model: BaseEstimator) -> list[str]:
    """Return the pretrained weights that a model needs, which are not in its file."""
    from skgenre.classifiers import GenreTagger
    from skgenre.features import MusicnnEmbedding

    found: set[str] = set()
    for part in parts(model):
        if isinstance(part, MusicnnEmbedding):
            found.update(weights for weights, _ in part._views())
        elif isinstance(part, GenreTagger):
            found.update(("msd", "mtt"))
    return [f"musicnn {weights}" for weights in sorted(found)]
