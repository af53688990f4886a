"""What holds of every step that makes embeddings or distances of arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from skgenre import (
    CRNNClassifier,
    EmbeddingKMeans,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SegmentClassifier,
)

SHAPE = (16, 8)
few = settings(max_examples=15, deadline=None, derandomize=True)

STEPS = {
    "crnn": CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0),
    "parallel": ParallelCNNRNNClassifier(
        filters=(4,), pool_sizes=((2, 2),), gru_units=4, epochs=1, random_state=0
    ),
    "second order": SecondOrderClassifier(epochs=1, random_state=0),
    "windows": SegmentClassifier(LogisticRegression(C=1e-3), window=8, hop=4),
    "clusters": EmbeddingKMeans(3, random_state=0),
}
# All networks share the code that predicts.
SLOW = {"parallel"}
steps = [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in STEPS]
classifiers = [step for step in steps if step.values != ("clusters",)]


def spectrograms(n_clips, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(-40, 10, size=(n_clips, *SHAPE)).astype(np.float32)


def as_input(name, X):
    return X.reshape(len(X), -1) if name == "clusters" else X


@pytest.fixture(scope="module")
def fitted():
    """Return a function that fits each step once."""
    done = {}

    def fit(name):
        if name not in done:
            X = as_input(name, spectrograms(24, seed=0))
            done[name] = STEPS[name].fit(X, np.repeat(["folk", "jazz", "rock"], 8))
        return done[name]

    return fit


def outputs(name, step, X):
    """Return what a step makes of clips, one row for each."""
    X = as_input(name, X)
    methods = ["transform"] if hasattr(step, "transform") else []
    methods += ["predict_proba"] if hasattr(step, "predict_proba") else []
    return [getattr(step, method)(X) for method in [*methods, "predict"]]


@pytest.mark.parametrize("name", steps)
def test_a_row_is_the_clips_own(name, fitted):
    """Other clips and their order change nothing, and no bit of a network's output."""
    step = fitted(name)
    is_network = name in ("crnn", "parallel", "second order")
    # scikit-learn's products differ in the last digit, of float32 here.
    tolerance = {"rtol": 0} if is_network else {"rtol": 1e-4, "atol": 1e-6}

    @few
    @given(st.integers(1, 20), st.randoms(), st.integers(0, 2**32 - 1))
    def check(n_clips, random, seed):
        X = spectrograms(n_clips, seed)
        together = outputs(name, step, X)
        order = random.choices(range(n_clips), k=random.randint(1, 20))
        for rows, moved in zip(together, outputs(name, step, X[order]), strict=True):
            if rows.dtype.kind == "f":
                assert_allclose(moved, rows[order], **tolerance)
            else:
                assert_array_equal(moved, rows[order])

    check()


@pytest.mark.parametrize("name", classifiers)
def test_probabilities_are_some_and_name_the_genre(name, fitted):
    step = fitted(name)

    @few
    @given(
        st.integers(1, 5),
        st.integers(0, 2**32 - 1),
        st.floats(-1e4, 1e4),
        st.floats(0, 1e4),
    )
    def check(n_clips, seed, level, spread):
        X = level + spread * spectrograms(n_clips, seed)
        probabilities = step.predict_proba(X)
        assert (probabilities >= 0).all()
        assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
        named = step.classes_[probabilities.argmax(axis=1)]
        assert_array_equal(step.predict(X), named)

    check()


@settings(few, max_examples=5)
@given(st.integers(0, 2**32 - 1))
def test_a_clip_of_one_window_is_what_the_windows_classifier_says(seed):
    segments = SegmentClassifier(LogisticRegression(C=1e-3), window=8, hop=4)
    y = np.repeat(["folk", "rock"], 10)
    X = spectrograms(20, seed)
    segments.fit(X, y)
    windows = X[:, :8]
    alone = segments.estimator_.predict_proba(windows.reshape(20, -1))
    assert_allclose(segments.predict_proba(windows), alone, atol=1e-6)


@few
@given(st.integers(0, 2**32 - 1), st.integers(-20, 20))
def test_clusters_do_not_depend_on_the_unit(seed, power):
    """Nor do distances, and the nearest cluster is the predicted one."""
    E = spectrograms(24, seed).reshape(24, -1).astype(np.float64)
    unit = 2.0**power
    kmeans = EmbeddingKMeans(3, n_init=1, random_state=0).fit(E)
    distances = kmeans.transform(E)
    assert (distances >= 0).all()
    assert_array_equal(distances.argmin(axis=1), kmeans.predict(E))
    scaled = EmbeddingKMeans(3, n_init=1, random_state=0).fit(unit * E)
    assert_array_equal(scaled.labels_, kmeans.labels_)
    assert_allclose(scaled.transform(unit * E), unit * distances)
