"""What TensorFlow and Keras print at the default settings: nothing."""

import os
import subprocess
import sys

import pytest

from skgenre.audio._decoders._soundfile import c_streams
from skgenre.runtime._greetings import no_greetings

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
DATA = """
import numpy as np, skgenre
X = np.random.default_rng(0).normal(-40, 10, (8, 70, 8))
y = ["folk", "rock"] * 4
network = skgenre.CRNNClassifier(filters=(2,), lstm_units=2, epochs=1)
"""


def printed(code, **environment):
    """Return what a new process prints on its standard error."""
    others = {name: v for name, v in os.environ.items() if name != LEVEL}
    run = subprocess.run(
        [sys.executable, "-c", DATA + code],
        capture_output=True,
        text=True,
        env=others | environment,
    )
    assert run.stdout == "done\n", run.stderr
    return run.stderr


@pytest.mark.slow
@pytest.mark.skipif(not c_streams(), reason="some notes can't be kept back")
@pytest.mark.parametrize(
    "code",
    [
        # Each is a network of its own to trace: in training, and in prediction.
        "for n in range(1, 7): network.set_params(lstm_units=n).fit(X, y).predict(X)",
        # Its recurrent part is compiled by XLA.
        "skgenre.ParallelCNNRNNClassifier(filters=(2,), pool_sizes=((2, 2),), "
        "rnn_pool_size=(1, 2), gru_units=2, epochs=1).fit(X, y)",
        "from sklearn.model_selection import GridSearchCV\n"
        "search = GridSearchCV(network, {'lstm_units': [2, 3]}, cv=2, n_jobs=2)\n"
        "search.fit(X, y)",
    ],
    ids=["six networks", "compiled", "search"],
)
def test_nothing_is_printed(code):
    assert printed(f"{code}\nprint('done')") == ""


@pytest.mark.slow
def test_everything_is_printed_if_wanted():
    # By the commands, too, which import it before they read files.
    code = "from skgenre.cli._files import import_networks; import_networks(network)"
    assert "rebuild TensorFlow" in printed(f"{code}; print('done')", **{LEVEL: "0"})


def test_advice_to_users_who_trace_too_often_is_left(caplog):
    import tensorflow as tf

    from skgenre.runtime._keras import shield_from_interrupts

    def trace(function):
        for _ in range(6):
            tf.function(function)(1)

    with caplog.at_level("WARNING", logger="tensorflow"):
        tf.get_logger().propagate, before = True, tf.get_logger().propagate
        try:
            shield_from_interrupts(trace)(lambda x: x)
            assert "retracing" not in caplog.text
            trace(lambda x: x + 1)
            assert "retracing" in caplog.text
        finally:
            tf.get_logger().propagate = before


def test_what_python_writes_meanwhile_is_seen(capfd, monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setenv(LEVEL, "3")
    with no_greetings():
        os.write(2, b"of Python")
    assert capfd.readouterr().err == "of Python"
