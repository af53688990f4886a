"""ONNX files: what other programs make of them, and what of forged ones."""

import base64
import inspect
import io
import json
import os
import subprocess
import sys
import zipfile

import librosa
import numpy as np
import pytest
from forge import forged
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skgenre
from skgenre import (
    CRNNClassifier,
    MelSpectrogramTransformer,
    ModelFileError,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SegmentClassifier,
)
from skgenre.classifiers import BaseGenreClassifier
from skgenre.runtime._networks import _BODIES

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

FAST = {"epochs": 1, "random_state": 0}
NETWORKS = {
    "crnn": CRNNClassifier(filters=(4, 4), lstm_units=4, **FAST),
    "after": CRNNClassifier(
        filters=(4,), lstm_units=4, batch_norm_position="after_relu", **FAST
    ),
    "parallel": ParallelCNNRNNClassifier(
        filters=(4,), pool_sizes=((2, 2),), gru_units=4, **FAST
    ),
    "paper": CRNNClassifier.paper(filters=(4,), lstm_units=4, **FAST),
    "paper, parallel": ParallelCNNRNNClassifier.paper(
        filters=(4,), pool_sizes=((2, 2),), gru_units=4, **FAST
    ),
    "second": SecondOrderClassifier(n_mfcc=5, **FAST),
    "views": SecondOrderClassifier(n_mfcc=3, n_views=2, **FAST),
}
MEL = MelSpectrogramTransformer(n_frames=16, n_mels=8, n_fft=512)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return rng.normal(size=(24, 8000)), np.array(["folk", "rock", "jazz"] * 8)


@pytest.fixture(scope="module")
def exported(clips, tmp_path_factory):
    """A pipeline and its file."""
    path = tmp_path_factory.mktemp("exported") / "it.onnx"
    model = make_pipeline(MEL, clone(NETWORKS["crnn"])).fit(*clips)
    skgenre.export_onnx(model, path)
    return model, path


def metadata(path):
    entries = onnx.load(path).metadata_props
    return {e.key: e.value for e in entries}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "shape",
    [(16, 8), *(pytest.param(s, marks=pytest.mark.slow) for s in [(3, 2), (40, 1)])],
)
def test_the_graph_alone_answers_as_keras_does(name, shape, tmp_path):
    rng = np.random.default_rng(0)
    if name == "views":
        shape = (shape[0], 2 * max(2, shape[1]))
    X = (10 * rng.normal(size=(12, *shape)) - 30).astype(np.float32)
    network = NETWORKS[name].fit(X, [0, 1, 2] * 4)
    skgenre.export_onnx(network, tmp_path / "it.onnx")
    onnx.checker.check_model(tmp_path / "it.onnx", full_check=True)
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx")
    for rows in (X[:1], X):
        names = ["probabilities", "embedding"]
        found = session.run(names, {"spectrograms": rows})
        np.testing.assert_allclose(found[0], network.predict_proba(rows), atol=1e-5)
        np.testing.assert_allclose(
            found[1], network.transform(rows), rtol=1e-3, atol=1e-4
        )
    assert json.loads(metadata(tmp_path / "it.onnx")["genres"]) == [0, 1, 2]
    for runtime in ("onnx", "keras"):
        loaded = skgenre.load(tmp_path / "it.onnx", runtime=runtime)
        np.testing.assert_allclose(
            loaded.predict_proba(X), network.predict_proba(X), atol=1e-5
        )
        for found, weights in zip(loaded.weights_, network.weights_, strict=True):
            np.testing.assert_array_equal(found, weights)
            assert found.shape == weights.shape
    for answers_to_none in session.run(names, {"spectrograms": X[:0]}):
        assert len(answers_to_none) == 0
    X[1, 2, 0], X[2, 0, 1 % shape[1]] = np.nan, np.inf
    for answer in session.run(names, {"spectrograms": X}):
        assert np.isnan(answer[1:3]).all()
        assert np.isfinite(np.delete(answer, [1, 2], axis=0)).all()


def test_every_public_network_has_a_graph_that_is_tested():
    public = [getattr(skgenre, name) for name in skgenre.__all__]
    names = {
        value._network
        for value in public
        if inspect.isclass(value) and issubclass(value, BaseGenreClassifier)
    }
    tested = {network._network for network in NETWORKS.values()}
    assert names - {"own_network"} == tested == set(_BODIES)


def test_numbers_of_older_files_have_an_axis(tmp_path):
    X = np.random.default_rng(0).normal(size=(12, 16, 8))
    network = NETWORKS["second"].fit(X, [0, 1, 2] * 4)
    skgenre.export_onnx(network, tmp_path / "it.onnx")
    graph = onnx.load(tmp_path / "it.onnx")
    numbers = [each for each in graph.graph.initializer if not each.dims]
    assert "weights_3" in [each.name for each in numbers]
    for each in numbers:
        each.dims.append(1)
    (tmp_path / "it.onnx").write_bytes(graph.SerializeToString())
    for runtime in ("onnx", "keras"):
        loaded = skgenre.load(tmp_path / "it.onnx", runtime=runtime)
        np.testing.assert_allclose(
            loaded.predict_proba(X), network.predict_proba(X), atol=1e-5
        )


def test_metadata_says_how_spectrograms_are_made(exported):
    _, path = exported
    told = {k: json.loads(v) for k, v in metadata(path).items() if k != "skgenre.model"}
    assert told["genres"] == ["folk", "jazz", "rock"]
    told["mel"]["views"] = tuple(told["mel"]["views"])
    assert MelSpectrogramTransformer(**told["mel"]).get_params() == MEL.get_params()


def test_metadata_of_numbers_of_numpy_and_without_folders_of_here(clips, tmp_path):
    X, y = clips
    mel = clone(MEL).set_params(n_fft=np.int64(512), top_db=np.float32(60))
    mel.set_params(cache_dir=tmp_path / "cache", on_error="warn", n_jobs=2)
    years = np.array([2020, 1980] * 12, dtype=np.int16)
    model = make_pipeline(mel, clone(NETWORKS["crnn"])).fit([*X], years)
    model[-1].optimizer_state_ = ["adam", np.zeros(3)]
    skgenre.export_onnx(model, tmp_path / "it.onnx")
    entries = metadata(tmp_path / "it.onnx").items()
    told = {key: json.loads(text) for key, text in entries if key != "skgenre.model"}
    assert told["genres"] == [1980, 2020]
    assert (told["mel"]["n_fft"], told["mel"]["top_db"]) == (512, 60)
    assert told["mel"].keys().isdisjoint(["cache_dir", "on_error", "n_jobs"])
    loaded = skgenre.load(tmp_path / "it.onnx", runtime="onnx")
    np.testing.assert_array_equal(loaded.classes_, model.classes_)
    assert not hasattr(loaded[-1], "optimizer_state_")


@pytest.mark.parametrize("runtime", ["onnx", "keras"])
def test_load_reads_it_back(runtime, exported, clips):
    model, path = exported
    loaded = skgenre.load(path, runtime=runtime)
    X, _ = clips
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_allclose(
        loaded.predict_proba(X), model.predict_proba(X), atol=1e-5
    )
    np.testing.assert_allclose(loaded.transform(X), model.transform(X), atol=1e-4)


def test_windows(clips, tmp_path):
    X, y = clips
    whole = MelSpectrogramTransformer(n_frames=None, n_mels=8, n_fft=512)
    segments = SegmentClassifier(NETWORKS["crnn"], window=4, hop=2)
    model = make_pipeline(whole, segments).fit(X, y)
    skgenre.export_onnx(model, tmp_path / "it.onnx")
    told = json.loads(metadata(tmp_path / "it.onnx")["windows"])
    assert (told["window"], told["hop"]) == (4, 2)
    loaded = skgenre.load(tmp_path / "it.onnx", runtime="onnx")
    spectrograms = whole.transform(X)
    (of_model, times), (of_loaded, same) = (
        it[-1].predict_timeline(spectrograms) for it in (model, loaded)
    )
    np.testing.assert_array_equal(times, same)
    np.testing.assert_allclose(of_loaded, of_model, atol=1e-5)


def answers(path, source, values):
    """Return what the graph alone says."""
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {source: values}), strict=True))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"excerpt": "start", "fmin": 100.0, "fmax": 8000.0},
        {"n_fft": 333, "hop_length": 100, "n_frames": 70},
        {"n_fft": 128, "hop_length": 500, "top_db": 30.0},
        {"n_frames": 24, "views": ("percussive", "mix", "harmonic")},
    ],
    ids=["defaults", "start", "odd", "gaps", "views"],
)
def test_waveforms_are_what_a_pipeline_takes(parameters, clips, tmp_path):
    X, y = clips
    model = make_pipeline(clone(MEL).set_params(**parameters), NETWORKS["crnn"])
    skgenre.export_onnx(model.fit([*X], y), tmp_path / "it.onnx")
    shapes = np.linspace(1, 0.01, 8000)
    cases = {
        "as in fit": X,
        "longer, of changing loudness": np.concatenate([X[:2] * shapes, X[2:4]], 1),
        "shorter than the excerpt": X[:3, :3001],
        "one sample": X[:2, :1],
        "silent": np.zeros((1, 8000)),
        "very loud and very low": X[:2] * [[1e15], [1e-6]],
    }
    for case, waveforms in cases.items():
        waveforms = waveforms.astype(np.float32)
        found = answers(tmp_path / "it.onnx", "waveforms", waveforms)
        expected = [f([*waveforms]) for f in (model.predict_proba, model.transform)]
        np.testing.assert_allclose(
            found["probabilities"], expected[0], atol=1e-5, err_msg=case
        )
        np.testing.assert_allclose(
            found["embedding"], expected[1], atol=1e-4, err_msg=case
        )
    none = answers(tmp_path / "it.onnx", "waveforms", X[:0].astype(np.float32))
    assert [len(answer) for answer in none.values()] == [0, 0]


@pytest.mark.parametrize("n_samples", [8000, 7000, 700], ids="even rest short".split())
def test_windows_and_their_timeline(n_samples, clips, tmp_path):
    X, y = clips
    mel = clone(MEL).set_params(n_frames=None, hop_length=256)
    segments = SegmentClassifier(NETWORKS["crnn"], window=9, hop=4)
    model = make_pipeline(mel, segments).fit([*X], y)
    some = X[:3, :n_samples].astype(np.float32)
    spectrograms = np.stack([*mel.transform([*some])])
    expected = {
        "probabilities": model.predict_proba([*some]),
        "embedding": model.transform([*some]),
        "timeline": model[-1].predict_timeline(spectrograms)[0],
    }
    for source, values, part in (
        ("waveforms", some, model),
        ("spectrograms", spectrograms, model[-1]),
    ):
        skgenre.export_onnx(part, tmp_path / f"{source}.onnx")
        found = answers(tmp_path / f"{source}.onnx", source, values)
        assert found.keys() == expected.keys()
        for name, answer in found.items():
            np.testing.assert_allclose(answer, expected[name], atol=1e-5, rtol=1e-4)


def test_music_from_a_decoder_of_its_own(music_tracks, tmp_path):
    """Another program decodes and resamples: here librosa."""
    paths = [path for path, _, _ in music_tracks[::60]]
    model = make_pipeline(MelSpectrogramTransformer(), NETWORKS["crnn"])
    model.fit(paths, ["folk", "rock"] * 2)
    skgenre.export_onnx(model, tmp_path / "it.onnx")
    expected = model.predict_proba(paths)
    for path, row in zip(paths, expected, strict=True):
        waveform, _ = librosa.load(path, sr=22050)
        found = answers(tmp_path / "it.onnx", "waveforms", waveform[np.newaxis])
        np.testing.assert_allclose(found["probabilities"][0], row, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        make_pipeline(MEL, LogisticRegression()),
        SegmentClassifier(NETWORKS["crnn"], voting="hard"),
        make_pipeline(MEL, MEL, NETWORKS["crnn"]),
    ],
)
def test_other_models_are_refused(model, tmp_path):
    with pytest.raises(TypeError, match="can't be exported.*save them by skgenre.save"):
        skgenre.export_onnx(model, tmp_path / "it.onnx")


def test_of_a_search_the_best_estimator_is_asked_for(tmp_path):
    with pytest.raises(TypeError, match="GridSearchCV.*export the best_estimator_"):
        skgenre.export_onnx(GridSearchCV(NETWORKS["crnn"], {}), tmp_path / "it.onnx")


def test_waveforms_that_are_not_finite_have_no_genre(exported):
    waveforms = np.zeros((4, 8000), np.float32)
    waveforms[1, 4000], waveforms[2] = np.nan, -np.inf
    for answer in answers(exported[1], "waveforms", waveforms).values():
        assert np.isnan(answer[1:3]).all() and np.isfinite(answer[[0, 3]]).all()


def test_the_name_says_what_it_is(exported, tmp_path):
    with pytest.raises(ValueError, match="must end in '.onnx', got"):
        skgenre.export_onnx(exported[0], tmp_path / "it.model")


def test_onnx_is_asked_for(exported, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "skgenre\[onnx\]"'):
        skgenre.export_onnx(exported[0], tmp_path / "it.onnx")
    skgenre.load(exported[1])  # whose weights are found without it


class TestForged:
    @pytest.fixture
    def forge(self, exported, tmp_path):
        """Return what changes the exported model and tries to load it."""

        def forged(change, match):
            graph = onnx.load(exported[1])
            change(graph)
            (tmp_path / "it.onnx").write_bytes(graph.SerializeToString())
            with pytest.raises(ModelFileError, match=match):
                skgenre.load(tmp_path / "it.onnx")

        return forged

    def test_weights_in_another_file(self, forge, tmp_path):
        (tmp_path / "secret").write_bytes(bytes(10**6))

        def change(graph):
            tensor = _weights(graph)
            tensor.data_location = tensor.EXTERNAL
            tensor.external_data.add(key="location", value="secret")

        forge(change, "keeps weights in another file, which is not read")

    def test_a_place_of_weights_that_is_not_to_be_used(self, forge):
        def change(graph):
            _weights(graph).external_data.add(key="location", value="secret")

        forge(change, "keeps weights in another file, which is not read")

    def test_a_model_file_that_grows(self, forge):
        def change(graph):
            (entry,) = (e for e in graph.metadata_props if e.key == "skgenre.model")
            file = io.BytesIO(base64.b64decode(entry.value))
            with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("bomb.npy", bytes(10**7))
            entry.value = base64.b64encode(file.getvalue()).decode()

        forge(change, "compressed, which is refused")

    def test_offsets_beyond_all_numbers(self, forge):
        """`zipfile` fails with an OverflowError, which is none of its usual errors."""

        def change(graph):
            (entry,) = (e for e in graph.metadata_props if e.key == "skgenre.model")
            file = io.BytesIO(base64.b64decode(entry.value))
            with zipfile.ZipFile(file, "a") as archive:
                archive.getinfo("model.json").header_offset = 2**63 + 1
                archive.writestr("more", b"")  # so that the directory is written again
            entry.value = base64.b64encode(file.getvalue()).decode()

        forge(change, "or is damaged: Python int too large")

    def test_text_that_is_not_base64(self, forge):
        def change(graph):
            (entry,) = (e for e in graph.metadata_props if e.key == "skgenre.model")
            entry.value = f"%{entry.value}"

        forge(change, "not a model file of skgenre, or is damaged")

    def test_weights_that_are_named_many_times(self, forge):
        """Otherwise a thousand names for one array would each be an array."""

        def change(graph):
            _set_weights(graph, {f"{i}.npy": "weights_0" for i in range(1000)})

        forge(change, "names weights twice")

    @pytest.mark.parametrize("names", [["a"], {"0.npy": "none"}, {"0.npy": [1]}, 3])
    def test_weights_that_are_not_there(self, names, forge):
        forge(
            lambda graph: _set_weights(graph, names),
            "lacks weights that its metadata names",
        )

    def test_weights_of_another_kind(self, forge):
        def change(graph):
            _weights(graph).data_type = onnx.TensorProto.STRING

        forge(change, "are not float32")

    def test_weights_of_another_size(self, forge):
        def change(graph):
            _weights(graph).dims[0] = 10**12

        forge(change, "cannot reshape")

    @pytest.mark.parametrize("field", [5, 1, 14], ids=["weights", "nodes", "metadata"])
    def test_many_empty_fields(self, field, tmp_path):
        """Two bytes each, of which a library would make objects of a hundred."""
        many = bytes([8 * field + 2, 0]) * 200_000
        size = bytes(
            [128 | len(many) & 127, 128 | len(many) >> 7 & 127, len(many) >> 14]
        )
        inner = b"\x3a" + size + many
        (tmp_path / "it.onnx").write_bytes(many if field == 14 else inner)
        with pytest.raises(ModelFileError, match="more than 100000 fields"):
            skgenre.load(tmp_path / "it.onnx")

    def test_many_graphs(self, tmp_path):
        """Each might have as many fields as one may have."""
        (tmp_path / "it.onnx").write_bytes(b"\x3a\x00" * 3)
        with pytest.raises(ModelFileError, match="it has 3 graphs"):
            skgenre.load(tmp_path / "it.onnx")

    @pytest.mark.parametrize("kind", ["key", "value", "weights"])
    def test_numbers_in_place_of_texts(self, kind, tmp_path):
        """Python's bytes(n) are n bytes."""
        number = b"\xff" * 6 + b"\x01"
        entry = {"key": b"\x08", "value": b"\x10"}.get(kind, b"\x48") + number
        outer = b"\x72" if kind != "weights" else b"\x3a\x0a\x2a"
        (tmp_path / "it.onnx").write_bytes(outer + bytes([len(entry)]) + entry)
        with pytest.raises(ModelFileError, match="no text|which export_onnx writes"):
            skgenre.load(tmp_path / "it.onnx")

    def test_a_file_of_somebody_else(self, forge):
        forge(
            lambda graph: graph.ClearField("metadata_props"), "which export_onnx writes"
        )

    @pytest.mark.parametrize("contents", [b"", b"PK\3\4 nonsense", bytes(1000)])
    def test_no_onnx_file(self, contents, tmp_path):
        (tmp_path / "it.onnx").write_bytes(contents)
        with pytest.raises(ModelFileError, match="not a model file of skgenre"):
            skgenre.load(tmp_path / "it.onnx")

    def test_a_file_that_is_too_large(self, tmp_path):
        """It is not even read: it takes no room on the disk, but would in memory."""
        with open(tmp_path / "it.onnx", "wb") as file:
            os.truncate(file.fileno(), 2**40)
        with pytest.raises(ModelFileError, match="more than any ONNX file can"):
            skgenre.load(tmp_path / "it.onnx")

    @pytest.mark.skipif(sys.platform == "win32", reason="sets a limit of the memory")
    def test_sizes_that_the_weights_do_not_have(self, tmp_path):
        """Nothing of that size is made: it would end the process."""
        X = np.random.default_rng(0).normal(size=(12, 16, 8))
        network = NETWORKS["second"].fit(X, [0, 1, 2] * 4)
        shapes = [((16, 10**7), 5), ((16, 10**6), 10**6), ((10**9, 8), 5)]
        for i, (shape, n_mfcc) in enumerate(shapes):
            skgenre.save(network, tmp_path / f"{i}.model")
            with forged(tmp_path / f"{i}.model") as (description, _):
                pairs = description["fitted"]["network_parameters_"]["dict"]
                changed = {"input_shape": {"tuple": [*shape]}, "n_mfcc": n_mfcc}
                pairs[:] = [[*pair] for pair in (dict(pairs) | changed).items()]
                description["fitted"]["n_features_in_"] = shape[0]
        code = (
            "import resource, sys, skgenre\n"
            "resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))\n"
            "for path in sys.argv[1:]:\n"
            "    try:\n"
            "        skgenre.load(path, runtime='onnx')\n"
            "    except skgenre.ModelFileError as error: print(error)\n"
        )
        command = [sys.executable, "-c", code, *sorted(tmp_path.glob("*.model"))]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        bands, coefficients, frames = told.stdout.splitlines()
        for line in (bands, coefficients):
            assert "a size is" in line
        assert "n_features_in_" in frames


def test_genres_of_a_type_that_no_file_holds(clips, tmp_path):
    X, _ = clips
    genres = np.array(["2020-01-01", "1980-02-03"] * 12, dtype="M8[D]")
    model = clone(NETWORKS["crnn"]).fit(MEL.transform(X), genres)
    with pytest.raises(TypeError, match="can't be saved: an array has the type"):
        skgenre.export_onnx(model, tmp_path / "it.onnx")


def _weights(graph):
    return next(t for t in graph.graph.initializer if t.name == "weights_0")


def _set_weights(graph, names):
    """Put other names of weights into the model file that an ONNX file holds."""
    (entry,) = (e for e in graph.metadata_props if e.key == "skgenre.model")
    old = zipfile.ZipFile(io.BytesIO(base64.b64decode(entry.value)))
    new = io.BytesIO()
    with zipfile.ZipFile(new, "w") as archive:
        for name in set(old.namelist()) - {"weights.json"}:
            archive.writestr(name, old.read(name))
        archive.writestr("weights.json", json.dumps(names))
    entry.value = base64.b64encode(new.getvalue()).decode()
