"""Help of the commands: types in words, and examples."""

import functools
import inspect
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from typer.core import TyperCommand, TyperGroup

_WORDS = {bool: "", Path: "FILE", int: "N", float: "X", str: "TEXT"}
_FOLDERS = re.compile("among|folder|library|.+_dir")


def _word(name: str, annotation: Any) -> str | None:
    """Return what stands for a value of a parameter; None if there is no word."""
    if get_origin(annotation) is list:
        return f"{_word(name, get_args(annotation)[0])}…"
    if get_args(annotation):  # or None
        return _word(name, get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "|".join(str(member.value) for member in annotation)
    if annotation is Path and _FOLDERS.fullmatch(name):
        return "FOLDER"
    return _WORDS.get(annotation)


@functools.cache
def _words(function: Callable[..., Any]) -> dict[str, str | None]:
    """Return what stands for the values of a command's parameters, by name."""
    hints = get_type_hints(inspect.unwrap(function))
    return {name: _word(name, annotation) for name, annotation in hints.items()}


def _in_words(parameters: list[Any], function: Callable[..., Any] | None) -> list[Any]:
    """Give parameters the words for their types, where they have no own ones."""
    words = {} if function is None else _words(function)
    for parameter in parameters:
        word = words.get(parameter.name, "")
        if parameter.param_type_name == "argument":
            parameter.metavar = parameter.metavar or parameter.name.upper()
            # Beside this name, Typer would print Python's type.
            parameter.display_type_rich = lambda ctx, word=word: word
        elif parameter.metavar is None and word is not None:
            parameter.metavar = word.rstrip("…")  # one each time that it is given
    return parameters


class Command(TyperCommand):
    """A command with types in words, whose help is as wide as the terminal."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        # Typer keeps the lines of the docstring.
        self.help = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(self.help or ""))

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, ``--help`` included."""
        return _in_words(super().get_params(ctx), self.callback)


class Group(TyperGroup):
    """Commands with types in words."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, ``--help`` included."""
        return _in_words(super().get_params(ctx), self.callback)


def examples(*lines: str) -> str:
    """Return the end of a help text: commands to try."""
    return "\n\n".join(["Examples:" if len(lines) > 1 else "Example:", *lines])
