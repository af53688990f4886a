"""The command that shows music in the browser."""

import os
import re
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

pytest.importorskip("uvicorn")

from explored import fit_model, write_songs

from skgenre import save
from skgenre.cli import app
from skgenre.cli._commands._explore import _labelled


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for genre in ("jazz", "rock"):
        (folder / genre).mkdir()
    paths, genres = write_songs(folder, 8, duration=1.0)
    for i, path in enumerate(paths):
        os.rename(path, folder / ("jazz", "rock")[i % 2] / os.path.basename(path))
    (folder / "labels.csv").write_text("path,genre\n")
    model = folder / "it.model"
    save(fit_model([str(p) for p in sorted(folder.rglob("*.flac"))], genres), model)
    return folder


def test_labels_of_tags_folders_and_tables(music):
    paths = sorted(map(str, music.rglob("*.flac")))
    assert _labelled(music, "tags") == {"paths": paths}
    found = _labelled(music, "folders")
    assert found == {"paths": paths, "genres": ["jazz"] * 4 + ["rock"] * 4}
    table = music / "some.csv"
    table.write_text(
        "path, genre,artist_id,mood,Tempo,year\n"
        "rock/001.flac,dub,Ann,calm,90.5,1999\n"
        "jazz/000.flac,folk,Bob,,,2001\n"
    )
    found = _labelled(music, str(table))
    assert found["genres"][0] == "folk" and found["genres"][4] == "dub"
    assert found["genres"].count(None) == found["artists"].count(None) == 6
    assert [*found["frame"]] == ["mood", "Tempo"] and len(found["frame"]) == 8
    assert found["frame"].iloc[4].tolist() == ["calm", 90.5]


def test_a_table_of_more_columns_than_a_map_has_colours_is_refused(music, tmp_path):
    table = tmp_path / "wide.csv"
    for n_further in (198, 199):
        names = ["path", "genre", *(f"column {i}" for i in range(n_further))]
        row = [str(music / "jazz" / "000.flac"), "jazz", *["1"] * n_further]
        table.write_text(f"{','.join(names)}\n{','.join(row)}\n")
        if n_further == 198:
            assert _labelled(music, str(table))["frame"].shape == (8, 198)
    with pytest.raises(ValueError, match="wide.csv' has 201 columns, more than 200"):
        _labelled(music, str(table))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["none"], "There is no folder 'none'"),
        (["it.model"], "'it.model' is a file. Give the folder of the music"),
        ([".", "--labels", "x.csv"], "--labels must be tags, folders or a CSV"),
        ([".", "--model", "none.model"], "none.model"),
        (
            [".", "--labels", "labels.csv", "--static", "labels.csv"],
            "--static 'labels.csv' would replace what is to be read",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments, error, music, monkeypatch):
    monkeypatch.chdir(music)
    model = [] if "--model" in arguments else ["--model", "it.model"]
    result = CliRunner().invoke(app, ["explore", *arguments, *model, "--no-browser"])
    assert result.exit_code == 1 and error in result.stderr


def test_options_reach_the_server(music, tmp_path, monkeypatch):
    given = {}
    (tmp_path / "user").write_text("no folder of caches")
    monkeypatch.delenv("SKGENRE_CACHE_DIR", raising=False)
    for variable in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "user"))

    def start(**parameters):
        given.update(parameters)
        raise ValueError("enough")

    monkeypatch.setattr("skgenre.explore.explore", start)
    command = ["explore", str(music), "--model", str(music / "it.model")]
    result = CliRunner().invoke(app, [*command, "--time-limit", "5"])
    assert "enough" in result.stderr and given["time_limit"] == 5
    assert given["model"][0].time_limit == 5
    assert given["cache_dir"] is given["model"][0].cache_dir is None


def test_a_page_of_broken_files_names_them(music, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").mkdir()
    for name in ("a.mp3", "b.flac"):
        (tmp_path / "broken" / name).write_text("no sound")
    command = ["explore", "broken", "--model", str(music / "it.model")]
    result = CliRunner().invoke(app, [*command, "--static", "page.html"])
    assert result.exit_code == 1
    for text in ("two songs that can be heard", "a.mp3", "b.flac"):
        assert text in result.stderr
    assert not (tmp_path / "page.html").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="of signals")
def test_it_serves_until_ctrl_c(music, tmp_path):
    code = "from skgenre.cli import app; app()"
    command = [sys.executable, "-c", code, "explore", str(music), "--no-browser"]
    command += ["--model", str(music / "it.model"), "--host", "0.0.0.0"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    said = ""
    while "Ctrl-C ends it" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    assert re.search(r"Open http://\S+/\?token=\S{43}", said)
    assert "other machines can reach the page" in said.replace("\n", " ")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert not [*tmp_path.iterdir()]
