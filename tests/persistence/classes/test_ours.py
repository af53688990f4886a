"""Sizes that a file may ask for, of spectrograms, windows and networks."""

import math
import time

import numpy as np
import pandas
import pytest
from forge import forged, objects
from numpy.testing import assert_array_equal
from savable_models import SPECTROGRAMS, TABLE, fitted, unfitted
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import skgenre
from skgenre import (
    AbstainingClassifier,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MissingClipClassifier,
    ModelFileError,
    MultiLabelClassifier,
    ParallelCNNRNNClassifier,
    SegmentClassifier,
)
from skgenre.runtime._layer_sizes import layer_shapes


def refused(path, match):
    with pytest.raises(ModelFileError, match=match):
        skgenre.load(path)


@pytest.fixture
def forge(tmp_path):
    """Return what changes the node of a class in a saved model."""

    def changed(model, name, change):
        path = tmp_path / "it.model"
        skgenre.save(model, path)
        with forged(path) as (description, parts):
            change(next(objects(description, name)), parts)
        return path

    return changed


DEEP = [[f"{i}a", f"{i + 1}a"] for i in range(100)]
AUDIO = ["MelSpectrogramTransformer", "MFCCStandardizer"]


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize("is_fitted", [False, True])
@pytest.mark.parametrize(
    "parameters",
    [
        {"sample_rate": 10**6},
        {"n_fft": 2**20},
        {"n_fft": 1},
        {"n_fft": 2**16, "hop_length": 1},
        {"hop_length": -1},
        {"hop_length": 0},
        {"hop_length": 2**30},
        {"hop_length": 0.5},
        {"n_mels": 10**6},
        {"n_mels": 0},
        {"n_mels": True},
        {"sample_rate": 10**9},
        {"sample_rate": -1},
        {"excerpt": "folder"},
        {"on_error": {"function": "chi2"}},
    ],
    ids=str,
)
def test_sizes_of_audio_steps(parameters, is_fitted, name, forge):
    model = fitted(name) if is_fitted else unfitted(name)
    path = forge(model, name, lambda node, _: node["parameters"].update(parameters))
    refused(path, f"{name}: .*{[*parameters][0]}")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("MelSpectrogramTransformer", {"n_frames": 10**9}),
        ("MelSpectrogramTransformer", {"n_frames": -1}),
        ("MelSpectrogramTransformer", {"views": ["mix"] * 10**4}),
        ("MFCCStandardizer", {"views": ["elsewhere"]}),
        ("MelSpectrogramTransformer", {"n_frames": 2**15, "n_mels": 512}),
        (
            "MelSpectrogramTransformer",
            {
                "n_fft": {"number": ["<u2", 65_535]},
                "n_mels": {"number": ["<u2", 2_048]},
                "hop_length": 512,
            },
        ),
        ("GenreTagger", {"genres": {"dict": [["a", ["rock"] * 1000], ["b", "jazz"]]}}),
        ("MFCCStandardizer", {"duration": 1e9}),
        ("MFCCStandardizer", {"duration": -1}),
        ("MFCCStandardizer", {"n_mfcc": 10**9}),
        ("MFCCStandardizer", {"n_mfcc": 10**9, "input": "features"}),
        ("MusicnnEmbedding", {"duration": 1e9}),
        ("MusicnnEmbedding", {"weights": "../elsewhere"}),
        ("MusicnnEmbedding", {"weights": ["msd"] * 10**4}),
        ("MusicnnEmbedding", {"output": {"function": "chi2"}}),
        ("SegmentClassifier", {"window": 10**9}),
        ("SegmentClassifier", {"window": 0}),
        ("SegmentClassifier", {"window": 1000, "hop": 1}),
        ("SegmentClassifier", {"window": 2**20, "hop": 2**20}),
        ("SegmentClassifier", {"hop": -1}),
        ("SegmentClassifier", {"estimator": None}),
        ("SegmentClassifier", {"estimator": "passthrough"}),
        ("AbstainingClassifier", {"estimator": {"function": "chi2"}}),
        ("MissingClipClassifier", {"estimator": [1]}),
        ("AbstainingClassifier", {"genre_tree": [1]}),
        ("AbstainingClassifier", {"genre_tree": {"dict": [["a", 1]]}}),
        ("AbstainingClassifier", {"genre_tree": {"dict": [["a", "b"], ["b", "a"]]}}),
        ("AbstainingClassifier", {"genre_tree": {"genre tree": 3}}),
        (
            "AbstainingClassifier",
            {"genre_tree": {"genre tree": [["a", "b"], ["b", "a"]]}},
        ),
        (
            "AbstainingClassifier",
            {"genre_tree": {"genre tree": [["a", "b"], ["a", "c"]]}},
        ),
        ("AbstainingClassifier", {"genre_tree": {"genre tree": DEEP}}),
        ("AbstainingClassifier", {"genre_tree": {"genre tree": [["a", None]] * 2}}),
    ],
    ids=lambda value: str(value)[:80],
)
def test_other_sizes_and_parts(name, parameters, forge):
    path = forge(
        unfitted(name), name, lambda node, _: node["parameters"].update(parameters)
    )
    refused(path, f"{name}: ")


@pytest.mark.parametrize(
    "model",
    [
        MelSpectrogramTransformer(n_frames=10**9),
        MFCCStandardizer(n_fft=2**20, n_mels=2**10),
        SegmentClassifier(SVC(), window=10**9),
        SegmentClassifier(SVC(), window=4096, hop=1),
    ],
    ids=["frames", "spectra", "windows", "overlap"],
)
def test_what_could_not_be_loaded_is_not_saved(model, tmp_path):
    with pytest.raises(TypeError, match=f"{type(model).__name__} can't be saved"):
        skgenre.save(model, tmp_path / "it.model")


def test_a_tagger_that_standardises_has_what_it_needs_for_it(forge):
    def edit(node, _):
        node["parameters"]["standardize"] = True

    assert not unfitted("GenreTagger").standardize
    path = forge(fitted("GenreTagger"), "GenreTagger", edit)
    refused(path, "standardises has no means")


def test_features_that_are_given(tmp_path):
    features = np.random.default_rng(0).normal(size=(5, 4))
    model = MFCCStandardizer(input="features").fit(features)
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.transform(features), model.transform(features))
    np.testing.assert_array_equal(loaded.mean_, model.mean_)


NETWORKS = ["CRNNClassifier", "ParallelCNNRNNClassifier", "SecondOrderClassifier"]


def parameters_of(node):
    """Return the parameters that the network of a node was built with."""
    return dict(node["fitted"]["network_parameters_"]["dict"])


def set_parameters(node, **changed):
    pairs = (parameters_of(node) | changed).items()
    node["fitted"]["network_parameters_"] = {"dict": [[*pair] for pair in pairs]}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        *((name, {"input_shape": {"tuple": [10**7, 4]}}) for name in NETWORKS),
        *((name, {"input_shape": {"tuple": [6, 10**7]}}) for name in NETWORKS),
        *((name, {"input_shape": {"tuple": [6]}}) for name in NETWORKS),
        *((name, {"input_shape": {"tuple": [0, 4]}}) for name in NETWORKS),
        *((name, {"input_shape": {"tuple": [-6, -4]}}) for name in NETWORKS),
        *((name, {"n_classes": 10**6}) for name in NETWORKS),
        *((name, {"precision": "exec"}) for name in NETWORKS),
        *((name, {"network": "RandomTimeCrop"}) for name in NETWORKS),
        *((name, {"__array_interface__": 1}) for name in NETWORKS),
        ("CRNNClassifier", {"filters": {"tuple": [2] * 10**5}}),
        ("CRNNClassifier", {"filters": {"tuple": [10**6]}}),
        ("CRNNClassifier", {"filters": {"tuple": []}}),
        ("CRNNClassifier", {"filters": {"tuple": [-2]}}),
        ("CRNNClassifier", {"lstm_units": 10**6}),
        ("CRNNClassifier", {"embedding_units": 10**9}),
        ("CRNNClassifier", {"kernel_size": 0}),
        ("CRNNClassifier", {"pool_size": 0}),
        ("CRNNClassifier", {"pool_size": "2"}),
        ("CRNNClassifier", {"batch_norm_position": "os.system"}),
        ("ParallelCNNRNNClassifier", {"gru_units": 10**6}),
        ("ParallelCNNRNNClassifier", {"filters": {"tuple": [2] * 10**5}}),
        ("ParallelCNNRNNClassifier", {"pool_sizes": {"tuple": []}}),
        ("ParallelCNNRNNClassifier", {"pool_sizes": {"tuple": [{"tuple": [0, 0]}]}}),
        ("ParallelCNNRNNClassifier", {"rnn_pool_size": {"tuple": [0, 1]}}),
        ("SecondOrderClassifier", {"n_mfcc": 2}),
        ("SecondOrderClassifier", {"n_views": 10**9}),
        ("SecondOrderClassifier", {"n_mfcc": 0}),
        ("SecondOrderClassifier", {"n_prototypes": 10**9}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_a_network_was_built_with(name, changed, forge):
    """Nothing of a size that only the text says is made: it would end the process."""
    path = forge(fitted(name), name, lambda node, _: set_parameters(node, **changed))
    started = time.perf_counter()
    refused(path, f"{name}: ")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "change",
    [
        lambda node, parts: parts.pop(node["fitted"]["weights_"].pop(0)["array"]),
        lambda node, parts: node["fitted"]["weights_"].append(parts.add(np.zeros(3))),
        lambda node, parts: parts.replace(node["fitted"]["weights_"][0], np.zeros(10)),
        lambda node, parts: parts.replace(node["fitted"]["input_mean_"], np.zeros(5)),
        lambda node, parts: parts.replace(node["fitted"]["input_scale_"], np.zeros(4)),
        lambda node, parts: node["fitted"].update(n_iter_=0),
        lambda node, parts: node["fitted"].update(n_iter_=7),
        lambda node, parts: node["fitted"].update(n_features_in_=7),
        lambda node, parts: node["fitted"].update(_network="RandomTimeCrop"),
        lambda node, parts: node["fitted"].update(_network_parameters=["x"]),
        lambda node, parts: node["fitted"].update(_runtime="onnx"),
        lambda node, parts: node["fitted"].update(history_={"dict": [["loss", 1]]}),
        lambda node, parts: node["parameters"].update(checkpoint_dir="folder"),
        lambda node, parts: set_parameters(node, precision={"function": "chi2"}),
        lambda node, parts: node["fitted"].update(
            network_parameters_={
                "dict": [*node["fitted"]["network_parameters_"]["dict"]][1:]
            }
        ),
    ],
    ids=range(15),
)
def test_what_a_network_consists_of(change, name, forge):
    refused(forge(fitted(name), name, change), f"{name}: ")


def test_a_network_that_computes_too_much(forge):
    """Its kernels are in the file once, and are used at every place of a clip."""
    shape, kernel, filters = (2_048, 128), (31, 31), (16, 24)

    def change(node, parts):
        changed = {"filters": filters, "kernel_size": kernel, "input_shape": shape}
        changed["pool_sizes"] = ((1, 1), (64, 64))
        built = fitted(name).network_parameters_ | changed
        old = [node["fitted"][each] for each in ("input_mean_", "input_scale_")]
        for each in (*node["fitted"]["weights_"], *old):
            parts.pop(each["array"], None)
        shapes, *_ = layer_shapes("parallel_cnn_rnn", built)
        weights = [parts.add(np.zeros(each, np.float16)) for each in shapes]
        scale = {
            each: parts.add(np.ones(128)) for each in ("input_mean_", "input_scale_")
        }
        node["fitted"] |= {"weights_": weights, "n_features_in_": shape[0], **scale}
        set_parameters(
            node,
            filters={"tuple": filters},
            kernel_size={"tuple": kernel},
            input_shape={"tuple": shape},
            pool_sizes={"tuple": [{"tuple": each} for each in changed["pool_sizes"]]},
        )

    name = "ParallelCNNRNNClassifier"
    refused(forge(fitted(name), name, change), "a network computes too much for a clip")


def test_transforms_that_only_a_number_makes_large():
    """Each of many views takes a few weights, and all of them a square."""
    views = {"n_mfcc": 1, "n_views": 5_000, "n_prototypes": 1}
    parameters = {"input_shape": (4, 10_000), "n_classes": 2, **views}
    _, outputs, _ = layer_shapes("second_order", parameters)
    assert max(map(math.prod, outputs)) > 10_000 * 5_000


def test_kernels_at_which_tensorflow_ends_the_process():
    layers = {"filters": (1,), "pool_sizes": ((2, 2),), "kernel_size": (100, 100)}
    model = ParallelCNNRNNClassifier(**layers)
    with pytest.raises(ValueError, match="A kernel of 100 x 100 values is too large"):
        model.fit(np.zeros((4, 60, 60)), ["folk", "folk", "jazz", "jazz"])


def test_weights_that_are_named_twice(forge):
    """Each array is in the file, so that the model is no larger than the file."""

    def change(node, parts):
        node["fitted"]["weights_"][1] = node["fitted"]["weights_"][0]

    path = forge(fitted("CRNNClassifier"), "CRNNClassifier", change)
    refused(path, "names an array that it doesn't have, or names it twice")


def test_files_may_lack_parameters_that_are_newer(forge):
    def change(node, parts):
        older = parameters_of(node)
        del older["time_mask"]
        pairs = [[*pair] for pair in older.items()]
        node["fitted"]["network_parameters_"] = {"dict": pairs}

    model = fitted("CRNNClassifier")
    loaded = skgenre.load(forge(model, "CRNNClassifier", change))
    assert loaded.network_parameters_ == model.network_parameters_


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("EmbeddingKMeans", {"silhouette_by_k_": {"dict": [["a", 0.5]]}}),
        ("EmbeddingKMeans", {"silhouette_by_k_": {"dict": [[2, 5]]}}),
        ("EmbeddingKMeans", {"labels_": None}),
        ("EmbeddingKMeans", {"n_features_in_": 1}),
        ("TrackRecommender", {"n_features_in_": 1}),
        ("TrackRecommender", {"algorithm_": "exec"}),
        ("TrackRecommender", {"_search": {"function": "chi2"}}),
        ("AbstainingClassifier", {"coverage_": 2}),
        ("AbstainingClassifier", {"unknown_": [1]}),
        ("TemperatureScalingClassifier", {"temperature_": 0}),
        ("MissingClipClassifier", {"n_missing_": -1}),
        ("SegmentClassifier", {"n_mels_": -1}),
        ("MFCCStandardizer", {"_names": [1]}),
        ("MFCCStandardizer", {"mean_": None}),
        ("MelSpectrogramTransformer", {"extraction_report_": {"function": "chi2"}}),
    ],
    ids=str,
)
def test_attributes_that_contradict_one_another(name, change, forge):
    path = forge(fitted(name), name, lambda node, _: node["fitted"].update(change))
    refused(path, f"{name}: ")


class TestSeveralGenres:
    rng = np.random.default_rng(0)
    y = (rng.random((48, 3)) < [0.5, 0.4, 0.3]).astype(int)
    lists = [tuple(np.array(["folk", "jazz", "rock"])[row > 0].tolist()) for row in y]

    def models(self):
        """Yield a model of each class, fitted on several genres, and what it takes."""
        inner = unfitted("OneVsRestClassifier")
        crnn, segments = unfitted("CRNNClassifier"), unfitted("SegmentClassifier")
        yield crnn.fit(SPECTROGRAMS, self.lists), SPECTROGRAMS
        yield segments.fit(SPECTROGRAMS, self.lists), SPECTROGRAMS
        frame = pandas.DataFrame(self.y, columns=["rock", "folk", "jazz"])
        for model in (
            MultiLabelClassifier(inner, cv=2),
            AbstainingClassifier(inner, target_precision=0.4, cv=2),
            MissingClipClassifier(inner),
            make_pipeline(StandardScaler(), MultiLabelClassifier(inner, cv=2)),
        ):
            yield model.fit(TABLE, frame), TABLE

    @pytest.mark.filterwarnings("ignore:No threshold reaches")
    def test_a_loaded_model_predicts_the_same(self, tmp_path):
        for model, X in self.models():
            skgenre.save(model, tmp_path / "it.model")
            loaded = skgenre.load(tmp_path / "it.model")
            assert loaded.classes_.tolist() == model.classes_.tolist()
            assert_array_equal(loaded.predict(X), model.predict(X))
            assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"y_type_": None}, "y_type_"),
            ({"y_type_": "multiclass"}, "y_type_"),
            ({"thresholds_": [0.5]}, "thresholds_"),
            ({"thresholds_": ...}, "not a threshold for each genre"),
            ({"y_type_": ..., "thresholds_": ...}, "other|sorted"),
        ],
        ids=["none", "unknown", "list", "lacking", "one genre each"],
    )
    def test_forged_attributes(self, change, match, forge):
        frame = pandas.DataFrame(self.y, columns=["rock", "folk", "jazz"])
        model = MultiLabelClassifier(unfitted("OneVsRestClassifier"), cv=2)

        def changed(node, parts):
            for name, value in change.items():
                array = node["fitted"].pop(name)
                if isinstance(array, dict):
                    parts.pop(array["array"])
                if value is not ...:
                    node["fitted"][name] = value

        path = forge(model.fit(TABLE, frame), "MultiLabelClassifier", changed)
        refused(path, f"MultiLabelClassifier: .*({match})")

    def test_an_estimator_inside_of_one_genre_each(self, forge):
        model = MissingClipClassifier(unfitted("OneVsRestClassifier"))

        def changed(node, parts):
            binarizer = node["fitted"]["estimator_"]["fitted"]["label_binarizer_"]
            binarizer["fitted"]["y_type_"] = "multiclass"

        path = forge(model.fit(TABLE, self.y), "MissingClipClassifier", changed)
        refused(path, "an estimator inside is for other classes")

    def test_a_network_of_several_genres_ends_in_sigmoids(self, forge):
        model = unfitted("CRNNClassifier").fit(SPECTROGRAMS, self.lists)
        for changes in ({"classifier_activation": "softmax"}, {}):

            def changed(node, parts, changes=changes):
                known = parameters_of(node)
                del known["classifier_activation"]
                pairs = [[*pair] for pair in (known | changes).items()]
                node["fitted"]["network_parameters_"] = {"dict": pairs}

            refused(forge(model, "CRNNClassifier", changed), "several genres need")
