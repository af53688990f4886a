import copy
import json
import os
import pickle
import sys
import zipfile

import h5py
import keras
import numpy as np
import onnx
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from onnx import TensorProto, helper, numpy_helper
from published_weights import needs_weights
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import save
from skgenre.audio import load_audio
from skgenre.features import KerasEmbedding, MusicnnEmbedding, log_mel_spectrogram
from skgenre.features._pretrained._musicnn_network import build_musicnn

MEL = {"sample_rate": 8000, "n_fft": 256, "hop_length": 128, "n_mels": 16}
layers = keras.layers


@pytest.fixture(scope="module")
def clips():
    """Waveforms of a few lengths, at 8 kHz."""
    rng = np.random.default_rng(0)
    return [0.1 * rng.normal(size=n) for n in (1000, 9000, 30000)]


@pytest.fixture(scope="module")
def network():
    """Maps 20 frames of 16 bands to features, and to probabilities."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((20, 16)),
            layers.Conv1D(5, 3, activation="relu", name="conv"),
            layers.GlobalAveragePooling1D(name="pooled"),
            layers.Dense(3, activation="softmax", name="genre"),
        ],
        name="tiny",
    )


def mean_input(shape, **given):
    """Return a network that shows what it was given: the mean of each column."""
    inputs = keras.Input(shape, **given)
    return keras.Model(inputs, layers.Flatten()(inputs), name="mirror")


def write_onnx(path, shape, outputs=("out",)):
    """Write a graph that multiplies the flat input by the numbers from 0 on."""
    n = int(np.prod([size for size in shape[1:] if isinstance(size, int)]))
    weights = np.arange(n * 2, dtype=np.float32).reshape(n, 2)
    nodes = [helper.make_node("Flatten", ["x"], ["flat"])]
    nodes += [helper.make_node("MatMul", ["flat", "w"], [name]) for name in outputs]
    of_type = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", of_type, shape)],
        [
            helper.make_tensor_value_info(name, of_type, [shape[0], 2])
            for name in outputs
        ],
        [numpy_helper.from_array(weights, "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return weights


@needs_weights
def test_musicnn_in_a_file_of_keras_is_musicnn(tmp_path):
    path = tmp_path / "musik-ä.keras"
    build_musicnn("mtt").save(path)
    rng = np.random.default_rng(0)
    tone = np.sin(np.arange(16000 * 7) ** 1.4 / 500)
    waves = [0.1 * rng.normal(size=8000), tone, 1e18 * rng.normal(size=50000)]
    step = KerasEmbedding(
        path,
        layer="batch_normalization_10",
        sample_rate=16000,
        n_fft=512,
        hop_length=256,
        n_mels=96,
        scaling="log_compression",
    )
    expected = MusicnnEmbedding(weights="mtt").transform(waves)
    assert_allclose(step.fit_transform(waves), expected, atol=1e-4)


def test_outputs_are_averaged_over_windows(network, clips):
    step = KerasEmbedding(network, hop=7, batch_size=2, duration=None, **MEL)
    power = log_mel_spectrogram(clips[2], **MEL)
    starts = range(0, len(power) - 20 + 1, 7)
    windows = np.stack([power[start : start + 20] for start in starts])
    expected = network.predict(windows, verbose=0).mean(axis=0)
    assert_allclose(step.transform(clips[2:])[0], expected, atol=1e-6)


def test_a_map_of_features_is_averaged(network, clips):
    of_map = KerasEmbedding(network, layer="conv", **MEL).transform(clips)
    pooled = KerasEmbedding(network, layer="pooled", **MEL).transform(clips)
    assert_allclose(of_map, pooled, atol=1e-6)


def test_a_network_inside_several_others_is_one_layer_of_each(clips):
    body = mean_input((20, 16))
    expected = KerasEmbedding(body, **MEL).transform(clips)
    inputs = keras.Input((20, 16))
    for whole, factor in (
        (keras.Model(inputs, layers.Dense(3)(body(inputs * 2.0))), 2),
        (keras.Model(inputs, layers.Dense(3)(body(inputs))), 1),
        (keras.Sequential([inputs, body, layers.Dense(3)]), 1),
    ):
        found = KerasEmbedding(whole, layer="mirror", **MEL).transform(clips)
        assert_allclose(found, factor * expected, rtol=1e-6)
    part = body.layers[-1].name
    with pytest.raises(ValueError, match=f"no layer '{part}'. Its layers are mirror"):
        KerasEmbedding(whole, layer=part, **MEL).transform(clips)


def test_a_layer_is_taken_where_the_network_calls_it_first(clips):
    shared = layers.Rescaling(2.0, name="shared")
    shared(keras.Input((20, 16)))  # elsewhere
    inputs = keras.Input((20, 16))
    network = keras.Model(inputs, layers.Dense(3)(shared(shared(inputs * 3.0))))
    before = network.to_json()
    step = KerasEmbedding(network, layer="shared", **MEL)
    given = KerasEmbedding(network, layer=network.layers[0].name, **MEL).transform(
        clips
    )
    assert_allclose(step.transform(clips), 6 * given, rtol=1e-6)
    assert network.to_json() == before


def test_weights_are_those_of_the_network_and_stay(clips):
    inputs = keras.Input((20, 16))
    normed = layers.BatchNormalization(name="norm")(inputs)
    dropped = layers.Dropout(0.5, name="dropped")(normed)
    network = keras.Model(inputs, layers.Dense(2)(dropped))
    network.get_layer("norm").moving_mean.assign(np.full(16, -40.0))
    before = network.get_weights()
    step = KerasEmbedding(network, layer="dropped", **MEL)
    given = KerasEmbedding(network, layer=network.layers[0].name, **MEL).transform(
        clips
    )
    expected = (given + 40) / np.sqrt(1 + 1e-3)
    assert_allclose(step.transform(clips), expected, rtol=1e-4)
    for after, weights in zip(network.get_weights(), before, strict=True):
        assert_array_equal(after, weights)


@pytest.mark.parametrize(
    ("scaling", "silence"),
    [("relative_db", -80), ("db", -100), ("log_compression", 0)],
)
def test_scalings(scaling, silence, clips):
    step = KerasEmbedding(mean_input((100, 16)), scaling=scaling, hop=999, **MEL)
    short, *_ = values = step.transform(clips).reshape(3, 100, 16)
    assert (short[9:] == silence).all() and (short[:7] > silence).all()
    silent = step.transform([np.zeros(9000)])
    assert (silent == silence).all()
    relative = log_mel_spectrogram(clips[2], **MEL, top_db=80)[:100]
    of_loud = values[2]
    if scaling != "relative_db":
        power = values[2] / 10 if scaling == "db" else np.log10(10 ** values[2] - 1)
        changes = 10 * power - relative
        assert np.ptp(changes) < 1e-2  # float32 near 0
        of_loud = values[2] + 500 if scaling == "db" else power + 50
    (loud,) = step.transform([1e25 * clips[2]]).reshape(1, 100, 16)
    assert_allclose(loud, of_loud, atol=1e-2)


@pytest.mark.parametrize(
    "shape",
    [(20, 16), (20, 16, 1), (1, 20, 16), (16, 20), (1, 16, 20), (None, 16), (16, None)],
)
def test_axes_in_the_networks_order(shape, clips):
    inputs = keras.Input(shape)
    network = keras.Model(inputs, layers.Flatten()(inputs * 1.0))
    if None in shape:
        axis = shape.index(None) + 1
        pooled = layers.Lambda(lambda x: keras.ops.mean(x, axis=axis))(inputs)
        network = keras.Model(inputs, pooled)
    step = KerasEmbedding(network, window=20, **MEL)
    windows = log_mel_spectrogram(clips[1], **MEL)[:60].reshape(3, 20, 16)
    (row,) = step.transform(clips[1:2])
    mean = windows.mean(axis=0)
    if None in shape:
        expected = mean.mean(axis=0)
    else:
        sizes = [size for size in shape if size != 1]
        expected = (mean if sizes == [20, 16] else mean.T).ravel()
    assert_allclose(row, expected, atol=1e-4)


def test_the_whole_excerpt_where_any_length_is_taken(clips):
    inputs = keras.Input((None, 16))
    network = keras.Model(inputs, layers.GlobalMaxPooling1D()(inputs))
    rows = KerasEmbedding(network, **MEL).transform(clips)
    for row, clip in zip(rows, clips, strict=True):
        assert_allclose(row, log_mel_spectrogram(clip, **MEL).max(axis=0), atol=1e-4)


def test_waveforms_and_files(tmp_path, clips):
    soundfile.write(tmp_path / "ä.wav", clips[1], 8000, subtype="FLOAT")
    network = mean_input((4000, 1))
    step = KerasEmbedding(network, input="waveform", sample_rate=8000, duration=0.25)
    rows = step.fit_transform([tmp_path / "ä.wav"])
    middle = load_audio(tmp_path / "ä.wav", 8000)[3500:5500]
    assert_allclose(rows[0], np.pad(middle, (0, 2000)), atol=1e-6)
    step.set_params(duration=None, hop=5000)
    assert_allclose(
        step.transform(clips[1:2])[0],
        (clips[1][:4000] + clips[1][5000:]) / 2,
        atol=1e-6,
    )


@pytest.mark.slow
def test_image_networks_of_keras_applications(clips):
    network = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(32, 48, 3), alpha=0.35
    )
    step = KerasEmbedding(
        network, input="image", preprocessing="mobilenet_v2", window=30, **MEL
    )
    rows = step.fit_transform(clips)
    grey = (log_mel_spectrogram(clips[1], **MEL)[:60].reshape(2, 30, 16) + 80) / 80
    grey = np.asarray(keras.ops.image.resize(grey[..., None], (32, 48)))
    images = np.repeat(grey, 3, axis=-1) * 2 - 1
    expected = network.predict(images, verbose=0).mean(axis=(0, 1, 2))
    assert_allclose(rows[1], expected, atol=1e-5)


def test_images_are_in_the_networks_range_and_order(tmp_path, clips):
    step = KerasEmbedding(mean_input((25, 16, 3)), input="image", window=25, **MEL)
    image = step.transform(clips[:1]).reshape(25, 16, 3)
    assert image.max() == 255 and (image[9:] == 0).all()
    assert (image[..., 0] == image[..., 2]).all()
    first = mean_input((3, 25, 16))
    step.set_params(model=first)
    assert_array_equal(
        step.transform(clips[:1]).reshape(3, 25, 16), image.transpose(2, 0, 1)
    )


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_onnx(batch, tmp_path, clips):
    weights = write_onnx(tmp_path / "net.onnx", [batch, 1, 16, 20])
    step = KerasEmbedding(tmp_path / "net.onnx", duration=None, **MEL)
    windows = log_mel_spectrogram(clips[2], **MEL)[:220].reshape(11, 20, 16)
    expected = windows.swapaxes(1, 2).reshape(11, -1) @ weights
    assert_allclose(step.fit_transform(clips)[2], expected.mean(axis=0), rtol=1e-4)
    assert step.get_feature_names_out().tolist() == [
        "kerasembedding0",
        "kerasembedding1",
    ]


def test_a_fixed_batch_of_keras(clips, network):
    inputs = keras.Input((20, 16), batch_size=3)
    fixed = keras.Model(inputs, network(inputs))
    assert_allclose(
        KerasEmbedding(fixed, **MEL).transform(clips),
        KerasEmbedding(network, **MEL).transform(clips),
        atol=1e-6,
    )


def test_clones_share_the_network(network, clips):
    step = KerasEmbedding(network, layer="pooled", **MEL)
    step.set_output(transform="pandas")
    twin = clone(step)
    assert twin.model is network and step.model is network
    assert twin.get_params() == step.get_params()
    frame = twin.fit_transform(clips)
    assert list(frame.columns) == [f"kerasembedding{i}" for i in range(5)]
    assert twin.set_params(layer="genre").fit_transform(clips).shape == (3, 3)


def test_pickles_and_copies_hold_the_network(network, clips):
    step = KerasEmbedding(network, **MEL).fit(clips)
    expected = step.transform(clips)
    for twin in (pickle.loads(pickle.dumps(step)), copy.deepcopy(step)):
        assert twin.model is not network
        assert_array_equal(twin.transform(clips), expected)


def test_a_file_that_is_written_anew_is_read_anew(tmp_path, clips):
    path = tmp_path / "net.keras"
    embeddings = []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((20, 16))
        outputs = layers.Dense(3)(layers.Flatten()(inputs))
        keras.Model(inputs, outputs, name="same").save(path)
        os.utime(path, ns=(seed, seed))
        embeddings.append(KerasEmbedding(str(path), **MEL).transform(clips))
    assert not np.allclose(*embeddings)


def test_a_network_that_has_grown_is_traced_again(clips):
    grown = keras.Sequential([keras.Input((20, 16)), layers.Flatten(name="flat")])
    step = KerasEmbedding(grown, **MEL)
    assert step.fit_transform(clips).shape == (3, 320)
    grown.add(layers.Dense(2))
    assert step.transform(clips).shape == (3, 2)
    assert step.set_params(layer="flat").transform(clips).shape == (3, 320)


def test_in_a_search_of_pipelines(network):
    rng = np.random.default_rng(0)
    y = np.repeat(["low", "high"], 10)
    t = np.arange(8000) / 8000
    X = [
        np.sin(2 * np.pi * rng.uniform(100, 200) * (12 if g == "high" else 1) * t)
        for g in y
    ]
    model = make_pipeline(
        KerasEmbedding(network, layer="pooled", **MEL),
        StandardScaler(),
        LogisticRegression(),
    )
    assert cross_val_score(model, X, y, cv=2, error_score="raise").min() > 0.8


class TestRefusals:
    def check(self, match, clips, error=ValueError, **parameters):
        for method in ("fit", "transform"):
            with pytest.raises(error, match=match):
                getattr(KerasEmbedding(**MEL | parameters), method)(clips)

    def test_layers(self, network, clips):
        self.check(
            "'tiny' has no layer 'dense'. Its layers are conv, pooled, genre",
            clips,
            model=network,
            layer="dense",
        )

    def test_shapes(self, network, clips):
        for given in ({"window": 30}, {"n_mels": 12}):
            self.check(
                r"'tiny' takes inputs of shape \(20, 16\), and input='mel' makes "
                rf"windows of shape \({given.get('window', 'n_frames')}, "
                rf"n_mels={given.get('n_mels', 16)}\)",
                clips,
                model=network,
                **given,
            )
        self.check(
            r"shape \(20, 16\), and input='waveform' makes windows of shape \(99,\)",
            clips,
            model=network,
            input="waveform",
            window=99,
        )
        self.check(
            r"images of shape \(height, width, 3\)", clips, model=network, input="image"
        )

    def test_networks(self, network, clips):
        several = keras.Model(network.inputs, [network.outputs[0]] * 2, name="two")
        self.check("'two' has 2 outputs. Choose", clips, model=several)
        whole = keras.Model(network.inputs, layers.Dense(1)(several(network.inputs)[0]))
        self.check("has 2 outputs. Choose", clips, model=whole, layer="two")
        more = keras.Input((1,))
        two = keras.Model([*network.inputs, more], more)
        self.check("has 2 inputs", clips, model=two)
        unbuilt = keras.Sequential([layers.Dense(2)], name="raw")
        self.check("'raw' has no input of a known shape", clips, model=unbuilt)
        inputs = keras.Input((None, 1))
        long = keras.Model(inputs, layers.Conv1D(2, 4000)(inputs), name="long")
        step = KerasEmbedding(long, input="waveform", sample_rate=8000)
        with pytest.raises(ValueError, match=r"'long' fails on .* \(1000, 1\). If"):
            step.fit_transform(clips)
        assert step.set_params(window=4000).fit_transform(clips).shape == (3, 2)
        for other in (None, 3, keras.Model, StandardScaler()):
            self.check("The 'model' parameter", clips, model=other)

    def test_files(self, tmp_path, clips):
        missing = tmp_path / "no.keras"
        self.check(
            "network file '.*no.keras' doesn't exist",
            clips,
            FileNotFoundError,
            model=missing,
        )
        self.check("ends in .keras, .h5 or .onnx, got 'net.pb'", clips, model="net.pb")
        for name in ("a.keras", "a.h5", "a.onnx"):
            (tmp_path / name).write_text("no network")
            self.check(f"Can't load '.*{name}'", clips, model=tmp_path / name)

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    def test_files_with_code(self, suffix, tmp_path, clips):
        inputs = keras.Input((20, 16))
        outputs = layers.Lambda(lambda x: x[:, 0] + 1)(inputs)
        path = tmp_path / f"net{suffix}"
        keras.Model(inputs, outputs).save(path)
        self.check("Can't load '.*safe", clips, model=path)

    def test_files_that_name_other_files(self, tmp_path, clips, network):
        """A stranger's network must not have the files of this machine read."""
        path, members = tmp_path / "net.keras", {}
        network.save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        place = {"filepath": str(tmp_path / "saved"), "call_endpoint": "serve"}
        config["config"]["layers"][1] = {
            "module": "keras.layers",
            "class_name": "TFSMLayer",
            "config": place,
            "registered_name": None,
        }
        members["config.json"] = json.dumps(config)
        with zipfile.ZipFile(path, "w") as archive:
            for name, contents in members.items():
                archive.writestr(name, contents)
        self.check("Can't load '.*TFSMLayer.*disallowed", clips, model=path)

        path = tmp_path / "net.h5"
        network.save(path)
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file["kernel"] = np.ones((3, 16, 5), np.float32)
        with h5py.File(path, "a") as file:
            kernel = "model_weights/conv/tiny/conv/kernel"
            del file[kernel]
            file[kernel] = h5py.ExternalLink(tmp_path / "other.h5", "/kernel")
        self.check("Can't load '.*ExternalLink", clips, model=path)

    @pytest.mark.parametrize(
        "place", ["{0}/secret", "../secret", "near", "link", "/dev/zero"]
    )
    def test_onnx_weights_in_other_files(self, place, tmp_path, clips):
        folder = tmp_path / "networks"
        folder.mkdir()
        weights = write_onnx(folder / "net.onnx", ["n", 20, 16]).tobytes()
        for name in ("secret", "networks/near"):
            (tmp_path / name).write_bytes(weights)
        (folder / "link").symlink_to(tmp_path / "secret")
        graph = onnx.load(folder / "net.onnx")
        (tensor,) = graph.graph.initializer
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=place.format(tmp_path))
        tensor.external_data.add(key="length", value=str(len(weights)))
        (folder / "net.onnx").write_bytes(graph.SerializeToString())
        self.check("Can't load '.*net.onnx'", clips, model=folder / "net.onnx")

    def test_onnx(self, tmp_path, clips, monkeypatch):
        path = tmp_path / "net.onnx"
        write_onnx(path, ["n", 20, 16], outputs=("a", "b"))
        self.check("2 outputs. Choose one by `layer`: a, b", clips, model=path)
        self.check("no output 'c'. Its outputs are a, b", clips, model=path, layer="c")
        assert KerasEmbedding(path, layer="b", **MEL).fit_transform(clips).shape == (
            3,
            2,
        )
        write_onnx(tmp_path / "other.onnx", ["n", 20, 16])
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        self.check(
            r"pip install \"skgenre\[onnx\]\"",
            clips,
            ImportError,
            model=tmp_path / "other.onnx",
        )

    def test_preprocessing(self, network, clips):
        self.check(
            "preprocessing='resnet' is for input='image'",
            clips,
            model=network,
            preprocessing="resnet",
        )
        self.check(
            r"a module of keras.applications \(convnext, .*got 'imagenet_utils'",
            clips,
            model=mean_input((20, 16, 3)),
            input="image",
            preprocessing="imagenet_utils",
        )

    @pytest.mark.parametrize(
        "parameters",
        [
            {"input": "mfcc"},
            {"layer": 3},
            {"scaling": "log"},
            {"window": 0},
            {"hop": 0},
            {"batch_size": 0},
            {"duration": 0},
            {"n_mels": 0},
        ],
    )
    def test_parameters(self, parameters, network, clips):
        (name,) = parameters
        self.check(f"The '{name}' parameter", clips, model=network, **parameters)

    @pytest.mark.parametrize("as_path", [False, True])
    def test_save(self, as_path, network, tmp_path):
        model = make_pipeline(
            KerasEmbedding(str(tmp_path / "net.keras") if as_path else network),
            StandardScaler(),
        )
        with pytest.raises(TypeError, match="KerasEmbedding.* Save the steps after it"):
            save(model, tmp_path / "it.model")
