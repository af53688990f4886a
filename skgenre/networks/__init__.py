"""Keras graphs of the networks; only the layers that XLA compiles need TensorFlow."""

from skgenre.runtime import _keras  # noqa: F401  It chooses Keras's backend.

# isort: split
from skgenre.networks._augmentation import RandomTimeCrop, SpecAugment
from skgenre.networks._crnn import crnn
from skgenre.networks._layers import set_statistics
from skgenre.networks._own import own_network as own_network
from skgenre.networks._parallel_cnn_rnn import parallel_cnn_rnn
from skgenre.networks._second_order import second_order

__all__ = [
    "RandomTimeCrop",
    "SpecAugment",
    "crnn",
    "parallel_cnn_rnn",
    "second_order",
    "set_statistics",
]
