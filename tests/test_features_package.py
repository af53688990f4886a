import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import skgenre.audio
import skgenre.features


@pytest.mark.parametrize(
    "name",
    [
        module.name
        for package in (skgenre.audio, skgenre.features)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ],
)
def test_examples_in_docstrings(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


@pytest.mark.parametrize("package", ["skgenre.audio", "skgenre.features"])
def test_import_is_light(package):
    code = (
        f"import sys, {package}; print([name for name in ('librosa', 'tensorflow', "
        "'keras', 'matplotlib', 'numba', 'av') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr
