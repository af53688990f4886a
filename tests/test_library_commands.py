"""All commands on a library as people have it: what they find, fill in and leave alone.

168 tracks in nine formats with four genres in many spellings, 12 wrong ones, 24 missing
or meaningless ones, a genre of a single artist, damaged files, and what is no music.
"""

import hashlib
import json
from pathlib import Path

import pytest
from music_library import DAMAGED, SUFFIXES, make_sounding_library
from typer.testing import CliRunner

from skgenre import load_audio
from skgenre.cli import app
from skgenre.datasets._library._tags import read_tags
from skgenre.persistence import read_info


def invoke(*arguments, exit_code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, result.output
    return result


def contents(library):
    return {path: path.read_bytes() for path in library.rglob("*") if path.is_file()}


def sound(path):
    return hashlib.sha256(load_audio(path, 44100).tobytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is damaged")  # short WMA, by FFmpeg's count
def test_a_library_from_its_wrong_tags_to_right_ones(tmp_path, monkeypatch):
    library, model = tmp_path / "library", tmp_path / "it.model"
    monkeypatch.setenv("SKGENRE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    tracks = make_sounding_library(library)
    wrong = {t.path for t in tracks if t.tagged not in (None, t.heard)}
    missing = {t.path: t.heard for t in tracks if t.tagged is None}
    assert (len(tracks), len(wrong), len(missing)) == (160, 12, 24)
    assert {Path(path).suffix for path in missing} == set(SUFFIXES)
    before = contents(library)

    # Wrong tags: most of them are found, and no right one.
    command = "check-tags", library, "--model", "fast", "--format"
    result = invoke(*command, "json")
    suspects = {track["path"]: track["genre"] for track in json.loads(result.stdout)}
    planted = {t.path: t.heard for t in tracks if t.path in wrong}
    assert suspects.items() <= planted.items() and len(suspects) >= 9
    found = f"{len(suspects)} of 136 tags"
    for text in ("141 of 168 tracks", "Polka (5 by 1)", *DAMAGED, found):
        assert text in result.stderr
    invoke(*command, "html", "--output", "page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    assert all(Path(path).name in page for path in wrong)

    # A model of the tags, wrong ones among them.
    invoke("train", library, "--labels", "tags", "--model", "fast", "-o", model)
    info = read_info(model)
    assert info["genres"] == sorted({track.heard for track in tracks})
    assert info["metrics"]["accuracy"] >= 0.9  # of tags, of which 91 % are right
    assert info["training"]["n_clips"] == 136 and info["training"]["n_artists"] == 16
    result = invoke("evaluate", model, library, "--labels", "tags", "--format", "json")
    assert json.loads(result.stdout)["n_clips"] == 136

    # Missing genres: a dry run, and then the files.
    command = "predict", model, library, "--missing-only", "--format", "json"
    write = *command, "--write-tags", "--min-confidence", 0.5, "--undo-file", "it.jsonl"
    result = invoke(*write, "--dry-run", exit_code=1)  # for the damaged files
    assert contents(library) == before
    results = json.loads(invoke("cache", "info").stdout)["results"]
    assert [kind["clips"] for kind in results] == [160]  # each decoded once
    sounds = {path: sound(path) for path in missing}
    result = invoke(*write, exit_code=1)
    assert "written into 24 files; 0 have them already, 0 can't" in result.stderr
    after = contents(library)
    assert {str(path) for path in before if after[path] != before[path]} == {*missing}
    assert {path: read_tags(path).genre_names for path in missing} == {
        path: [genre] for path, genre in missing.items()
    }
    assert {path: sound(path) for path in missing} == sounds
    result = invoke(*command, exit_code=1)
    assert len(json.loads(result.stdout)) == len(DAMAGED)  # nothing is missing now

    # And back.
    result = invoke("undo", "it.jsonl")
    assert "24 of 24 files got their earlier genre back" in result.stderr
    assert {path: read_tags(path).genre_names for path in missing} == {
        path: [] for path in missing
    }
    assert {path: sound(path) for path in missing} == sounds
    assert after.keys() == contents(library).keys()
