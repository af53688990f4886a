import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal
from published_weights import needs_weights
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    ParallelCNNRNNClassifier,
    SegmentClassifier,
    genre_pipeline,
    load,
    save,
)
from skgenre.persistence import read_info
from skgenre.pipelines import PIPELINES, embedding_pipeline

each = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=needs_weights if name == "best" else ())
        for name in PIPELINES
    ],
)


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Low and high tones with noise, 4 s each."""
    folder = tmp_path_factory.mktemp("tones")
    rng = np.random.default_rng(0)
    paths, genres = [], []
    t = np.arange(4 * 16000) / 16000
    for i in range(20):
        genre = ("low", "high")[i % 2]
        pitch = rng.uniform(100, 200) * (1 if genre == "low" else 12)
        clip = np.sin(2 * np.pi * pitch * t) * np.exp(-(t % rng.uniform(0.3, 0.6)))
        paths.append(str(folder / f"{i}.wav"))
        soundfile.write(paths[-1], 0.3 * clip + 0.01 * rng.normal(size=len(t)), 16000)
        genres.append(genre)
    return paths, np.array(genres)


@each
def test_learns_is_saved_and_gives_probabilities(name, tracks, tmp_path):
    paths, y = tracks
    model = genre_pipeline(name, random_state=0)
    if name == "scratch":  # 20 clips are one step an epoch
        model.set_params(secondorderclassifier__learning_rate=0.02)
    if name == "paper":
        model.set_params(crnnclassifier__epochs=3)
    if name in ("crnn", "parallel"):
        model.set_params(segmentclassifier__estimator__epochs=1)
    model.fit(paths, y)
    probabilities = model.predict_proba(paths)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    if name not in ("paper", "crnn", "parallel"):  # so few epochs tell nothing of it
        assert model.score(paths, y) > 0.9
    save(model, tmp_path / "it.model")
    rate = 16000 if name == "best" else 22050
    assert read_info(tmp_path / "it.model")["sample_rate"] == rate
    assert_array_equal(load(tmp_path / "it.model").predict_proba(paths), probabilities)


@each
def test_parameters_reach_the_steps_of_this_package(name):
    model = genre_pipeline(name, n_jobs=2, random_state=3, verbose=True)
    ours = [
        step
        for step in model.get_params().values()
        if type(step).__module__.startswith("skgenre.")
    ]
    assert ours
    audio = [step for step in ours if "n_jobs" in step.get_params()]
    (audio_step,) = audio
    assert audio_step.n_jobs == 2
    for step in ours:
        assert step.get_params().get("random_state", 3) == 3
        assert step.get_params().get("verbose", True) is True
    others = genre_pipeline(name).get_params()
    for key, step in model.get_params().items():
        if hasattr(step, "get_params") and step not in ours:
            before = others[key].get_params(deep=False)
            after = step.get_params(deep=False)
            for parameter in before.keys() & {"n_jobs", "random_state", "verbose"}:
                assert after[parameter] == before[parameter]
    assert hasattr(model[-1], "epochs") == (name in ("scratch", "paper"))
    assert getattr(model[-1], "random_state", 3) == 3 or name == "best"


def test_the_papers_networks_on_windows():
    for name, network in (
        ("crnn", CRNNClassifier),
        ("parallel", ParallelCNNRNNClassifier),
    ):
        mel, segments = genre_pipeline(name, random_state=4)
        assert mel.views == ("mix",) and segments.window < mel.n_frames
        assert type(segments.estimator) is network
        assert segments.estimator.validation_fraction == 0
        assert segments.estimator.random_state == 4


def test_the_papers_recipe():
    mel, crnn = genre_pipeline("paper")
    assert crnn.input_scaling == "log" and crnn.epochs == 70
    assert (mel.n_frames, mel.n_mels, mel.excerpt) == (640, 128, "start")
    assert crnn.batch_norm_position == "before_relu"


@needs_weights
def test_views_of_the_best_count_the_same(tracks):
    paths, y = tracks
    values = genre_pipeline("best")[:2].fit_transform(paths)
    assert values.shape == (20, 200 + 2144 + 200)
    squares = [np.sum(part**2) for part in np.split(values, [200, 2344], axis=1)]
    # Features that never react have no variance, and there are not many clips.
    assert max(squares) / min(squares) < 2


def test_unknown_name():
    with pytest.raises(ValueError, match="'name' parameter of genre_pipeline must be"):
        genre_pipeline("good")


@each
def test_the_embedding_of_a_pipeline_is_made_before_its_classifier(name):
    pipeline = genre_pipeline(name)
    embedder = embedding_pipeline(pipeline)
    if name in (
        "paper",
        "scratch",
        "crnn",
        "parallel",
    ):  # networks have embeddings of their own
        assert embedder is pipeline
    else:
        assert embedder.steps == pipeline.steps[:-1]


def test_calibration_of_ten_genres_of_ten_clips_costs_no_accuracy():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(10), 60)
    X = rng.normal(size=(10, 30))[y] + 1.5 * rng.normal(size=(600, 30))
    test = np.arange(600) % 60 >= 10
    calibrated = genre_pipeline("fast")[-1].fit(X[~test], y[~test])
    alone = calibrated.estimator.fit(X[~test], y[~test]).score(X[test], y[test])
    assert 0.6 < alone < 0.95
    assert abs(calibrated.score(X[test], y[test]) - alone) <= 0.01


def test_the_embedding_of_a_search_is_its_best_models(tracks):
    paths, genres = tracks
    search = GridSearchCV(genre_pipeline("fast"), {"mfccstandardizer__n_mfcc": [3]})
    embedder = embedding_pipeline(search.set_params(cv=2).fit(paths, genres))
    assert embedder.transform(paths[:2]).shape == (2, 3 * (3 + 3 + 3))


@pytest.fixture
def network():
    return CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)


def test_the_embedding_of_a_network_that_abstains(tracks, network):
    paths, genres = tracks
    careful = AbstainingClassifier(network, target_precision=0, cv=2)
    model = make_pipeline(MelSpectrogramTransformer(n_frames=8), careful)
    embedder = embedding_pipeline(model.fit(paths, genres))
    assert_array_equal(
        embedder.transform(paths[:3]),
        careful.estimator_.transform(model[0].transform(paths[:3])),
    )


def test_the_embedding_of_a_pipeline_that_abstains(tracks):
    paths, genres = tracks
    careful = AbstainingClassifier(genre_pipeline("fast"), target_precision=0, cv=2)
    embedder = embedding_pipeline(careful.fit(paths[:12], genres[:12]))
    mfcc = careful.estimator_[0]
    assert_array_equal(embedder.transform(paths[:2]), mfcc.transform(paths[:2]))


def test_distances_to_clusters_are_no_embedding():
    model = make_pipeline(StandardScaler(), EmbeddingKMeans(2))
    assert [*embedding_pipeline(model)] == [model[0]]


@pytest.mark.parametrize(
    ("model", "name"),
    [(SVC(), "SVC"), (make_pipeline(SVC()), "Pipeline of SVC"), (None, "NoneType")],
)
def test_what_makes_no_embedding_is_refused(model, name):
    with pytest.raises(ValueError, match=f"{name} makes no embedding"):
        embedding_pipeline(model)


def test_spectrograms_are_no_embedding():
    segments = AbstainingClassifier(SegmentClassifier(SVC()))
    model = make_pipeline(MelSpectrogramTransformer(), segments)
    with pytest.raises(ValueError, match="SegmentClassifier has no transform, and the"):
        embedding_pipeline(model)


@pytest.fixture(scope="module")
def duets(tracks):
    paths, y = tracks
    waves = [soundfile.read(path)[0] for path in paths]
    low, high = (
        [w for w, g in zip(waves, y, strict=True) if g == genre]
        for genre in ("low", "high")
    )
    rate = 16000
    clips = [(wave, rate) for wave in low[:5] + high[:5]]
    clips += [(a + b, rate) for a, b in zip(low[5:], high[5:], strict=True)]
    return clips, [("low",)] * 5 + [("high",)] * 5 + [("high", "low")] * 5


class TestSeveralGenres:
    """Pipelines of clips that have low tones, high ones, both or neither."""

    def test_learns_and_is_saved(self, duets, tmp_path):
        clips, genres = duets
        model = genre_pipeline("fast", multi_label=True).fit(clips, genres)
        assert model.classes_.tolist() == ["high", "low"]
        assert model.score(clips, genres) > 0.8
        save(model, tmp_path / "it.model")
        loaded = load(tmp_path / "it.model")
        assert_array_equal(loaded.predict_proba(clips), model.predict_proba(clips))
        assert loaded.predict(clips).tolist() == model.predict(clips).tolist()

    @pytest.mark.parametrize("name", ["scratch", "crnn", "parallel", "paper"])
    def test_networks_hold_clips_out_to_choose_thresholds(self, name):
        last = genre_pipeline(name, multi_label=True)[-1]
        network = getattr(last, "estimator", last)
        assert network.validation_fraction > 0
        assert get_tags(last).classifier_tags.multi_label
