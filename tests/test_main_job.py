"""The package's purpose as its users write it: paths and genres in, genres out."""

import subprocess
import sys
import time

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skgenre import (
    AudioError,
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    ParallelCNNRNNClassifier,
)
from skgenre.datasets import load_audio_folder, make_genre_clips

SMALL = {"epochs": 12, "learning_rate": 0.01, "random_state": 0}
MEL = MelSpectrogramTransformer(n_frames=60, n_mels=16)
CRNN = CRNNClassifier(filters=(8, 8), lstm_units=8, embedding_units=8, **SMALL)
PARALLEL = ParallelCNNRNNClassifier(
    filters=(8,), pool_sizes=((4, 4),), gru_units=8, **SMALL
)
MODEL = make_pipeline(MEL, CRNN)


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music") / "clips"
    make_genre_clips(
        32, ["ambient", "techno"], duration=3, random_state=0, folder=folder
    )
    return load_audio_folder(folder)


def test_fit_and_predict_on_paths(tracks):
    model = clone(MODEL).fit(tracks.paths, tracks.target)
    assert model.score(tracks.paths, tracks.target) > 0.8
    alone = model.predict([str(tracks.paths[0])])
    assert alone.tolist() == model.predict(tracks.paths)[:1].tolist()
    assert model.predict_proba(tracks.paths[:3]).shape == (3, 2)
    assert len(model[-1].history_["loss"]) == 12


@pytest.mark.parametrize("kind", [list, pd.Series, lambda p: pd.DataFrame({"path": p})])
def test_containers_of_paths(tracks, kind):
    expected = clone(MODEL).fit(tracks.paths, tracks.target)
    model = clone(MODEL).fit(kind(tracks.paths), pd.Series(tracks.target))
    np.testing.assert_array_equal(
        model.predict_proba(kind(tracks.paths)), expected.predict_proba(tracks.paths)
    )


def test_artists_reach_the_validation_split_through_the_pipeline(tracks):
    model = clone(MODEL).fit(
        tracks.paths, tracks.target, crnnclassifier__groups=tracks.groups
    )
    assert "val_accuracy" in model[-1].history_


def test_clusters(tracks):
    model = make_pipeline(MEL, CRNN, EmbeddingKMeans(2, random_state=0))
    model.fit(tracks.paths, tracks.target)
    assert model[-1].adjusted_rand_score_ > 0.5
    assert model.predict(tracks.paths).shape == (32,)


@pytest.mark.slow
def test_every_step_composes(tracks):
    vote = VotingClassifier([("crnn", CRNN), ("parallel", PARALLEL)], voting="soft")
    assert (
        make_pipeline(MEL, vote)
        .fit(tracks.paths, tracks.target)
        .score(tracks.paths, tracks.target)
        > 0.8
    )
    baseline = make_pipeline(MFCCStandardizer(n_jobs=2), SVC())
    assert cross_val_score(baseline, tracks.paths, tracks.target, cv=4).mean() > 0.6
    frozen = FrozenEstimator(clone(MODEL).fit(tracks.paths, tracks.target))
    assert frozen.fit(tracks.paths[:2], tracks.target[:2]).predict(tracks.paths).size
    scores = cross_val_score(
        clone(MODEL).set_params(crnnclassifier__epochs=4), tracks.paths, tracks.target
    )
    assert scores.shape == (5,)


@pytest.mark.slow
def test_grid_search_over_both_steps(tracks, tmp_path):
    model = make_pipeline(MEL, CRNN, memory=str(tmp_path))
    grid = {
        "melspectrogramtransformer__n_mels": [8, 16],
        "crnnclassifier__epochs": [1, 6],
    }
    search = GridSearchCV(model, grid, cv=2, error_score="raise")
    search.fit(tracks.paths, tracks.target)
    assert search.best_score_ > 0.6
    assert search.predict(tracks.paths[:2]).shape == (2,)


class TestRefusals:
    """Each error names the file or the parameter."""

    def test_one_unreadable_file(self, tracks, tmp_path):
        broken = tmp_path / "brøken.mp3"
        broken.write_text("no music")
        paths = [*tracks.paths[:3], broken, *tracks.paths[3:]]
        with pytest.raises(AudioError, match="brøken.mp3"):
            clone(MODEL).fit(paths, np.arange(33) % 2)

    def test_no_clips(self):
        with pytest.raises(ValueError, match="X is empty. Pass at least one path"):
            clone(MODEL).fit([], [])

    def test_other_number_of_genres_is_told_before_decoding(self, tracks):
        paths = [*tracks.paths, "is never opened.mp3"]
        for step in (MEL, MFCCStandardizer()):
            with pytest.raises(ValueError, match=r"inconsistent.*\[33, 32\]"):
                clone(step).fit_transform(paths, tracks.target)

    def test_one_genre(self, tracks):
        with pytest.raises(ValueError, match="at least 2 genres.*1 class"):
            clone(MODEL).fit(tracks.paths, ["techno"] * 32)

    def test_nan_waveforms(self):
        waveforms = np.zeros((4, 9000))
        waveforms[2, 5] = np.nan
        for X in (waveforms, list(waveforms)):
            with pytest.raises(ValueError, match="Clip 2 of X contains NaN"):
                clone(MODEL).fit(X, list("abab"))

    def test_one_clip(self, tracks):
        with pytest.raises(ValueError, match="at least 2 genres.*1 class"):
            clone(MODEL).fit(tracks.paths[:1], tracks.target[:1])


def write(path, samples, rate):
    """Write a stereo sound file in the format that its name tells."""
    if path.suffix != ".m4a":
        soundfile.write(path, samples, rate)
        return
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="stereo")
        stream.bit_rate = 192_000
        planes = np.ascontiguousarray(samples.T, dtype=np.float32)
        whole = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        whole.sample_rate = rate
        cut = av.AudioResampler("fltp", "stereo", rate, frame_size=1024)
        for frame in [*cut.resample(whole), *cut.resample(None), None]:
            for packet in stream.encode(frame):
                container.mux(packet)


def test_formats_agree(tracks, tmp_path):
    model = clone(MODEL).fit(tracks.paths, tracks.target)
    for clip in tracks.paths[:2]:
        mono, rate = soundfile.read(clip)
        stereo = np.stack([mono, 0.8 * mono], axis=1)
        paths = [tmp_path / f"song.{s}" for s in ("wav", "flac", "ogg", "mp3", "m4a")]
        for path in paths:
            write(path, stereo, rate)
        probabilities = model.predict_proba(paths)
        np.testing.assert_allclose(
            probabilities, probabilities[:1].repeat(5, axis=0), atol=0.1
        )


def test_importing_is_quick_and_light():
    code = (
        "import sys, skgenre; dir(skgenre); "
        "heavy = {'tensorflow', 'keras', 'librosa', 'matplotlib', 'sklearn', 'numpy'}; "
        "assert not heavy & set(sys.modules)"
    )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3
