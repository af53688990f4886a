"""What a fitted network is made of: plain data, copyable, the same from a seed."""

import copy
import os
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgenre import (
    CRNNClassifier,
    MelSpectrogramTransformer,
    ParallelCNNRNNClassifier,
)

FAST = {"epochs": 4, "learning_rate": 0.01, "random_state": 0}
CRNN = CRNNClassifier(filters=(8,), lstm_units=8, embedding_units=8, **FAST)
PARALLEL = ParallelCNNRNNClassifier(
    filters=(8,), pool_sizes=((2, 2),), gru_units=8, **FAST
)
both = pytest.mark.parametrize("network", [CRNN, PARALLEL], ids=["crnn", "parallel"])


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y = np.array(["folk", "rock", "techno"])[np.arange(60) % 3]
    X = rng.normal(-60, 6, size=(60, 20, 6)) + 8 * (np.arange(60) % 3)[:, None, None]
    return X.astype(np.float32), y


@both
def test_same_seed_same_network_also_on_a_reused_graph(network, clips):
    X, y = clips
    first = clone(network).fit(X, y)
    clone(network).set_params(random_state=5).fit(X, y)  # takes over the graph
    again = clone(network).fit(X, y)
    for a, b in zip(first.weights_, again.weights_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.history_ == again.history_
    other = clone(network).set_params(random_state=None).fit(X, y)
    assert any(
        (a != b).any() for a, b in zip(first.weights_, other.weights_, strict=True)
    )


@both
def test_fit_leaves_global_random_state_alone(network, clips):
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].copy()
    clone(network).set_params(random_state=None, epochs=1).fit(*clips)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])


@both
def test_fitted_state_is_plain_and_copies(network, clips):
    X, y = clips
    fitted = clone(network).fit(X, y)
    state = pickle.dumps(fitted)
    assert b"keras" not in state.replace(b"keras_classifier", b"")
    for twin in (pickle.loads(state), copy.deepcopy(fitted), FrozenEstimator(fitted)):
        np.testing.assert_array_equal(twin.predict_proba(X), fitted.predict_proba(X))


def test_two_estimators_predict_in_eight_threads(clips):
    X, y = clips
    estimators = [clone(CRNN).set_params(random_state=s).fit(X, y) for s in (0, 1)]
    expected = [e.predict_proba(X) for e in estimators]
    with ThreadPoolExecutor(8) as pool:
        results = list(
            pool.map(lambda i: estimators[i % 2].predict_proba(X), range(64))
        )
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, expected[i % 2])


def test_notebook_display_builds_no_network(clips):
    code = (
        "import pickle, sys; fitted = pickle.load(sys.stdin.buffer); "
        "fitted._repr_html_(); dir(fitted); repr(fitted); "
        "assert 'tensorflow' not in sys.modules"
    )
    fitted = pickle.dumps(clone(CRNN).set_params(epochs=1).fit(*clips))
    subprocess.run([sys.executable, "-c", code], input=fitted, check=True)


FIT_IN_A_PROCESS = """
import pickle, sys
network, X, y = pickle.load(sys.stdin.buffer)
fitted = network.fit(X, y)
sys.stdout.buffer.write(pickle.dumps((fitted.weights_, fitted.predict_proba(X))))
"""


@pytest.mark.slow
@both
def test_same_seed_same_network_in_other_processes(network, clips):
    given = pickle.dumps((clone(network), *clips))
    results = [
        pickle.loads(
            subprocess.run(
                [sys.executable, "-c", FIT_IN_A_PROCESS],
                input=given,
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
        )
        for seed in ("1", "2")
    ]
    fitted = clone(network).fit(*clips)
    for weights, probabilities in results:
        for a, b in zip(weights, fitted.weights_, strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(probabilities, fitted.predict_proba(clips[0]))


def test_determinism_of_tensorflow_is_not_switched(clips):
    from tensorflow.python.framework.config import is_op_determinism_enabled

    before = is_op_determinism_enabled()
    clone(CRNN).fit(*clips).predict(clips[0])
    assert is_op_determinism_enabled() == before


def pipelines():
    """Return models on waveforms, as they are used."""
    mel = MelSpectrogramTransformer(n_frames=8, n_mels=6, n_fft=256, hop_length=64)
    vote = VotingClassifier([("c", CRNN), ("p", PARALLEL)], voting="soft")
    return {
        "pipeline": make_pipeline(mel, CRNN),
        "embedding": make_pipeline(mel, PARALLEL, LogisticRegression()),
        "vote": make_pipeline(mel, vote),
        "search": GridSearchCV(
            make_pipeline(mel, CRNN), {"crnnclassifier__lstm_units": [2, 4]}, cv=2
        ),
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "search" else name
        for name in pipelines()
    ],
)
def test_whole_models_are_copied(name, clips, tmp_path):
    X, y = np.random.default_rng(0).normal(size=(60, 800)), clips[1]
    unfitted = pipelines()[name]
    fitted = clone(unfitted).fit(X, y)
    expected = fitted.predict_proba(X)

    def dumped(model):
        joblib.dump(model, tmp_path / "it.joblib", compress=3)
        return joblib.load(tmp_path / "it.joblib")

    def pickled(model):
        return pickle.loads(pickle.dumps(model))

    for copied in (dumped, pickled, copy.deepcopy):
        np.testing.assert_array_equal(copied(fitted).predict_proba(X), expected)
    again = dumped(unfitted).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), expected)


def fit_and_predict(network, X, y):
    return network.fit(X, y), network.predict_proba(X)


@pytest.mark.slow
@both
def test_worker_processes(network, clips):
    X, y = clips
    fitted = clone(network).fit(X, y)
    expected = fitted.predict_proba(X)
    parallel = joblib.Parallel(n_jobs=2, backend="loky")
    for result in parallel([joblib.delayed(fitted.predict_proba)(X)] * 4):
        np.testing.assert_array_equal(result, expected)
    task = joblib.delayed(fit_and_predict)
    for there, result in parallel([task(clone(network), X, y)] * 4):
        np.testing.assert_array_equal(result, expected)
        np.testing.assert_array_equal(there.predict_proba(X), expected)


FORK = """
import multiprocessing, pickle, sys
network, X, y = pickle.load(sys.stdin.buffer)
network.fit(X, y)
with multiprocessing.get_context("fork").Pool(1) as pool:
    for use in (network.predict, network.fit):
        try:
            pool.apply_async(use, (X, y)[: 1 + (use == network.fit)]).get(60)
        except RuntimeError as error:
            print(error)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.slow
def test_a_forked_process_is_told_instead_of_waiting_for_ever(clips):
    printed = subprocess.run(
        [sys.executable, "-c", FORK],
        input=pickle.dumps((clone(CRNN), *clips)),
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert printed.count("TensorFlow was used before this process was forked") == 2


FIT_MANY_TIMES = """
import os, pickle, sys

def megabytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

networks, X, y = pickle.load(sys.stdin.buffer)
def fit(times):
    for seed in range(times):
        for network in networks:
            network.set_params(random_state=seed).fit(X, y).predict_proba(X)

fit(5)  # everything has been imported and traced
before = megabytes()
fit(20)
print(megabytes() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="memory is read from Linux's /proc"
)
def test_memory_does_not_grow_over_fits(clips):
    printed = subprocess.run(
        [sys.executable, "-c", FIT_MANY_TIMES],
        input=pickle.dumps(([clone(CRNN), clone(PARALLEL)], *clips)),
        capture_output=True,
        check=True,
    ).stdout
    assert float(printed) < 20
