import _thread
import contextvars
import decimal
import gc
import multiprocessing
import signal
import threading
import time
import traceback
import warnings
import weakref

import joblib
import keras
import numpy as np
import pytest
import sklearn
import tensorflow as tf
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skgenre import (
    CRNNClassifier,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    networks,
)
from skgenre.classifiers._training import _wrapper
from skgenre.runtime import _keras, _keras_function
from skgenre.runtime._keras import shield_from_interrupts, stop_if_interrupted

# GPUs, of which there are none where tests run: TensorFlow's reports are made up.

FAKED = FIRST, SECOND = [tf.config.PhysicalDevice(f"GPU:{i}", "GPU") for i in range(2)]


@pytest.fixture
def gpus(monkeypatch):
    """Have TensorFlow report two GPUs; return what it was asked to do with them."""
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


# Keras's global settings.

config = keras.config


def setting(name, value, default):
    return getattr(config, f"set_{name}"), value, default


def switch(name):
    return lambda on: getattr(config, f"{'enable' if on else 'disable'}_{name}")()


SETTINGS = {
    # Stated by each layer, or of no influence: the same result.
    "image_data_format": setting(
        "image_data_format", "channels_first", "channels_last"
    ),
    "dtype_policy": setting("dtype_policy", "mixed_float16", "float32"),
    "flash_attention": (switch("flash_attention"), True, False),
    "traceback_filtering": (switch("traceback_filtering"), False, True),
    "interactive_logging": (switch("interactive_logging"), False, True),
    # Refused in training.
    "floatx": setting("floatx", "float64", "float32"),
    "epsilon": setting("epsilon", 0.01, 1e-7),
    "max_epochs": setting("max_epochs", 1, None),
    "max_steps_per_epoch": setting("max_steps_per_epoch", 1, None),
}
REFUSED = ["floatx", "epsilon", "max_epochs", "max_steps_per_epoch"]
# It imports all of Keras anew, and concerns what is imported then; files are loaded
# safely all the same (`tests/features/pretrained/test_keras_embedding.py`).
ELSEWHERE = {"backend", "unsafe_deserialization"}
CLIPS, GENRES = np.random.default_rng(0).normal(-40, 10, (8, 20, 12)), list("abababab")
SMALL = {"epochs": 1, "random_state": 0}
NETWORKS = [
    CRNNClassifier(filters=(4,), lstm_units=4, embedding_units=4, **SMALL),
    ParallelCNNRNNClassifier(filters=(4,), pool_sizes=((2, 2),), gru_units=4, **SMALL),
    SecondOrderClassifier(n_prototypes=4, crop_frames=10, **SMALL),
]


@pytest.fixture
def changed(request):
    """Change a setting; return its name."""
    change, value, default = SETTINGS[request.param]
    change(value)
    yield request.param
    change(default)


def forget_networks():
    """Have all networks built and traced anew."""
    _wrapper._idle.clear()
    _keras_function.predictor.cache_clear()


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda each: type(each).__name__)
def fitted(request):
    """Return a fitted network and its probabilities, by the default settings."""
    forget_networks()
    network = clone(request.param).fit(CLIPS, GENRES)
    return network, network.predict_proba(CLIPS)


def test_all_settings_of_keras_are_known():
    verbs = ("set_", "enable_", "disable_")
    names = {name.split("_", 1)[1] for name in dir(config) if name.startswith(verbs)}
    assert names == {*SETTINGS, *ELSEWHERE}


@pytest.mark.slow
@pytest.mark.parametrize("changed", SETTINGS, indirect=True)
def test_settings_change_no_prediction(changed, fitted):
    network, expected = fitted
    forget_networks()
    assert_array_equal(network.predict_proba(CLIPS), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed", ["image_data_format", "dtype_policy"], indirect=True
)
def test_settings_change_no_training(changed, fitted):
    network, expected = fitted
    forget_networks()
    again = clone(network).fit(CLIPS, GENRES)
    assert_array_equal(again.predict_proba(CLIPS), expected)
    for weights, others in zip(network.weights_, again.weights_, strict=True):
        assert_array_equal(weights, others)


@pytest.mark.parametrize("changed", ["image_data_format"], indirect=True)
def test_axes_of_networks(changed):
    """As a slow test does, in a moment."""
    assert networks.crnn((20, 12), 2).get_layer("conv1").kernel.shape == (5, 12, 56)
    network = networks.parallel_cnn_rnn((20, 12), 2, for_training=True)
    assert network.get_layer("conv1").kernel.shape == (3, 1, 1, 16)


@pytest.mark.parametrize("changed", REFUSED, indirect=True)
def test_settings_that_would_change_a_training(changed):
    message = f"^Keras's global setting {changed} is .*set_{changed}.{{,90}}$"
    with pytest.raises(RuntimeError, match=message):
        NETWORKS[0].fit(CLIPS, GENRES)


@pytest.mark.parametrize(
    "strategy",
    [
        tf.distribute.OneDeviceStrategy,
        tf.distribute.MirroredStrategy,
        tf.distribute.experimental.CentralStorageStrategy,
    ],
)
def test_no_training_under_a_strategy(strategy):
    device = "/cpu:0" if strategy is tf.distribute.OneDeviceStrategy else ["/cpu:0"]
    with strategy(device).scope(), pytest.raises(RuntimeError, match="may crash"):
        NETWORKS[0].fit(CLIPS, GENRES)


@pytest.mark.slow
def test_prediction_under_a_strategy(fitted):
    network, expected = fitted
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        assert_array_equal(network.predict_proba(CLIPS), expected)
        forget_networks()
        assert_array_equal(network.predict_proba(CLIPS), expected)
    assert_array_equal(network.predict_proba(CLIPS), expected)


# Interrupts.


def press_ctrl_c(after=0.0):
    """Have the main thread interrupted; in a thread of its own where it shall wait."""
    threading.Timer(after, signal.raise_signal, [signal.SIGINT]).start()


def until(condition, seconds=10):
    """Wait for something that happens in another thread."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing has happened"
        time.sleep(0.005)


@pytest.mark.usefixtures("ctrl_c")
class TestShieldFromInterrupts:
    def test_result_and_arguments(self):
        @shield_from_interrupts
        def difference(a, *, b):
            """Subtract."""
            assert threading.current_thread() is not threading.main_thread()
            return a - b

        assert difference(5, b=3) == 2
        assert difference.__doc__ == "Subtract."

    def test_waits_for_the_end_of_the_work(self):
        done = []

        @shield_from_interrupts
        def work():
            press_ctrl_c()
            time.sleep(0.3)
            done.append(1)

        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                work()
        assert done == [1, 1]

    def test_ends_between(self):
        reached = []

        @shield_from_interrupts
        def work():
            stop_if_interrupted()
            press_ctrl_c()
            until(_keras._interrupted.get().is_set)
            reached.append(1)
            stop_if_interrupted()
            reached.append(2)

        with pytest.raises(KeyboardInterrupt) as caught:
            work()
        assert reached == [1]
        assert caught.value.__context__ is None

    def test_the_second_does_not_wait(self):
        go_on, done = threading.Event(), threading.Event()

        @shield_from_interrupts
        def work():
            press_ctrl_c()
            until(_keras._interrupted.get().is_set)
            press_ctrl_c()
            go_on.wait(10)
            done.set()

        with pytest.raises(KeyboardInterrupt):
            work()
        assert not done.is_set()
        go_on.set()
        assert done.wait(10)  # the work ends by itself

    def test_an_interrupt_without_a_signal(self):
        """IPython's on Windows: nothing wakes the main thread up."""
        with pytest.raises(KeyboardInterrupt):
            shield_from_interrupts(_thread.interrupt_main)()

    def test_error_and_interrupt(self):
        """The interrupt comes out, and reports the error."""

        @shield_from_interrupts
        def work():
            press_ctrl_c()
            until(_keras._interrupted.get().is_set)
            raise ValueError("of the work")

        with pytest.raises(KeyboardInterrupt) as caught:
            work()
        assert str(caught.value.__context__) == "of the work"

    @pytest.mark.parametrize("error", [ValueError, TimeoutError, SystemExit])
    def test_errors_come_out_as_they_are(self, error):
        raised = error("of the work")

        @shield_from_interrupts
        def work():
            raise raised

        with pytest.raises(error) as caught:
            work()
        assert caught.value is raised
        assert caught.value.__context__ is None
        names = [
            frame.name for frame in traceback.extract_tb(caught.value.__traceback__)
        ]
        assert names[0] == "test_errors_come_out_as_they_are" and names[-1] == "work"

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="not on Windows")
    @pytest.mark.parametrize("error", [TimeoutError, RuntimeError])
    def test_what_other_handlers_raise(self, error):
        def handler(number, frame):
            raise error("too slow")

        previous = signal.signal(signal.SIGALRM, handler)
        done = []

        @shield_from_interrupts
        def work():
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            time.sleep(0.3)
            done.append(1)

        try:
            with pytest.raises(error, match="too slow"):
                work()
        finally:
            signal.signal(signal.SIGALRM, previous)
        assert done

    def test_handlers_are_left_alone(self):
        names = ["SIGINT", "SIGTERM", "SIGALRM", "SIGBREAK"]
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]

        def handlers():
            return [signal.getsignal(number) for number in numbers]

        assert shield_from_interrupts(handlers)() == handlers()

    def test_a_handler_that_the_work_sets_stays(self):
        """As a callback of a user's may."""
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(ValueError, match="main thread"):
                shield_from_interrupts(signal.signal)(signal.SIGTERM, signal.SIG_IGN)
            assert signal.getsignal(signal.SIGTERM) == before
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_work_in_work_and_in_other_threads_is_called_directly(self):
        thread = shield_from_interrupts(threading.current_thread)
        inside, outside = shield_from_interrupts(
            lambda: (thread(), threading.current_thread())
        )()
        assert inside is outside
        with joblib.parallel_config("threading"):
            pairs = joblib.Parallel(2)(
                joblib.delayed(lambda: (thread(), threading.current_thread()))()
                for _ in range(4)
            )
        assert all(inside is outside for inside, outside in pairs)

    def test_the_thread_has_the_settings_of_the_main_one(self):
        variable = contextvars.ContextVar("of the user's")
        variable.set("set")
        strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
        policy = keras.config.dtype_policy()

        def settings():
            return [
                variable.get(),
                decimal.getcontext().prec,
                np.geterr(),
                sklearn.get_config()["assume_finite"],
                keras.config.dtype_policy().name,
                keras.config.is_interactive_logging_enabled(),
                keras.config.is_traceback_filtering_enabled(),
                tf.distribute.get_strategy(),
            ]

        default = shield_from_interrupts(settings)()
        assert default == settings()
        try:
            keras.config.set_dtype_policy("mixed_bfloat16")
            keras.config.disable_interactive_logging()
            keras.config.disable_traceback_filtering()
            with (
                decimal.localcontext(prec=3),
                np.errstate(over="raise"),
                sklearn.config_context(assume_finite=True),
                strategy.scope(),
            ):
                assert shield_from_interrupts(settings)() == settings()
                changed = zip(settings()[1:], default[1:], strict=True)
                assert not any(a == b for a, b in changed)
        finally:
            keras.config.set_dtype_policy(policy)
            keras.config.enable_interactive_logging()
            keras.config.enable_traceback_filtering()
        assert shield_from_interrupts(settings)() == default

    def test_warnings_are_seen(self):
        with pytest.warns(UserWarning, match="of the work"):
            shield_from_interrupts(warnings.warn)("of the work", stacklevel=1)

    def test_nothing_is_held_afterwards(self):
        class Kept:
            pass

        @shield_from_interrupts
        def work(kept, error):
            kept.itself = np.zeros(3)
            if error:
                raise ValueError

        gc.collect()
        gc.disable()
        try:
            for error in (False, True):
                kept = Kept()
                gone = weakref.ref(kept)
                try:
                    work(kept, error)
                except ValueError:
                    assert error
                del kept
                until(lambda gone=gone: gone() is None)
        finally:
            gc.enable()
