import os
import shutil
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
import soundfile
from fma_miniature import SHORT, SILENT, UNREADABLE, make_fma
from fsspec.implementations.memory import MemoryFileSystem
from sklearn.utils import Bunch

from skgenre.datasets import (
    _audit,
    audit,
    load_audio_folder,
    load_fma,
    make_genre_clips,
)
from skgenre.datasets._audit import repeated_files


@pytest.fixture
def clips(tmp_path):
    """Eight clips of 2 s in two genres, by four artists."""
    return make_genre_clips(
        8, ["rock", "waltz"], duration=2, random_state=0, folder=tmp_path / "music"
    )


def problems(findings):
    return list(zip(findings.index, findings["problem"], strict=True))


def test_nothing_wrong(clips):
    findings = audit(clips)
    assert findings.empty
    assert findings.columns.tolist() == ["path", "problem", "detail"]
    assert findings.index.name == "clip"


def test_each_fault(clips):
    good = clips.waveforms[0]
    paths = clips.paths
    soundfile.write(paths[1], good[:9000], 22050)
    soundfile.write(paths[2], good * 1e-4, 22050)
    # A second of noise, and nothing then.
    soundfile.write(paths[3], np.concatenate([good[:4410], np.zeros(39690)]), 22050)
    Path(paths[4]).write_bytes(b"no music")
    os.remove(paths[5])
    shutil.copy(paths[0], paths[6])
    wav = paths[7].replace("flac", "wav")
    soundfile.write(wav, soundfile.read(paths[0])[0], 22050, subtype="PCM_16")
    paths[7] = wav
    findings = audit(clips)
    assert problems(findings) == [
        (1, "short"),
        (2, "silent"),
        (3, "silent"),
        (4, "undecodable"),
        (5, "undecodable"),
        (6, "duplicate file"),
        (7, "duplicate audio"),
    ]
    assert findings["path"].tolist() == paths[1:].tolist()
    details = findings["detail"]
    assert details[1] == "lasts 0.41 s, less than 1.00 s"
    assert details[2] == "100% of it is below -60 dB"
    assert details[3] == "90% of it is below -60 dB"
    assert details[4]
    assert details[5] == "there is no such file"
    assert details[6] == (
        f"same bytes as {paths[0]!r}; "
        "artist 'rock-artist01' here, 'rock-artist00' there"
    )
    assert details[7] == (
        f"sounds exactly like {paths[0]!r}; genre 'waltz' here, 'rock' there; "
        "artist 'waltz-artist01' here, 'rock-artist00' there"
    )
    kept = [i for i in range(8) if i not in findings.index]
    assert audit(Bunch(paths=paths[kept])).empty


def test_min_duration(clips):
    assert audit(clips, min_duration=2).empty
    findings = audit(clips, min_duration=2.5)
    assert problems(findings) == [(i, "short") for i in range(8)]


def test_silences_are_not_duplicates_of_each_other(clips):
    for i, n_samples in ((1, 44100), (2, 44100), (3, 44000)):
        options = {"subtype": ("PCM_16", "PCM_24", "PCM_16")[i - 1]}
        soundfile.write(clips.paths[i], np.zeros(n_samples), 22050, **options)
    assert problems(audit(clips)) == [(1, "silent"), (2, "silent"), (3, "silent")]


def test_artists_and_albums_that_cross_the_split(clips):
    train, test = "training", "test"
    tracks = Bunch(
        paths=clips.paths,
        target=clips.target,
        split=np.array([train, train, train, test, train, train, test, train]),
        groups=np.array([1, 2, 1, 2, 1, 3, 1, 2]),
        albums=np.array([1, 2, 3, 4, 5, 6, 5, 2]),
    )
    findings = audit(tracks)
    assert problems(findings) == [
        (3, "artist crosses split"),
        (6, "artist crosses split"),
        (6, "album crosses split"),
    ]
    assert findings["detail"].iloc[0] == "artist 2 has 2 in training, 1 in test"
    kept = [i for i in range(8) if i not in findings.index]
    rest = Bunch(**{name: values[kept] for name, values in tracks.items()})
    assert audit(rest).empty


def test_a_repetition_across_the_split_says_so(clips):
    shutil.copy(clips.paths[0], clips.paths[2])
    split = ["test", *["training"] * 7]
    findings = audit(Bunch(paths=clips.paths, split=split))
    assert "split 'training' here, 'test' there" in findings["detail"][2]
    # A file that is listed twice is one, too.
    findings = audit(Bunch(paths=[clips.paths[0], clips.paths[1], clips.paths[0]]))
    assert problems(findings) == [(2, "duplicate file")]


def test_clips_in_no_part_of_the_split(clips):
    split = ["test", None, "training", "training", *[None] * 4]
    groups = [1, 1, 1, 1, 2, 2, 2, 2]
    findings = audit(Bunch(paths=clips.paths, split=split, groups=groups))
    assert problems(findings) == [(0, "artist crosses split")]


def test_containers_of_paths(clips):
    paths = [*clips.paths[:3], "nothing.wav"]
    index = [3, 2, 1, 0]
    for container in (
        tuple(paths),
        pd.Series(paths, index=index),
        pd.Series(paths, index=list("abcd")),
        [Path(path) for path in paths],
        [os.fsencode(path) for path in paths],
    ):
        findings = audit(Bunch(paths=container))
        assert problems(findings) == [(3, "undecodable")]
        assert findings["path"].tolist() == ["nothing.wav"]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ("music.wav", "must be a list or 1-D array of paths. Got one of type str"),
        (Path("music.wav"), "Got one of type PosixPath|WindowsPath"),
        (np.array([["a.wav"], ["b.wav"]]), "1-D array.*type ndarray"),
        (pd.DataFrame({"path": ["a.wav"]}), "type DataFrame"),
        (["a.wav", 1], "Clip 1 of the member 'paths' of tracks is of type int"),
        (["a.wav", None], "of type NoneType"),
        ([np.zeros(10)], "of type ndarray"),
    ],
)
def test_what_is_no_path(paths, message):
    with pytest.raises(TypeError, match=message):
        audit(Bunch(paths=paths))


def test_known_faults_of_fma_are_found(tmp_path):
    make_fma(tmp_path, 2, genres=["Folk", "Rock"], duration=2)
    tracks = load_fma(tmp_path, keep_faulty=True)
    findings = audit(tracks, n_jobs=2)
    found = {tracks.track_ids[clip]: problem for clip, problem in problems(findings)}
    assert found == {SHORT: "short", UNREADABLE: "undecodable", SILENT: "silent"}
    assert audit(load_fma(tmp_path)).empty
    # The same whatever the number of threads.
    assert audit(tracks).equals(findings)


def test_odd_files_end_nothing(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "empty.wav").touch()
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), 22050, subtype="FLOAT")
    soundfile.write(tmp_path / "one sample ü.wav", np.ones(1) / 2, 22050)
    paths = [*sorted(tmp_path.iterdir()), "with\0nul.wav"]
    findings = audit(Bunch(paths=paths))
    undecodable = findings[findings["problem"] == "undecodable"]
    assert len(undecodable) == len(paths) - 1
    assert findings["detail"].str.len().min() > 5
    assert audit(Bunch(paths=[])).empty


def test_urls_are_fetched_once(clips, monkeypatch):
    store = fsspec.filesystem("memory")
    paths = [f"memory://audit/{Path(path).name}" for path in clips.paths[:2]]
    opened = []
    open_again = MemoryFileSystem._open
    monkeypatch.setattr(
        MemoryFileSystem,
        "_open",
        lambda fs, path, *more, **options: (
            opened.append(path) or open_again(fs, path, *more, **options)
        ),
    )
    try:
        for path in paths:
            store.pipe(path, Path(clips.paths[0]).read_bytes())
        opened.clear()
        findings = audit(Bunch(paths=paths))
    finally:
        store.rm("/audit", recursive=True)
    assert problems(findings) == [(1, "duplicate file")]
    assert len(opened) == 2


def test_progress_and_refusals(clips, capsys):
    audit(clips, verbose=True)
    assert "Audit: 100%" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no member 'paths'.*with a folder"):
        audit(make_genre_clips(4, duration=1))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        audit(Bunch(paths=clips.paths, split=["test"]))
    with pytest.raises(ValueError, match="'tracks' parameter"):
        audit(clips.paths)
    with pytest.raises(ValueError, match="'min_duration' parameter"):
        audit(clips, min_duration=-1)


def test_real_music(music):
    tracks = load_audio_folder(music)
    rows = np.arange(0, len(tracks.paths), 20)
    findings = audit(Bunch(paths=tracks.paths[rows], groups=tracks.groups[rows]))
    assert "undecodable" not in set(findings["problem"])


def test_copies_of_the_same_bytes(tmp_path, monkeypatch):
    contents = [b"abc", b"abd", b"abc", b"", b"abcd", b"abd", b"abc"]
    paths = [str(tmp_path / f"{i}.wav") for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        with open(path, "wb") as file:
            file.write(content)
    read = []
    digest = _audit.digest
    monkeypatch.setattr(
        _audit, "digest", lambda path: read.append(path) or digest(path)
    )
    assert list(repeated_files(paths)) == [(0, 2), (1, 5), (0, 6)]
    assert len(read) == 5  # of other sizes there is one file each
    assert list(repeated_files([])) == []
