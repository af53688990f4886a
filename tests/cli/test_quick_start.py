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
        # scikit-learn imports pandas, and scipy.stats, whose code does not run.
        "slow |= {'scipy.stats._stats_py', 'scipy.signal', 'requests', 'pooch'}\n"
        "slow |= {'dask'}\n"
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
import sys
from skgenre.cli._quick_start import defer_scipy_stats
defer_scipy_stats()
import sklearn.pipeline
assert 'scipy.stats._stats_py' not in sys.modules
from sklearn.preprocessing import PowerTransformer
assert abs(PowerTransformer().fit_transform([[1.0], [2], [4]])).max() < 2
assert 'scipy.stats._stats_py' in sys.modules
from sklearn.impute import SimpleImputer
assert SimpleImputer(strategy='most_frequent').fit([[1], [1], [2]]).statistics_ == [1]
import scipy.stats
assert scipy.stats.mode([1, 1, 2]).mode == 1
assert type(scipy.stats) is type(sys)
assert not hasattr(scipy.stats, 'no_such_name')
"""
    run(code)


@pytest.mark.parametrize(
    "use",
    [
        "from scipy.stats import norm; norm.cdf(0)",
        "import scipy; scipy.stats.norm.cdf(0)",
        "from scipy import stats; stats.norm.cdf(0)",
        "from scipy.stats.distributions import norm; import scipy; "
        "assert norm is scipy.stats.norm",
        "from scipy.stats import no_such_name",
    ],
)
def test_every_way_to_import(use):
    code = f"""
from skgenre.cli._quick_start import defer_scipy_stats
defer_scipy_stats()
import sklearn
try:
    {use}
except ImportError as error:
    assert 'no_such_name' in str(error) and 'no_such_name' in {use!r}
else:
    assert 'no_such_name' not in {use!r}
"""
    run(code)


def test_threads_use_it_at_once():
    code = """
import sys, threading
from skgenre.cli._quick_start import defer_scipy_stats
sys.setswitchinterval(1e-5)
defer_scipy_stats()
import scipy.stats
barrier, found = threading.Barrier(4), []
def use():
    barrier.wait()
    found.append(scipy.stats.norm.cdf(0))
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert found == [0.5] * 4
"""
    run(code)


def test_what_is_imported_already_stays():
    code = """
import sys, scipy.stats
before = scipy.stats
from skgenre.cli._quick_start import defer_scipy_stats
defer_scipy_stats()
assert sys.modules['scipy.stats'] is before
"""
    run(code)
