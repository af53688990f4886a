import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.mark.parametrize("package", ["audio", "clustering", "features", "inspection"])
def test_import_is_light(package):
    code = (
        f"import sys, skgenre.{package}; print([name for name in ('librosa', 'numba', "
        "'tensorflow', 'keras', 'matplotlib', 'av') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_import_from_a_zip_file(tmp_path):
    import skgenre

    package = Path(skgenre.__file__).parent
    archive = tmp_path / "it.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in [*package.rglob("*.py"), *package.rglob("*.pyi")]:
            file.write(path, path.relative_to(package.parent))
    code = (
        f"import sys; sys.path.insert(0, {str(archive)!r}); import skgenre; "
        "print(skgenre.__file__, skgenre.CRNNClassifier, skgenre.audio.load_audio)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "it.zip" in run.stdout and "load_audio" in run.stdout, run.stderr


def test_without_a_console(tmp_path):
    """As pythonw runs programs: there is no standard output, and no standard error."""
    code = """
import sys, warnings
sys.stdout = sys.stderr = None
import numpy as np, skgenre
waves = [np.random.default_rng(i).normal(size=22050) / 9 for i in range(4)]
step = skgenre.MelSpectrogramTransformer(n_frames=20, n_mels=8, verbose=True)
X, y = step.transform(waves), ["folk", "rock"] * 2
network = skgenre.CRNNClassifier(filters=(2,), lstm_units=2, epochs=1, verbose=1)
network.fit(X, y).predict(X)
warnings.warn("nobody reads this")
open("done", "w").close()
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert (tmp_path / "done").exists() and run.stdout == ""
