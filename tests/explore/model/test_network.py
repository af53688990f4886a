"""What a network has learned: as it is drawn, and as it sounds."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from explored import explore_in_process, fit_network, write_songs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgenre import save
from skgenre.explore._listener import Listener
from skgenre.explore._model._network import N_FILTERS, NetworkView
from skgenre.inspection import maximize_activation

HELPERS = Path(__file__).parents[2] / "helpers"

pytestmark = pytest.mark.slow  # TensorFlow is loaded


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    return write_songs(tmp_path_factory.mktemp("music"), 8, duration=2.0)


@pytest.fixture(scope="module")
def model(songs):
    return fit_network(*songs)


@pytest.fixture(scope="module")
def view(model):
    return NetworkView(model, Listener(model).network)


@pytest.fixture(scope="module")
def ninth(model):
    """What the filter number 9 responds to most."""
    return maximize_activation(model, "conv1", [9], random_state=0)


def test_its_training(view, model):
    curves = {curve["title"]: curve for curve in view.curves()}
    history = model[-1].history_
    assert curves["Loss"]["training"] == history["loss"]
    assert len(curves["Accuracy"]["validation"]) == len(history["val_accuracy"]) == 2
    model[-1].history_ = history | {"loss": [float("nan"), 1.0]}
    try:
        assert view.curves()[0]["training"] == [None, 1.0]
    finally:
        model[-1].history_ = history


def test_filters_are_those_that_maximize_activation_finds(view, model, ninth):
    assert view.layers() == [("conv1", 10), ("genre", 4)]
    rest = view.filters("conv1", N_FILTERS)
    assert [each["name"] for each in rest["filters"]] == ["conv1, 8", "conv1, 9"]
    (found,) = rest["filters"][1:]
    assert found["active"] == pytest.approx(ninth.activations[[0, -1], 0], abs=1e-3)
    seen = np.frombuffer(base64.b64decode(found["values"]), np.uint8)
    seen = seen.reshape(found["columns"], found["bands"])
    wanted = 255 * (1 + ninth.spectrograms[0] / 80)
    np.testing.assert_allclose(seen, wanted, atol=1.01)
    genres = view.filters("genre", 0)["filters"]
    assert [each["name"] for each in genres] == model.classes_.tolist()


def test_a_filter_sounds_as_it_looks(view, model, ninth):
    sound, rate = view.sound("conv1", 9)
    assert rate == 22050 and np.abs(sound).max() == pytest.approx(0.9, abs=0.01)
    (again,) = model[0].transform([(sound, rate)])
    assert np.corrcoef(again.ravel(), ninth.spectrograms[0].ravel())[0, 1] > 0.7


def test_a_network_without_a_mel_step_is_seen_only(model):
    other = make_pipeline(FunctionTransformer(lambda X: X), model[-1])
    view = NetworkView(other, model[-1])
    found = view.filters("conv1", 0)
    assert not found["is_heard"] and len(found["filters"]) == N_FILTERS
    with pytest.raises(ValueError, match="no MelSpectrogramTransformer"):
        view.sound("conv1", 0)


def test_the_page_asks_for_layers_and_filters_by_number(songs, model, tmp_path):
    paths, _ = songs
    server, client = explore_in_process(paths, model, tmp_path)
    try:
        assert client.get("/api/songs").json()["has_network"]
        most = client.get("/api/network").json()["most_like"]
        proba = server.extraction.proba
        assert [each["genre"] for each in most] == model.classes_.tolist()
        for i, each in enumerate(most):
            assert len(each["songs"]) == 5
            assert each["songs"][0]["number"] == proba[:, i].argmax()
        assert client.get("/api/network/layers").json()[1]["name"] == "genre"
        found = client.get("/api/network/layers/0/8").json()
        assert len(found["filters"]) == 2 and found["is_heard"]
        for wrong in ("0/10", "2/0", "-1/0", "conv1/0", "1/٣", "0/9999999999999999999"):
            assert client.get(f"/api/network/layers/{wrong}").status_code == 404
            response = client.get(f"/api/network/layers/{wrong}/sound")
            assert response.status_code == 404
        why = client.get("/api/songs/0/why").json()
        assert why["genre"] == model.classes_[proba[0].argmax()]
        assert why["salience"]["bands"] == 96
        assert client.get("/api/songs/0/why/sound").status_code == 200
        wav = client.get("/api/network/layers/0/9/sound")
        samples, rate = soundfile.read(io.BytesIO(wav.content))
        assert rate == 22050 and len(samples) == 63 * 1024
    finally:
        server.media.close()


def test_tensorflow_is_not_loaded_before_filters_are_asked_for(songs, model, tmp_path):
    pytest.importorskip("onnxruntime")
    save(model, tmp_path / "it.model")
    code = (
        "import sys, pathlib\n"
        "from explored import explore_in_process\n"
        "from skgenre import load\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "model = load(folder / 'it.model', runtime='onnx')\n"
        "server, client = explore_in_process(sys.argv[2:], model, folder)\n"
        "assert client.get('/api/songs').json()['has_network']\n"
        "assert len(client.get('/api/map/pca').json()['numbers']) == 8\n"
        "assert client.get('/api/network').json()['curves']\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path, *songs[0]],
        cwd=HELPERS,
        capture_output=True,
        text=True,
    )
    assert run.stdout == "[]\n", run.stderr
