import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgenre import AudioError, MelSpectrogramTransformer
from skgenre.features import _spectrogram_writer
from skgenre.features._spectrogram_writer import _header, write_spectrograms

SHAPE = (5, 4)


@pytest.fixture
def clips(tmp_path):
    """Files of different content."""
    paths = [tmp_path / f"{i}.wav" for i in range(200)]
    for i, path in enumerate(paths):
        path.write_bytes(bytes(i))
    return paths


@pytest.fixture
def path(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "X.npy"


def spectrogram(clip):
    """Return what stands for the spectrogram of a clip."""
    return np.full(SHAPE, -float(clip.stem), np.float32)


def write(path, clips, *, stop=None, made=None, **settings):
    """Write spectrograms; the clip named `stop` is broken."""

    def make(some):
        for clip in some:
            if clip.stem == stop:
                raise AudioError(clip, "it is broken")
            if made is not None:
                made.append(clip.stem)
            yield spectrogram(clip)

    settings = {"n_mels": 4, "fmax": None} | settings
    write_spectrograms(
        path,
        clips,
        make,
        settings=settings,
        shape=SHAPE,
        dtype=np.dtype(np.float32),
    )


def expected(clips):
    return np.stack([spectrogram(clip) for clip in clips])


def test_written_and_not_written_again(path, clips):
    made = []
    write(path, clips, made=made)
    assert_array_equal(np.load(path), expected(clips))
    assert sorted(p.name for p in path.parent.iterdir()) == ["X.npy", "X.npy.json"]
    write(path, clips, made=made)
    assert len(made) == len(clips)


def test_an_error_keeps_what_came_before(path, clips):
    made = []
    with pytest.raises(AudioError):
        write(path, clips, stop="150", made=made)
    assert not path.exists()
    with pytest.raises(AudioError) as caught:
        write(path, clips, stop="150", made=made)
    assert caught.value.__notes__ == ["Clips are counted from clip 150 of X here."]
    good = clips[:150] + clips[151:]
    write(path, good, made=made)
    assert made == [clip.stem for clip in good]
    assert_array_equal(np.load(path), expected(good))


def test_killed_and_gone_on_with(path, clips):
    script = f"""
import time
from pathlib import Path
import numpy as np
from skgenre.features._spectrogram_writer import write_spectrograms

def make(clips):
    for clip in clips:
        time.sleep(0.002)
        yield np.full({SHAPE}, -float(clip.stem), np.float32)

write_spectrograms(
    {str(path)!r},
    [Path({str(clips[0].parent)!r}) / f"{{i}}.wav" for i in range(200)],
    make,
    settings={{"n_mels": 4, "fmax": None}},
    shape={SHAPE},
    dtype=np.dtype("float32"),
)
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    note = path.with_name("X.npy.json")
    while not note.exists() or json.loads(note.read_text())["n_done"] == 0:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()
    made = []
    write(path, clips, made=made)
    assert 0 < len(made) <= 200 - _spectrogram_writer._CLIPS_BETWEEN_SAVES
    assert_array_equal(np.load(path), expected(clips))


def test_what_was_not_safely_written_is_written_again(path, clips):
    with pytest.raises(AudioError):
        write(path, clips, stop="150")
    part = path.with_name("X.npy.part")
    # As after a power failure: the file is longer than what the note vouches for.
    with open(part, "ab") as file:
        file.write(os.urandom(1000))
    write(path, clips)
    assert_array_equal(np.load(path), expected(clips))


def test_a_lost_beginning_is_made_again(path, clips):
    with pytest.raises(AudioError):
        write(path, clips, stop="150")
    path.with_name("X.npy.part").unlink()
    write(path, clips)
    assert_array_equal(np.load(path), expected(clips))


@pytest.mark.parametrize("unfinished", [False, True])
def test_others_are_not_overwritten(unfinished, path, clips):
    if unfinished:
        with pytest.raises(AudioError):
            write(path, clips, stop="150")
        file = path.with_name("X.npy.part")
    else:
        write(path, clips)
        file = path
    before = file.read_bytes()

    def refused(match, clips=clips, **settings):
        with pytest.raises(FileExistsError, match=match) as caught:
            write(path, clips, **settings)
        assert f"{file.name}' is there already" in str(caught.value)
        assert file.read_bytes() == before

    refused("n_mels=4 instead of 8", n_mels=8)
    refused("fmax=None instead of 900", fmax=np.float64(900))
    refused("were changed", clips[::-1])
    refused("first|100", clips[:100])
    os.utime(clips[3], ns=(1, 1))
    refused("were changed")


def test_an_array_of_unknown_origin_is_not_overwritten(path, clips):
    np.save(path, np.zeros(3))
    with pytest.raises(FileExistsError, match="there is no 'X.npy.json' beside it"):
        write(path, clips)
    assert np.load(path).shape == (3,)


@pytest.mark.parametrize("contents", ["[1]", '{"format": "mine"}', "a,b", "\x00\xff"])
def test_a_note_of_others_is_not_overwritten(contents, path, clips):
    note = path.with_name("X.npy.json")
    note.write_text(contents)
    with pytest.raises(FileExistsError, match="does not tell of spectrograms"):
        write(path, clips)
    assert note.read_text() == contents


def test_only_one_process_writes(path, clips):
    fcntl = pytest.importorskip("fcntl")
    with open(path.with_name("X.npy.part"), "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError, match="written by another process"):
            write(path, clips)
    write(path, clips)


def test_a_full_disk_is_told_before_work_begins(path, clips, monkeypatch):
    usage = type("Usage", (), {"free": 200 * 20 * 4})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    made = []
    with pytest.raises(OSError, match="needs 15.75 KiB, but only 15.62 KiB are free"):
        write(path, clips, made=made)
    assert not made and not list(path.parent.iterdir())
    usage.free += 128  # the header
    write(path, clips, made=made)
    assert len(made) == 200


def test_a_folder_that_is_not_there(path, clips):
    with pytest.raises(FileNotFoundError, match="Make it first"):
        write(path.parent / "none" / "X.npy", clips)


def test_headers_are_as_long_for_any_number_of_clips():
    dtype = np.dtype(np.float16)
    assert len(_header((1, 640, 128), dtype)) == len(_header((10**9, 640, 128), dtype))


def test_waveforms_are_known_by_their_samples(tmp_path):
    rng = np.random.default_rng(0)
    waves = [rng.normal(size=n) for n in (4000, 9000, 30000)]
    step = MelSpectrogramTransformer(sample_rate=8000, n_fft=256, n_frames=20, n_mels=8)
    step.transform_to(tmp_path / "X.npy", waves)
    step.transform_to(tmp_path / "X.npy", waves)
    waves[1][100] += 1
    with pytest.raises(FileExistsError, match="were changed"):
        step.transform_to(tmp_path / "X.npy", waves)
