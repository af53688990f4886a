"""What all audio steps share: their cache, in which nothing is computed twice."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal
from published_weights import needs_weights
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgenre import CRNNClassifier
from skgenre.audio import AudioError
from skgenre.features import (
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Six sound files of some lengths; two of the same size and date."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    result = []
    for i, seconds in enumerate([1, 1, 3.5, 0.4, 2, 2.5]):
        result.append(str(folder / f"{i}.wav"))
        noise = 0.1 * rng.normal(size=int(22050 * seconds))
        soundfile.write(result[-1], noise, 22050)
        os.utime(result[-1], (1, 1))
    return result


@pytest.fixture(scope="module")
def network_file(tmp_path_factory):
    import keras

    path = tmp_path_factory.mktemp("network") / "tiny.keras"
    keras.utils.set_random_seed(0)
    keras.Sequential(
        [keras.Input((20, 16)), keras.layers.Flatten(), keras.layers.Dense(3)]
    ).save(path)
    return path


@pytest.fixture
def decoded(monkeypatch):
    """List of the files that are opened to be decoded."""
    opened = []
    init = soundfile.SoundFile.__init__

    def counting_init(self, *args, **kwargs):
        opened.append(args)
        init(self, *args, **kwargs)

    monkeypatch.setattr(soundfile.SoundFile, "__init__", counting_init)
    return opened


STEPS = {
    "mel": lambda file: MelSpectrogramTransformer(n_frames=40, n_mels=16),
    "whole": lambda file: MelSpectrogramTransformer(n_frames=None, n_mels=16),
    "mfcc": lambda file: MFCCStandardizer(n_mfcc=5, n_mels=16),
    "musicnn": lambda file: MusicnnEmbedding(),
    "keras": lambda file: KerasEmbedding(str(file), n_mels=16, hop=5),
    "waveform": lambda file: KerasEmbedding(str(file), n_mels=16, window=20),
}


@pytest.fixture(params=["mel", "whole", "mfcc", "keras"])
def step(request, network_file):
    return STEPS[request.param](network_file)


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert_array_equal(a, b)


def test_hits_are_the_same_and_decode_nothing(step, paths, decoded, tmp_path):
    expected = clone(step).fit(paths).transform(paths)
    decoded.clear()
    step.set_params(cache_dir=tmp_path / "cache").fit(paths)
    assert_same(step.transform(paths), expected)
    assert len(decoded) == len(paths)
    assert_same(step.transform(paths[::-1]), expected[::-1])
    assert_same(clone(step).fit(paths).transform(paths), expected)
    assert len(decoded) == len(paths)
    # How is of no influence, and any backend finds what was kept.
    step.set_params(n_jobs=2, verbose=1)
    for backend in ("threading", "loky"):
        with joblib.parallel_config(backend=backend):
            assert_same(step.transform(paths), expected)
    assert len(decoded) == len(paths)


@needs_weights
def test_embeddings_of_musicnn(paths, decoded, tmp_path):
    step = MusicnnEmbedding(weights="mtt", output=["tags", "correlations"])
    expected = step.transform(paths[:3])
    decoded.clear()
    step.set_params(cache_dir=str(tmp_path), output=("tags", "correlations"))
    for weights in ("mtt", ["mtt", "mtt"]):
        step.set_params(weights=weights)
        assert_same(step.transform(paths[:3]), expected)
    assert len(decoded) == 3
    step.set_params(output="tags", weights="mtt")
    assert_same(step.transform(paths[:3]), expected[:, :50])
    assert len(decoded) == 3, "all outputs of a clip are kept together"


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_workers_make_and_find(paths, backend, tmp_path):
    step = MelSpectrogramTransformer(n_frames=40, n_jobs=2)
    expected = step.transform(paths)
    step.set_params(cache_dir=tmp_path)
    for _ in range(2):
        with joblib.parallel_config(backend=backend):
            assert_array_equal(step.transform(paths), expected)
    assert len(list(tmp_path.rglob("*.npy"))) == len(paths)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mel", {"n_frames": 41}),
        ("mel", {"n_frames": None}),
        ("mel", {"excerpt": "start"}),
        ("mel", {"top_db": 70.0}),
        ("mel", {"n_mels": 17}),
        ("mel", {"fmax": 8000.0}),
        ("mfcc", {"statistics": "correlations"}),
        ("mfcc", {"duration": 1.0}),
        ("keras", {"scaling": "db"}),
        ("keras", {"hop": 6}),
        ("keras", {"duration": 2.0}),
    ],
)
def test_other_parameters_are_other_results(
    name, parameters, paths, decoded, tmp_path, network_file
):
    step = STEPS[name](network_file).set_params(cache_dir=tmp_path).fit(paths)
    step.transform(paths)
    step.set_params(**parameters)
    decoded.clear()
    actual = step.fit(paths).transform(paths)
    assert len(decoded) == len(paths)
    assert_same(actual, step.set_params(cache_dir=None).transform(paths))


def test_another_network_in_the_same_file(paths, decoded, tmp_path):
    import keras

    path = tmp_path / "network.keras"
    step = KerasEmbedding(path, n_mels=16, cache_dir=tmp_path / "cache")
    results = []
    for units in (2, 2, 3):
        keras.Sequential(
            [keras.Input((20, 16)), keras.layers.Flatten(), keras.layers.Dense(units)]
        ).save(path)
        results.append(step.transform(paths))
        assert_array_equal(step.transform(paths), results[-1])
    assert not np.array_equal(results[0], results[1])
    assert results[2].shape == (len(paths), 3)
    assert len(decoded) == 3 * len(paths)


def test_a_live_network_is_not_kept(paths, network_file, tmp_path):
    import keras

    network = keras.saving.load_model(network_file)
    step = KerasEmbedding(network, n_mels=16, cache_dir=tmp_path / "cache")
    for method in (step.fit, step.transform):
        with pytest.raises(ValueError, match="cache_dir needs a network that is in a"):
            method(paths)
    assert not (tmp_path / "cache").exists()


@pytest.mark.slow
@needs_weights
def test_hits_load_no_tensorflow(paths, network_file, tmp_path):
    MusicnnEmbedding(cache_dir=tmp_path).transform(paths)
    STEPS["keras"](network_file).set_params(cache_dir=tmp_path).transform(paths)
    code = (
        "import sys\n"
        "from skgenre import KerasEmbedding, MusicnnEmbedding\n"
        "cache, network, *paths = sys.argv[1:]\n"
        "MusicnnEmbedding(cache_dir=cache).fit(paths).transform(paths)\n"
        "step = KerasEmbedding(network, n_mels=16, hop=5, cache_dir=cache)\n"
        "assert step.transform(paths).shape == (len(paths), 3)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code, tmp_path, network_file, *paths]
    subprocess.run(command, check=True)


def test_waveforms_are_looked_up(tmp_path, decoded):
    waves = np.random.default_rng(0).normal(size=(3, 30000))
    step = MelSpectrogramTransformer(n_frames=20, cache_dir=tmp_path)
    expected = step.transform(waves)
    kept = set(tmp_path.rglob("*.npy"))
    assert len(kept) == 3
    assert_array_equal(step.transform(list(waves)), expected)
    assert set(tmp_path.rglob("*.npy")) == kept
    # At another rate the same numbers are other sounds.
    step.set_params(sample_rate=44100).transform(waves)
    assert len(list(tmp_path.rglob("*.npy"))) == 6


def test_files_that_can_not_be_read_are_tried_again(paths, decoded, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("no music")
    step = MelSpectrogramTransformer(n_frames=40, cache_dir=tmp_path / "cache")
    for _ in range(2):
        with pytest.raises(AudioError, match=r"bad\.wav"):
            step.transform([*paths, bad])
    # What came before the error is not lost.
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == len(paths)
    assert len(decoded) == len(paths) + 2


def test_damaged_entries_are_made_anew(paths, decoded, tmp_path):
    step = MelSpectrogramTransformer(n_frames=40, cache_dir=tmp_path)
    expected = step.transform(paths)
    kept = sorted(tmp_path.rglob("*.npy"))
    kept[0].write_bytes(kept[0].read_bytes()[:-500])
    kept[1].write_bytes(b"")
    kept[2].write_bytes(kept[3].read_bytes())
    decoded.clear()
    assert_array_equal(step.transform(paths), expected)
    assert len(decoded) == 3
    assert_array_equal(step.transform(paths), expected)
    assert len(decoded) == 3


@pytest.mark.parametrize("name", ["mel", "mfcc"])
@pytest.mark.parametrize("entry", [np.zeros((3, 2)), np.zeros(3, int)])
def test_entries_of_another_shape_or_type_are_computed_again(name, entry, tmp_path):
    clip = np.random.default_rng(0).normal(size=30000)
    step = STEPS[name](None).set_params(cache_dir=tmp_path).fit([clip])
    expected = clone(step).set_params(cache_dir=None).fit_transform([clip])
    dtype = expected.dtype if entry.dtype == float else entry.dtype
    cache = step._clip_cache((None,) * entry.ndim, dtype)
    for path in tmp_path.rglob("*.npy"):
        path.unlink()
    looked_up = cache.look_up(lambda clip: entry.astype(dtype))(clip)
    cache.keep(looked_up, lambda result: result)
    assert len(list(tmp_path.rglob("*.npy"))) == 1
    assert_array_equal(step.transform([clip]), expected)


def test_nothing_is_lost_when_the_folder_is_full(paths, tmp_path):
    """A limit of the kernel's on the size of files stands for a full disk."""
    code = (
        "import resource, sys, numpy as np\n"
        "from skgenre.features import MelSpectrogramTransformer\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "cache, *paths = sys.argv[1:]\n"
        "step = MelSpectrogramTransformer(cache_dir=cache)\n"
        "X = step.transform(paths)\n"
        "assert np.array_equal(X, step.set_params(cache_dir=None).transform(paths))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path, *paths],
        check=True,
        capture_output=True,
        text=True,
    )
    assert result.stderr.count("Results can't be kept in the cache") == 1


def test_refused_folders(paths, tmp_path):
    (tmp_path / "file").write_text("mine")
    step = MelSpectrogramTransformer(cache_dir=tmp_path / "file")
    step.fit(paths)
    with pytest.raises(OSError, match="none can be made"):
        step.transform(paths)
    with pytest.raises(ValueError, match="'cache_dir' parameter"):
        MelSpectrogramTransformer(cache_dir=5).fit(paths)


@pytest.mark.slow
def test_grid_searches_compute_each_spectrogram_once(paths, decoded, tmp_path):
    model = make_pipeline(
        MelSpectrogramTransformer(n_frames=20, n_mels=16, cache_dir=tmp_path),
        CRNNClassifier(epochs=1, random_state=0),
    )
    grid = {"crnnclassifier__epochs": [1, 2]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise")
    search.fit(paths, ["a", "b"] * 3)
    assert len(decoded) == len(paths)


def test_two_at_a_time_share_a_folder(paths, tmp_path):
    expected = MelSpectrogramTransformer(n_frames=40).transform(paths)

    def transform(order):
        step = MelSpectrogramTransformer(n_frames=40, cache_dir=tmp_path)
        return step.transform(paths[::order])[::order]

    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(transform, [1, -1, 1, -1]):
            assert_array_equal(result, expected)
    assert len(list(tmp_path.rglob("*.npy"))) == len(paths)
    assert not list(tmp_path.rglob(".skgenre-*"))


@pytest.mark.slow
def test_a_killed_run_resumes_where_it_was(tmp_path, decoded):
    """Two processes share the folder, too: one is killed, the other finishes."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(40):
        paths.append(str(tmp_path / f"{i:02}.wav"))
        noise = 0.1 * rng.normal(size=44100 * 20)
        soundfile.write(paths[-1], noise.astype(np.float32), 44100)
    cache = tmp_path / "cache"
    code = (
        "import sys\n"
        "from skgenre.features import MelSpectrogramTransformer\n"
        "cache, *paths = sys.argv[1:]\n"
        "MelSpectrogramTransformer(cache_dir=cache, n_jobs=2).transform(paths)\n"
        "print('finished')\n"
    )
    command = [sys.executable, "-c", code, cache, *paths]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(list(cache.rglob("*.npy"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.communicate()[0] == b""
    assert process.returncode == -signal.SIGKILL
    n_kept = len(list(cache.rglob("*.npy")))
    assert 5 <= n_kept < len(paths)

    other = subprocess.Popen(command, stdout=subprocess.PIPE)
    decoded.clear()
    step = MelSpectrogramTransformer(cache_dir=cache)
    resumed = step.transform(paths)
    assert len(decoded) <= len(paths) - n_kept
    assert other.communicate()[0] == b"finished\n"
    decoded.clear()
    assert_array_equal(step.transform(paths), resumed)
    assert not decoded
    step.set_params(cache_dir=None)
    assert_array_equal(step.transform(paths), resumed)
