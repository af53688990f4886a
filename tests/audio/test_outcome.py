import pickle
import time

import av
import numpy as np
import pytest
import soundfile

from skgenre.audio import AudioError, load_audio
from skgenre.audio._outcome import (
    Facts,
    attempt,
    failures,
    outcome_records,
    read_facts,
    records_frame,
)


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "noise.wav"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.uniform(-0.1, 0.1, (96000, 6)), 48000)
    return path


def test_facts_of_a_file(wav):
    assert read_facts(wav) == (2.0, 6, 48000)


def test_facts_by_the_other_decoder(tmp_path):
    path = tmp_path / "tone.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=32000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, 32000), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate = 32000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    duration, *others = read_facts(path)
    assert duration == pytest.approx(1, abs=0.1)
    assert others == [2, 32000]


def test_facts_of_a_waveform():
    assert read_facts(np.zeros(11025, np.float32), 22050) == (0.5, 1, 22050)


def test_success(wav):
    outcome = attempt(wav, load_audio)
    assert outcome.error is None
    assert outcome.result.shape == (44100,)
    assert outcome.facts.channels == 6
    assert 0 < outcome.seconds < 60


def test_failure_holds_no_samples(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_text("no music " * 100)
    error = attempt(path, load_audio).error
    assert error.path == str(path)
    assert error.__traceback__ is error.__cause__ is error.__context__ is None


def test_task_is_not_run_where_the_header_is_broken(tmp_path):
    called = []
    outcome = attempt(tmp_path / "missing.wav", called.append)
    assert outcome.error.cause == "there is no such file"
    assert not called


def test_any_exception_is_an_outcome(wav):
    def task(clip):
        raise MemoryError("too large")

    outcome = attempt(wav, task)
    assert outcome.error.cause == "MemoryError: too large"
    assert outcome.facts.duration == 2
    # What would have come next is not tried.
    assert outcome.run(wav, pytest.fail, "called") is None
    assert isinstance(pickle.loads(pickle.dumps(outcome)).error, AudioError)


def test_an_interruption_is_none(wav):
    def task(clip):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(wav, task)


def test_report(wav, tmp_path):
    clips = [wav, bytes(tmp_path / "a.mp3"), np.zeros(5, np.float32)]
    outcomes = [attempt(clip, len, read_facts) for clip in clips]
    report = records_frame(outcome_records(clips, outcomes))
    assert report.columns.tolist() == [
        *("path", "status", "cause", "duration", "channels", "sample_rate"),
        *("decoded", "lost", "seconds"),
    ]
    assert report["path"].tolist() == [str(wav), str(tmp_path / "a.mp3"), None]
    # A path has no len.
    assert report["status"].tolist() == ["error", "error", "ok"]
    assert report["cause"][0].startswith("TypeError: ")
    assert report["channels"].isna().tolist() == [False, True, False]
    assert report["sample_rate"].sum() == 48000
    assert report.index.name == "clip"


def test_message_names_the_first_failures():
    clips = [f"{i}\n.mp3" for i in range(5)]
    records = outcome_records(clips, [attempt(clip, len) for clip in clips])
    text = failures(records)
    assert text.startswith(r"clip 0 ('0\\n.mp3'): there is no such file; clip 1 (")
    assert text.endswith(" and 2 more")
    assert failures([]) == ""


def test_seconds_are_those_of_the_header_and_of_the_task(wav):
    def wait(clip):
        time.sleep(0.05)
        return Facts()

    assert attempt(wav, wait, wait).seconds >= 0.1
