"""Keras graphs of the networks; they import Keras and nothing else."""

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

from skgenre.networks._crnn import crnn
from skgenre.networks._parallel_cnn_rnn import parallel_cnn_rnn

__all__ = ["crnn", "parallel_cnn_rnn"]
