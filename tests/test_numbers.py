"""Degenerate data: finite predictions or a clear error, never NaN."""

import warnings

import keras
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from published_weights import needs_weights
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SegmentClassifier,
    TrackRecommender,
    genre_pipeline,
    load,
    load_audio,
    save,
)
from skgenre.features import KerasEmbedding

RATE = 22050
TWO = np.repeat(["folk", "rock"], 4)


def noise(n_clips, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(scale=0.1, size=(n_clips, RATE)).astype(np.float32)


def with_one(value):
    waves = noise(8)
    waves[3, 5] = value
    return waves


CORPORA = {
    "all silent": (np.zeros((8, RATE), np.float32), TWO),
    "some silent": (np.concatenate([np.zeros((3, RATE)), noise(5)]), TWO),
    "one clip only, eight times": (np.repeat(noise(1), 8, axis=0), TWO),
    "constant": (np.ones((8, RATE), np.float32), TWO),
    "one sample each": ([np.ones(1, np.float32)] * 8, TWO),
    "near the end of float32": (noise(8) * np.float32(1e38), TWO),
    "below float32's normal range": (noise(8) * np.float32(1e-42), TWO),
    "one clip a genre": (noise(3), np.array(["folk", "jazz", "rock"])),
    "one genre": (noise(4), np.repeat("folk", 4)),
    "NaN": (with_one(np.nan), TWO),
    "infinity": (with_one(np.inf), TWO),
}
REFUSED = {
    "one genre": "[Oo]ne class|at least 2 genres|number of classes has to be greater",
    "NaN": "Clip 3 of X contains NaN, infinity",
    "infinity": "Clip 3 of X contains NaN, infinity",
}


def check_probabilities(probabilities, n_genres):
    assert probabilities.shape[1] == n_genres
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "baseline",
        "fast",
        pytest.param("scratch", marks=pytest.mark.slow),
        pytest.param("paper", marks=pytest.mark.slow),
        pytest.param(
            "best",
            marks=[
                pytest.mark.slow,
                needs_weights,
            ],
        ),
    ],
)
def test_pipelines(name):
    labels, refused = CORPORA, REFUSED
    if name in ("baseline", "fast"):
        refused = REFUSED | {"one clip a genre": "has 1 clip to train on"}
    else:  # they take seconds for each
        labels = "all silent", "one clip a genre", "near the end of float32", *REFUSED
    for label in labels:
        X, y = CORPORA[label]
        pipeline = genre_pipeline(name, random_state=0)
        if name in ("scratch", "paper"):
            pipeline[0].set_params(n_frames=16)
            pipeline[1].set_params(epochs=1)
        if label in refused:
            with pytest.raises(ValueError, match=refused[label]):
                pipeline.fit(X, y)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            pipeline.fit(X, y)
        check_probabilities(pipeline.predict_proba(X), len(np.unique(y)))


@pytest.mark.parametrize("name", ["fast", "best"])
def test_many_genres_of_the_pipelines_classifiers(name):
    """On ready-made features; support vector machines compare each pair of genres."""
    n_genres = 50 if name == "fast" else 300
    pipeline = genre_pipeline(name)
    scaler = pipeline[1]
    n_features = 20
    if name == "best":  # the views are of thousands of features, which take a minute
        scaler.set_params(
            transformers=[
                (n, s, slice(0, n_features)) for n, s, _ in scaler.transformers
            ]
        )
        classifier = pipeline[1:]
    else:
        pipeline[0].set_params(input="features")
        classifier = pipeline
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(n_genres, n_features)), 3, axis=0)
    X += 0.1 * rng.normal(size=X.shape)
    y = np.repeat([f"genre {i}" for i in range(n_genres)], 3)
    probabilities = classifier.fit(X, y).predict_proba(X)
    check_probabilities(probabilities, n_genres)
    assert (classifier.classes_[probabilities.argmax(axis=1)] == y).mean() > 0.5


def spectrograms(n_clips, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(-40, 10, size=(n_clips, 16, 8)).astype(np.float32)


NETWORKS = [
    CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0),
    ParallelCNNRNNClassifier(
        filters=(4,), pool_sizes=((2, 2),), gru_units=4, epochs=1, random_state=0
    ),
    SecondOrderClassifier(epochs=1, random_state=0),
]
networks = pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)


@pytest.mark.slow
@networks
def test_networks_of_a_thousand_genres_of_one_clip(network):
    y = np.array([f"genre {i}" for i in range(1000)])
    with warnings.catch_warnings():
        # scikit-learn wonders whether so many classes are a regression.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        network = clone(network).set_params(batch_size=250).fit(spectrograms(1000), y)
    check_probabilities(network.predict_proba(spectrograms(9, seed=1)), 1000)


@pytest.mark.slow
@networks
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_networks_of_999_clips_to_one(network, class_weight):
    network = clone(network).set_params(class_weight=class_weight, batch_size=250)
    network.fit(spectrograms(1000), np.array(["folk"] * 999 + ["rock"]))
    check_probabilities(network.predict_proba(spectrograms(9, seed=1)), 2)


@pytest.mark.slow
@networks
@pytest.mark.parametrize("input_scaling", ["standardize", "log"])
def test_networks_of_features_that_never_change(network, input_scaling):
    y = np.repeat(["folk", "rock"], 10)
    network = clone(network).set_params(input_scaling=input_scaling)
    for X in (np.full((20, 16, 8), -80.0), np.zeros((20, 16, 8)), spectrograms(20)):
        X[:, :, 3] = -80
        network.fit(X, y)
        check_probabilities(network.predict_proba(X), 2)
        # A band that was constant in `fit` has no scale, whatever comes then.
        check_probabilities(network.predict_proba(spectrograms(9)), 2)


@networks
def test_networks_predict_finite_values_or_say_why_not(network):
    """Also where values are finite, but their products in the network are not."""
    X = spectrograms(20)
    fitted = clone(network).fit(X, np.repeat(["folk", "rock"], 10))
    refusals = []

    @settings(max_examples=20, deadline=None, derandomize=True)
    @given(st.floats(-1e300, 1e300), st.integers(0, 19))
    def check(value, row):
        X = spectrograms(20).astype(np.float64)
        X[row, 4:8] = value
        try:
            check_probabilities(fitted.predict_proba(X), 2)
            assert np.isfinite(fitted.transform(X)).all()
        except ValueError as error:
            refusals.append(value)
            assert "no finite" in str(error) and f"clip {row} of X" in str(error)
            assert f"up to {max(abs(value), np.abs(X[row]).max()):.3g}" in str(error)
            assert abs(value) > 1e15

    check()
    X = X.astype(np.float64)
    X[3] = 1e300
    with np.errstate(over="ignore", invalid="ignore"):
        with pytest.raises(ValueError, match="diverged.* out of proportion"):
            clone(network).fit(X, np.repeat(["folk", "rock"], 10))


@pytest.mark.parametrize("weight", [1e-30, 1e30])
def test_weights_out_of_proportion(weight):
    network, X = clone(NETWORKS[0]), spectrograms(20)
    given = {"sample_weight": np.full(20, weight)}
    try:
        network.fit(X, np.repeat(["folk", "rock"], 10), **given)
    except ValueError as error:
        assert "diverged" in str(error) and weight > 1
    else:
        check_probabilities(network.predict_proba(X), 2)


TABLES = {
    "constant": np.full((40, 8, 2), -80.0),
    "one clip only": np.repeat(spectrograms(1)[:, :8, :2], 40, axis=0),
    "large": np.full((40, 8, 2), 1e300),
    "usual": np.random.default_rng(0).normal(size=(40, 8, 2)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:No threshold reaches")
@pytest.mark.parametrize("label", TABLES)
@pytest.mark.parametrize(
    "inner",
    [LogisticRegression(), GaussianNB(), DecisionTreeClassifier(random_state=0)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_windows_and_abstaining(inner, label):
    X, y = TABLES[label], np.repeat(["folk", "rock"], 20)
    around = [
        *(
            (SegmentClassifier(clone(inner), window=4, hop=2, voting=voting), X)
            for voting in ("soft", "hard", "stack")
        ),
        (AbstainingClassifier(clone(inner)), X.reshape(40, -1)),
    ]
    for estimator, values in around:
        try:
            probabilities = estimator.fit(values, y).predict_proba(values)
        except ValueError as error:
            assert label != "usual"
            assert "probabilities that are NaN" in str(error) or "float32" in str(error)
        else:
            assert np.isfinite(probabilities).all()
            predicted = set(estimator.predict(values))
            assert predicted <= {"folk", "rock", "unknown"}


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_windows_of_one_clip_a_genre_and_of_a_thousand(voting):
    y = np.array([f"genre {i}" for i in range(1000)])
    segments = SegmentClassifier(GaussianNB(), window=8, hop=8, voting=voting)
    for n_genres in (3, 1000):
        X = spectrograms(n_genres)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The number of unique classes")
            segments.fit(X, y[:n_genres])
        check_probabilities(segments.predict_proba(X[:9]), n_genres)


@pytest.mark.filterwarnings("ignore:The least populated class")
@pytest.mark.parametrize(
    "estimator",
    [
        SegmentClassifier(LogisticRegression(), window=8, hop=8, voting="stack"),
        AbstainingClassifier(LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_folds_without_a_genre(estimator):
    X, y = spectrograms(40)[:, :, :1].reshape(40, -1), np.array(["folk"] * 39 + ["x"])
    message = r"cv=5 leaves a fold clips of one genre only .*: \['folk'\]. Give"
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


class TestStrictNumPy:
    """With ``np.seterr(all="raise")``, results are the same."""

    @pytest.mark.filterwarnings("ignore:.* hold less music")
    @pytest.mark.parametrize("scale", [1.0, 1e30, 1e-25, 1e-42])
    def test_sound(self, scale, tmp_path):
        path = str(tmp_path / "stereo.wav")
        stereo = noise(2).T * np.float32(scale)
        soundfile.write(path, stereo, 44100, subtype="FLOAT")
        mel = MelSpectrogramTransformer(n_frames=30)
        mfcc = MFCCStandardizer().fit([path, noise(1)[0]])

        def results():
            return [
                load_audio(path),
                mel.transform([path, (stereo.astype(np.float64), 44100)]),
                mfcc.transform([path]),
            ]

        expected = results()
        with np.errstate(all="raise"):
            for array, same in zip(results(), expected, strict=True):
                assert_array_equal(array, same)

    def test_networks(self, tmp_path):
        X, y = spectrograms(20).astype(np.float64), np.repeat(["folk", "rock"], 10)
        X[0, 0, 0] = 1e-310
        expected = clone(NETWORKS[0]).fit(X, y).predict_proba(X)
        with np.errstate(all="raise"):
            network = clone(NETWORKS[0]).fit(X, y)
            assert_array_equal(network.predict_proba(X), expected)
            save(network, tmp_path / "it.model")
            with_onnx = load(tmp_path / "it.model", runtime="onnx")
            assert_allclose(with_onnx.predict_proba(X), expected, atol=1e-5)


class TestEmbeddings:
    """Tables between whose rows distances are hardly defined."""

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize("n_clusters", [1, 3, "auto"])
    @pytest.mark.parametrize("value", [0.0, 1.0, 1e-300, 1e15])
    def test_clusters_of_one_point(self, value, n_clusters):
        E = np.full((20, 5), value)
        kmeans = EmbeddingKMeans(n_clusters, n_init=1, random_state=0).fit(
            E, [0, 1] * 10
        )
        assert np.isfinite(kmeans.transform(E)).all()
        assert np.isnan(kmeans.silhouette_score_)  # as documented
        assert kmeans.adjusted_rand_score_ == 0

    @pytest.mark.parametrize("algorithm", ["exact", "approximate"])
    @pytest.mark.parametrize("metric", ["cosine", "euclidean"])
    def test_neighbours_of_any_size(self, metric, algorithm):
        rng = np.random.default_rng(0)
        recommender = TrackRecommender(metric=metric, algorithm=algorithm)
        for size in (1e-10, 1.0, 1e10, 1e14):
            E = np.clip(rng.normal(size=(20, 5)), -3, 3) * size
            for dtype in (np.float64, np.float32):
                found = recommender.fit(E.astype(dtype)).recommend([0], k=3)
                assert len(found.rows) == 3
                assert np.isfinite(found.distances).all()

    @pytest.mark.parametrize("algorithm", ["exact", "approximate"])
    def test_neighbours_of_nothing(self, algorithm):
        E = np.random.default_rng(0).normal(size=(20, 5))
        E[0] = 0
        recommender = TrackRecommender(algorithm=algorithm).fit(E)
        assert np.isfinite(recommender.recommend([0], k=3).distances).all()
        copies = TrackRecommender(algorithm=algorithm).fit(np.ones((20, 5)))
        with pytest.warns(UserWarning, match="Only 0 of the 3 tracks"):
            assert not len(copies.recommend([0], k=3).rows)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize(
        "estimator",
        [
            EmbeddingKMeans(2),
            TrackRecommender(),
            TrackRecommender(algorithm="approximate", metric="euclidean"),
        ],
        ids=["kmeans", "exact", "approximate"],
    )
    def test_distances_beyond_float32(self, estimator, dtype):
        """Faiss's threads would end the process, and k-means predict NaN."""
        E = np.random.default_rng(0).normal(size=(20, 5)).astype(dtype)
        fitted = clone(estimator).fit(E)
        ask = getattr(fitted, "transform", None) or fitted.recommend_by_embedding
        message = r"takes embeddings of values up to 1e\+15, got one of 3e\+37"
        with pytest.raises(ValueError, match=message):
            ask(np.full((1, 5), 3e37, dtype))
        with pytest.raises(ValueError, match=message):
            clone(estimator).fit(np.where(E == E[3], dtype(3e37), E))


def test_a_network_that_returns_nan_names_the_clip():
    inputs = keras.Input((700,))
    logarithm = keras.layers.Dense(2, kernel_initializer="ones")(keras.ops.log(inputs))
    step = KerasEmbedding(
        keras.Model(inputs, logarithm, name="log"),
        input="waveform",
        sample_rate=8000,
    )
    clips = [np.full(700, 0.5), np.zeros(700)]
    with pytest.raises(ValueError, match="network 'log' outputs NaN or inf") as caught:
        step.transform(clips)
    assert caught.value.__notes__ == ["This happened in clip 1 of X."]
    assert step.transform(clips[:1]).shape == (1, 2)
