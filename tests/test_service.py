"""What the service of examples/service/ says; load.py sends it bad uploads for long."""

import http.client
import importlib
import io
import json
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

import skgenre
from skgenre.datasets import make_genre_clips

FOLDER = Path(__file__).parents[1] / "examples" / "service"
needs_weights = pytest.mark.skipif(
    find_spec("musicnn") is None,
    reason="no weights: python -m pip install --no-deps musicnn==0.1.0",
)


def wav(samples, rate):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a model, its file and an upload."""
    clips = make_genre_clips(8, ["rock", "techno"], duration=6, random_state=0)
    waveforms = [(each, clips.sample_rate) for each in clips.waveforms]
    model = skgenre.genre_pipeline("baseline").fit(waveforms, clips.target)
    path = tmp_path_factory.mktemp("model") / "genres.model"
    skgenre.save(model, path)
    return model, path, wav(*waveforms[0])


@pytest.fixture
def service(trained, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setenv("GENRE_MODEL", str(trained[1]))
    monkeypatch.setenv("GENRE_TIME_LIMIT", "0")
    monkeypatch.setenv("GENRE_THREADS", "1")
    monkeypatch.setenv("GENRE_WAITING", "1")
    app = importlib.import_module("app")
    app.responses.clear()
    with TestClient(app.app, raise_server_exceptions=False) as client:
        yield client
    for name in ("app", "genres"):
        del sys.modules[name]


def test_without_a_model_it_says_which_variable_names_one(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delenv("GENRE_MODEL", raising=False)
    app = importlib.import_module("app")
    with (
        pytest.raises(RuntimeError, match="GENRE_MODEL is not set"),
        TestClient(app.app),
    ):
        pass
    for name in ("app", "genres"):
        del sys.modules[name]


def test_genres(trained, service):
    model, _, upload = trained
    found = service.post("/genre", files={"file": upload}).json()
    with soundfile.SoundFile(io.BytesIO(upload)) as file:
        clip = file.read(dtype="float32"), file.samplerate
    expected = dict(zip(model.classes_, model.predict_proba([clip])[0], strict=True))
    assert found["probabilities"] == pytest.approx(expected)
    assert found["genre"] == model.predict([clip])[0] and found["note"] == ""


def test_batch_says_of_each_file_what_is_wrong_with_it(trained, service):
    silence = wav(np.zeros(44100), 44100)
    uploads = [("é.wav", trained[2]), ("text.mp3", b"no music"), ("0.wav", silence)]
    response = service.post("/genres", files=[("files", each) for each in uploads])
    good, text, silent = response.json()
    assert (response.status_code, good["genre"]) == (200, "rock")
    assert [each["file"] for each in response.json()] == ["é.wav", "text.mp3", "0.wav"]
    assert (text["status"], silent["status"]) == (422, 422)
    assert (
        text["detail"].startswith("No genre (error)") and "silent" in silent["detail"]
    )


@needs_weights
def test_tags_and_timeline(trained, service):
    found = service.post("/tags", files={"file": trained[2]}).json()
    assert len(found["tags"]) == 10 and all(0 < p < 1 for p in found["tags"].values())
    found = service.post("/timeline", files={"file": trained[2]}).json()
    ends = [each["end"] for each in found["timeline"]]
    assert ends == pytest.approx([3, 6], abs=0.02)
    refused = service.post("/tags", files={"file": b"no music"})
    assert refused.status_code == 422 and "No genre" in refused.json()["detail"]


def test_without_weights(trained, service, no_weights):
    refused = service.post("/timeline", files={"file": trained[2]})
    assert refused.status_code == 501 and "skgenre weights" in refused.json()["detail"]


def break_(file):
    raise ZeroDivisionError


def test_errors_are_json(trained, service):
    service.app.state.model.predict = break_
    chunked = {"Transfer-Encoding": "chunked", "Content-Length": "5"}
    refused = service.post("/genre", files={"file": trained[2]}, headers=chunked)
    assert refused.status_code == 411  # as its length is not limited
    responses = {
        500: service.post("/genre", files={"file": trained[2]}),
        404: service.post("/other", content=iter([b"x"])),
        405: service.get("/genre"),
        411: service.post("/genre", content=iter([b"x"])),
        413: service.post("/genre", headers={"Content-Length": str(10**12)}),
        415: service.post("/genre", data={"file": "a"}),
        422: service.post("/genre", files={"song": trained[2]}),
    }
    for status, response in responses.items():
        assert (response.status_code, bool(response.json()["detail"])) == (status, True)


def test_a_third_request_is_refused_while_one_is_computed_and_one_waits(
    trained, service
):
    busy, go_on = threading.Semaphore(0), threading.Event()

    def wait(file):
        busy.release()
        go_on.wait(60)
        return {"genre": "rock"}

    service.app.state.model.predict = wait
    threads = service.app.state.threads

    def post(_=0):
        return service.post("/genre", files={"file": trained[2]})

    with ThreadPoolExecutor(2) as pool:
        first = pool.map(post, range(2))
        busy.acquire()
        while not threads.statistics().tasks_waiting:
            pass
        refused = post()
        go_on.set()
    assert [each.status_code for each in first] == [200, 200]
    assert refused.status_code == 503 and refused.headers["Retry-After"] == "5"
    lines = service.get("/metrics").text.splitlines()
    assert 'genre_responses_total{path="/genre",status="200"} 2' in lines
    assert 'genre_responses_total{path="/genre",status="503"} 1' in lines
    assert "genre_computing 0" in lines and "genre_waiting 0" in lines


@needs_weights
def test_the_server_of_the_standard_library_says_the_same(trained, service):
    threads = importlib.import_module("threads")
    server = threads.ThreadingHTTPServer(("127.0.0.1", 0), threads.Handler)
    server.functions = threads.functions(trained[1], None)

    def post(path):
        connection = http.client.HTTPConnection(*server.server_address, timeout=60)
        connection.request("POST", path, trained[2])
        response = connection.getresponse()
        return response.status, json.load(response)

    with server, ThreadPoolExecutor() as server.pool:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for path in ("/genre", "/tags", "/timeline"):
            expected = service.post(path, files={"file": trained[2]}).json()
            assert post(path) == (200, expected)
        assert post("/other") == (404, {"detail": threads.PATHS})
        server.functions["/genre"] = break_
        assert post("/genre")[0] == 500
        server.shutdown()


def test_the_image_is_made_of_what_is_here():
    recipe = (FOLDER / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", recipe, re.MULTILINE)
    sources = " ".join(copied).split()
    assert {"requirements/serve.txt", "examples/service/app.py"} <= {*sources}
    needed = {"README.md", "LICENSE", "hatch_build.py", "docs/skgenre.1", "skgenre"}
    assert needed <= {*sources}  # to build the package
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    for source in sources:
        assert (FOLDER.parents[1] / source).exists()
        # Everything is left out that is not named.
        assert any(source.startswith(line[1:]) for line in ignored if line[0] == "!")
