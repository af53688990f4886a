"""ONNX Runtime, as this package needs it."""

import importlib.util
import os
from typing import TYPE_CHECKING

import joblib

if TYPE_CHECKING:
    import onnxruntime

MISSING = 'ONNX needs two more packages: `python -m pip install "skgenre[onnx]"`.'


def is_installed() -> bool:
    """Return whether networks can be run without Keras; nothing is imported for it."""
    return all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


def open_session(model: bytes | os.PathLike) -> "onnxruntime.InferenceSession":
    """Return a session for a model, or for the file of one.

    ONNX Runtime reports nothing to its makers, unless the environment variable
    ``ORT_DISABLE_TELEMETRY`` is 0.

    Raises
    ------
    ImportError
        If onnxruntime is not installed.
    Exception
        Of ONNX Runtime's types, if it can't run the model.
    """
    # From 1.29 on it would also keep an identifier of this machine. It looks once.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(MISSING) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    # By default it counts the cores of the machine, not those that we may use, and
    # its threads keep the processor while they wait, from those that decode.
    options.intra_op_num_threads = joblib.cpu_count()
    # Kept memory is fitted to the largest call of every thread that has ever run: eight
    # threads of a service would hold gigabytes.
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"]
    )
