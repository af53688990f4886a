"""Public names that are loaded when they are first used."""

import os
import pkgutil
import tempfile
from collections.abc import Callable
from typing import Any

import lazy_loader


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package, by its stub.

    Parameters
    ----------
    package, file : str
        `__name__` and `__file__` of the package, which may lie in a ZIP file.
    """
    if os.path.exists(f"{file}i"):
        return lazy_loader.attach_stub(package, file)
    # lazy_loader opens files only.
    stub = pkgutil.get_data(package, "__init__.pyi")
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "__init__.pyi")
        with open(copy, "wb") as target:
            target.write(stub or b"")
        return lazy_loader.attach_stub(package, copy)
