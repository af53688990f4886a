import numpy as np
import pytest
import soundfile

from skgenre.datasets import load_gtzan
from skgenre.datasets._gtzan_split import GENRES


@pytest.fixture
def make(tmp_path):
    """Return a function that writes a GTZAN of empty files, and one of music."""

    def write(folder, suffix=".wav", jazz=b""):
        for genre in GENRES:
            (tmp_path / folder / genre).mkdir(parents=True)
            for number in range(100):
                (tmp_path / folder / genre / f"{genre}.{number:05d}{suffix}").touch()
        path = tmp_path / folder / "jazz" / f"jazz.00054{suffix}"
        if jazz is None:
            noise = np.random.default_rng(0).normal(0, 0.1, 22050)
            soundfile.write(path, noise, 22050)
        else:
            path.write_bytes(jazz)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("folder", "suffix", "below"),
    [
        ("genres", ".au", ""),
        ("genres", ".au", "genres"),
        ("genres_original", ".wav", ""),
        ("my own", ".wav", "my own"),
    ],
)
def test_layouts(make, folder, suffix, below):
    root = make(folder, suffix, jazz=None)
    tracks = load_gtzan(root / below)
    assert len(tracks.paths) == len(tracks.target) == len(tracks.split) == 930
    first = root / folder / "blues" / f"blues.00000{suffix}"
    assert tracks.paths[0] == str(first)
    assert tracks.target_names.tolist() == list(GENRES)
    assert tracks.groups is None
    parts = [sum(tracks.split == p) for p in ("training", "validation", "test")]
    assert parts == [443, 197, 290]
    for path, name, genre in zip(
        tracks.paths, tracks.track_ids, tracks.target, strict=True
    ):
        assert path.endswith(f"{name}{suffix}") and name.startswith(genre)
    assert len(tracks.left_out) == 70
    assert not set(tracks.left_out["track_id"]) & set(tracks.track_ids)
    assert "930 clips in 10 genres" in tracks.DESCR


@pytest.mark.parametrize("content", [b"", b"RIFF\x00\x00", bytes(5000)])
def test_a_damaged_jazz_54_is_left_out(make, content):
    tracks = load_gtzan(make("genres_original", jazz=content))
    assert len(tracks.paths) == 929
    assert "jazz.00054" not in tracks.track_ids
    reasons = tracks.left_out.set_index("track_id")["reason"]
    assert len(reasons) == 71
    assert reasons["jazz.00054"].startswith("cannot be decoded: ")
    assert "442 training" in tracks.DESCR


def test_other_files_are_no_clips(make):
    root = make("genres", jazz=None)
    for name in ("._blues.00000.wav", "blues.00100.wav", "blues.00001.mf", "x.wav"):
        (root / "genres" / "blues" / name).touch()
    tracks = load_gtzan(root)
    assert len(tracks.paths) == 930
    assert len(tracks.left_out) == 70


def test_folders_and_links_to_nothing_are_no_clips(make):
    root = make("genres", jazz=None)
    for name in ("blues.00000.wav", "blues.00001.wav"):
        (root / "genres" / "blues" / name).unlink()
    (root / "genres" / "blues" / "blues.00000.wav").mkdir()
    (root / "genres" / "blues" / "blues.00001.wav").symlink_to("elsewhere.wav")
    with pytest.raises(FileNotFoundError, match="2 of 930 clips are not in"):
        load_gtzan(root)
    # Another encoding of a clip stands in for it.
    for number in range(2):
        (root / "genres" / "blues" / f"blues.{number:05d}.WAV").touch()
    assert load_gtzan(root).paths[1].endswith("blues.00001.WAV")


def test_refusals(make, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not hold the folders blues, cl"):
        load_gtzan(tmp_path / "nothing")
    root = make("genres", jazz=None)
    for number in range(3):
        (root / "genres" / "pop" / f"pop.{number:05d}.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"3 of 930 clips are not in .*'pop\.0"):
        load_gtzan(root)
    (root / "genres" / "pop").rename(root / "pop")
    with pytest.raises(FileNotFoundError, match="nor does a folder genres or genres_o"):
        load_gtzan(root)
    with pytest.raises(ValueError, match="'path' parameter"):
        load_gtzan(None)
