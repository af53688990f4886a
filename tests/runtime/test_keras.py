"""GPUs, of which there are none where tests run: TensorFlow's answers are made up."""

import multiprocessing
import warnings

import joblib
import pytest
import tensorflow as tf

from skgenre import CRNNClassifier
from skgenre.runtime import _keras

FAKED = FIRST, SECOND = [tf.config.PhysicalDevice(f"GPU:{i}", "GPU") for i in range(2)]


@pytest.fixture
def gpus(monkeypatch):
    """Have TensorFlow tell of two GPUs; return what it was asked to do with them."""
    grows = dict.fromkeys(FAKED)
    config = tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind="": list(grows))
    monkeypatch.setattr(config.experimental, "get_memory_growth", grows.get)
    monkeypatch.setattr(config.experimental, "set_memory_growth", grows.__setitem__)
    return grows


def test_memory_grows(gpus):
    _keras.grow_memory()
    assert gpus == {FIRST: True, SECOND: True}


def test_what_the_user_has_set_stays(gpus):
    gpus[FIRST] = False
    _keras.grow_memory()
    assert gpus == {FIRST: False, SECOND: True}


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_gpus_in_use_are_left_alone(gpus, error, monkeypatch):
    def refuse(gpu, on):
        raise error

    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    _keras.grow_memory()
    assert set(gpus.values()) == {None}


def test_processes_that_share_a_gpu_are_warned_of(gpus, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _keras.warn_of_shared_gpu()  # not in a worker

    def kind():
        return type(multiprocessing.current_process()).__name__

    (worker,) = joblib.Parallel(2, backend="loky")([joblib.delayed(kind)()])
    process = type(worker, (), {})()
    monkeypatch.setattr(multiprocessing, "current_process", lambda: process)
    X, y = [[[-60.0] * 4] * 8, [[-20.0] * 4] * 8] * 2, ["folk", "techno"] * 2
    network = CRNNClassifier(filters=(2,), lstm_units=2, epochs=1, random_state=0)
    with pytest.warns(UserWarning, match=r"\(n_jobs > 1\) that use one GPU"):
        network.fit(X, y)
    gpus.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _keras.warn_of_shared_gpu()
