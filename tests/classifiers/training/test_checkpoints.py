"""A training that was cut off is resumed, and ends as if it had not been."""

import io
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skgenre import (
    CRNNClassifier,
    KerasGenreClassifier,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SpectrogramFile,
)
from skgenre.classifiers._training import _checkpoints
from skgenre.classifiers._training._checkpoints import checkpoint_path
from skgenre.classifiers._training._data import ClipRows

FAST = {"epochs": 12, "learning_rate": 0.01, "random_state": 0, "batch_size": 16}
CRNN = CRNNClassifier(
    filters=(8,),
    lstm_units=8,
    embedding_units=8,
    plateau_patience=2,
    plateau_min_delta=0.05,
    **FAST,
)
PARALLEL = ParallelCNNRNNClassifier(
    filters=(8,),
    pool_sizes=((2, 2),),
    gru_units=8,
    time_mask=3,
    early_stopping_patience=8,
    **FAST,
)
SECOND_ORDER = SecondOrderClassifier(n_prototypes=16, crop_frames=15, **FAST)
each = pytest.mark.parametrize(
    "network",
    [
        pytest.param(CRNN, id="crnn"),
        pytest.param(PARALLEL, id="parallel"),
        pytest.param(SECOND_ORDER, id="second_order", marks=pytest.mark.slow),
    ],
)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y = np.array(["folk", "rock", "techno"])[np.arange(60) % 3]
    X = rng.normal(-60, 6, size=(60, 20, 6)) + 4 * (np.arange(60) % 3)[:, None, None]
    return X.astype(np.float32), y


@pytest.fixture(scope="module")
def whole(clips):
    """The CRNN, fitted in one go."""
    return clone(CRNN).fit(*clips)


def assert_same_fit(fitted, expected):
    assert fitted.history_ == expected.history_
    assert fitted.n_iter_ == expected.n_iter_
    for a, b in zip(fitted.weights_, expected.weights_, strict=True):
        np.testing.assert_array_equal(a, b)


class CutOff(Exception):
    """Stands for a power cut."""


@pytest.fixture
def cut_off(monkeypatch):
    """Return a function that has training end after so many epochs were kept."""
    write = _checkpoints.write_atomically
    monkeypatch.setattr(_checkpoints, "_SHARE", np.inf)  # each epoch is kept

    def end_after(n_epochs):
        written = []

        def write_and_end(*args):
            write(*args)
            written.append(args)
            if len(written) == n_epochs:
                raise CutOff

        monkeypatch.setattr(_checkpoints, "write_atomically", write_and_end)

    return end_after


def fit_cut_off(network, X, y):
    with pytest.raises(CutOff):
        network.fit(X, y)


@each
def test_resumes_as_if_nothing_had_happened(network, clips, tmp_path, cut_off):
    expected = clone(network).fit(*clips)
    assert expected.n_iter_ > 6
    network = clone(network).set_params(checkpoint_dir=tmp_path / "kept")
    for n_epochs in (3, 1, 2):  # three times, after epochs 3, 4 and 6
        cut_off(n_epochs)
        fit_cut_off(network, *clips)
        assert not hasattr(network, "weights_")
        assert len(list(tmp_path.rglob("*"))) == 2
    cut_off(0)
    assert_same_fit(network.fit(*clips), expected)
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]


def test_spectrograms_of_a_file(clips, whole, tmp_path, cut_off):
    X, y = clips
    np.save(tmp_path / "X.npy", X)
    file = SpectrogramFile(tmp_path / "X.npy")
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path / "kept")
    cut_off(2)
    fit_cut_off(network, file, y)
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.stat().st_size > 0
    cut_off(0)
    assert_same_fit(network.fit(file, y), whole)


def test_the_epochs_before_are_not_trained_again(clips, tmp_path, cut_off, capfd):
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path, verbose=2)
    cut_off(9)
    fit_cut_off(network, *clips)
    capfd.readouterr()
    cut_off(0)
    network.fit(*clips)
    lines = [line for line in capfd.readouterr().out.splitlines() if "Epoch" in line]
    assert lines == ["Epoch 10/12", "Epoch 11/12", "Epoch 12/12"]


def test_a_later_fit_of_a_warm_start_is_resumed_too(clips, tmp_path, cut_off):
    warm = clone(CRNN).set_params(warm_start=True, epochs=4)
    expected = clone(warm).fit(*clips).fit(*clips)
    network = clone(warm).set_params(checkpoint_dir=tmp_path).fit(*clips)
    cut_off(2)
    fit_cut_off(network, *clips)
    cut_off(0)
    assert_same_fit(network.fit(*clips), expected)


def changed_trainings(X, y):
    """Yield all that makes another training, by name."""
    rearranged, louder = X.copy(), X.copy()
    rearranged[[0, 3]] = X[[3, 0]]
    louder[7] += 1
    weights = np.ones(len(X))
    weights[5] = 2
    yield "data", {}, (louder, y)
    yield "order", {}, (rearranged, y)
    yield "precision of the data", {}, (X.astype(np.float64), y)
    yield "genres", {}, (X, np.roll(y, 1))
    yield "nothing held out", {"validation_fraction": 0}, (X, y)
    yield "genres alone", {"validation_fraction": 0}, (X, np.roll(y, 1))
    yield "weights", {}, (X, y, weights)
    yield "validation data", {"validation_data": (X[:30], y[:30])}, (X, y)
    yield "seed", {"random_state": 1}, (X, y)
    yield "epochs", {"epochs": 13}, (X, y)
    yield "network", {"lstm_units": 4}, (X, y)
    yield "plateau", {"plateau_patience": 3}, (X, y)
    yield "class weights", {"class_weight": {"rock": 2}}, (X, y)


def test_files_are_named_by_all_that_decides_the_result(clips, tmp_path):
    X, y = clips
    codes = np.unique(y, return_inverse=True)[1]
    clip_rows = ClipRows(X, codes, np.ones(60, np.float32), np.arange(50))
    facts = {"lstm_units": 8, "precision": "float32"}
    scaling = [np.zeros(6), np.ones(6)]

    def path(network="crnn", facts=facts, arrays=scaling, **changed):
        changed = clip_rows._replace(**changed)
        return checkpoint_path(tmp_path, network, facts, arrays, [changed, clip_rows])

    heavier, swapped, louder = np.ones(60, np.float32), codes.copy(), X.copy()
    heavier[7] = 2
    swapped[[0, 1]] = codes[[1, 0]]
    louder[7, 10, 0] += 1
    others = [
        path(network="parallel_cnn_rnn"),
        path(facts=facts | {"lstm_units": 9}),
        path(arrays=[np.zeros(6), np.full(6, 2.0)]),
        path(codes=swapped),
        path(weights=heavier),
        path(rows=np.arange(49)),
        path(rows=np.roll(np.arange(50), 1)),
        path(X=louder),
        path(X=X.astype(np.float64)),
    ]
    assert path() == path(X=X.copy(), facts=dict(reversed(facts.items())))
    assert len({path(), *others}) == 1 + len(others)
    beyond = codes.copy()
    beyond[55] += 1  # a clip that is not trained on
    assert path(codes=beyond) == path()


def test_a_training_on_other_labels_is_not_resumed(clips, tmp_path, cut_off):
    """All else is equal: nothing is held out, which the labels would decide, too."""
    X, y = clips
    other = np.roll(np.unique(y), 1)[np.searchsorted(np.unique(y), y)]
    network = clone(CRNN).set_params(validation_fraction=0, epochs=4)
    expected = clone(network).fit(X, other)
    network.set_params(checkpoint_dir=tmp_path)
    cut_off(2)
    fit_cut_off(network, X, y)
    cut_off(0)
    assert_same_fit(network.fit(X, other), expected)
    assert len(list(tmp_path.iterdir())) == 1  # that of the first


def own_network(activation, bias=0.0):
    """Return a function that builds a network, another one at each call."""

    def build(input_shape, n_classes):
        hidden = keras.layers.Dense(4, activation=activation)
        layers = [
            keras.Input(input_shape),
            keras.layers.GlobalAveragePooling1D(),
            hidden,
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
        model = keras.Sequential(layers, name="own")
        hidden.bias.assign(np.full(4, bias))
        return model

    return build


def own_model(activation):
    return own_network(activation)((20, 6), 3)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ((own_network, "relu"), (own_network, "tanh")),
        ((own_network, "relu"), (own_network, "relu", 1.0)),
        ((own_model, "relu"), (own_model, "tanh")),
    ],
    ids=["function", "weights", "model"],
)
def test_networks_of_the_user_are_known_by_what_they_are(
    first, other, clips, tmp_path, cut_off
):
    def network(make, *arguments, **parameters):
        parameters |= FAST | {"epochs": 2, "validation_fraction": 0}
        return KerasGenreClassifier(make(*arguments), **parameters)

    expected = network(*other).fit(*clips)
    cut_off(1)
    fit_cut_off(network(*first, checkpoint_dir=tmp_path), *clips)
    cut_off(0)
    assert_same_fit(network(*other, checkpoint_dir=tmp_path).fit(*clips), expected)
    assert len(list(tmp_path.iterdir())) == 1  # that of the first
    # Made anew, it has another address, as in another process.
    network(*first, checkpoint_dir=tmp_path).fit(*clips)
    assert not list(tmp_path.iterdir())


def doubled(input_shape, n_classes):
    layers = own_network("relu")(input_shape, n_classes).layers
    double = keras.layers.Lambda(lambda x: 2 * x)
    return keras.Sequential([keras.Input(input_shape), double, *layers])


def own_loss(y_true, y_pred):
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


@pytest.mark.parametrize(
    ("network", "loss", "match"),
    [
        (doubled, None, "checkpoint_dir can't be used with network=<function doubled"),
        (own_network("relu"), own_loss, "can't be used with loss=<function own_loss"),
    ],
    ids=["network", "loss"],
)
def test_code_that_cannot_be_compared_is_refused(network, loss, match, clips, tmp_path):
    model = KerasGenreClassifier(network, loss=loss, checkpoint_dir=tmp_path, **FAST)
    with pytest.raises(ValueError, match=match):
        model.fit(*clips)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_other_trainings_have_files_of_their_own(clips, tmp_path, cut_off):
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path)
    cut_off(1)
    fit_cut_off(network, *clips)
    (first,) = tmp_path.iterdir()
    contents = first.read_bytes()
    names = [first]
    for what, parameters, data in changed_trainings(*clips):
        parameters = dict(parameters)
        more = {"validation_data": parameters.pop("validation_data", None)}
        cut_off(1)
        with pytest.raises(CutOff):
            clone(network).set_params(**parameters).fit(*data, **more)
        (name,) = set(tmp_path.iterdir()) - set(names)
        assert name.name.startswith("crnn-"), what
        names.append(name)
    assert first.read_bytes() == contents
    cut_off(1)
    # Nor does what changes nothing make another.
    fit_cut_off(network.set_params(verbose=2), *clips)
    assert set(tmp_path.iterdir()) == set(names)


@pytest.mark.parametrize("damage", ["cut", "other", "pickle", "logs", "huge"])
def test_a_damaged_file_is_not_used(damage, clips, whole, tmp_path, cut_off):
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path)
    cut_off(2)
    fit_cut_off(network, *clips)
    (path,) = tmp_path.iterdir()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "other":
        np.save(open(path, "wb"), np.zeros(3))  # noqa: SIM115
    elif damage == "pickle":
        np.savez(path, logs=np.array([signal.raise_signal, 9], object))
    elif damage == "huge":
        header = io.BytesIO()
        facts = {"descr": "<U0", "fortran_order": False, "shape": (3, 10**9)}
        np.lib.format.write_array_header_1_0(header, facts)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("state99.npy", header.getvalue())
    else:
        np.savez(path, logs=np.frombuffer(b'{"loss": "no list"}', np.uint8))
    cut_off(0)
    with pytest.warns(UserWarning, match="can't be read and is not used"):
        network.fit(*clips)
    assert_same_fit(network, whole)
    assert not list(tmp_path.iterdir())


def test_what_a_link_leads_to_is_neither_written_nor_deleted(clips, tmp_path, cut_off):
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path / "kept", epochs=2)
    cut_off(1)
    fit_cut_off(network, *clips)
    (path,) = (tmp_path / "kept").iterdir()
    other = path.rename(tmp_path / "other.npz")
    contents = other.read_bytes()
    path.symlink_to(other)
    cut_off(0)
    with pytest.warns(UserWarning, match="It is a link"):
        network.fit(*clips)
    assert other.read_bytes() == contents
    assert not list((tmp_path / "kept").iterdir())


def test_a_full_disk_ends_no_training(clips, whole, tmp_path, cut_off):
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path)
    cut_off(3)
    fit_cut_off(network, *clips)
    (path,) = tmp_path.iterdir()
    kept = path.read_bytes()

    def remove_none(self):
        assert path.read_bytes() == kept
        assert list(tmp_path.iterdir()) == [path]

    resource = pytest.importorskip("resource")  # Windows has none
    cut_off(0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_checkpoints.Checkpoints, "remove", remove_none)
            with pytest.warns(UserWarning, match="is not kept") as warned:
                network.fit(*clips)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    ours = [str(each.message) for each in warned if each.category is UserWarning]
    assert [message[:7] for message in ours] == ["Epoch 4"]
    assert_same_fit(network, whole)


def test_short_epochs_are_not_all_kept(clips, whole, tmp_path, cut_off, monkeypatch):
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path)
    cut_off(2)
    monkeypatch.setattr(_checkpoints, "_SHARE", 1e-9)  # only the first
    assert_same_fit(network.fit(*clips), whole)


def test_a_training_that_diverged_keeps_nothing(clips, tmp_path):
    network = clone(CRNN).set_params(optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ValueError, match="Training diverged"):
        network.set_params(checkpoint_dir=tmp_path).fit(*clips)
    assert not list(tmp_path.iterdir())


def test_what_is_refused(clips, tmp_path):
    network = clone(CRNN).set_params(checkpoint_dir=tmp_path, random_state=None)
    with pytest.raises(ValueError, match="checkpoint_dir needs a random_state"):
        network.fit(*clips)
    (tmp_path / "file").touch()
    network.set_params(checkpoint_dir=str(tmp_path / "file"), random_state=0)
    with pytest.raises(FileExistsError, match="file"):
        network.fit(*clips)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_search_shares_a_folder(backend, clips, tmp_path):
    network = clone(CRNN).set_params(epochs=4)
    grid = {"learning_rate": [0.01, 0.02], "validation_fraction": [0.1, 0.1]}
    expected = GridSearchCV(network, grid, cv=2).fit(*clips)
    network.set_params(checkpoint_dir=tmp_path)
    with parallel_config(backend=backend, n_jobs=2):
        search = GridSearchCV(network, grid, cv=2, error_score="raise").fit(*clips)
    np.testing.assert_array_equal(
        *(s.cv_results_["mean_test_score"] for s in (search, expected))
    )
    assert_same_fit(search.best_estimator_, expected.best_estimator_)
    assert not list(tmp_path.iterdir())


FIT = """
import pickle, sys
network, X, y = pickle.load(sys.stdin.buffer)
import skgenre.classifiers._training._train
print("started", flush=True)
fitted = network.fit(X, y)
sys.stdout.buffer.write(pickle.dumps((fitted.weights_, fitted.history_)))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_at_random_moments(clips, tmp_path):
    """Kills as many times as SKGENRE_TEST_KILLS says (3)."""
    n_kills = int(os.environ.get("SKGENRE_TEST_KILLS", "3"))
    rng = np.random.default_rng(int(os.environ.get("SKGENRE_TEST_SEED", "0")))
    network = clone(CRNN).set_params(epochs=400)
    expected = clone(network).fit(*clips)
    network.set_params(checkpoint_dir=tmp_path)
    given = pickle.dumps((network, *clips))

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", FIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        process.stdin.write(given)
        process.stdin.close()
        assert process.stdout.readline() == b"started\n"
        return process

    n_kept = 0
    for _ in range(n_kills):
        process = start()
        n_before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
        if rng.random() < 0.5:  # in the midst of training, else anywhere
            while process.poll() is None and n_before == {
                path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")
            }:
                time.sleep(0.01)
        time.sleep(rng.uniform(0, 2))
        process.kill()
        process.wait()
        process.stdout.close()
        found = list(tmp_path.glob("*.npz"))
        assert len(found) <= 1
        for path in found:  # always whole
            with np.load(path) as kept:
                assert all(len(kept[name].shape) < 4 for name in kept)
                n_kept += 1
    assert n_kept > 0
    process = start()
    weights, history = pickle.load(process.stdout)
    process.wait()
    process.stdout.close()
    assert history == expected.history_
    for a, b in zip(weights, expected.weights_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not list(tmp_path.glob("*.npz"))
