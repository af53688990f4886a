"""Keras as this package needs it: on TensorFlow, and never across a fork."""

import multiprocessing
import os
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "skgenre trains with Keras on TensorFlow (several times faster for these "
        f"networks), but Keras runs on {keras.backend.backend()!r}. Unset the "
        "environment variable KERAS_BACKEND, or set it to 'tensorflow', before "
        "Keras is imported."
    )

import tensorflow as tf


def grow_memory() -> None:
    """Have TensorFlow take the memory of a GPU as it needs it, not all at once.

    What the user has set before is left as it is.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        if tf.config.experimental.get_memory_growth(gpu) is None:
            try:
                tf.config.experimental.set_memory_growth(gpu, True)
            except (RuntimeError, ValueError):
                return  # the GPUs are in use, or have been divided, by the user


grow_memory()


def warn_of_shared_gpu() -> None:
    """Warn in a worker process of joblib's, which shares a GPU with the others."""
    in_worker = type(multiprocessing.current_process()).__name__ == "LokyProcess"
    if in_worker and tf.config.list_physical_devices("GPU"):
        warnings.warn(
            "Networks are trained in several processes (n_jobs > 1) that use one GPU, "
            "unless each was given its own by CUDA_VISIBLE_DEVICES: they take turns "
            "and share its memory, so that nothing is gained. Set n_jobs=1.",
            stacklevel=2,
        )


_first_process: int | None = None


def check_process() -> None:
    """Refuse to use TensorFlow in a process forked from one that has used it.

    Its threads are not forked along, and it would wait for them for ever.

    Raises
    ------
    RuntimeError
        If this is such a process.
    """
    global _first_process
    if _first_process is None:
        _first_process = os.getpid()
    if _first_process != os.getpid():
        raise RuntimeError(
            "TensorFlow was used before this process was forked, and would wait for "
            "ever. Start workers by joblib's default backend (loky) or by "
            "multiprocessing's 'spawn', or use networks in the workers only."
        )
