"""A collection of music, and a model, in the browser: to look at and to listen to.

The module itself can be called: ``skgenre.explore(paths)`` is
``skgenre.explore.explore(paths)``.
"""

import sys
import types
from typing import Any

from skgenre._lazy_names import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)


class _CallableModule(types.ModuleType):
    # The package's name is that of its function: whichever of the two has been
    # imported first, `skgenre.explore(...)` must work.
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.explore(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
