import pickle
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from published_weights import needs_weights
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.multiclass import check_classification_targets

from skgenre import (
    AudioError,
    GenreTagger,
    MusicnnEmbedding,
    genre_pipeline,
    load,
    save,
)
from skgenre.features._precompute import read_once
from skgenre.features._pretrained import _musicnn
from skgenre.inspection import bootstrap_accuracy

FOUR = ["classical", "electronic", "pop", "rock"]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Sound files of 1, 4 and 7 seconds."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    result = []
    for seconds in (1, 4, 7):
        t = np.arange(44100 * seconds) / 44100
        tone = 0.5 * np.sin(2 * np.pi * 220 * t) * np.exp(-(t % 0.5))
        result.append(str(folder / f"{seconds}.flac"))
        soundfile.write(result[-1], tone + 0.01 * rng.normal(size=len(t)), 44100)
    return result


@pytest.fixture(scope="module")
def broken(paths, tmp_path_factory):
    """Those, with a file that is none in the middle."""
    path = tmp_path_factory.mktemp("broken") / "text.mp3"
    path.write_text("no music")
    return [*paths[:1], str(path), *paths[1:]]


@needs_weights
class TestPrediction:
    def test_scores_are_means_of_logarithms(self, paths):
        tagger = GenreTagger(["Klassik", "Rock", "Jazz"])
        columns = dict(zip(tagger.get_feature_names_out(), range(100), strict=True))
        tags = np.log(np.maximum(tagger.transform(paths), 1e-6).astype(float))
        scores = np.column_stack(
            [
                tags[:, columns["msd_tags_jazz"]],
                tags[:, columns["mtt_tags_classical"]],
                tags[:, columns["msd_tags_rock"]],
            ]
        )
        expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        assert tagger.classes_.tolist() == ["Jazz", "Klassik", "Rock"]
        assert_allclose(tagger.predict_proba(paths), expected, rtol=1e-6)
        best = tagger.classes_[expected.argmax(axis=1)]
        assert_array_equal(tagger.predict(paths), best)

    def test_tags_are_those_of_the_embedding(self, paths):
        step = MusicnnEmbedding(weights=("mtt", "msd"), output="tags")
        tagger = GenreTagger()
        assert_array_equal(tagger.transform(paths), step.transform(paths))
        names = step.get_feature_names_out()
        assert_array_equal(tagger.get_feature_names_out(), names)
        frame = tagger.set_output(transform="pandas").transform(paths)
        assert list(frame.columns) == list(names)
        assert tagger.predict_proba(paths).shape == (3, 15)

    def test_genres_of_ones_own(self, paths):
        genres = {
            "loud": "loud",
            "calm": ("quiet", "soft", "ambient"),
            "noise": "weird",
        }
        tagger = GenreTagger(genres)
        assert tagger.classes_.tolist() == ["calm", "loud", "noise"]
        probabilities = tagger.predict_proba(paths)
        assert_allclose(probabilities.sum(axis=1), 1)
        assert set(tagger.predict(paths)) <= set(genres)

    def test_below_the_threshold_it_abstains(self, paths):
        tagger = GenreTagger(FOUR)
        best = tagger.predict_proba(paths).max(axis=1)
        tagger.set_params(threshold=float(np.median(best)), unknown="?")
        predicted = tagger.predict(paths)
        assert_array_equal(predicted == "?", best < np.median(best))
        assert "?" not in tagger.classes_

    def test_standardised_over_a_collection(self, paths):
        tagger = GenreTagger(FOUR, standardize=True)
        with pytest.raises(NotFittedError):
            tagger.predict(paths)
        tags = np.maximum(tagger.fit(paths).transform(paths), 1e-6)
        tags = np.log(tags.astype(float))
        assert_allclose(tagger.tag_mean_, tags.mean(axis=0))
        assert_allclose(tagger.tag_scale_, tags.std(axis=0))
        scores = (tags - tags.mean(axis=0)) / tags.std(axis=0)
        names = tagger.get_feature_names_out().tolist()
        ratio = tagger.predict_proba(paths)
        classical, pop = "mtt_tags_classical", "msd_tags_pop"
        difference = scores[:, names.index(classical)] - scores[:, names.index(pop)]
        assert_allclose(np.log(ratio[:, 0] / ratio[:, 2]), difference)
        assert np.isfinite(tagger.fit(paths[:1]).predict_proba(paths)).all()

    def test_most_probable_tags(self, paths):
        tagger = GenreTagger()
        tops = tagger.top_tags(paths, k=3)
        tags = tagger.set_output(transform="pandas").transform(paths)
        for top, (_, row) in zip(tops, tags.iterrows(), strict=True):
            assert len(top) == 3
            assert top == sorted(top, key=lambda pair: -pair[1])
            for name, probability in top:
                both = [row.get(f"{music}_tags_{name}") for music in ("mtt", "msd")]
                mean = np.mean([value for value in both if value is not None])
                assert_allclose(probability, mean, rtol=1e-6)

    def test_a_timeline_has_windows_of_3_seconds(self, paths):
        tagger = GenreTagger(FOUR, duration=None)
        probabilities, times = tagger.predict_timeline(paths)
        assert [each.shape for each in probabilities] == [(1, 4), (1, 4), (2, 4)]
        assert_allclose(times[2], [[0, 2.992], [2.992, 5.984]])
        assert_allclose(probabilities[2].sum(axis=1), 1)
        assert_allclose(probabilities[1], tagger.predict_proba(paths[1:2]), atol=1e-6)

    def test_files_that_can_not_be_read(self, broken):
        with pytest.raises(AudioError, match=r"text\.mp3"):
            GenreTagger().predict(broken)
        tagger = GenreTagger(FOUR, on_error="ignore", standardize=True).fit(broken)
        probabilities = tagger.predict_proba(broken)
        assert np.isnan(probabilities[1]).all()
        assert np.isfinite(probabilities[[0, 2, 3]]).all()
        assert tagger.predict(broken)[1] == "unknown"
        assert tagger.top_tags(broken, 2)[1] == []
        assert len(tagger.predict_timeline(broken)[0][1]) == 0
        assert tagger.extraction_report_["status"].tolist().count("error") == 1
        with pytest.raises(ValueError, match="No clip of X can be read"):
            tagger.fit(broken[1:2])

    def test_copies(self, paths, tmp_path):
        genres = {"loud": ["loud"], "calm": ("quiet", "soft")}
        for tagger in (GenreTagger(FOUR), GenreTagger(genres, standardize=True)):
            expected = tagger.fit(paths).predict_proba(paths)
            save(tagger, tmp_path / "tagger.model")
            for copy in (
                pickle.loads(pickle.dumps(tagger)),
                load(tmp_path / "tagger.model"),
            ):
                assert copy.genres == tagger.genres
                assert_array_equal(copy.predict_proba(paths), expected)
            other = load(tmp_path / "tagger.model", runtime="onnx")
            assert_allclose(other.predict_proba(paths), expected, atol=1e-5)
            twin = clone(tagger)
            assert not hasattr(twin, "tag_mean_") and twin.genres == tagger.genres

    def test_keras_and_onnx_give_the_same(self, paths):
        tagger, other = GenreTagger(), GenreTagger()
        other._runtime = "keras"
        assert_allclose(
            other.predict_proba(paths), tagger.predict_proba(paths), atol=2e-5
        )

    def test_features_that_are_known_are_not_computed_again(self, paths, monkeypatch):
        tagger = GenreTagger(FOUR)
        expected = tagger.predict_proba(paths)
        with read_once(tagger, paths):
            monkeypatch.setattr(_musicnn, "_log_mel", lambda *_, **parameters: 1 / 0)
            assert_array_equal(tagger.predict_proba(paths), expected)

    def test_a_cache_is_shared_with_the_embedding(self, paths, tmp_path, monkeypatch):
        """Tags are one output of the networks, and 'best' is made of others."""
        embedding = genre_pipeline("best")[0]
        expected = embedding.transform(paths), GenreTagger().predict_proba(paths)
        GenreTagger(cache_dir=tmp_path).predict(paths)
        monkeypatch.setattr(_musicnn, "_log_mel", lambda *_, **parameters: 1 / 0)
        embedding.set_params(cache_dir=tmp_path)
        assert_allclose(embedding.transform(paths), expected[0], atol=1e-4)
        assert_array_equal(
            GenreTagger(cache_dir=tmp_path).predict_proba(paths), expected[1]
        )


@needs_weights
@pytest.mark.slow
def test_genres_of_real_music(music_tracks):
    """The user guide has the figures; of all clips, these bounds are looser."""
    paths, genres, artists = map(list, zip(*music_tracks, strict=True))
    paths, genres, artists = paths[::2], genres[::2], np.array(artists[::2])
    tagger = GenreTagger(sorted(set(genres)), n_jobs=2, duration=10)
    predicted = tagger.predict(paths)
    right = np.array(genres) == predicted
    assert right.mean() > 0.62
    assert np.percentile(bootstrap_accuracy(right, artists), 2.5) > 0.5
    is_one = np.isin(genres, ["pop", "rock"]) & np.isin(predicted, ["pop", "rock"])
    assert (right | is_one).mean() > 0.75


@needs_weights
@pytest.mark.slow
def test_without_labels_and_without_tensorflow(paths):
    code = (
        "import sys; from skgenre import GenreTagger; "
        f"GenreTagger(n_jobs=2).predict({paths!r}); "
        "assert 'tensorflow' not in sys.modules and 'musicnn' not in sys.modules"
    )
    pytest.importorskip("onnxruntime")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_is_read_by_fit_and_no_label_learned(tmp_path):
    paths = [tmp_path / "no.mp3", tmp_path / "nor this.mp3"]
    tagger = GenreTagger().fit(paths)
    assert is_classifier(tagger)
    assert tagger.fit(paths, ["polka", "waltz"]).classes_.tolist() == [
        *("ambient", "blues", "classical", "country", "dance", "electronic", "folk"),
        *("funk", "hip-hop", "jazz", "metal", "pop", "punk", "rock", "soul"),
    ]
    check_classification_targets(tagger.classes_)


@pytest.mark.parametrize(
    ("names", "of"),
    [
        ("Klassik, klassische Musik, Classique, música clásica", "classical"),
        ("Elektronik, électronique, musica electronica", "electronic"),
        ("Hip Hop, hiphop, Rap, rap music", "hip-hop"),
        ("Rockmusik, musique rock, ROCK, música rock", "rock"),
        ("Tanzmusik, musique de danse, música de baile, dance music", "dance"),
        ("Folklore, musique folklore, folclore", "folk"),
    ],
)
def test_genres_have_names_in_other_languages(names, of):
    other = "jazz"
    for name in names.split(", "):
        assert set(GenreTagger([name, other]).classes_) == {name, other}
        with pytest.raises(ValueError, match=f"names '{of}' twice"):
            GenreTagger([of, name]).fit([[0.0] * 9])


class TestRefusals:
    @pytest.mark.parametrize(
        ("genres", "match"),
        [
            (["rock", "techno"], "has 'techno', and the genres to choose from are am"),
            (["rock", 3], "has 3, and the genres to choose"),
            (["rock"], "at least 2 genres. Got"),
            ([], "at least 2 genres"),
            ({"a": "rock"}, "at least 2 genres"),
            ({"a": "rock", "b": "polka"}, "has the tag 'polka' for 'b'. Tags are: gui"),
            ({"a": "rock", "b": []}, "has no tag for 'b'"),
            ({"a": "rock", "b": None}, "names of genres to tags, such as"),
            ({"a": "rock", 3: "pop"}, "names of genres to tags, such as"),
            ("rock", "'genres' parameter of GenreTagger must be"),
        ],
    )
    def test_genres(self, genres, match, paths):
        tagger = GenreTagger(genres)
        for method in ("fit", "predict", "transform", "top_tags"):
            with pytest.raises(ValueError, match=match):
                getattr(tagger, method)(paths)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("threshold", 1.1), ("unknown", None), ("standardize", 3), ("duration", 0)],
    )
    def test_parameters(self, name, value, paths):
        tagger = GenreTagger().set_params(**{name: value})
        with pytest.raises(ValueError, match=f"'{name}' parameter of GenreTagger"):
            tagger.fit(paths)

    def test_unknown_is_a_genre(self, paths):
        with pytest.raises(ValueError, match="unknown='rock' is one of the genres"):
            GenreTagger(unknown="rock").fit(paths)

    def test_number_of_tags(self, paths):
        for k in (0, 1.5, True, None):
            with pytest.raises(ValueError, match="k must be an integer of at least 1"):
                GenreTagger().top_tags(paths, k)

    def test_weights(self, no_weights, paths):
        for method in ("predict", "top_tags", "predict_timeline"):
            with pytest.raises(ImportError, match="skgenre weights"):
                getattr(GenreTagger(), method)(paths)
