import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["audio", "clustering", "features", "inspection"])
def test_import_is_light(package):
    code = (
        f"import sys, skgenre.{package}; print([name for name in ('librosa', 'numba', "
        "'tensorflow', 'keras', 'matplotlib', 'av') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr
