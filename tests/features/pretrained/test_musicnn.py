import pickle
import subprocess
import sys

import keras
import librosa
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from published_weights import HAS_WEIGHTS, needs_weights
from scipy.signal import correlate
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre.audio import AudioError, load_audio
from skgenre.features import MusicnnEmbedding
from skgenre.features._pretrained._musicnn import _log_mel
from skgenre.features._pretrained._musicnn_weights import (
    musicnn_variables,
    weights_folder,
)
from skgenre.runtime import _musicnn
from skgenre.runtime._session import is_installed, open_session


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Sound files of 1, 4 and 7 seconds."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    result = []
    for seconds in (1, 4, 7):
        t = np.arange(44100 * seconds) / 44100
        tone = 0.5 * np.sin(2 * np.pi * 220 * t) * np.exp(-(t % 0.5))
        result.append(folder / f"{seconds}.flac")
        soundfile.write(result[-1], tone + 0.01 * rng.normal(size=len(t)), 44100)
    return result


def musicnn_in_numpy(patch, weights):
    """Compute the network's layers by sums of products, without Keras."""
    import tensorflow as tf

    folder = weights_folder(weights)
    read = tf.compat.v1.train.NewCheckpointReader(f"{folder}/").get_tensor

    def norm(x, number):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        gamma, beta, mean, variance = (
            read(f"{name}/{part}").astype(float)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def convolved(x, number):
        """Correlate (frames, bands) with every kernel, add biases, cut off below 0."""
        name = f"conv2d_{number}" if number else "conv2d"
        kernel, bias = read(f"{name}/kernel")[:, :, 0], read(f"{name}/bias")
        maps = [
            correlate(x, kernel[..., i].astype(float), mode="valid")
            for i in range(kernel.shape[-1])
        ]
        return np.maximum(np.stack(maps, axis=-1) + bias, 0)

    x = norm(patch.astype(float)[..., None], 0)[..., 0]
    around = np.pad(x, ((3, 3), (0, 0)))
    found = [norm(convolved(around, i), i + 1).max(axis=1) for i in (0, 1)]
    for i, length in ((2, 128), (3, 64), (4, 32)):
        padded = np.pad(x, (((length - 1) // 2, length // 2), (0, 0)))
        found.append(norm(convolved(padded, i), i + 1).max(axis=1))
    levels = [np.concatenate(found, axis=1)]
    for i in (5, 6, 7):
        y = norm(convolved(np.pad(levels[-1], ((3, 3), (0, 0))), i)[:, 0], i + 1)
        levels.append(y if i == 5 else y + levels[-1])
    x = np.concatenate(levels, axis=1)
    pooled = np.stack([x.max(axis=0), x.mean(axis=0)], axis=1).ravel()
    dense = norm(pooled, 9) @ read("dense/kernel") + read("dense/bias")
    penultimate = norm(np.maximum(dense, 0), 10)
    logits = penultimate @ read("dense_1/kernel") + read("dense_1/bias")
    tags = 1 / (1 + np.exp(-logits))
    std = levels[-1].std(axis=0)
    changes = std > 1e-9  # some features never react
    r = np.where(np.outer(changes, changes), np.corrcoef(levels[-1].T), 0)
    last = [levels[-1].mean(axis=0), std, r[np.triu_indices(64, k=1)]]
    return {
        "correlations": np.concatenate(last),
        "pooled": pooled,
        "penultimate": penultimate,
        "tags": tags,
    }


@needs_weights
@pytest.mark.parametrize("weights", ["msd", "mtt"])
def test_rebuilt_network_equals_sums_of_products(weights, paths):
    (patch,) = _log_mel(paths[1], None, "middle")
    expected = musicnn_in_numpy(patch, weights)
    for output, values in expected.items():
        step = MusicnnEmbedding(weights=weights, output=output, duration=None)
        for step._runtime in ("keras", "auto"):
            (row,) = step.transform(paths[1:2])
            assert_allclose(row, values, rtol=1e-3, atol=2e-4 * np.abs(values).max())


def test_patches_are_those_of_librosa(paths):
    patches = _log_mel(paths[2], None, "middle")
    assert patches.shape == (2, 187, 96)
    power = librosa.feature.melspectrogram(
        y=load_audio(paths[2], 16000), sr=16000, n_fft=512, hop_length=256, n_mels=96
    ).T
    expected = np.log10(10000 * power + 1)
    assert_allclose(patches.reshape(-1, 96), expected[: 2 * 187], atol=1e-3)


def test_excerpt_and_padding(paths):
    assert len(_log_mel(paths[2], 3.2, "start")) == 1
    waveform = load_audio(paths[2], 16000)
    middle = _log_mel(paths[2], 4.0, "middle")
    expected = _log_mel(waveform[24000:88000], None, "middle")
    assert_allclose(middle, expected, atol=1e-4)
    (short,) = _log_mel(paths[0], None, "middle")
    assert short[:60].any() and not short[63:].any()
    assert not _log_mel(np.zeros(1, np.float32), None, "middle").any()


@needs_weights
@pytest.mark.parametrize("weights", ["msd", "mtt"])
def test_without_silent_filters_outputs_are_the_same(weights, paths, monkeypatch):
    pytest.importorskip("onnxruntime")
    variables = musicnn_variables(weights)
    patches = _log_mel(paths[2], None, "middle")
    outputs = []
    for silent in (_musicnn._SILENT, -1):
        monkeypatch.setattr(_musicnn, "_SILENT", silent)
        graph = _musicnn.musicnn_graph(variables)
        session = open_session(graph.SerializeToString())
        found = session.run(None, {"patches": patches})
        outputs.append(
            dict(zip((o.name for o in session.get_outputs()), found, strict=True))
        )
    heard, of_all = outputs
    assert_allclose(heard["pooled"], of_all["pooled"], atol=1e-3)
    assert_allclose(heard["tags"], of_all["tags"], atol=1e-5)


@needs_weights
@pytest.mark.slow
def test_settings_of_keras_change_nothing(paths):
    from skgenre.features._pretrained._musicnn_network import _load

    config, step = keras.config, MusicnnEmbedding()
    step._runtime = "keras"

    def embeddings():
        _load.cache_clear()  # to have the network built anew
        return step.transform(paths[:1])

    expected = embeddings()
    config.set_image_data_format("channels_first")
    config.set_dtype_policy("mixed_float16")
    config.set_floatx("float64")
    try:
        assert_array_equal(embeddings(), expected)
    finally:
        config.set_image_data_format("channels_last")
        config.set_dtype_policy("float32")
        config.set_floatx("float32")


@needs_weights
def test_tags_make_sense_of_real_music(music_tracks):
    paths = [path for path, genre, _ in music_tracks if genre == "classical"][:6]
    for weights in ("msd", "mtt"):
        step = MusicnnEmbedding(weights=weights, output="tags", duration=10)
        tags = dict(
            zip(
                step.fit(paths).get_feature_names_out(),
                step.transform(paths).mean(axis=0),
                strict=True,
            )
        )
        calm = tags["instrumental"] if weights == "msd" else tags["classical"]
        assert calm > 5 * tags["metal"]


@needs_weights
def test_in_a_pipeline(paths):
    X, y = [*paths] * 4, ["a", "b", "b"] * 4
    model = make_pipeline(MusicnnEmbedding(), StandardScaler(), LogisticRegression())
    assert model.fit(X, y).score(X, y) == 1
    twin = pickle.loads(pickle.dumps(model))
    assert_array_equal(twin.predict_proba(X), model.predict_proba(X))


@needs_weights
def test_an_embedding_does_not_depend_on_the_other_clips(paths):
    together = MusicnnEmbedding(n_jobs=2).transform(paths)
    for path, row in zip(paths, together, strict=True):
        assert_array_equal(MusicnnEmbedding().transform([path])[0], row)


@needs_weights
def test_waveforms_of_any_loudness_are_finite():
    loud = 1e18 * np.random.default_rng(0).normal(size=(1, 60000))
    assert np.isfinite(MusicnnEmbedding().transform(loud)).all()


@needs_weights
@pytest.mark.parametrize(
    ("output", "size"),
    [("penultimate", 200), ("pooled", 1506), ("tags", 50), ("correlations", 2144)],
)
def test_shapes_and_names(output, size, paths):
    step = MusicnnEmbedding(output=output).set_output(transform="pandas")
    frame = step.fit_transform(paths)
    assert frame.shape == (3, size)
    assert len(set(frame.columns)) == size
    assert (frame.columns[0] == "rock") == (output == "tags")


@needs_weights
def test_several_views_are_side_by_side(paths):
    pairs = [("mtt", "tags"), ("msd", "penultimate"), ("mtt", "correlations")]
    weights, output = map(list, zip(*pairs, strict=True))
    frame = (
        MusicnnEmbedding(weights=weights, output=output)
        .set_output(transform="pandas")
        .fit_transform(paths)
    )
    single = [
        MusicnnEmbedding(weights=one, output=other).transform(paths)
        for one, other in pairs
    ]
    assert_array_equal(frame, np.hstack(single))
    assert list(frame.columns[[0, 50, -1]]) == [
        "mtt_tags_guitar",
        "msd_penultimate_0",
        "mtt_correlations_2143",
    ]
    both = MusicnnEmbedding(weights=("msd", "mtt"), output="tags")
    assert len(set(both.get_feature_names_out())) == 100


@pytest.mark.slow
def test_its_code_and_tensorflow_are_not_imported():
    code = (
        "import sys; from skgenre import MusicnnEmbedding; "
        "step = MusicnnEmbedding().fit([[0.0] * 9]); "
        "assert 'tensorflow' not in sys.modules; "
    )
    if HAS_WEIGHTS:
        code += "step.transform([[0.0] * 9]); assert 'musicnn' not in sys.modules; "
        code += f"assert ('tensorflow' in sys.modules) is {not is_installed()}"
    subprocess.run([sys.executable, "-c", code], check=True)


class TestRefusals:
    def test_no_weights(self, no_weights):
        with pytest.raises(ImportError, match="pip install --no-deps musicnn==0.1.0"):
            weights_folder("msd")

    @needs_weights
    def test_broken_file(self, tmp_path, paths):
        (tmp_path / "broken.mp3").write_text("no music")
        with pytest.raises(AudioError, match="broken.mp3"):
            MusicnnEmbedding().transform([*paths, tmp_path / "broken.mp3"])

    def test_views(self, paths):
        for weights, output in ((["msd"], ["tags"] * 2), (["msd"] * 3, ["tags"] * 2)):
            with pytest.raises(ValueError, match="as long as that of the other"):
                MusicnnEmbedding(weights=weights, output=output).fit(paths)
        with pytest.raises(ValueError, match="'weights' parameter must be"):
            MusicnnEmbedding(weights=[], output=[]).fit(paths)
        with pytest.raises(ValueError, match="name a pair twice"):
            MusicnnEmbedding(weights=("msd", "msd")).fit(paths)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"weights": "big"},
            {"weights": ["msd", "big"]},
            {"weights": []},
            {"output": "cnn1"},
            {"output": ("tags", 3)},
            {"duration": 0},
            {"excerpt": "end"},
        ],
    )
    def test_parameters(self, parameters, paths):
        (name,) = parameters
        for method in ("fit", "transform"):
            with pytest.raises(ValueError, match=f"The '{name}' parameter"):
                getattr(MusicnnEmbedding(**parameters), method)(paths)
