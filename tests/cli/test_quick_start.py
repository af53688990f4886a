"""What a command imports before it answers, in processes of their own."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
from sklearn.pipeline import make_pipeline

import skgenre


def run(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Paths of a network's model file and of clips."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    for i in range(70):  # more than are read at a time
        soundfile.write(folder / f"{i}.wav", rng.normal(0, 0.1, 8000), 16000)
    paths = [str(folder / f"{i}.wav") for i in range(70)]
    mel = skgenre.MelSpectrogramTransformer(n_frames=16, n_mels=8)
    crnn = skgenre.CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)
    model = make_pipeline(mel, crnn).fit(paths, ["folk", "rock"] * 35)
    skgenre.save(model, folder / "it.model")
    return folder / "it.model", paths, model


def test_predict_imports_nothing_slow(trained):
    pytest.importorskip("onnxruntime")
    model, paths, _ = trained
    code = (
        "import sys; sys.argv = sys.argv[1:]\n"
        "from skgenre.cli import app\n"
        "try: app()\n"
        "except SystemExit as end: assert not end.code\n"
        "slow = {'tensorflow', 'keras', 'librosa', 'numba', 'matplotlib', 'skops'}\n"
        "slow |= {'scipy.stats', 'scipy.signal', 'requests', 'pooch', 'dask'}\n"
        "print(slow & set(sys.modules))\n"
    )
    result = run(code, "skgenre", "predict", model, paths[0])
    assert "folk" in result or "rock" in result
    assert result.endswith("set()\n")


def test_many_files_in_order(trained):
    model, paths, fitted = trained
    code = "from skgenre.cli import app; app()"
    result = run(code, "predict", model, *paths, "--format", "csv")
    told = [line.split(",")[:2] for line in result.splitlines()[1:]]
    expected = zip(paths, fitted.predict(paths), strict=True)
    assert told == sorted([path, genre] for path, genre in expected)


def test_what_is_deferred_is_there_when_it_is_needed():
    code = """
from skgenre.cli._quick_start import import_scikit_learn
import_scikit_learn()
import sys
assert 'sklearn.pipeline' in sys.modules and 'scipy.stats' not in sys.modules
from sklearn.preprocessing import PowerTransformer, StandardScaler
assert abs(PowerTransformer().fit_transform([[1.0], [2], [4]])).max() < 2
from sklearn.impute import SimpleImputer
assert SimpleImputer(strategy='most_frequent').fit([[1], [1], [2]]).statistics_ == [1]
import pandas, scipy.stats
assert scipy.stats.mode([1, 1, 2]).mode == 1
scaler = StandardScaler().set_output(transform='pandas')
assert list(scaler.fit_transform(pandas.DataFrame({'a': [1.0, 2]}))) == ['a']
import_scikit_learn()  # nothing is left to do
assert sys.modules['pandas'] is pandas
"""
    run(code)


def test_what_is_imported_already_stays():
    code = """
import sys, scipy.stats
from skgenre.cli._quick_start import import_scikit_learn
import_scikit_learn()
assert sys.modules['scipy.stats'] is scipy.stats
"""
    run(code)
