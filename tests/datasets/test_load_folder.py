import http.server
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from skgenre import AudioError
from skgenre.datasets import load_audio_folder


@pytest.fixture
def folder(tmp_path):
    for name in (
        "rock/x/album/2.mp3",
        "rock/x/1.MP3",
        "rock/y/3.flac",
        "jazz/x/4.ogg",
        "jazz/x/cover.jpg",
        "jazz/x/._4.ogg",
        ".hidden/5.mp3",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names(tracks, folder):
    return [Path(path).relative_to(folder).as_posix() for path in tracks.paths]


def test_genres_are_folders(folder):
    tracks = load_audio_folder(folder)
    assert names(tracks, folder) == [
        "jazz/x/4.ogg",
        "rock/x/1.MP3",
        "rock/x/album/2.mp3",
        "rock/y/3.flac",
    ]
    assert tracks.target.tolist() == ["jazz", "rock", "rock", "rock"]
    assert tracks.target_names.tolist() == ["jazz", "rock"]
    assert tracks.groups is None
    assert "4 tracks from the sub-folders" in tracks.DESCR
    assert "1 jazz, 3 rock" in tracks.DESCR
    assert all(type(path) is str for path in tracks.paths)


def test_artists_are_folders(folder):
    tracks = load_audio_folder(str(folder), groups="folder")
    assert tracks.groups.tolist() == ["x", "x", "x", "y"]
    assert "by 2 artists" in tracks.DESCR


def test_arrays_can_be_split(folder):
    tracks = load_audio_folder(folder, groups="folder")
    train, test, *_ = train_test_split(
        tracks.paths, tracks.target, tracks.groups, random_state=0
    )
    assert set(train) | set(test) == set(tracks.paths)
    assert tracks.paths[np.array([1, 0])].tolist() == tracks.paths.tolist()[1::-1]


def test_a_file_outside_any_artist_is_refused(folder):
    (folder / "rock" / "loose.mp3").touch()
    with pytest.raises(ValueError, match=r"1 are in none: '.*loose\.mp3'"):
        load_audio_folder(folder, groups="folder")


def test_csv_and_folder_with_tracks_csv(folder):
    text = "path,genre,artist_id\nrock/y/3.flac,metal,7\njazz/x/4.ogg,bop,8\n"
    for name in ("tracks.csv", "other.csv"):
        (folder / name).write_text(text)
    for path in (folder, folder / "tracks.csv", folder / "other.csv"):
        tracks = load_audio_folder(path)
        assert names(tracks, folder) == ["rock/y/3.flac", "jazz/x/4.ogg"]
        assert tracks.target.tolist() == ["metal", "bop"]
        assert tracks.groups.tolist() == ["7", "8"]
        assert tracks.target_names.tolist() == ["bop", "metal"]
        assert ".csv" in tracks.DESCR
    with pytest.raises(ValueError, match="groups='folder' is for folders without"):
        load_audio_folder(folder, groups="folder")


def test_relative_path(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert Path(load_audio_folder(".").paths[0]) == Path("jazz/x/4.ogg")
    (folder / "list.csv").write_text("path,genre\nrock/y/3.flac,rock\n")
    assert load_audio_folder("list.csv").paths.tolist() == ["rock/y/3.flac"]


def test_link_to_the_folder_itself_does_not_mix_genres(folder):
    (folder / "rock" / "up").symlink_to(folder)
    assert load_audio_folder(folder).target.tolist().count("rock") == 3
    (folder / "loop").symlink_to(folder)
    with pytest.warns(UserWarning, match="No audio files in 'loop'"):
        tracks = load_audio_folder(folder)
    assert tracks.target_names.tolist() == ["jazz", "rock"]


def test_warnings_point_at_the_caller(folder):
    (folder / "empty").mkdir()
    with pytest.warns(UserWarning, match="No audio files in 'empty'") as record:
        tracks = load_audio_folder(folder)
    assert record[0].filename == __file__
    assert tracks.target_names.tolist() == ["jazz", "rock"]
    (folder / "empty").rmdir()
    (folder / "mix.mp3").touch()
    with pytest.warns(UserWarning, match=r"left out: 'mix\.mp3'") as record:
        assert len(load_audio_folder(folder).paths) == 4
    assert record[0].filename == __file__
    (folder / "mix.mp3").unlink()
    (folder / "list.csv").write_text("path,genre\n" + "rock/y/3.flac,rock\n" * 2)
    with pytest.warns(UserWarning, match="more than once") as record:
        load_audio_folder(folder / "list.csv")
    assert record[0].filename == __file__


def test_refusals(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    with pytest.raises(FileNotFoundError, match=r"no file or folder '.*nothing'"):
        load_audio_folder(other / "nothing")
    with pytest.raises(ValueError, match="has no sub-folders. Make one"):
        load_audio_folder(other)
    (other / "a.mp3").touch()
    with pytest.raises(ValueError, match="no sub-folders but audio files"):
        load_audio_folder(other)
    with pytest.raises(ValueError, match="neither a folder nor a CSV"):
        load_audio_folder(other / "a.mp3")
    (other / "rock").mkdir()
    with pytest.raises(ValueError, match=r"\('rock'\) hold no audio files"):
        load_audio_folder(other)
    with pytest.raises(ValueError, match="'groups' parameter"):
        load_audio_folder(folder, groups="artist")
    with pytest.raises(ValueError, match="'path' parameter"):
        load_audio_folder(None)
    (folder / "tracks.csv").write_text("track_id,title\n1,x\n")
    with pytest.raises(ValueError, match=r"\['track_id', 'title'\].*rename the file"):
        load_audio_folder(folder)


def test_real_music(music, music_tracks):
    tracks = load_audio_folder(music)
    assert [Path(path) for path in tracks.paths] == [row[0] for row in music_tracks]
    assert tracks.target.tolist() == [row[1] for row in music_tracks]
    assert tracks.groups.tolist() == [row[2] for row in music_tracks]


def test_import_is_light():
    # scikit-learn loads pandas by itself where it is installed.
    code = (
        "import sys, sklearn.utils; before = set(sys.modules); import skgenre.datasets;"
        "heavy = {'tensorflow', 'keras', 'librosa', 'matplotlib', 'pandas'};"
        "assert not heavy & (set(sys.modules) - before)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def bucket(tmp_path):
    """The same music in a local folder and in a store in memory."""
    fs = pytest.importorskip("fsspec").filesystem("memory")
    fs.store.clear()
    names = ["rock/abc/1.mp3", "rock/abc/2.flac", "jazz/ella/1.mp3", "mix.mp3"]
    for name in [*names, "rock/.old/1.mp3", "rock/abc/cover.jpg", ".trash/1.mp3"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        fs.pipe_file(f"/bucket/{name}", b"x")
    yield fs
    fs.store.clear()


@pytest.mark.parametrize("url", ["memory://bucket", "memory://bucket/"])
def test_a_bucket_is_listed_as_a_folder_is(bucket, tmp_path, url):
    with pytest.warns(UserWarning, match="1 audio files .* 'mix.mp3'"):
        local = load_audio_folder(tmp_path, groups="folder")
    with pytest.warns(UserWarning, match="1 audio files .* 'mix.mp3'"):
        remote = load_audio_folder(url, groups="folder")
    assert remote.paths.tolist() == [
        f"memory://bucket/{Path(path).relative_to(tmp_path).as_posix()}"
        for path in local.paths
    ]
    np.testing.assert_array_equal(remote.target, local.target)
    np.testing.assert_array_equal(remote.groups, local.groups)


def test_a_bucket_with_a_table(bucket):
    bucket.pipe_file("/bucket/tracks.csv", b"path,genre\nrock/abc/1.mp3,metal\n")
    tracks = load_audio_folder("memory://bucket")
    assert tracks.paths.tolist() == ["memory://bucket/rock/abc/1.mp3"]
    assert tracks.target.tolist() == ["metal"]


@contextmanager
def serving(responses):
    """Serve bodies and redirects by path; yield the address and what was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            response = responses.get(self.path, b"")
            if isinstance(response, str):
                self.send_response(302)
                self.send_header("Location", response)
                response = b""
            else:
                self.send_response(200 if response else 404)
            self.send_header("Content-Length", str(len(response)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(response)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}", asked
        finally:
            running.shutdown()
            thread.join()


def test_a_table_of_a_web_server():
    pytest.importorskip("aiohttp")
    table = b"path,genre\na.mp3,rock\n"
    responses = {"/t.csv": table, "/old.csv": "/t.csv", "/circle.csv": "circle.csv"}
    with serving(responses) as (address, _):
        for name in ("t.csv", "old.csv"):
            tracks = load_audio_folder(f"{address}/{name}")
            assert tracks.paths.tolist() == [f"{address}/a.mp3"]
        with pytest.raises(AudioError, match="redirects 10 times"):
            load_audio_folder(f"{address}/circle.csv")
        with pytest.raises(FileNotFoundError, match="no file or folder 'http"):
            load_audio_folder(f"{address}/none.csv")


@pytest.mark.parametrize("through", ["/there.csv", "/here.csv"])
def test_a_table_s_host_may_not_send_elsewhere(through):
    pytest.importorskip("aiohttp")
    with serving({"/secret": b"path,genre\na.mp3,rock\n"}) as (inner, asked):
        responses = {"/there.csv": f"{inner}/secret", "/here.csv": "/there.csv"}
        with serving(responses) as (address, _):
            with pytest.raises(AudioError, match=f"redirects to '{inner}/secret'"):
                load_audio_folder(f"{address}{through}")
    assert asked == []


def test_a_large_remote_table_is_refused(bucket, monkeypatch):
    monkeypatch.setattr("skgenre.datasets._tracks_csv._MAX_BYTES", 1 << 20)
    bucket.pipe_file("/bucket/tracks.csv", b"path,genre\n" + b"a,b\n" * (1 << 18))
    with pytest.raises(AudioError, match="it is larger than 1 MiB. Download it"):
        load_audio_folder("memory://bucket")


def test_no_such_bucket(bucket):
    with pytest.raises(FileNotFoundError, match="no file or folder 'memory://none'"):
        load_audio_folder("memory://none")


def test_genres_that_differ_in_case_only_are_one(folder):
    (folder / "ROCK").mkdir()
    for name in ("0.mp3", "9.mp3"):
        (folder / "ROCK" / name).touch()
    with pytest.warns(UserWarning, match="only in case are one: 'ROCK' is 'rock'") as w:
        tracks = load_audio_folder(folder)
    assert w[0].filename == __file__
    assert tracks.target.tolist() == ["jazz"] + ["rock"] * 5
    assert tracks.target_names.tolist() == ["jazz", "rock"]
    (folder / "list.csv").write_text(
        "path,genre\nrock/y/3.flac,Rock\njazz/x/4.ogg,jazz\nrock/x/1.MP3,rock\n"
        "rock/x/album/2.mp3,Rock\n"
    )
    with pytest.warns(UserWarning, match="'rock' is 'Rock'") as w:
        tracks = load_audio_folder(folder / "list.csv")
    assert w[0].filename == __file__
    assert tracks.target.tolist() == ["Rock", "jazz", "Rock", "Rock"]
    rows = ["path,genre", *["rock/y/3.flac,Rock"] * 2, "rock/y/3.flac,rock"]
    (folder / "twice.csv").write_text("\n".join(rows))
    with pytest.warns(UserWarning) as w:
        tracks = load_audio_folder(folder / "twice.csv")
    assert tracks.target.tolist() == ["Rock"] * 3
    assert "more than once" in str(w[0].message)


def test_genres_are_composed(tmp_path):
    for name in ("Mu\u0301sica", "jazz"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.mp3").touch()
    tracks = load_audio_folder(tmp_path)
    assert tracks.target.tolist() == ["Música", "jazz"]
    assert all(Path(path).exists() for path in tracks.paths)


def test_folders_of_artists_are_noticed(tmp_path):
    pytest.importorskip("mutagen")
    from music_library import make_music_library

    make_music_library(tmp_path)
    pattern = r"look like artists, not genres: the tags .* load_music_library\('"
    with pytest.warns(UserWarning, match=pattern) as record:
        load_audio_folder(tmp_path)
    assert [each.filename for each in record] == [__file__]


def test_recycle_bins_are_no_genres(folder):
    for name in ("$RECYCLE.BIN/gone.mp3", "@eaDir/1.mp3", "rock/@eaDir/1.mp3"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    tracks = load_audio_folder(folder)
    assert tracks.target.tolist() == ["jazz", "rock", "rock", "rock"]
