import copy
import json
import math
import os
import pickle
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sklearn
from forge import forged, objects
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingGridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.svm import SVC

import skgenre
from skgenre import (
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    ModelFileError,
    ParallelCNNRNNClassifier,
    SegmentClassifier,
)
from skgenre.persistence import read_info
from skgenre.persistence._contents import FORMAT

DATA = Path(__file__).parents[1] / "data"
FAST = {"epochs": 2, "random_state": 0}
MFCC = MFCCStandardizer(n_mfcc=5)
MEL = MelSpectrogramTransformer(n_frames=16, n_mels=8, n_fft=512)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return rng.normal(size=(24, 8000)), np.array(["folk", "rock", "jazz"] * 8)


def models():
    crnn = CRNNClassifier(filters=(4,), lstm_units=4, **FAST)
    parallel = ParallelCNNRNNClassifier(
        filters=(4,), pool_sizes=((2, 2),), gru_units=4, **FAST
    )
    whole = MelSpectrogramTransformer(n_frames=None, n_mels=8, n_fft=512)
    vote = VotingClassifier([("c", crnn), ("p", parallel)], voting="soft")
    return {
        "svc": make_pipeline(
            MFCCStandardizer(), CalibratedClassifierCV(SVC(), ensemble=False)
        ),
        "crnn": make_pipeline(MEL, crnn),
        "vote": make_pipeline(MEL, vote),
        "clusters": make_pipeline(MEL, crnn, EmbeddingKMeans(2, random_state=0)),
        "linear": make_pipeline(MEL, parallel, LogisticRegression()),
        "stack": StackingClassifier(
            [("c", make_pipeline(MEL, crnn)), ("s", make_pipeline(MFCC, SVC()))],
            LogisticRegression(),
            cv=2,
        ),
        "segment": make_pipeline(whole, SegmentClassifier(crnn, window=4, hop=2)),
        "segment stack": make_pipeline(
            whole, SegmentClassifier(crnn, window=4, hop=2, voting="stack", cv=2)
        ),
        "segment forest": make_pipeline(
            whole, SegmentClassifier(RandomForestClassifier(5, random_state=0))
        ),
        "forest": make_pipeline(MFCC, RandomForestClassifier(5, random_state=0)),
        "boosted": make_pipeline(MFCC, HistGradientBoostingClassifier(max_iter=3)),
        "neighbours": make_pipeline(MFCC, KNeighborsClassifier(algorithm="brute")),
        "halving": HalvingGridSearchCV(
            make_pipeline(MFCC, LogisticRegression()),
            {"logisticregression__C": [0.1, 1]},
            cv=2,
            random_state=0,
        ),
    }


QUICK = {"svc", "crnn", "boosted"}


def kept_clips():
    """Return the clips that the models in tests/data answered when they were made."""
    t = np.arange(8000) / 8000
    pitches = [110, 220, 440, 165, 330, 660]
    X = [np.sin(2 * np.pi * f * t * (1 + (i < 3) * t)) for i, f in enumerate(pitches)]
    return np.array(X), np.array(["rising"] * 3 + ["steady"] * 3)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.model")), ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_files_of_every_format_load_forever(path):
    assert f"format{read_info(path)['format']}" == path.stem.partition("-")[0]
    X, y = kept_clips()
    model = skgenre.load(path)
    expected = np.loadtxt(path.with_suffix(".csv"), delimiter=",", skiprows=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-4)
    np.testing.assert_array_equal(model.predict(X), y)
    clone(model)  # parameters that are newer than the file have their defaults
    for part in model.get_params().values():
        if hasattr(part, "network_parameters_"):
            assert part.network_parameters_["time_mask"] == 0 == part.time_mask


def test_files_of_every_format_are_kept():
    found = {read_info(path)["format"] for path in DATA.glob("*.model")}
    assert found == {*range(1, FORMAT + 1)}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(QUICK, id="some"),
        pytest.param(
            sorted(models().keys() - QUICK), id="rest", marks=pytest.mark.slow
        ),
    ],
)
def test_loaded_in_a_new_process_answers_the_same(names, clips, tmp_path):
    X, y = clips
    np.save(tmp_path / "X.npy", X)
    expected = {}
    for name in names:
        model = models()[name].fit(X, y)
        method = "transform" if name == "clusters" else "predict_proba"
        expected[f"{name}.{method}"] = getattr(model, method)(X)
        skgenre.save(model, tmp_path / f"{name}.{method}")
    code = (
        "import sys, numpy as np, skgenre; folder, *names = sys.argv[1:]\n"
        "X = np.load(f'{folder}/X.npy')\n"
        "for runtime in ('onnx', 'keras'):\n"
        "    for name in names:\n"
        "        model = skgenre.load(f'{folder}/{name}', runtime=runtime)\n"
        "        answers = getattr(model, name.split('.')[1])(X)\n"
        "        np.save(f'{folder}/{name}.{runtime}.npy', answers)\n"
        "    if runtime == 'onnx':\n"
        "        slow = {'tensorflow', 'keras', 'skops', 'librosa', 'matplotlib'}\n"
        "        assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path, *expected], check=True)
    for name, answers in expected.items():
        by_keras, by_onnx = (
            np.load(tmp_path / f"{name}.{runtime}.npy") for runtime in ("keras", "onnx")
        )
        np.testing.assert_array_equal(by_keras, answers, err_msg=name)
        np.testing.assert_allclose(by_onnx, answers, rtol=1e-4, atol=1e-5, err_msg=name)


def test_embeddings_and_timeline_by_onnx(clips, tmp_path):
    X, y = clips
    model = models()["segment"].fit(X, y)
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model", runtime="onnx")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_allclose(loaded.transform(X), model.transform(X), atol=1e-4)
    spectrograms = model[0].transform(X)
    (of_model, times), (of_loaded, same) = (
        it[-1].predict_timeline(spectrograms) for it in (model, loaded)
    )
    np.testing.assert_allclose(of_loaded, of_model, atol=1e-5)
    np.testing.assert_array_equal(same, times)


def test_the_runtime_is_chosen_and_not_saved(clips, tmp_path, monkeypatch):
    X, y = clips
    model = models()["crnn"].fit(X, y)
    path, again = tmp_path / "it.model", tmp_path / "again.model"
    skgenre.save(model, path)
    assert skgenre.load(path)[-1]._runtime == "keras"
    auto = skgenre.load(path, runtime="auto")
    assert auto[-1]._runtime == "onnx"  # where it is installed
    by_onnx = skgenre.load(path, runtime="onnx")
    skgenre.save(by_onnx, again)
    for name in zipfile.ZipFile(again).namelist():
        assert b"_runtime" not in zipfile.ZipFile(again).read(name)
    by_keras = skgenre.load(again, runtime="keras")
    np.testing.assert_array_equal(by_keras.predict_proba(X), model.predict_proba(X))
    # Training goes by Keras, and the new weights are asked.
    spectrograms, network = MEL.transform(X), by_onnx[-1]
    before = network.predict_proba(spectrograms)
    network.partial_fit(spectrograms, y)
    after = network.predict_proba(spectrograms)
    assert abs(after - before).max() > 1e-4
    network._runtime = "keras"
    np.testing.assert_allclose(after, network.predict_proba(spectrograms), atol=1e-5)

    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if not installed
    assert skgenre.load(path, runtime="auto")[-1]._runtime == "keras"
    with pytest.raises(ImportError, match=r"pip install \"skgenre\[onnx\]\""):
        skgenre.load(path, runtime="onnx")
    with pytest.raises(
        ValueError,
        match="'runtime' parameter must be 'keras', 'onnx' or 'auto', got 'torch'",
    ):
        skgenre.load(path, runtime="torch")


def test_metadata_requests_are_left_out(clips, tmp_path):
    X, y = clips
    with sklearn.config_context(enable_metadata_routing=True):
        crnn = CRNNClassifier(filters=(4,), lstm_units=4, **FAST)
        svc = SVC().set_fit_request(sample_weight=True)
        vote = VotingClassifier([("c", crnn.set_fit_request(sample_weight=True))])
        model = make_pipeline(MEL, vote).fit(X, y, sample_weight=np.ones(24))
        skgenre.save(model, tmp_path / "it.model")
        skgenre.save(CalibratedClassifierCV(svc).fit(X, y), tmp_path / "svc.model")
        assert crnn.get_metadata_routing().fit.requests["sample_weight"]
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("rates", "told"), [((8000, 8000), 8000), ((8000, 16000), None)]
)
def test_sample_rate_of_several_audio_steps(rates, told, tmp_path):
    waves = np.random.default_rng(0).normal(size=(6, 4000))
    union = FeatureUnion(
        [(str(i), MFCCStandardizer(sample_rate=rate)) for i, rate in enumerate(rates)]
    )
    model = make_pipeline(union, SVC()).fit(waves, ["folk", "jazz"] * 3)
    skgenre.save(model, tmp_path / "it.model")
    assert read_info(tmp_path / "it.model")["sample_rate"] == told


def test_info(clips, tmp_path):
    model = models()["crnn"].fit(*clips)
    path = tmp_path / "it.model"
    skgenre.save(model, path, metrics={"accuracy": 0.5})
    info = read_info(path)
    assert info["format"] == FORMAT
    assert info["genres"] == ["folk", "jazz", "rock"]
    assert info["sample_rate"] == 22050
    assert info["metrics"] == {"accuracy": 0.5}
    assert info["packages"]["skgenre"] == skgenre.__version__
    assert info["saved"].endswith("+00:00")


TRAINING = {
    "recipe": "fast",
    "labels": "tags",
    "seed": 2**32 - 2,
    "n_clips": 3,
    "n_artists": None,
    "genres": {"folk": 1, "jazz": 2},
    "digest": "0f" * 32,
    "refit": True,
    "note": "Größe\x1b[31m",
}


def test_facts_on_the_training(tmp_path):
    path = tmp_path / "it.model"
    skgenre.save(MEL, path, training=TRAINING)
    assert read_info(path)["training"] == TRAINING
    skgenre.save(MEL, path)
    assert read_info(path)["training"] == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("more", 1),
        ("recipe", None),
        ("n_clips", -1),
        ("n_artists", 1.5),
        ("seed", True),
        ("genres", {"folk": "1"}),
        ("genres", {str(i): 1 for i in range(20_000)}),
        ("digest", ["0"]),
        ("refit", 1),
        ("note", "x" * 3000),
    ],
    ids=lambda value: None if isinstance(value, str) and len(value) < 99 else "value",
)
def test_other_facts_on_the_training_are_refused(name, value, tmp_path):
    path = tmp_path / "it.model"
    with pytest.raises(ValueError, match=f"training can't be saved: '{name}'"):
        skgenre.save(MEL, path, training=TRAINING | {name: value})
    assert not path.exists()
    skgenre.save(MEL, path)
    for facts in (TRAINING | {name: value}, [name], None):
        info = read_info(path) | {"training": facts}
        repack(tmp_path / "it.model", info=json.dumps(info))
        for read in (read_info, skgenre.load):
            with pytest.raises(ModelFileError, match="damaged or refused") as caught:
                read(path)
            assert len(str(caught.value)) < 800
        skgenre.save(MEL, path)


def test_windows_and_weights(tmp_path):
    musicnn = skgenre.MusicnnEmbedding(weights=("mtt", "msd"), output=("tags", "tags"))
    whole = MFCCStandardizer(duration=None)
    for model, window, weights in (
        (MEL, MEL.n_frames * MEL.hop_length / MEL.sample_rate, []),
        (musicnn, musicnn.duration, ["musicnn msd", "musicnn mtt"]),
        (skgenre.GenreTagger(duration=10), 10, ["musicnn msd", "musicnn mtt"]),
        (whole, None, []),
        (SVC(), None, []),
    ):
        skgenre.save(model, tmp_path / "it.model")
        info = read_info(tmp_path / "it.model")
        assert (info["window"], info["weights"]) == (window, weights)
    of_features = make_pipeline(MFCCStandardizer(input="features"), SVC())
    skgenre.save(of_features, tmp_path / "it.model")
    info = read_info(tmp_path / "it.model")
    assert info["sample_rate"] is None and info["window"] is None


def test_loading_a_network_loads_no_tensorflow(clips, tmp_path):
    skgenre.save(models()["crnn"].fit(*clips), tmp_path / "it.model")
    code = (
        "import sys, skgenre; skgenre.load(sys.argv[1]); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "it.model"], check=True)


@pytest.mark.parametrize("suffix", [".model", ".onnx"])
def test_a_file_is_opened_and_read_once(suffix, clips, tmp_path):
    path = tmp_path / f"it{suffix}"
    model = models()["crnn"]
    # More weights than all else that a load reads.
    model.set_params(crnnclassifier__embedding_units=300_000).fit(*clips)
    skgenre.save(model, path) if suffix == ".model" else skgenre.export_onnx(
        model, path
    )
    code = (
        "import sys, skgenre\n"
        "path, opened = sys.argv[1], []\n"
        "skgenre.load(path)  # imports what it needs\n"
        "sys.addaudithook(lambda event, args: event == 'open' and "
        "opened.append(args[0]))\n"
        "skgenre.load(path)\n"
        "print(opened.count(path), len(opened))\n"
        "def read():\n"
        "    return int(open('/proc/self/io').readline().split()[1])\n"
        "if sys.platform == 'linux':\n"
        "    before = read()\n"
        "    skgenre.load(path)\n"
        "    print(read() - before)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True
    )
    opened, *read = run.stdout.splitlines()
    assert opened == "1 1"
    for n_bytes in read:
        assert int(n_bytes) < 1.1 * path.stat().st_size


def test_saved_file_is_readable_by_others(tmp_path):
    skgenre.save(MEL, tmp_path / "it.model")
    assert (tmp_path / "it.model").stat().st_mode & 0o777 == 0o666 & ~current_umask()
    assert os.listdir(tmp_path) == ["it.model"]


def test_mode_of_an_older_file_is_kept(tmp_path):
    path = tmp_path / ("é" * 120 + ".model")
    skgenre.save(MEL, path)
    path.chmod(0o600)
    skgenre.save(MEL, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [path.name]


def test_a_cache_is_left_out(tmp_path):
    skgenre.save(make_pipeline(MEL, memory=str(tmp_path)), tmp_path / "it.model")
    assert skgenre.load(tmp_path / "it.model").memory is None


def test_folders_of_caches_and_checkpoints_do_not_travel(tmp_path):
    step = MelSpectrogramTransformer(n_frames=4, cache_dir=tmp_path / "cache")
    model = make_pipeline(step, CRNNClassifier(checkpoint_dir=str(tmp_path)))
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    assert loaded[0].cache_dir is None and loaded[1].checkpoint_dir is None
    assert step.cache_dir == tmp_path / "cache"
    assert model[1].checkpoint_dir == str(tmp_path)


def current_umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


class TestRefusals:
    """What a file may not be; and none of it runs code."""

    def test_missing(self, tmp_path):
        for path in (tmp_path / "no.model", tmp_path):
            with pytest.raises(FileNotFoundError, match="There is no model file"):
                skgenre.load(path)

    def test_pickle_renamed(self, tmp_path):
        path, proof = tmp_path / "evil.model", tmp_path / "executed"

        class Evil:
            def __reduce__(self):
                return os.mkdir, (str(proof),)

        path.write_bytes(pickle.dumps(Evil()))
        with pytest.raises(ModelFileError, match="not a model file"):
            skgenre.load(path)
        assert not proof.exists()
        pickle.loads(path.read_bytes())
        assert proof.exists()  # so it would have

    @pytest.mark.parametrize("function", ["mkdir", "os.mkdir", "system", "eval"])
    def test_foreign_type_executes_nothing(self, function, tmp_path):
        path, proof = tmp_path / "evil.model", tmp_path / "executed"
        skgenre.save(FunctionTransformer(), path)
        with forged(path) as (description, _):
            parameters = description["parameters"]
            parameters["func"] = {"function": function}
            parameters["kw_args"] = {"dict": [["path", str(proof)]]}
        with pytest.raises(ModelFileError, match=r"refused: .*function"):
            skgenre.load(path)
        with forged(path) as (description, _):
            description["object"] = function
        with pytest.raises(ModelFileError, match=rf"refused: it holds '{function}'"):
            skgenre.load(path)
        assert not proof.exists()

    @pytest.mark.parametrize(
        "model",
        [
            FunctionTransformer(os.mkdir),
            FunctionTransformer(kw_args={"path": "executed"}),
            OneHotEncoder().fit([[0], [1]]),
            GradientBoostingClassifier(n_estimators=2).fit([[0], [1]], [0, 1]),
            KNeighborsClassifier(metric=math.dist).fit([[0], [1]], [0, 1]),
            make_pipeline(StandardScaler(), FunctionTransformer(np.log)),
        ],
        ids=lambda model: str(model)[:40],
    )
    def test_saving_foreign_types(self, model, tmp_path):
        """What could not be loaded again is refused at once."""
        with pytest.raises(TypeError, match=f"{type(model).__name__} can't be saved"):
            skgenre.save(model, tmp_path / "it.model")
        assert not os.listdir(tmp_path)

    def test_newer_format(self, tmp_path):
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        repack(path, info=json.dumps(read_info(path) | {"format": FORMAT + 1}))
        with pytest.raises(ModelFileError, match="pip install --upgrade skgenre"):
            skgenre.load(path)

    @pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.9, -1])
    def test_truncated(self, tmp_path, kept):
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else kept])
        with pytest.raises(ModelFileError, match="not a model file.*or is damaged"):
            skgenre.load(path)

    @pytest.mark.parametrize(
        "description",
        ["", "[]", "{}", '{"object": "x"}', "null", "1", '"x"', "[" * 200_000]
        + ['{"object": "SVC"}', '{"object": "SVC", "parameters": {}, "fitted": []}']
        + ['{"object": "SVC", "parameters": null, "fitted": {}}', "NaN", "1e999"]
        + ['{"object": "KFold", "parameters": {}, "fitted": {}}', '{"tuple": [1]}']
        + ['{"object": ["SVC"], "parameters": {}, "fitted": {}}', '{"dict": [[1]]}']
        + ['{"object": "SVC", "parameters": {"C": 1e999}, "fitted": {}}']
        + ['{"object": "SVC", "parameters": {"C": NaN}, "fitted": {}}']
        + [f'{{"object": "SVC", "parameters": {{"C": {"9" * 400}}}, "fitted": {{}}}}'],
        ids=range(20),
    )
    def test_forged_description(self, tmp_path, description):
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        repack(path, description=description)
        with pytest.raises(ModelFileError, match="is damaged"):
            skgenre.load(path)

    @pytest.mark.parametrize("n", [10**4, 10**6])
    def test_deep_nesting(self, n, tmp_path):
        path = tmp_path / "it.model"
        skgenre.save(make_pipeline(MEL), path)
        scaler = '{"object": "Pipeline", "parameters": {"steps": '
        repack(path, description=scaler * n + "[]" + '}, "fitted": {}}' * n)
        with pytest.raises(ModelFileError, match="is damaged"):
            skgenre.load(path)

    @pytest.mark.parametrize("format_", [1, 2])
    @pytest.mark.parametrize("is_of_info", [False, True])
    def test_many_lists(self, is_of_info, format_, tmp_path):
        """Python's lists take dozens of times the memory of their two brackets."""
        path = tmp_path / "it.model"
        text = json.dumps({"format": format_, "a": [[]] * 600_000})
        info = text if is_of_info else json.dumps({"format": format_})
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("skgenre.json", info)
            archive.writestr("schema.json" if format_ == 1 else "model.json", text)
        with pytest.raises(ModelFileError, match="more than 524288 lists"):
            skgenre.load(path)

    def test_what_drives_a_terminal_is_spelt_out(self, tmp_path):
        """Errors and warnings have names of the file in them."""
        evil = "\x1b[2J\u202e"
        path = tmp_path / "it.model"
        info = {"format": 2, "packages": {"scikit-learn": evil}}
        skgenre.save(SVC(), path)
        repack(path, info=json.dumps(info))
        with pytest.warns(sklearn.exceptions.InconsistentVersionWarning) as caught:
            skgenre.load(path)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("skgenre.json", '{"format": 1}')
            node = {"__class__": evil, "__module__": "x", "__loader__": "x"}
            archive.writestr("schema.json", json.dumps({**node, "protocol": 2}))
        with pytest.raises(ModelFileError, match=r"it holds x") as refused:
            skgenre.load(path)
        for message in (str(caught[0].message), str(refused.value)):
            assert r"\x1b[2J\u202e" in message
            assert "\x1b" not in message and "\u202e" not in message

    def test_a_part_of_another_scikit_learn_is_named(self, tmp_path):
        path = tmp_path / "it.model"
        model = skgenre.TemperatureScalingClassifier(SVC())
        skgenre.save(model, path)
        repack(path, info='{"format": 2, "packages": {"scikit-learn": "1.2.0"}}')
        warned = sklearn.exceptions.InconsistentVersionWarning
        with pytest.warns(warned, match="SVC from version 1.2.0"):
            skgenre.load(path)

    def test_refused_model_of_another_scikit_learn(self, tmp_path):
        """Another version's attributes are unknown: its number says what to install."""
        path = tmp_path / "it.model"
        skgenre.save(SVC().fit([[0.0], [1.0]], [0, 1]), path)
        with zipfile.ZipFile(path) as archive:
            description = archive.read("model.json").replace(b"fit_status_", b"status_")
        info = {"format": 2, "packages": {"scikit-learn": "99.1"}}
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("skgenre.json", json.dumps(info))
            archive.writestr("model.json", description)
        with pytest.raises(ModelFileError, match=r"names scikit-learn 99\.1, and 1\."):
            skgenre.load(path)

    def test_arrays_that_belong_to_nothing(self, tmp_path):
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("0.npy", b"")
        with pytest.raises(ModelFileError, match="arrays that belong to nothing"):
            skgenre.load(path)

    @pytest.mark.parametrize(
        "info",
        ["", "[]", "{}", "1", "[" * 200_000]
        + [f'{{"format": {x}}}' for x in ('"1"', "true", "-3")],
        ids=range(8),
    )
    def test_forged_info(self, tmp_path, info):
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        repack(path, info=json.dumps(info))
        with pytest.raises(ModelFileError):
            skgenre.load(path)

    def test_zip_bomb(self, tmp_path):
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.npy", bytes(10**8))
        assert path.stat().st_size < 10**6
        with pytest.raises(ModelFileError, match="compressed, which is refused"):
            skgenre.load(path)

    def test_parts_that_share_bytes(self, tmp_path):
        """A thousand names for one part of the file, each read into the memory."""
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("0.npy", bytes(10**6))
            (info,) = (i for i in archive.infolist() if i.filename == "0.npy")
            for i in range(1, 1000):
                other = copy.copy(info)
                other.filename = f"{i}.npy"
                archive.filelist.append(other)
        assert path.stat().st_size < 2 * 10**6
        with pytest.raises(ModelFileError, match="larger than the file"):
            skgenre.load(path)

    def test_names_that_occur_twice(self, tmp_path):
        """What is checked is what is loaded."""
        path = tmp_path / "it.model"
        for name in ("model.json", "skgenre.json", "0.npy", "more"):
            skgenre.save(StandardScaler().fit(np.eye(3)), path)
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr("more", b"")
                good = archive.read(name)
                with pytest.warns(UserWarning, match="Duplicate name"):
                    archive.writestr(name, good)
            with pytest.raises(ModelFileError, match="two members of one name"):
                skgenre.load(path)

    def test_names_with_zero_bytes(self, tmp_path):
        path = tmp_path / "it.model"
        skgenre.save(MFCC.fit(np.random.default_rng(0).normal(size=(3, 8000))), path)
        contents = path.read_bytes()
        name = re.search(rb"[0-9a-f_-]+\.npy", contents)[0]
        path.write_bytes(contents.replace(name, name[:-5] + b"\0.npy"))
        with pytest.raises(ModelFileError):
            skgenre.load(path)

    @pytest.mark.parametrize("runtime", ["keras", "onnx"])
    def test_a_network_larger_than_its_weights(self, runtime, clips, tmp_path):
        """Nothing of the size that a file asks for is made before it is compared."""
        X, y = clips
        model = models()["crnn"].fit(X, y)
        skgenre.save(model, tmp_path / "it.model")
        with forged(tmp_path / "it.model") as (description, _):
            (network,) = objects(description, "CRNNClassifier")
            for pair in network["fitted"]["network_parameters_"]["dict"]:
                if pair[0] == "lstm_units":
                    pair[1] = 10**6  # 16 TB
        with pytest.raises(ModelFileError, match="weights are not of its layers"):
            skgenre.load(tmp_path / "it.model", runtime=runtime)
        model[-1].network_parameters_["lstm_units"] = 10**6
        with pytest.raises(TypeError, match="weights are not of its layers"):
            skgenre.save(model, tmp_path / "it.model")

    def test_flipped_bytes_never_pass_unseen(self, clips, tmp_path):
        X, y = clips
        path = tmp_path / "it.model"
        model = models()["crnn"].fit(X, y)
        skgenre.save(model, path)
        whole, expected = path.read_bytes(), model.predict_proba(X)
        for position in np.random.default_rng(0).integers(0, len(whole), 40):
            damaged = bytearray(whole)
            damaged[position] ^= 0xFF
            path.write_bytes(damaged)
            try:
                loaded = skgenre.load(path, runtime="keras")
            except ModelFileError:
                continue
            np.testing.assert_array_equal(loaded.predict_proba(X), expected)

    @pytest.mark.parametrize("flag", [0x01, 0x20, 0x40])
    def test_flags_that_zipfile_does_not_know(self, flag, tmp_path):
        path = tmp_path / "it.model"
        skgenre.save(MEL, path)
        contents = bytearray(path.read_bytes())
        contents[contents.find(b"PK\x01\x02") + 8] = contents[6] = flag
        path.write_bytes(contents)
        with pytest.raises(ModelFileError, match="or is damaged"):
            skgenre.load(path)


def repack(path, *, description=None, info=None):
    """Replace the description or the information in a model file."""
    replaced = {"model.json": description, "skgenre.json": info}
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            new = replaced.get(name)
            archive.writestr(name, contents if new is None else new)


@pytest.mark.slow
def test_killed_while_saving_leaves_the_old_file(tmp_path):
    path = tmp_path / "it.model"
    skgenre.save(make_pipeline(MEL), path)
    code = (
        "import sys, numpy as np, skgenre\n"
        "model = skgenre.TrackRecommender().fit(np.ones((500, 10_000)))\n"
        "print('ready', flush=True)\n"
        "while True: skgenre.save(model, sys.argv[1])\n"
    )
    for delay in np.random.default_rng(0).uniform(0, 0.5, 5):
        process = subprocess.Popen(
            [sys.executable, "-c", code, path], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.wait()
        process.stdout.close()
        assert type(skgenre.load(path)).__name__ in ("Pipeline", "TrackRecommender")


class TestWhereToSave:
    def test_no_folder(self, tmp_path):
        with pytest.raises(
            FileNotFoundError, match="There is no folder.*Make it first"
        ):
            skgenre.save(MEL, tmp_path / "no" / "it.model")

    def test_a_folder_or_a_pipe(self, tmp_path):
        paths = [tmp_path]
        if hasattr(os, "mkfifo"):  # Windows has none
            paths.append(tmp_path / "pipe")
            os.mkfifo(paths[-1])
        for path in paths:
            with pytest.raises(FileExistsError, match="is no file"):
                skgenre.save(MEL, path)

    def test_through_a_link(self, tmp_path):
        os.symlink(tmp_path / "real.model", tmp_path / "link.model")
        skgenre.save(MEL, tmp_path / "link.model")
        assert (tmp_path / "link.model").is_symlink()
        assert read_info(tmp_path / "real.model")["estimator"] == type(MEL).__name__

    def test_read_only_folder(self, tmp_path):
        if os.name != "posix" or os.geteuid() == 0:
            pytest.skip("root may write everywhere, and Windows has no such mode")
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError, match="can't be written to"):
            skgenre.save(MEL, tmp_path / "it.model")


@pytest.mark.parametrize("model", ["x", None, CRNNClassifier, [MEL]])
def test_only_estimators_are_saved(tmp_path, model):
    with pytest.raises(TypeError, match="must be a fitted estimator"):
        skgenre.save(model, tmp_path / "it.model")


def test_metrics_of_numpy(tmp_path):
    metrics = {
        "accuracy": np.float32(0.5),
        "folds": np.array([1, 2]),
        "loss": np.nan,
        "of genres": {"folk": [np.float64(1), np.inf]},
    }
    skgenre.save(MEL, tmp_path / "it.model", metrics=metrics)
    expected = {
        "accuracy": 0.5,
        "folds": [1, 2],
        "loss": None,
        "of genres": {"folk": [1, None]},
    }
    assert read_info(tmp_path / "it.model")["metrics"] == expected
