"""scikit-learn in half of the time, for a command that one waits for."""

import importlib
import sys
from types import ModuleType
from typing import Any

# Up to version 1.9, scikit-learn imports these with itself, and asks neither before it
# computes a statistic, or meets a data frame: see its pull request 34265.
_DEFERRED = ("scipy.stats", "pandas")


class _Later(ModuleType):
    """What stands for a module until somebody asks it for something."""

    def __getattr__(self, name: str) -> Any:
        _forget(self)
        return getattr(importlib.import_module(self.__name__), name)


def _forget(module: _Later) -> None:
    """Let others import what it stands for; those who have it can ask it as well."""
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]


def import_scikit_learn() -> None:
    """Import scikit-learn's pipelines, and what they need later only then.

    Does nothing more than an import where scikit-learn, or one of the others, is there
    already.
    """
    later = []
    if not sys.modules.keys() & {*_DEFERRED, "sklearn"}:
        later = [_Later(name) for name in _DEFERRED]
        sys.modules.update({module.__name__: module for module in later})
    try:
        import sklearn.pipeline  # noqa: F401
    finally:
        for module in later:
            _forget(module)
