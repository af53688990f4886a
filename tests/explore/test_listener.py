"""What is computed of songs, by a model or without one."""

import numpy as np
import pytest
from explored import fit_model, write_songs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skgenre import (
    CRNNClassifier,
    GenreTagger,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    SegmentClassifier,
)
from skgenre.audio import AudioError
from skgenre.explore._listener import N_TAGS, Listener
from skgenre.features._pretrained._musicnn_weights import has_weights


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    return write_songs(tmp_path_factory.mktemp("music"), 8, duration=4.0)


def test_a_model_without_weights(songs, no_weights):
    paths, genres = songs
    model = fit_model(paths, genres)
    listener = Listener(model)
    assert listener.classes == model.classes_.tolist()
    heard = listener.listen(paths[:2])
    np.testing.assert_allclose(heard[1].embedding, model[:-1].transform(paths[1:2])[0])
    np.testing.assert_allclose(heard[1].proba, model.predict_proba(paths[1:2])[0])
    assert heard[0].tags is None and listener.top_tags(paths[0]) == []
    assert listener.timeline(paths[0])["times"] == []
    assert "before it decides on a genre" in listener.meaning


def test_a_model_without_probabilities(songs, no_weights):
    paths, genres = songs
    steps = MFCCStandardizer(), StandardScaler(), LinearSVC()
    listener = Listener(make_pipeline(*steps).fit(paths, genres))
    assert listener.classes == [] and listener.listen(paths[:1])[0].proba is None
    with pytest.raises(ValueError, match="predicts no genres"):
        listener.predict_proba(paths[:1])


def test_a_model_without_an_embedding(songs, no_weights):
    paths, _ = songs
    mel = MelSpectrogramTransformer(n_frames=10)
    listener = Listener(make_pipeline(mel, FunctionTransformer()).fit(paths))
    with pytest.raises(ValueError, match=r"no embedding: it makes arrays of shape"):
        listener.listen(paths[:1])


def test_a_song_that_is_seen_or_played_has_the_time_limit(songs, no_weights):
    paths, genres = songs
    listener = Listener(fit_model(paths, genres), time_limit=1e-6)
    with pytest.raises(AudioError, match="more than 1e-06 s"):
        listener.load(paths[0], sample_rate=8000)


@pytest.mark.skipif(not has_weights(), reason="musicnn's weights are not here")
def test_the_tagger_has_the_time_limit(songs, monkeypatch):
    listener, limits = Listener(time_limit=7.0), []

    def predict_timeline(tagger, paths):
        limits.append(tagger.time_limit)
        return [np.zeros((1, 1))], [np.zeros((1, 2))]

    monkeypatch.setattr(GenreTagger, "predict_timeline", predict_timeline)
    monkeypatch.setattr(GenreTagger, "classes_", [], raising=False)
    listener.timeline(songs[0][0])
    assert [listener.tagger.time_limit, *limits] == [7.0, 7.0]


@pytest.mark.slow
def test_windows_of_a_network_are_its_timeline(songs, no_weights):
    paths, genres = songs
    network = CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)
    model = make_pipeline(
        MelSpectrogramTransformer(n_frames=None),
        SegmentClassifier(network, window=40, hop=20),
    ).fit(paths, genres)
    found = Listener(model).timeline(paths[0])
    assert found["by"] == "the model" and found["genres"] == model.classes_.tolist()
    assert len(found["times"]) == len(found["proba"]) > 1
    np.testing.assert_allclose(np.sum(found["proba"], axis=1), 1, atol=0.01)


@pytest.mark.slow
@pytest.mark.skipif(not has_weights(), reason="musicnn's weights are not here")
def test_without_a_model_songs_are_tagged(songs):
    paths, _ = songs
    listener = Listener()
    tags = GenreTagger().transform(paths[:2])
    heard = listener.listen(paths[:2])
    np.testing.assert_allclose(heard[1].tags, tags[1], rtol=1e-4)
    np.testing.assert_allclose(heard[1].embedding, np.sqrt(tags[1]), rtol=1e-4)
    assert heard[1].proba.sum() == pytest.approx(1, abs=1e-5)
    assert len(listener.top_tags(paths[0])) == N_TAGS
    found = listener.timeline(paths[0])
    assert found["by"] == "the pretrained tagger"
    assert found["times"][0] == [0, pytest.approx(3, abs=0.05)]
