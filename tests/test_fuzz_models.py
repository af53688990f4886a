"""Forged model files are refused, or end in an ordinary exception when asked.

`benchmarks/fuzz_models.py` makes tens of thousands of them; here are the first, and the
causes of what it has found.
"""

import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import SVC

import skgenre
from skgenre import (
    AbstainingClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MissingClipClassifier,
    ModelFileError,
    SegmentClassifier,
)
from skgenre.persistence._contents import INFO, MODEL, write_members
from skgenre.persistence._description import Description

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
KEPT = Path(__file__).parent / "data" / "format1-baseline.model"


@pytest.fixture(scope="module")
def table():
    y = np.repeat(["folk", "pop", "rock"], 10)
    X = np.random.default_rng(0).normal(size=(30, 4))
    return X + np.repeat([0, 2, 4], 10)[:, None], y


def forge(path, model, change):
    """Write a file of a model whose description was changed."""
    description = Description(model)
    change(description.value, description.arrays)
    write(path, description.value, description.arrays)


def write(path, described, arrays):
    members = {INFO: json.dumps({"format": 2}).encode()}
    members[MODEL] = json.dumps(described).encode()
    path.write_bytes(write_members(members | arrays))


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def setting(arrays, described, name, values):
    """Give a fitted attribute other values."""
    arrays[described["fitted"][name]["array"]] = npy(values)


def refused(path, match):
    with pytest.raises(ModelFileError, match=match):
        skgenre.load(path)


@pytest.mark.slow
def test_forged_files(tmp_path):
    """The first of those that `benchmarks/fuzz_models.py` makes, without TensorFlow."""
    parts = [
        "classes",
        "steps",
        "linear",
        "compiled",
        "composed",
        "ours",
        "index",
        "format1",
    ]
    done = subprocess.run(
        [
            *(sys.executable, BENCHMARKS / "fuzz_models.py", "--files", "300"),
            *("--jobs", "1", "--keras", "0", "--results", tmp_path, "--only", *parts),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 files in" in done.stdout
    (rows,) = [json.loads(file.read_text()) for file in tmp_path.glob("*.json")]
    found = {row["name"].partition(",")[0]: row["value"] for row in rows["rows"]}
    assert found["defects"] == 0
    assert 100 < found["refused"] < 300  # some were loaded and asked


def test_a_number_makes_the_same_file_again(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from _forged_models import Forger
    from _good_models import good_files

    good = good_files(["index", "format1"])
    forgers = Forger(good, 0), Forger(good, 0), Forger(good, 1)
    files, again, others = ([each.make(n) for n in range(40)] for each in forgers)
    assert files == again
    whole = {file.contents for file in good.values()}
    assert sum(file.contents not in whole for file in files) > 35
    assert sum(a == b for a, b in zip(files, others, strict=True)) < 5


@pytest.mark.parametrize(
    "wrap",
    [
        FrozenEstimator,
        MissingClipClassifier,
        lambda model: Pipeline([("a", model)]),
        lambda model: FeatureUnion([("a", model)]),
        lambda model: VotingClassifier([("a", model)]),
    ],
    ids=["frozen", "missing", "pipeline", "union", "vote"],
)
def test_estimators_in_one_another(wrap, tmp_path):
    """scikit-learn's repr takes twice as long for each that is in another."""
    model = GaussianNB() if wrap is not FeatureUnion else StandardScaler()
    for _ in range(9):
        model = wrap(model)
    skgenre.save(model, tmp_path / "it.model")
    skgenre.load(tmp_path / "it.model")
    with pytest.raises(TypeError, match="more than 10 estimators"):
        skgenre.save(wrap(model), tmp_path / "it.model")
    for n in (1, 50):
        described = Description(GaussianNB()).value
        for _ in range(9 + n):
            described = {
                "object": "FrozenEstimator",
                "parameters": {"estimator": described},
                "fitted": {},
            }
        write(tmp_path / "it.model", described, {})
        refused(tmp_path / "it.model", "more than 10 estimators")


@pytest.mark.parametrize(
    "model",
    [
        Normalizer(),
        FunctionTransformer(),
        ColumnTransformer([("a", Normalizer(), [0])], remainder="passthrough"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_features_that_no_array_has(model, table, tmp_path):
    def change(described, arrays):
        described["fitted"]["n_features_in_"] = 10**9

    forge(tmp_path / "it.model", model.fit(*table), change)
    refused(tmp_path / "it.model", "n_features_in_: expected 0 to 4194304")


@pytest.mark.parametrize(
    ("model", "name", "value", "match"),
    [
        (
            StackingClassifier([("a", GaussianNB())], cv=2),
            *("_n_feature_outs", [10**9], "more columns than"),
        ),
        (LinearDiscriminantAnalysis(), "_n_features_out", 10**9, "a size is"),
        (LinearDiscriminantAnalysis(), "_max_components", 10**9, "a size is"),
        (EmbeddingKMeans(2), "n_clusters_", 10**9, "a size is"),
        (KMeans(2), "_n_features_out", 10**9, "a size is"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else None,
)
def test_columns_that_no_array_has(model, name, value, match, table, tmp_path):
    """Their names would be made, one by one."""

    def change(described, arrays):
        described["fitted"][name] = value

    forge(tmp_path / "it.model", model.fit(*table), change)
    refused(tmp_path / "it.model", match)


def test_both_numbers_of_axes_of_a_discriminant_analysis(table, tmp_path):
    def change(described, arrays):
        described["fitted"] |= {"_n_features_out": 5, "_max_components": 5}

    model = LinearDiscriminantAnalysis().fit(*table)
    forge(tmp_path / "it.model", model, change)
    refused(tmp_path / "it.model", "more axes than features")


@pytest.mark.parametrize("model", [LogisticRegression(), SGDClassifier()])
def test_a_linear_classifier_of_one_class(model, table, tmp_path):
    def change(described, arrays):
        setting(arrays, described, "classes_", ["folk"])
        setting(arrays, described, "coef_", np.ones((1, 4)))
        setting(arrays, described, "intercept_", np.ones(1))

    forge(tmp_path / "it.model", model.fit(*table), change)
    refused(tmp_path / "it.model", "less than two classes")


def test_a_final_estimator_of_other_classes(table, tmp_path):
    X, y = table
    model = StackingClassifier([("a", GaussianNB())], cv=2).fit(X, y)
    model.final_estimator_ = GaussianNB().fit(X[:20, :3], y[:20])
    with pytest.raises(TypeError, match="final_estimator_: a size is 2"):
        skgenre.save(model, tmp_path / "it.model")


def test_numbers_of_nodes_that_overflow(table, tmp_path):
    """Added up, they were right, and one of the trees had no nodes to read."""

    def change(described, arrays):
        fitted = described["fitted"]
        n_nodes = np.load(io.BytesIO(arrays[fitted["n_nodes"]["array"]]))
        for name, node in fitted.items():
            if isinstance(node, dict) and "array" in node:
                values = np.load(io.BytesIO(arrays[node["array"]]))
                if values.shape == (n_nodes.sum(),):
                    setting(arrays, described, name, values[: n_nodes[0]])
        sizes = np.array([2**63, 2**63, n_nodes[0]], np.uint64)
        setting(arrays, described, "n_nodes", sizes)

    model = HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=3).fit(*table)
    forge(tmp_path / "it.model", model, change)
    refused(tmp_path / "it.model", "other numbers of nodes|n_nodes")


def test_nothing_that_predicts(table, tmp_path):
    forest = RandomForestClassifier(2).fit(*table)
    forest.estimators_ = []
    with pytest.raises(TypeError, match="a forest has no trees"):
        skgenre.save(forest, tmp_path / "it.model")

    def no_clusters(described, arrays):
        setting(arrays, described, "cluster_centers_", np.ones((0, 4)))
        described["fitted"]["_n_features_out"] = 0

    forge(tmp_path / "it.model", KMeans(2).fit(*table), no_clusters)
    refused(tmp_path / "it.model", "no clusters|not a centre")


@pytest.mark.parametrize("cls", [MelSpectrogramTransformer, MFCCStandardizer])
@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"n_fft": 2**16, "n_mels": 2048, "hop_length": 1024}, "n_mels=2048 of n_fft"),
        ({"n_fft": 128, "n_mels": 64, "hop_length": 1}, "n_mels=64 every hop_length=1"),
    ],
)
def test_spectrograms_that_ask_for_too_much(cls, parameters, match, tmp_path):
    """The filter bank, of which the first takes 2.4 GB, is not made before."""

    def change(described, arrays):
        described["parameters"] |= parameters

    forge(tmp_path / "it.model", cls(), change)
    tracemalloc.start()
    try:
        refused(tmp_path / "it.model", match)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_windows_that_ask_for_too_much(table, tmp_path):
    def change(described, arrays):
        described["parameters"] |= {"window": 2**15, "hop": 2**15}
        described["fitted"]["n_mels_"] = 512

    X = np.random.default_rng(0).normal(size=(30, 8, 2))
    segments = SegmentClassifier(LogisticRegression(), window=4).fit(X, table[1])
    forge(tmp_path / "it.model", segments, change)
    refused(tmp_path / "it.model", "windows of 16777216 values")


@pytest.mark.parametrize("kind", ["U500000000", "O", "f8,f8", "complex128", "V8"])
def test_types_of_keys_in_format_1(kind, tmp_path):
    from skgenre.persistence._contents import read_members

    with open(KEPT, "rb") as file:
        members = read_members(file)
    schema = json.loads(members["schema.json"])
    schema["content"]["key_types"]["content"][0]["__class__"] = kind
    members["schema.json"] = json.dumps(schema).encode()
    (tmp_path / "it.model").write_bytes(write_members(members))
    refused(tmp_path / "it.model", "neither texts nor numbers")


def test_a_clustering_into_one(table, tmp_path):
    """Its silhouette is not defined, and was refused."""
    X, _ = table
    skgenre.save(EmbeddingKMeans(1).fit(X), tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    assert np.isnan(loaded.silhouette_score_)
    assert (loaded.predict(X) == 0).all()


@pytest.mark.parametrize(
    "model",
    [
        AbstainingClassifier(GaussianNB(), cv=2),
        MissingClipClassifier(GaussianNB()),
        SegmentClassifier(GaussianNB(), window=2, hop=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_an_estimator_inside_of_other_classes(model, table, tmp_path):
    X, y = table
    model.fit(X, y)
    model.estimator_ = GaussianNB().fit(X[:, :2], np.repeat(["a", "b", "c"], 10))
    with pytest.raises(TypeError, match="inside is for other classes"):
        skgenre.save(model, tmp_path / "it.model")
    model.estimator_ = GaussianNB()
    with pytest.raises(TypeError, match="GaussianNB has no classes"):
        skgenre.save(model, tmp_path / "it.model")


def test_segments_of_a_table(table, tmp_path):
    """Its number of columns was refused."""
    segments = SegmentClassifier(GaussianNB(), window=2, hop=2).fit(*table)
    skgenre.save(segments, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    assert loaded.n_features_in_ == 4
    assert (loaded.predict(table[0]) == segments.predict(table[0])).all()


@pytest.mark.parametrize("labels", [[0, 1, 2**63 - 1], [0, 1, 10**9], [-1, 0, 1]])
def test_numbers_of_classes_that_are_no_indices(labels, table, tmp_path):
    """A vote counts them by `numpy.bincount`, which the first made write anywhere."""
    X, y = table
    other = GaussianNB().fit(X, np.repeat(labels, 10))
    vote = VotingClassifier([("a", GaussianNB())]).fit(X, y)
    vote.estimators_ = [other]
    with pytest.raises(TypeError, match="other numbers than the classes"):
        skgenre.save(vote, tmp_path / "it.model")
    stacking = StackingClassifier([("a", GaussianNB())], cv=2).fit(X, y)
    stacking.final_estimator_ = GaussianNB().fit(X[:, :3], np.repeat(labels, 10))
    with pytest.raises(TypeError, match="other numbers than the classes"):
        skgenre.save(stacking, tmp_path / "it.model")
    vote = VotingClassifier([("a", GaussianNB())]).fit(X, y)
    vote.le_.classes_ = np.array(["a", "b", "c"])
    with pytest.raises(TypeError, match="are those of others"):
        skgenre.save(vote, tmp_path / "it.model")


def test_what_an_estimator_needs_to_predict(table, tmp_path):
    def change(described, arrays):
        described["parameters"]["degree"] = 2**31

    forge(tmp_path / "it.model", SVC().fit(*table), change)
    refused(tmp_path / "it.model", "degree: expected 0 to 2147483647")
    segments = SegmentClassifier(GaussianNB(), window=2, hop=2).fit(*table)
    segments.voting = "stack"
    with pytest.raises(TypeError, match="lacks the final estimator"):
        skgenre.save(segments, tmp_path / "it.model")
