"""Keras as this package needs it: on TensorFlow, and never across a fork."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "skgenre trains with Keras on TensorFlow (several times faster for these "
        f"networks), but Keras runs on {keras.backend.backend()!r}. Unset the "
        "environment variable KERAS_BACKEND, or set it to 'tensorflow', before "
        "Keras is imported."
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
