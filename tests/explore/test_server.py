"""What the server answers: no file but songs, no markup, nothing without bounds."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")

from explored import MARKUP, explore_in_process, fit_model, write_songs
from starlette.testclient import TestClient

from skgenre.datasets._library._playlists import read_playlist
from skgenre.explore import _media, _server
from skgenre.explore._guard import Guard

N_SONGS = 24


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    paths, genres = write_songs(folder, N_SONGS)
    (folder / "broken.flac").write_bytes(b"no music")
    (folder / "secret.txt").write_text("secret")
    return folder, fit_model(paths, genres)


@pytest.fixture(scope="module")
def server(songs, tmp_path_factory):
    server, _ = explore_in_process(*songs, tmp_path_factory.mktemp("labels"))
    yield server
    server.media.close()


@pytest.fixture
def client(server):
    return TestClient(server.app, raise_server_exceptions=False)


def test_the_page_and_its_own_files_are_served_and_no_others(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    names = [part.split('"')[0] for part in page.text.split("assets/")[1:]]
    assert len(names) == 9
    for name in names:
        assert client.get(f"/assets/{name}").status_code == 200
    for name in ("page.html", "../_server.py", "..%2f_server.py", "_server.py", "%00"):
        assert client.get(f"/assets/{name}").status_code == 404
    assert "style=" not in page.text and "onclick" not in page.text
    assert "innerHTML" not in "".join(client.get(f"/assets/{n}").text for n in names)


@pytest.mark.parametrize(
    "key",
    [
        *("../secret.txt", "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "secret.txt"),
        *("-1", "25", "999999999999999999999", "0.0", "٣", "1e1", "d1", "d", "0x1"),
    ],
)
@pytest.mark.parametrize("what", ["", "/sound", "/spectrogram", "/tags"])
def test_songs_are_known_by_number_only(client, key, what):
    response = client.get(f"/api/songs/{key}{what}")
    assert response.status_code == 404
    assert "secret" not in response.text.replace("secret.txt", "")


def test_state_songs_and_map_agree(client, server):
    state = client.get("/api/state").json()
    assert state["phase"] == "done" and state["n_songs"] == N_SONGS + 1
    assert state["n_heard"] == N_SONGS and state["n_left_out"] == 1
    (problem,) = state["problems"]
    assert problem["path"].endswith("broken.flac") and problem["text"]
    songs = client.get("/api/songs").json()
    assert len(songs["titles"]) == len(songs["labels"]) == N_SONGS + 1
    assert songs["genres"] == ["ambient", "rock", "techno", "waltz"]
    found = client.get("/api/map/pca").json()
    assert problem["number"] not in found["numbers"]
    assert len(found["numbers"]) == len(found["x"]) == len(found["y"]) == N_SONGS
    proba = server.extraction.proba[found["numbers"]]
    np.testing.assert_allclose(found["confidence"], proba.max(axis=1), atol=1e-4)
    truth = client.get("/api/truth/pca").json()
    assert 0.5 < truth["trust"] <= 1 and truth["n_neighbors"] == 10
    assert client.get("/api/map/other").status_code == 400
    clusters = client.get("/api/clusters").json()
    assert len(clusters["clusters"]) == N_SONGS


def test_markup_of_files_comes_as_text(client):
    text = client.get("/api/songs").text
    assert json.loads(text)["titles"][0].startswith(MARKUP)
    response = client.post("/api/labels", json={"number": 3, "genre": "<b>jazz</b>"})
    assert response.json() == {"label": "<b>jazz</b>"}
    for path in ("/api/songs", "/api/songs/1", "/api/songs/no", "/api/map/no"):
        assert client.get(path).headers["content-type"] == "application/json"


def test_a_song_has_genres_and_neighbours_with_reasons(client, server):
    found = client.get("/api/songs/1").json()
    assert found["genres"][0][1] == pytest.approx(
        float(server.extraction.proba[1].max()), abs=1e-3
    )
    distances = [each["distance"] for each in found["near"]]
    assert len(distances) == 10 and distances == sorted(distances)
    assert 1 not in [each["number"] for each in found["near"]]
    assert any("same artist: Artist" in "".join(e["reasons"]) for e in found["near"])
    broken = client.get("/api/state").json()["problems"][0]["number"]
    assert client.get(f"/api/songs/{broken}").json()["problem"]
    assert client.get(f"/api/songs/{broken}/spectrogram").status_code == 422
    # Only its name is that of a song: what is in it may be a secret.
    sound = client.get(f"/api/songs/{broken}/sound")
    assert sound.status_code == 422 and "no music" not in sound.text


def test_the_reasons_of_a_neighbour_take_a_look_at_no_other_song(server, monkeypatch):
    class Looked(list):
        def __iter__(self):
            raise AssertionError("all labels were looked at")

    monkeypatch.setattr(server.labels, "genres", Looked(server.labels.genres))
    reasons = [
        reason for each in server.song("1")["near"] for reason in each["reasons"]
    ]
    assert any(reason.startswith("same label: ") for reason in reasons)


def test_parts_of_a_file_are_served(client, songs):
    path = songs[0] / "000.flac"
    whole = client.get("/api/songs/0/sound")
    assert whole.content == path.read_bytes()
    assert whole.headers["content-type"] == "audio/flac"
    part = client.get("/api/songs/0/sound", headers={"range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == path.read_bytes()[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{path.stat().st_size}"
    beyond = client.get("/api/songs/0/sound", headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416
    wav = client.get("/api/songs/0/sound?as=wav")
    samples, rate = soundfile.read(io.BytesIO(wav.content))
    assert rate == 44100 and len(samples) == pytest.approx(3 * 44100, rel=0.01)


def test_a_spectrogram_is_that_of_the_song(client, songs):
    found = client.get("/api/songs/1/spectrogram").json()
    assert found["seconds"] == pytest.approx(3, abs=0.1)
    assert found["columns"] <= 1200
    n_bytes = found["columns"] * found["bands"]
    assert len(found["values"]) == -(-n_bytes // 3) * 4


def test_what_speaks_for_a_genre_is_heard(client, server):
    found = client.get("/api/songs/1/why").json()
    best = server.extraction.proba[1].argmax()
    assert found["genre"] == server.listener.classes[best]
    assert len(found["bands"]) == 8
    assert max(band["weight"] for band in found["bands"]) in (0, 1)
    wav = client.get("/api/songs/1/why/sound")
    samples, rate = soundfile.read(io.BytesIO(wav.content))
    assert rate == 22050 and len(samples) == pytest.approx(3 * rate, rel=0.01)


def test_labels_are_written_at_once(client, server):
    response = client.post("/api/labels", json={"number": 2, "genre": " Dub "})
    assert response.json() == {"label": "Dub"}
    table = server.labels.file.read_text(encoding="utf-8")
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO(table))}
    row = rows[server.collection.paths[2]]
    assert (row["genre"], row["checked"]) == ("Dub", "yes")
    before = server.labels.file.read_bytes()
    for wrong in (
        *({"number": 99, "genre": "x"}, {"number": "../x", "genre": "x"}),
        *({"number": 1}, {"number": 1, "genre": ""}, {"number": 1, "genre": "=A1"}),
        *({"number": 1, "genre": "x" * 101}, {"number": 1, "genre": ["x"]}, [1], 5),
    ):
        response = client.post("/api/labels", json=wrong)
        assert response.status_code in (400, 404) and response.json()["error"]
    assert client.post("/api/labels", content=b"{").status_code == 400
    assert client.post("/api/labels", content=b"[" * 10**5).status_code == 400
    assert client.post("/api/labels", content=b"1" * (5 << 20)).status_code == 413
    assert server.labels.file.read_bytes() == before


def test_selections(client, server, tmp_path):
    liked = client.post("/api/like", json={"liked": [1], "k": 3}).json()
    assert len(liked) == 3
    others = client.post(
        "/api/like", json={"liked": [1], "disliked": [liked[0]["number"]], "k": 3}
    ).json()
    assert liked[0]["number"] not in [each["number"] for each in others]
    path = client.post("/api/path", json={"ends": [1, 20], "k": 4}).json()
    assert (path[0]["number"], path[-1]["number"]) == (1, 20)
    for wrong in (
        {"ends": [1]},
        {"ends": [1, 1]},
        {"ends": [1, "01"]},
        {"ends": 3},
        {"ends": [1, 2], "k": 0},
    ):
        assert client.post("/api/path", json=wrong).status_code == 400
    chosen = {"numbers": [2, 1, "02"]}
    playlist = tmp_path / "it.m3u8"
    m3u = client.post("/api/export", json=chosen | {"format": "m3u"})
    playlist.write_bytes(m3u.content)
    paths = server.collection.paths
    assert read_playlist(playlist) == [paths[2], paths[1]]
    table = client.post("/api/export", json=chosen | {"format": "csv"}).text
    row = next(csv.DictReader(io.StringIO(table)))
    assert row["path"] == paths[2] and 0 < float(row["confidence"]) <= 1
    train = client.post("/api/export", json=chosen | {"format": "train"}).text
    assert len([*csv.DictReader(io.StringIO(train))]) == 2
    assert client.post("/api/export", json={"numbers": []}).status_code == 400


def test_a_dropped_song_is_heard_and_deleted_in_the_end(client, server, songs):
    contents = (songs[0] / "004.flac").read_bytes()
    response = client.post(
        "/api/drop", content=contents, headers={"x-name": "..%2F..%2Fa%3Cb%3E.flac"}
    )
    found = response.json()
    assert found["title"] == "a<b>.flac"
    assert found["copies"] == [4] and 4 not in [n["number"] for n in found["near"]]
    sound = client.get(f"/api/songs/{found['key']}/sound")
    assert sound.content == contents
    assert client.get(f"/api/songs/{found['key']}/spectrogram").status_code == 200
    assert client.post("/api/drop", content=b"").status_code == 400
    before = sorted(_media.Path(server.media._folder.name).iterdir())
    assert client.post("/api/drop", content=b"no music").status_code == 422
    assert sorted(_media.Path(server.media._folder.name).iterdir()) == before


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
    client, server, monkeypatch
):
    monkeypatch.setattr(_media, "MOST_BYTES", 1000)
    monkeypatch.setattr(_server, "MOST_BYTES", 1000)
    folder = server.media._folder.name
    before = sorted(p.name for p in _media.Path(folder).iterdir())
    assert client.post("/api/drop", content=b"x" * 1001).status_code == 413

    def stream():  # of which no length is said
        for _ in range(20):
            yield b"x" * 100

    assert client.post("/api/drop", content=stream()).status_code == 413
    assert sorted(p.name for p in _media.Path(folder).iterdir()) == before


def test_only_what_is_not_there_is_not_found(client, server, monkeypatch):
    for path in ("network", "network/layers", "network/layers/0/0", "songs/d1"):
        response = client.get(f"/api/{path}")
        assert response.status_code == 404 and response.json()["error"]

    def fail(path):
        raise KeyError("a fault of ours")

    monkeypatch.setattr(server, "_spectrogram", fail)
    assert client.get("/api/songs/1/spectrogram").status_code == 500


def test_a_model_is_trained_on_chosen_songs_and_written_to_its_folder(client, server):
    assert client.get("/api/training").json() == {"phase": "none"}
    every = [*range(N_SONGS)]
    for wrong in (
        *({"numbers": [1, 2], "recipe": "fast"}, {"numbers": [], "recipe": "fast"}),
        *({"numbers": every, "recipe": "../x"}, {"numbers": every}),
        *({"numbers": ["../x"], "recipe": "fast"}, {"numbers": 1}, [1]),
    ):
        response = client.post("/api/training", json=wrong)
        assert response.status_code in (400, 404) and response.json()["error"]
    folder = server.labels.file.parent / "models"
    assert not folder.exists()
    began = client.post("/api/training", json={"numbers": every, "recipe": "fast"})
    assert began.json()["n_songs"] <= N_SONGS
    server.training.wait(60)
    state = client.get("/api/training").json()
    assert state["phase"] == "done"
    assert [str(file) for file in folder.iterdir()] == [state["result"]["path"]]
    assert client.post("/api/training/stop").status_code == 200


def test_whatever_changes_something_is_guarded(server):
    routes = [r.path for r in server.app.routes if "POST" in (r.methods or ())]
    assert {"/api/labels", "/api/training", "/api/training/stop"} <= {*routes}
    guard = Guard(server.app)
    client = TestClient(guard, base_url="http://127.0.0.1:8123")
    for path in routes:
        assert client.post(path, json={}).status_code == 403
    client.get(f"/?token={guard.token}")
    for path in routes:
        for origin in ("http://attacker.example", "http://127.0.0.1:9999", "null"):
            response = client.post(path, json={}, headers={"origin": origin})
            assert response.status_code == 403
    own = {"origin": "http://127.0.0.1:8123"}
    assert client.post("/api/training", json={}, headers=own).status_code == 400


def test_labels_that_look_wrong_are_listed(client):
    found = client.get("/api/suspects").json()
    assert found["n_checked"] > 10 and 0 <= found["agreement"] <= 1
