"""Parameters that several classes share, documented once."""

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

_Class = TypeVar("_Class", bound=type)

_PLACE = re.compile(r"%\((\w+)\)s")


def substitute(**blocks: str) -> Callable[[_Class], _Class]:
    r"""Return a class decorator that fills shared text into the docstring.

    Parameters
    ----------
    **blocks : str
        Text that replaces ``%(name)s`` in the docstring, as far indented as that is.
        Within it, ``%(parameter)s`` stands for the default of that parameter of the
        class's constructor.

    Returns
    -------
    callable
        Takes a class, and returns it.

    Raises
    ------
    KeyError
        If the docstring names a block, or one of its blocks a parameter, that there
        is none of.

    Examples
    --------
    >>> from skgenre._docstrings import substitute
    >>> @substitute(seed="seed : int, default=%(seed)s\n    Where to begin.")
    ... class Shuffle:
    ...     '''Shuffle clips.
    ...
    ...     Parameters
    ...     ----------
    ...     %(seed)s
    ...     '''
    ...
    ...     def __init__(self, seed=3):
    ...         self.seed = seed
    >>> print(Shuffle.__doc__.splitlines()[4].strip())
    seed : int, default=3
    """

    def fill_in(cls: _Class) -> _Class:
        if cls.__doc__ is None:  # Python runs with -OO
            return cls
        constructor: Any = cls.__init__  # type: ignore[misc]
        defaults = {
            name: repr(parameter.default)
            for name, parameter in inspect.signature(constructor).parameters.items()
        }

        def fill(place: re.Match) -> str:
            text = inspect.cleandoc(blocks[place[1]])
            return _PLACE.sub(lambda parameter: defaults[parameter[1]], text)

        lines = []
        for line in cls.__doc__.splitlines():
            indent = line[: len(line) - len(line.lstrip())]
            text = _PLACE.sub(fill, line.strip())
            lines += [(indent + part).rstrip() for part in text.split("\n")]
        cls.__doc__ = "\n".join(lines)
        return cls

    return fill_in
