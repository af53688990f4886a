"""The closed list: each class that may be in a model file, and what it consists of.

A class that is not here can't be saved or loaded. Of one that is here, every fitted
attribute is listed with its kind, and what the attributes have to do with one another;
nothing else is written or accepted. Parameters are held against the class's own
constraints, and against `limits` where they decide how much a prediction computes.
"""

import importlib

from skgenre.persistence._classes._compiled import COMPILED
from skgenre.persistence._classes._composed import COMPOSED
from skgenre.persistence._classes._ours import OURS
from skgenre.persistence._classes._savable import SavableClass
from skgenre.persistence._classes._tables import TABLES

CLASSES: dict[str, SavableClass] = OURS | COMPOSED | TABLES | COMPILED
"""What a class consists of, by its name."""


def find_class(name: str) -> type:
    """Return a class of the list, by its name.

    Raises
    ------
    ValueError
        If it is not in the list, or this version of scikit-learn doesn't have it.
    """
    if name not in CLASSES:
        raise ValueError(f"it holds {name[:80]!r}, which is not in the list of classes")
    found = getattr(importlib.import_module(CLASSES[name].module), name, None)
    if found is None:
        raise ValueError(f"it holds {name}, which this scikit-learn doesn't have")
    return found
