"""A model that is trained on songs: where it is, how good it is, and how it ends."""

import numpy as np
import pytest
from explored import write_songs

from skgenre import genre_pipeline, load
from skgenre._estimators import fit_with_groups
from skgenre.explore._model import _training
from skgenre.explore._model._training import Songs, Training
from skgenre.features._precompute import read_once
from skgenre.persistence import read_info


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    paths, genres = write_songs(tmp_path_factory.mktemp("music"), 24, duration=1.0)
    artists = [f"artist {i // 2}" for i in range(24)]
    return Songs(paths, genres, artists, np.array(artists))


def finished(training):
    training.wait(60)
    return training.state()


def test_a_model_is_written_with_its_accuracy_on_other_artists(songs, tmp_path):
    broken = tmp_path / "broken.flac"
    broken.write_bytes(b"no music")
    given = Songs(
        [*songs.paths, str(broken), songs.paths[0] + " of a genre of its own"],
        [*songs.genres, "rock", "polka"],
        [*songs.artists, None, None],
        np.array([*songs.artists, "x", "y"]),
    )
    training = Training(tmp_path / "new" / "models", n_jobs=1)
    assert training.state() == {"phase": "none"}
    training.start("fast", given)
    state = finished(training)
    assert state["phase"] == "done", state
    assert state["n_songs"] == state["n_read"] == 25
    result = state["result"]
    (file,) = (tmp_path / "new" / "models").iterdir()
    assert result["path"] == str(file) and file.name.startswith("fast-20")
    assert (result["n_songs"], result["n_left_out"]) == (24, 2)
    assert result["n_checked"] == 24 and result["artists_are_known"]
    low, high = result["interval"]
    assert 0 <= low <= result["accuracy"] <= high <= 1
    # It is the model that these songs make, and not one that was only checked.
    expected = genre_pipeline("fast", random_state=0)
    fit_with_groups(expected, songs.paths, songs.genres, songs.groups)
    proba = load(file).predict_proba(songs.paths)
    np.testing.assert_allclose(proba, expected.predict_proba(songs.paths), rtol=1e-6)
    info = read_info(file)
    assert info["training"]["n_clips"] == 24 and info["training"]["n_artists"] == 12
    assert info["training"]["refit"] is True
    assert info["metrics"]["accuracy"] == result["accuracy"]
    # A second one replaces nothing.
    training.start("fast", songs)
    assert finished(training)["result"]["path"] != str(file)


def test_what_cannot_be_trained_is_refused_and_leaves_nothing(songs, tmp_path):
    folder = tmp_path / "models"
    training = Training(folder)
    few = songs._replace(genres=["rock"] * 20 + ["jazz"] * 4)
    with pytest.raises(ValueError, match=r"two genres .* 5 songs.* jazz: 4, rock: 20"):
        training.start("fast", few)
    with pytest.raises(ValueError, match="Found none"):
        training.start("fast", songs._replace(genres=[None] * 24))
    for recipe in ("crnn", "../fast", None, ["fast"]):
        with pytest.raises(ValueError, match="recipe must be one of"):
            training.start(recipe, songs)
    assert not folder.exists()
    gone = songs._replace(paths=[path + " gone" for path in songs.paths])
    training.start("fast", gone)
    assert "Found none, and 24 songs that can't be" in finished(training)["failure"]
    folder.rmdir()
    folder.write_text("a file")
    with pytest.raises(OSError):
        training.start("fast", songs)


def test_one_artist_is_no_proof(songs, tmp_path):
    training = Training(tmp_path, n_jobs=1)
    training.start("fast", songs._replace(groups=np.full(24, "one")))
    result = finished(training)["result"]
    assert "accuracy" not in result and "only one" in result["unchecked"]
    assert read_info(result["path"])["metrics"] == {}


def test_a_stop_and_a_failure_leave_no_model(songs, tmp_path, monkeypatch):
    training = Training(tmp_path / "models", n_jobs=1)

    def slow(*args, **options):
        with pytest.raises(ValueError, match="is being trained"):
            training.start("fast", songs)
        training.stop()
        return read_once(*args, **options)

    monkeypatch.setattr(_training, "read_once", slow)
    training.start("fast", songs)
    state = finished(training)
    assert state["phase"] == "stopped" and "result" not in state

    def broken(model, *args, **options):
        assert model[0].time_limit == 7.0
        raise RuntimeError("out of order" + 10_000 * "!")

    monkeypatch.setattr(_training, "read_once", broken)
    training = Training(tmp_path / "models", time_limit=7.0, n_jobs=1)
    training.start("fast", songs)
    state = finished(training)
    assert state["phase"] == "failed" and len(state["failure"]) <= 500
    assert state["failure"].startswith("RuntimeError: out of order")
    assert not [*(tmp_path / "models").iterdir()]
