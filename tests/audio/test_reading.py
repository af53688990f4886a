import math
import pickle
import warnings

import numpy as np
import pytest
import soundfile

from skgenre import MelSpectrogramTransformer, MFCCStandardizer, load_audio
from skgenre.audio import AudioError, map_clips
from skgenre.audio._isolation._task import IsolatedTask
from skgenre.audio._reading import (
    Observed,
    Reading,
    note,
    observe,
    peak,
    read_blocks,
    read_samples,
)

RATE = 22050


def whole(clip):
    return len(read_samples(clip, RATE, lambda n_samples, _: (0, n_samples)))


def in_blocks(clip):
    return sum(map(len, read_blocks(clip, RATE)))


@pytest.fixture
def noise():
    return np.random.default_rng(0).uniform(-0.3, 0.3, 3 * RATE).astype(np.float32)


@pytest.mark.parametrize(
    ("reading", "status", "has_music"),
    [
        (Reading(), "ok", True),
        (Reading(30, 0, 30, 0.5), "ok", True),
        (Reading(30, 0, 30, 0.002), "ok", True),
        (Reading(30, 0, 30, 0.001), "silent", False),
        (Reading(0.1, 0, 0.1, 0), "silent", False),
        (Reading(0.25, 0, 0.25, 1), "ok", True),
        (Reading(0.2, 0, 0.2, 1), "too short", False),
        (Reading(0.2, 9.8, 10, 1), "too short", False),
        (Reading(9.9, 0.1, 10, 1), "damaged", True),
    ],
)
def test_status(reading, status, has_music):
    assert (reading.status, reading.has_music) == (status, has_music)
    assert bool(reading.cause) == (status != "ok")


def test_what_is_noted_is_observed_outside_too():
    with observe() as outer:
        with observe() as first:
            note(Reading(1, 0, 2, 0.1))
        with observe() as second:
            note(Reading(2, 0.5, 2, math.nan))
    assert first == Reading(1, 0, 2, 0.1)
    assert second.decoded == 2
    assert outer == Reading(2, 0.5, 2, 0.1)
    note(Reading(1, 0, 2, 0.1))  # nobody observes it
    assert math.isnan(Reading().lost)


def test_errors_end_the_observation():
    with pytest.raises(KeyError), observe():
        raise KeyError
    with observe() as reading:
        pass
    assert math.isnan(reading.decoded)


@pytest.mark.parametrize("task", [whole, in_blocks])
@pytest.mark.parametrize("kind", ["waveform", "wav", "mp3"])
def test_readings_of_clips(tmp_path, noise, task, kind):
    clip = noise
    if kind != "waveform":
        clip = tmp_path / f"song.{kind}"
        soundfile.write(clip, noise, RATE)
    n_samples, reading = Observed(task)(clip)
    assert n_samples == len(noise)
    assert (reading.decoded, reading.lost, reading.duration) == (3, 0, 3)
    assert reading.peak == pytest.approx(0.3, abs=0.01 if kind != "mp3" else 0.4)


def test_an_excerpt(tmp_path, noise):
    path = tmp_path / "song.wav"
    soundfile.write(path, noise, RATE)
    with observe() as reading:
        load_audio(path, offset=1, duration=0.5)
    assert (reading.decoded, reading.duration) == (0.5, 3)
    assert reading.status == "ok"


def test_in_worker_processes_and_threads(tmp_path, noise):
    paths = [tmp_path / f"{i}.wav" for i in range(4)]
    for i, path in enumerate(paths):
        soundfile.write(path, noise[: (i + 1) * RATE // 4], RATE)
    for task in (whole, IsolatedTask(whole, 60)):
        seen = list(map_clips(Observed(task), paths, n_jobs=2))
        for i, (_, reading) in enumerate(seen):
            assert reading.duration == pytest.approx((i + 1) / 4, abs=1e-4)
    assert pickle.loads(pickle.dumps(Observed(whole))) == Observed(whole)


def test_peak():
    assert peak(np.array([0.1, -0.5, 0.2])) == 0.5
    assert peak(np.array([])) == 0


class TestSteps:
    @pytest.fixture
    def clips(self, noise):
        return [noise, np.zeros(30 * RATE, np.float32), noise[:100], 1e-4 * noise]

    @pytest.mark.parametrize(
        "step", [MelSpectrogramTransformer(n_frames=16), MFCCStandardizer()]
    )
    @pytest.mark.parametrize("on_error", ["raise", "warn"])
    def test_one_warning_for_all_clips_and_all_features(self, step, clips, on_error):
        step.set_params(on_error=on_error)
        with pytest.warns(UserWarning) as caught:
            result = step.fit(clips).transform(clips)
        texts = {str(warning.message) for warning in caught}
        assert len(texts) == 1
        text = texts.pop()
        assert text.startswith(
            "3 of 4 clips hold less music than they should: clip 1: silent (no sample "
            "is above -60 dB of full scale); clip 2: too short (0.00454 s are less "
            "than 0.25 s); clip 3: silent ("
        )
        assert "\n" not in text
        assert {warning.filename for warning in caught} == {__file__}
        assert np.isfinite(result).all()

    def test_report(self, clips, tmp_path):
        step = MelSpectrogramTransformer(n_frames=16, on_error="ignore")
        with warnings.catch_warnings(action="error"):
            step.transform(clips)
        report = step.extraction_report_
        assert report["status"].tolist() == ["ok", "silent", "too short", "silent"]
        assert report["cause"][0] == "" and "0.25 s" in report["cause"][2]

    def test_a_cache_keeps_none_of_them(self, clips, tmp_path):
        step = MelSpectrogramTransformer(n_frames=16, cache_dir=tmp_path)
        for _ in range(2):
            with pytest.warns(UserWarning, match="3 of 4 clips"):
                result = step.transform(clips)
            assert len(result) == 4
        with warnings.catch_warnings(action="error"):
            step.transform(clips[:1])


def test_too_little_of_a_file_is_an_error(tmp_path, noise):
    path = tmp_path / "song.mp3"
    soundfile.write(path, np.tile(noise, 10), RATE)
    content = path.read_bytes()
    n_good = len(content) // 40
    garbage = np.random.default_rng(0).bytes(len(content) - n_good)
    path.write_bytes(content[:n_good] + garbage)
    with pytest.raises(
        AudioError, match=r"only 0\.\d+ of its 30\.\d+ s can be decoded"
    ):
        load_audio(path)


def test_a_warning_of_load_audio(tmp_path, noise):
    path = tmp_path / "song.mp3"
    soundfile.write(path, np.tile(noise, 10), RATE)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.warns(UserWarning, match=r"song\.mp3' is damaged: 1\d\.\d+ of 30") as w:
        load_audio(path)
    assert w[0].filename == __file__
