import numpy as np
import pandas as pd
import pytest
import soundfile

from skgenre.datasets import check_audio


@pytest.fixture
def paths(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(3):
        noise = rng.uniform(-0.1, 0.1, (22050, 2))
        soundfile.write(tmp_path / f"{i}.wav", noise, 22050)
    (tmp_path / "text.mp3").write_text("no music " * 99)
    names = "0.wav", "text.mp3", "1.wav", "gone.flac", "2.wav"
    return [str(tmp_path / name) for name in names]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_result(paths, n_jobs):
    checked = check_audio(paths, n_jobs=n_jobs)
    assert checked.paths == [paths[0], paths[2], paths[4]]
    assert checked.readable.tolist() == [True, False, True, False, True]
    report = checked.report
    assert report["path"].tolist() == paths
    assert report["status"].tolist() == ["ok", "error", "ok", "error", "ok"]
    assert "no decoder" in report["cause"][1]
    assert report["cause"][3] == "there is no such file"
    assert report["duration"].dropna().tolist() == [1.0] * 3
    assert report["channels"].dropna().tolist() == [2] * 3


def test_nothing_wrong(paths):
    checked = check_audio(paths[:1])
    assert checked.readable.all()
    assert checked.report["cause"].tolist() == [""]


def test_nothing_right(paths):
    checked = check_audio([paths[1]])
    assert checked.paths == []
    assert checked.report["channels"].isna().all()


@pytest.mark.parametrize("kind", [np.array, pd.Series, tuple])
def test_paths_keep_their_kind(paths, kind):
    assert list(check_audio(kind(paths)).paths) == paths[::2]


def test_waveforms_need_their_rate(paths):
    tone = np.sin(2 * np.pi * np.arange(22051) / 22050)
    assert check_audio([(tone, 22050)]).report["status"].tolist() == ["ok"]
    for clips, place in (([tone], 0), (tone[None], 0), ([paths[0], tone], 1)):
        with pytest.raises(TypeError, match=rf"Clip {place} of paths is an array"):
            check_audio(clips)


def test_column(paths):
    frame = pd.DataFrame({"path": paths}, index=list("abcde"))
    assert check_audio(frame).paths.index.tolist() == ["a", "c", "e"]


@pytest.mark.parametrize("place", ["beginning", "end"])
def test_only_the_middle_is_decoded_unless_all_is_wanted(tmp_path, place):
    path = tmp_path / "broken.flac"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.uniform(-0.1, 0.1, 22050 * 10), 22050)
    content = bytearray(path.read_bytes())
    damaged = slice(9000, 10000) if place == "beginning" else slice(-2000, -1000)
    content[damaged] = bytes(1000)
    path.write_bytes(content)
    assert check_audio([path], duration=2).readable.all()
    middle = check_audio([path], duration=2).report.loc[0]
    assert (middle["status"], middle["decoded"], middle["lost"]) == ("ok", 2, 0)
    checked = check_audio([path], duration=None)
    assert checked.readable.all()
    whole = checked.report.loc[0]
    assert whole["status"] == "damaged" and "of 10.00 s are lost" in whole["cause"]
    assert 0 < whole["lost"] < 1
    assert whole["decoded"] + whole["lost"] == pytest.approx(10)


def test_invalid(paths):
    with pytest.raises(TypeError, match="single path"):
        check_audio(paths[0])
    with pytest.raises(ValueError, match="X is empty"):
        check_audio([])
    with pytest.raises(ValueError, match="'duration' parameter"):
        check_audio(paths, duration=0)
