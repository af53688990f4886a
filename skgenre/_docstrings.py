"""Parameters that several classes or functions share, documented once."""

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

_Documented = TypeVar("_Documented", bound=Callable[..., Any])

_PLACE = re.compile(r"%\((\w+)\)s")


def substitute(**blocks: str) -> Callable[[_Documented], _Documented]:
    r"""Return a decorator that fills shared text into a docstring.

    Parameters
    ----------
    **blocks : str
        Text that replaces ``%(name)s`` in the docstring, as far indented as that is.
        Within it, ``%(parameter)s`` stands for the default of that parameter of the
        function, or of the class's constructor.

    Returns
    -------
    callable
        Takes a class or a function, and returns it.

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

    def fill_in(documented: _Documented) -> _Documented:
        if documented.__doc__ is None:  # Python runs with -OO
            return documented
        called: Any = documented
        if isinstance(documented, type):
            called = documented.__init__  # type: ignore[misc]
        defaults = {
            name: repr(parameter.default)
            for name, parameter in inspect.signature(called).parameters.items()
        }

        def fill(place: re.Match) -> str:
            text = inspect.cleandoc(blocks[place[1]])
            return _PLACE.sub(lambda parameter: defaults[parameter[1]], text)

        lines = []
        for line in documented.__doc__.splitlines():
            indent = line[: len(line) - len(line.lstrip())]
            text = _PLACE.sub(fill, line.strip())
            lines += [(indent + part).rstrip() for part in text.split("\n")]
        documented.__doc__ = "\n".join(lines)
        return documented

    return fill_in
