import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["skgenre.audio", "skgenre.features"])
def test_import_is_light(package):
    code = (
        f"import sys, {package}; print([name for name in ('librosa', 'tensorflow', "
        "'keras', 'matplotlib', 'numba', 'av') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr
