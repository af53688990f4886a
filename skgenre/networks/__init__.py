"""Keras graphs of the networks; they import Keras and nothing else."""

from skgenre import _keras  # noqa: F401
from skgenre.networks._crnn import crnn
from skgenre.networks._parallel_cnn_rnn import parallel_cnn_rnn

__all__ = ["crnn", "parallel_cnn_rnn"]
