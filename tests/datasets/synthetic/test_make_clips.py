import csv

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    StratifiedGroupKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.datasets._synthetic._styles import STYLES


def test_what_comes():
    clips = make_genre_clips(10, duration=1.5, random_state=0)
    assert clips.waveforms.shape == (10, 33075)
    assert clips.waveforms.dtype == np.float32
    assert np.abs(clips.waveforms).max() < 1
    assert clips.sample_rate == 22050
    assert clips.target_names.tolist() == ["ambient", "rock", "techno", "waltz"]
    assert clips.target[:5].tolist() == [*clips.target_names, "ambient"]
    assert clips.groups[[0, 4, 8]].tolist() == ["ambient-artist00"] * 2 + [
        "ambient-artist01"
    ]
    assert "10 synthetic clips" in clips.DESCR
    assert "paths" not in clips


# dB in bands up to 60, 250, 1000 and 4000 Hz, and above.
LEVELS = {
    "ambient": [8.5, 12.5, 21.54, 16.57, 18.72],
    "folk": [8.52, 15.17, 20.47, 21.77, 13.55],
    "hip-hop": [4.18, 12.44, 11.75, 12.08, 11.53],
    "reggae": [7.52, 13.44, 16.49, 17.09, 6.38],
    "rock": [14.33, 16.32, 20.46, 18.36, 13.7],
    "swing": [14.86, 18.54, 20.85, 22.66, 22.32],
    "techno": [11.69, 20.15, 18.26, 20.31, 17.65],
    "waltz": [7.58, 13.25, 14.77, 16.43, 17.24],
}


def test_examples_and_published_figures_are_of_this_music():
    clips = make_genre_clips(8, tuple(STYLES), duration=6, random_state=0)
    edges = np.fft.rfftfreq(6 * 22050, 1 / 22050).searchsorted([60, 250, 1000, 4000])
    for genre, waveform in zip(clips.target, clips.waveforms, strict=True):
        power = np.abs(np.fft.rfft(waveform)) ** 2 / len(waveform)
        levels = [10 * np.log10(band.sum()) for band in np.split(power, edges)]
        np.testing.assert_allclose(levels, LEVELS[genre], atol=0.02, err_msg=genre)


def test_every_artist_plays_one_genre():
    clips = make_genre_clips(
        24, tuple(STYLES), duration=1, clips_per_artist=2, random_state=0
    )
    for group in np.unique(clips.groups):
        assert len(set(clips.target[clips.groups == group])) == 1
    assert len(np.unique(clips.groups)) == 16
    assert len({clip.tobytes() for clip in clips.waveforms}) == 24


def test_a_clip_depends_on_nothing_else():
    many = make_genre_clips(12, duration=1, random_state=3)
    few = make_genre_clips(4, ["waltz", "techno"], duration=1, random_state=3)
    for genre in few.target_names:
        np.testing.assert_array_equal(
            few.waveforms[few.target == genre],
            many.waveforms[many.target == genre][:2],
        )
    again = make_genre_clips(
        12, duration=1, random_state=np.random.RandomState(3)
    ).waveforms
    np.testing.assert_array_equal(again, many.waveforms)
    other = make_genre_clips(12, duration=1, random_state=4).waveforms
    assert not any((a == b).all() for a, b in zip(other, again, strict=True))


def test_files(tmp_path):
    folder = tmp_path / "new" / "music"
    settings = {"duration": 1, "random_state": 0, "sample_rate": 16000}
    clips = make_genre_clips(9, ["rock", "hip-hop"], folder=folder, **settings)
    tracks = load_audio_folder(folder)
    assert tracks.paths.tolist() == clips.paths.tolist()
    assert tracks.target.tolist() == clips.target.tolist()
    assert tracks.groups.tolist() == clips.groups.tolist()
    for path, waveform in zip(clips.paths, clips.waveforms, strict=True):
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == 16000
        np.testing.assert_allclose(samples, waveform, atol=2**-15)
    # The same folder again is fine, and shows what was written last.
    make_genre_clips(3, ["rock", "hip-hop"], folder=str(folder), **settings)
    assert len(load_audio_folder(folder).paths) == 3


def test_tables_of_other_music_are_kept(tmp_path):
    table = tmp_path / "tracks.csv"
    with open(table, "w", newline="") as file:
        csv.writer(file).writerows([["path", "genre"], ["rock/song.mp3", "rock"]])
    before = table.read_text()
    with pytest.raises(ValueError, match="tracks.csv of other music"):
        make_genre_clips(4, duration=1, folder=tmp_path)
    assert table.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["tracks.csv"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"genres": ["rock", "polka"]}, r"names 'polka'; known are 'ambient', 'folk'"),
        ({"genres": "rock"}, "'genres' parameter"),
        ({"genres": []}, r"one or more, each once; got \[\]"),
        ({"genres": ["rock", "rock"]}, "each once; got"),
        ({"n_clips": 3}, "at least the number of genres, 4; got 3"),
        ({"n_clips": 0}, "'n_clips' parameter"),
        ({"duration": 0.5}, "'duration' parameter"),
        ({"sample_rate": 4000}, "'sample_rate' parameter"),
        ({"clips_per_artist": 0}, "'clips_per_artist' parameter"),
        ({"random_state": "a"}, "'random_state' parameter"),
        ({"folder": 3}, "'folder' parameter"),
    ],
)
def test_refusals(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_genre_clips(**parameters)


@pytest.mark.slow
def test_a_network_hears_what_a_mean_spectrum_does_not_tell():
    clips = make_genre_clips(200, random_state=1)
    X, y, groups = clips.waveforms, clips.target, clips.groups
    mel = MelSpectrogramTransformer(n_frames=215, n_jobs=2)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)

    spectrograms = mel.fit_transform(X)
    for linear in (
        LogisticRegression(max_iter=5000),
        LogisticRegression(C=0.01, max_iter=5000),
        LinearSVC(max_iter=20000),
    ):
        model = make_pipeline(
            FunctionTransformer(_mean_spectrum), StandardScaler(), linear
        )
        scores = cross_val_score(model, spectrograms, y, groups=groups, cv=folds)
        assert scores.mean() <= 0.62

    train, test = next(folds.split(X, y, groups))
    network = make_pipeline(mel, CRNNClassifier(epochs=40, random_state=0))
    network.fit(X[train], y[train])
    assert network.score(X[test], y[test]) >= 0.9
    new = make_genre_clips(80, random_state=1001)
    assert network.score(new.waveforms, new.target) >= 0.85


def _mean_spectrum(spectrograms):
    return spectrograms.mean(axis=1)
