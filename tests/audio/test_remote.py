"""Files by URL, with fsspec's own stores and a real web server."""

import http.server
import os
import sys
import threading
import warnings
from functools import partial
from urllib.parse import urlsplit

import fsspec
import numpy as np
import pytest
import soundfile
from fsspec.implementations.memory import MemoryFileSystem
from numpy.testing import assert_array_equal

from skgenre import MelSpectrogramTransformer
from skgenre.audio import AudioError, load_audio
from skgenre.audio._check_clips import check_clips
from skgenre.audio._readers import AVReader, open_audio
from skgenre.audio._remote import (
    _is_same_host,
    is_url,
    upath_to_url,
    url_version,
)
from skgenre.datasets import find_audio_files, load_audio_folder

RATE = 22050


class FaultyFileSystem(MemoryFileSystem):
    """Stands for a store that refuses or fails in the way that a name asks for."""

    protocol = "faulty"
    faults = {
        "denied": PermissionError("Access Denied"),
        "slow": TimeoutError(),
        "folder": IsADirectoryError("is a directory"),
        "other": RuntimeError("Unable to locate credentials"),
        "memory": MemoryError(),
        "package": ImportError("Install crypto to read this bucket"),
    }

    def _open(self, path, *arguments, **options):
        raise self.faults[path.rpartition("/")[2]]


fsspec.register_implementation("faulty", FaultyFileSystem, clobber=True)


@pytest.fixture
def store():
    """A store in memory, empty before and after."""
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()


@pytest.fixture
def tone(tmp_path):
    path = tmp_path / "tone.flac"
    samples = np.sin(np.arange(2 * RATE) * np.linspace(0.1, 0.2, 2 * RATE)) / 2
    soundfile.write(path, samples, RATE)
    return path


@pytest.fixture
def server(tmp_path):
    """The address of a web server of the folder of `tone`."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "path",
    ["s3://b/a.mp3", "https://h/a", "S3A://b", "git+ssh://h", "a::b://c", "file:///a"],
)
def test_urls(path):
    assert is_url(path)
    assert is_url(np.str_(path))


@pytest.mark.parametrize(
    "path",
    [
        "a.mp3",
        "/m/12: x.mp3",
        "C://music/a.mp3",
        "C:\\a.mp3",
        "s3:/b/a",
        "./s3://b",
        "1s://b",
        "data:audio/wav;base64,AA",
        "",
        b"s3://b/a.mp3",
        os.path,
    ],
)
def test_local_paths(path):
    assert not is_url(path)


def test_every_format_is_read_as_the_local_file_is(tmp_path, store, tone):
    from sound_files import write_av

    samples, _ = soundfile.read(tone, dtype="float32")
    stereo = np.column_stack([samples, -samples / 2])
    for name in ("a.wav", "a.ogg", "a.mp3"):
        soundfile.write(tmp_path / name, stereo, RATE)
    write_av(tmp_path / "a.m4a", stereo, "aac", RATE)
    for name in ("tone.flac", "a.wav", "a.ogg", "a.mp3", "a.m4a"):
        store.put_file(str(tmp_path / name), f"/music/{name}")
        url = f"memory://music/{name}"
        for options in ({}, {"offset": 0.7, "duration": 0.5}):
            assert_array_equal(
                load_audio(url, **options), load_audio(tmp_path / name, **options)
            )
    with open_audio("memory://music/a.m4a") as reader:
        assert isinstance(reader, AVReader)


def test_a_pipeline_step_reads_from_a_web_server(server, tone):
    mel = MelSpectrogramTransformer(n_frames=32, n_jobs=2)
    X = mel.fit_transform([f"{server}/tone.flac"] * 3)
    assert_array_equal(X, mel.fit_transform([tone] * 3))
    with pytest.raises(AudioError, match="no such file") as caught:
        mel.transform([f"{server}/none.flac"])
    # Python's server gives no parts of files, which fsspec asks for in blocks of 5 MB.
    long = tone.with_name("long.wav")
    soundfile.write(long, np.zeros(3_000_000), RATE)
    assert len(load_audio(f"{server}/long.wav", duration=1)) == RATE
    assert caught.value.path == f"{server}/none.flac"


def test_file_urls_are_opened_in_place(tone, tmp_path):
    assert_array_equal(load_audio(f"file://{tone}"), load_audio(tone))
    assert_array_equal(load_audio(f"FILE://{tone}"), load_audio(tone))
    os.mkfifo(tmp_path / "pipe")
    for name, cause in (
        ("none", "no such file"),
        ("pipe", "it is a pipe"),
        ("", "dir"),
    ):
        url = f"file://{tmp_path}/{name}"
        with pytest.raises(AudioError, match=cause) as caught:
            load_audio(url)
        assert caught.value.path == url


def test_file_urls_as_browsers_write_them(tone, tmp_path):
    folder = tmp_path / "a b#c" / "rock"
    folder.mkdir(parents=True)
    song = folder / "100%25? #1 %41 ü.flac"
    tone.rename(song)
    escaped = song.as_uri()
    assert "%2525" in escaped
    samples = load_audio(song)
    for url in (
        escaped,
        escaped.replace("file://", "FILE://localhost"),
        f"file://{song}",
        f"local://{song}",
    ):
        assert_array_equal(load_audio(url), samples)
    listed = [f"file://{song.as_posix()}"]
    assert find_audio_files(folder.as_uri()) == listed
    assert find_audio_files(escaped) == [escaped]
    music = load_audio_folder(folder.parent.as_uri())
    assert (music.paths.tolist(), music.target.tolist()) == (listed, ["rock"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("denied", "access is denied .*Access Denied.* Check the credentials"),
        ("slow", "did not respond in time .TimeoutError.* Try again"),
        ("folder", "it is a directory"),
        ("other", "the store failed .RuntimeError: Unable to locate credentials"),
    ],
)
def test_errors_of_a_store_name_the_url(name, message):
    with pytest.raises(AudioError, match=message) as caught:
        load_audio(f"faulty://{name}")
    assert caught.value.path == f"faulty://{name}"
    assert isinstance(caught.value.__cause__, Exception)


@pytest.mark.parametrize(
    ("name", "kind"), [("memory", MemoryError), ("package", ImportError)]
)
def test_what_is_no_fault_of_the_file_passes(name, kind):
    with pytest.raises(kind):
        load_audio(f"faulty://{name}")


@pytest.mark.parametrize(
    "url",
    [
        "simplecache::memory://a.wav",
        "memory://a.wav::memory://b",
        "zip://a.wav::memory://b.zip",
    ],
)
def test_chains_are_refused(url):
    with pytest.raises(AudioError, match="chains protocols"):
        load_audio(url)


@pytest.mark.parametrize("url", ["zip://a.wav", "filecache://a.wav", "nowhere://a.wav"])
def test_protocols_that_are_no_store_are_refused(url):
    with pytest.raises(AudioError, match="there is no way to a store by '"):
        load_audio(url)


def test_empty_and_missing(store):
    store.pipe_file("/empty.wav", b"")
    store.pipe_file("/text.wav", b"no music")
    for name, cause in (
        ("empty.wav", "is empty"),
        ("none.wav", "no such file"),
        ("text.wav", "no decoder reads it as audio"),
    ):
        with pytest.raises(AudioError, match=cause):
            load_audio(f"memory://{name}")


def test_what_never_ends_is_given_up(store, monkeypatch):
    monkeypatch.setattr("skgenre.audio._remote._BLOCK", 1000)
    monkeypatch.setattr("skgenre.audio._remote.MAX_BYTES", 5000)
    store.pipe_file("/long.wav", b"x" * 5001)
    with pytest.raises(AudioError, match="it is larger than"):
        load_audio("memory://long.wav")
    store.pipe_file("/long.wav", b"x" * 5000)
    with pytest.raises(AudioError, match="no decoder"):
        load_audio("memory://long.wav")


def test_no_file_is_left(tmp_path, store, tone, monkeypatch):
    store.put_file(str(tone), "/tone.flac")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    os.mkdir(tmp_path / "temporary")
    n_open = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with open_audio("memory://tone.flac") as reader:
        assert reader.n_samples == 2 * RATE
        assert os.listdir(tmp_path / "temporary") == []  # deleted while it is open
    if n_open:
        assert len(os.listdir("/proc/self/fd")) == n_open


def test_upaths(store, tone):
    from upath import UPath

    store.put_file(str(tone), "/music/tone.flac")
    path = UPath("memory://music/tone.flac")
    assert upath_to_url(path) == str(path)
    assert check_clips([path]) == check_clips(np.array([path])) == [str(path)]
    assert_array_equal(load_audio(path), load_audio(tone))
    local = UPath(f"file://{tone}")
    assert upath_to_url(local) is local
    assert_array_equal(load_audio(local), load_audio(tone))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = UPath("memory://music/tone.flac", secret="abc")
    with pytest.raises(ValueError, match="storage options of its own .'secret'"):
        load_audio(own)


@pytest.mark.parametrize(
    ("missing", "url", "message"),
    [
        ("fsspec.core", "s3://bucket/a.mp3", r'pip install "skgenre\[remote\]"'),
        ("gcsfs", "gs://bucket/a.mp3", "nstall gcsfs"),
    ],
)
def test_a_missing_package_is_named(monkeypatch, missing, url, message):
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    with pytest.raises(ImportError, match=f"{url}.*{message}"):
        load_audio(url)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (403, "access is denied .*403.* Check the credentials"),
        (404, "there is no such file"),
        (500, "the store failed .*500"),
        (None, "the store failed .*[Cc]onnect"),
    ],
)
def test_answers_of_web_servers(answer, message):
    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(answer)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as running:
        url = f"http://127.0.0.1:{running.server_port}/a.mp3"
        if answer is None:
            running.server_close()
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        if answer is not None:
            thread.start()
        with pytest.raises(AudioError, match=message) as caught:
            load_audio(url)
        if answer is not None:
            running.shutdown()
            thread.join()
    assert caught.value.path == url


@pytest.mark.parametrize(
    ("before", "now", "is_same"),
    [
        ("https://a.org/t", "https://a.org/x/t", True),
        ("https://a.org/t", "https://A.org:443/t", True),
        ("http://a.org/t", "https://a.org/t", True),
        ("http://a.org:8000/t", "http://a.org:8000/x", True),
        ("https://a.org/t", "http://a.org/t", False),
        ("https://a.org/t", "https://b.a.org/t", False),
        ("https://a.org/t", "https://a.org:8443/t", False),
        ("http://a.org:8000/t", "https://a.org/t", False),
        ("https://a.org/t", "ftp://a.org/t", False),
        ("https://a.org/t", "file:///t", False),
        ("https://a.org/t", "https://a.org@b.org/t", False),
        ("https://a.org/t", "https://b.org\\@a.org/t", False),
        ("https://a.org/t", "https://a.org:x/t", False),
        ("https://a.org/t", "https://a.org:99999/t", False),
    ],
)
def test_where_a_table_may_be(before, now, is_same):
    assert _is_same_host(urlsplit(before), urlsplit(now)) == is_same


def test_versions_change_with_the_file(store, server, tone):
    store.pipe_file("/a.wav", b"x")
    first = url_version("memory://a.wav")
    assert url_version("memory://a.wav") == first
    store.pipe_file("/a.wav", b"y")
    assert url_version("memory://a.wav") not in (first, None)
    first = url_version(f"{server}/tone.flac")
    os.utime(tone, (1, 1))
    assert url_version(f"{server}/tone.flac") not in (first, None)
    for url in ("memory://none.wav", "nowhere://a.wav", f"{server}/none.flac"):
        assert url_version(url) is None


def test_the_cache_knows_files_by_url(server, tone, tmp_path):
    mel = MelSpectrogramTransformer(n_frames=32, cache_dir=tmp_path / "cache")
    urls = [f"{server}/tone.flac"]
    first = mel.fit_transform(urls)
    with open_audio(urls[0]):
        pass
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.glob("cache/*/**/*")}
    assert kept
    assert_array_equal(mel.transform(urls), first)
    assert_array_equal(mel.transform([tone]), first)
    samples, _ = soundfile.read(tone)
    soundfile.write(tone, samples[::-1], RATE)
    os.utime(tone, (1, 1))
    assert not np.array_equal(mel.transform(urls), first)
