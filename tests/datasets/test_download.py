import errno
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from archive_server import serve

from skgenre.datasets import _download
from skgenre.datasets._download import check_space, download

PIECE = _download._PIECE
BODY = np.random.default_rng(0).bytes(100_000)


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file.bin").write_bytes(BODY)
    with serve(folder) as server:
        yield server


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(_download, "_DELAY", 0.01)
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def fetch(server, home, name="file.bin"):
    download(server.url + name, str(home / "file"))
    return (home / "file").read_bytes()


def ranges(server):
    return [asked for _, asked in server.requests]


def test_whole_file(server, home, capsys):
    assert fetch(server, home) == BODY
    assert ranges(server) == [None]
    assert not (home / "file.part").exists()
    assert "file: 100%" in capsys.readouterr().err


def test_a_cut_connection_is_resumed(server, home):
    server.limits = [2 * PIECE, 0, 3 * PIECE]
    assert fetch(server, home) == BODY
    assert ranges(server) == [None, "bytes=32768-", "bytes=32768-", "bytes=81920-"]


def test_a_server_that_cuts_often_but_gets_on(server, home):
    server.limits = [PIECE] * 6
    assert fetch(server, home) == BODY
    assert len(server.requests) == 7


def test_giving_up_keeps_what_arrived_and_the_next_call_goes_on(server, home):
    server.limits = [2 * PIECE, 0, 0, 0, 0]
    with pytest.raises(ConnectionError, match=r"broke off after 32 KiB.*Call again"):
        fetch(server, home)
    assert (home / "file.part").read_bytes() == BODY[: 2 * PIECE]
    assert not (home / "file").exists()
    assert fetch(server, home) == BODY
    assert ranges(server)[-1] == "bytes=32768-"


@pytest.mark.slow
def test_a_killed_download_goes_on(server, home):
    """Not even a process that gets no time to clean up loses what has arrived."""
    folder = Path(server.folder)
    big = BODY * 100
    (folder / "big.bin").write_bytes(big)
    code = (
        "import sys; from skgenre.datasets._download import download;"
        "download(*sys.argv[1:])"
    )
    server.limits = [300 * PIECE]
    server.statuses = []
    part = home / "file.part"
    command = [sys.executable, "-c", code, server.url + "big.bin", home / "file"]
    # After the cut the server answers no more, so that the process has to wait.
    original = server.change

    def stall(body):
        if len(server.requests) > 1:
            time.sleep(3)
        return original(body)

    server.change = stall
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(server.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    server.change = original
    assert part.read_bytes() == big[: 300 * PIECE]
    assert fetch(server, home, "big.bin") == big
    assert ranges(server)[-1] == "bytes=4915200-"


def test_a_server_that_ignores_ranges_sends_all_again(server, home):
    server.knows_ranges = False
    (home / "file.part").write_bytes(b"x" * 1000)
    assert fetch(server, home) == BODY
    assert ranges(server) == ["bytes=1000-"]
    (home / "file").unlink()
    # It never gets on when it is always cut at the same place.
    server.limits = [50_000] * 10
    with pytest.raises(ConnectionError):
        fetch(server, home)
    assert len(server.requests) == 1 + 5


def test_all_had_arrived(server, home):
    (home / "file.part").write_bytes(BODY)
    assert fetch(server, home) == BODY


def test_more_had_arrived_than_there_is(server, home):
    (home / "file.part").write_bytes(BODY + b"more")
    assert fetch(server, home) == BODY
    assert ranges(server) == ["bytes=100004-", None]


def test_a_wrong_part_is_not_appended(server, home):
    (home / "file.part").write_bytes(BODY[:500])
    server.range_error = 1
    assert fetch(server, home) == BODY
    assert ranges(server) == ["bytes=500-", None]


def test_a_server_that_tells_no_length(server, home):
    server.tells_length = False
    assert fetch(server, home) == BODY


def test_errors_of_the_server(server, home):
    server.statuses = [503, 429, 500]
    assert fetch(server, home) == BODY
    (home / "file").unlink()
    with pytest.raises(ConnectionError, match=r"404.*nothing\.bin.*base_url"):
        fetch(server, home, "nothing.bin")
    assert len(server.requests) == 5
    assert not list(home.iterdir())


def test_no_server(home):
    with pytest.raises(ConnectionError, match=r"broke off after 0.*refused"):
        download("http://127.0.0.1:9/x", str(home / "file"))


def test_a_disk_that_is_too_small(server, home):
    server.claimed_length = 10**18
    with pytest.raises(
        OSError, match=r"The rest of file needs 931,322,574.6 GiB, but only"
    ) as caught:
        fetch(server, home)
    assert caught.value.errno == errno.ENOSPC
    assert not (home / "file.part").exists()
    check_space(str(home), 1, "Nearly nothing")


@pytest.mark.parametrize("status", [204, 300, 304])
def test_an_answer_that_is_no_file_replaces_nothing(server, home, status):
    (home / "file.part").write_bytes(BODY[:500])
    server.statuses = [status] * 4
    with pytest.raises(ConnectionError, match=f"the server returned {status}"):
        fetch(server, home)
    assert (home / "file.part").read_bytes() == BODY[:500]
    assert fetch(server, home) == BODY
    assert ranges(server)[-1] == "bytes=500-"


def test_a_web_page_replaces_nothing(server, home):
    """What a proxy says with status 200, and the whole file after it."""
    (home / "file.part").write_bytes(BODY[:500])
    server.content_type, server.knows_ranges = "text/html; charset=utf-8", False
    with pytest.raises(ConnectionError, match="a web page and not the file"):
        fetch(server, home)
    assert (home / "file.part").read_bytes() == BODY[:500]
    server.content_type = "application/octet-stream"
    assert fetch(server, home) == BODY


def test_something_longer_that_arrived_is_not_left_behind(server, home):
    (home / "file.part").write_bytes(b"x" * 200_000)
    server.knows_ranges = server.tells_length = False
    assert fetch(server, home) == BODY


def test_a_part_that_nobody_asked_for(server, home):
    server.statuses = [206] * 4
    with pytest.raises(ConnectionError, match="another part than was asked for"):
        fetch(server, home)


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "no address", "http://", f"http://{'a' * 70}.com/x"]
)
def test_bad_addresses_are_asked_once(home, url, monkeypatch):
    monkeypatch.setattr(_download, "_N_RETRIES", 10**6)
    with pytest.raises(ConnectionError, match="can't be downloaded: .*base_url"):
        download(url, str(home / "file"))


def test_room_for_the_rest_is_enough(server, home, monkeypatch):
    """A server that begins anew writes over what is there."""
    (home / "file.part").write_bytes(b"x" * 99_000)
    server.knows_ranges = False
    usage = type("usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert fetch(server, home) == BODY


def test_what_had_arrived_is_taken_by_another_process(server, home):
    """A part begun after that has no hole where the other part was."""
    (home / "file.part").write_bytes(BODY[:500])

    def change(body):
        if len(server.requests) == 1:
            (home / "file.part").unlink()
        return body

    server.change = change
    assert fetch(server, home) == BODY
    assert ranges(server) == ["bytes=500-", None]


def test_several_at_once(server, home):
    """Downloads that overtake each other end with the same bytes."""
    started = threading.Barrier(3, timeout=60)

    def change(body):
        with suppress(threading.BrokenBarrierError):
            if len(server.requests) <= 3:
                started.wait()
        return body

    server.change = change
    server.limits = [3 * PIECE, PIECE, 2 * PIECE]
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(fetch, server, home) for _ in range(3)]
        assert [future.result() for future in futures] == [BODY] * 3
    assert [path.name for path in home.iterdir()] == ["file"]
