import json
import os

import pytest
from music_library import write_track
from rich.console import Console
from typer.testing import CliRunner

from skgenre.cli import app
from skgenre.cli._commands._library._undo import UndoFile, read_undo_file
from skgenre.datasets._library._tags import read_tags
from skgenre.datasets._library._write_genre import change_genres

LINE = {"path": "a.mp3", "old": None, "new": ["Rock"], "sha256": "0"}


@pytest.fixture
def songs(tmp_path):
    """Two songs whose genre was written, and the record of it."""
    # Not Unicode, where the system allows such names.
    names = ["a\udcff.flac" if os.name == "posix" else "ä.flac", "b.flac"]
    paths = [tmp_path / name for name in names]
    with UndoFile(tmp_path / "it.jsonl", Console(quiet=True)) as record:
        for path in paths:
            write_track(path, genre=["Pop", "Söul"])
            change = change_genres(str(path), ["Rock"])
            record.add(change)
            change.write()
    return paths


def undo(record):
    return CliRunner().invoke(app, ["undo", str(record)])


def test_files_changed_since_are_refused(songs, tmp_path):
    change_genres(str(songs[0]), ["Jazz"]).write()
    result = undo(tmp_path / "it.jsonl")
    assert result.exit_code == 1
    assert "was changed since its genre was written" in result.stderr
    assert "1 of 2 files got their earlier genre back" in result.stderr
    genres = [read_tags(str(path)).genre_names for path in songs]
    assert genres == [["Jazz"], ["Pop", "Söul"]]


def test_files_that_are_gone_are_named(songs, tmp_path):
    songs[1].unlink()
    result = undo(tmp_path / "it.jsonl")
    assert result.exit_code == 1 and "b.flac" in result.stderr
    assert read_tags(str(songs[0])).genre_names == ["Pop", "Söul"]


def test_a_line_that_was_not_finished_is_none(songs, tmp_path):
    record = tmp_path / "it.jsonl"
    entries = read_undo_file(record)
    record.write_bytes(record.read_bytes() + b'{"path": "c.fl')
    assert read_undo_file(record) == entries
    assert [entry.path for entry in entries] == [str(path) for path in songs]


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\xff",
        b"[" * 100_000,
        json.dumps({**LINE, "old": "Rock"}).encode(),
        json.dumps({**LINE, "new": [1]}).encode(),
        json.dumps({**LINE, "path": None}).encode(),
        json.dumps({**LINE, "more": 1}).encode(),
        json.dumps([LINE]).encode(),
    ],
    ids=["bytes", "deep", "text", "number", "no path", "more", "list"],
)
def test_what_is_no_record_changes_nothing(songs, tmp_path, line):
    record = tmp_path / "it.jsonl"
    record.write_bytes(record.read_bytes() + line + b"\n")
    result = undo(record)
    assert result.exit_code == 1 and "Line 3 of" in result.stderr
    assert read_tags(str(songs[0])).genre_names == ["Rock"]


def test_refusals(tmp_path):
    (tmp_path / "empty").touch()
    result = undo(tmp_path / "empty")
    assert result.exit_code == 1 and "nothing was changed" in result.stderr
    result = undo(tmp_path / "nothing")
    assert result.exit_code == 1 and "There is no undo file" in result.stderr
    assert undo(tmp_path).exit_code == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_record_without_end_is_refused(tmp_path):
    (tmp_path / "zeros").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    for name in ("zeros", "pipe"):
        result = undo(tmp_path / name)
        assert result.exit_code == 1 and "where a file is expected" in result.stderr
