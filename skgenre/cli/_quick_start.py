"""scipy.stats when it is needed: its import is a third of a command's start."""

import sys
import threading
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

# Up to version 1.9, scikit-learn imports it with itself, and uses it only to compute
# statistics: see its pull request 34265.
_DEFERRED = "scipy.stats"
_lock = threading.RLock()


class _Deferred(ModuleType):
    """A module whose code runs when one of its attributes is first used.

    The standard library's `LazyLoader` makes such modules, too, but they run when they
    are imported: Python's import statement looks at their ``__spec__``.
    """

    def __getattr__(self, name: str) -> Any:
        with _lock:
            if "_runs" not in vars(self) and self.__spec__ and self.__spec__.loader:
                self._runs = True  # its own code may look for names that are not there
                try:
                    self.__spec__.loader.exec_module(self)
                except BaseException:
                    del self._runs
                    raise
                self.__class__ = ModuleType  # type: ignore[assignment]
        try:
            return vars(self)[name]
        except KeyError:
            raise AttributeError(f"{self.__name__} has no {name!r}") from None


def defer_scipy_stats() -> None:
    """Have scipy.stats imported when it is first used, unless it is there already."""
    spec = find_spec(_DEFERRED)
    if _DEFERRED not in sys.modules and spec is not None:
        module = module_from_spec(spec)
        module.__class__ = _Deferred
        sys.modules[_DEFERRED] = module
