"""Songs heard in the background: what is broken is told, what was heard is kept."""

import os

import numpy as np
import pytest
import soundfile
from explored import fit_model, write_songs

from skgenre.explore._extraction import Extraction
from skgenre.explore._kept import Kept
from skgenre.explore._listener import Listener


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    paths, genres = write_songs(folder, 24, duration=1.0)
    return folder, paths, genres


def test_all_that_can_be_read_is_heard(songs, tmp_path):
    _, paths, genres = songs
    model = fit_model(paths, genres)
    broken, silent = tmp_path / "broken.flac", tmp_path / "none.flac"
    broken.write_bytes(b"no music")
    extraction = Extraction(Listener(model), [str(broken), *paths, str(silent)], 1)
    assert extraction.embeddings is None
    extraction.start()
    extraction.wait()
    assert extraction.phase == "done" and extraction.failure is None
    assert sorted(extraction.errors) == [0, 25]
    assert extraction.rows().tolist() == list(range(1, 25))
    expected = model[:-1].transform(paths)
    np.testing.assert_allclose(extraction.embeddings[1:-1], expected, rtol=1e-5)
    np.testing.assert_allclose(
        extraction.proba[1:-1], model.predict_proba(paths), atol=1e-6
    )
    assert extraction.tags is None


def test_a_stop_is_obeyed_and_the_cache_resumes(songs, tmp_path):
    _, paths, genres = songs
    model = fit_model(paths, genres)
    model[0].set_params(cache_dir=tmp_path / "cache")
    listener = Listener(model)
    extraction = Extraction(listener, paths, 1)

    def listen(files):
        extraction.stop()
        return Listener.listen(listener, files)

    listener.listen = listen
    extraction.start()
    extraction.wait()
    n_heard = int(extraction.done.sum())
    assert extraction.phase == "stopped" and 0 < n_heard < 24
    n_kept = len([*(tmp_path / "cache").rglob("*.npy")])
    assert n_heard <= n_kept < 24
    del listener.listen
    again = Extraction(listener, paths, 1)
    again.start()
    again.wait()
    assert again.done.all()


def test_a_collection_that_was_heard_is_there_at_once(songs, tmp_path):
    _, paths, genres = songs
    paths = paths[:6] + [str(tmp_path / name) for name in ("short.flac", "none.flac")]
    soundfile.write(paths[6], np.ones(2000), 22050)
    model = fit_model(*songs[1:])

    def heard_again(model=model):
        """Return what is heard of the songs, and which of them are listened to."""
        listener, asked = Listener(model), []
        kept = Kept(tmp_path / "cache", listener.steps, paths)
        extraction = Extraction(listener, paths, 1, kept)

        def listen(files):
            asked.extend(paths.index(file) for file in files)
            return Listener.listen(listener, files)

        listener.listen = listen
        extraction.start()
        extraction.wait()
        assert extraction.phase == "done", extraction.failure
        return extraction, sorted(asked)

    first, asked = heard_again()
    every = asked
    assert every == [*range(7)]
    assert sorted(first.errors) == [6, 7]
    again, asked = heard_again()
    assert asked == [6]  # what is wrong with it is said again
    assert sorted(again.errors) == [6, 7]
    assert again.rows().tolist() == first.rows().tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(again.embeddings[:6], first.embeddings[:6])
    np.testing.assert_array_equal(again.proba[:6], first.proba[:6])
    # Neither another model's nor another file's.
    assert heard_again(fit_model(paths[:6], genres[:6]))[1] == every
    os.utime(paths[0], ns=(1, 1))
    assert heard_again()[1] == every


def test_a_model_that_fails_ends_it_with_its_error(songs):
    _, paths, genres = songs
    listener = Listener(fit_model(paths, genres))

    def listen(files):
        raise RuntimeError("out of order")

    listener.listen = listen
    extraction = Extraction(listener, paths, 1)
    extraction.start()
    extraction.wait()
    assert extraction.phase == "failed"
    assert extraction.failure == "RuntimeError: out of order"
