"""Messages beside the results."""

import json
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.markup import escape

from skgenre._install import lacking, missing
from skgenre._text import printable, printable_json, shorten

_LONGEST = 5000  # of an error, which may name a path of megabytes
console = Console(stderr=True)
"""Results go to the standard output, everything else to the standard error."""


def fail(error: Exception, of_files: Sequence[str] = ()) -> typer.Exit:
    """Print what is wrong; return the exception that ends the command.

    Errors of files that were met before are printed first: they may be the cause.

    That nobody reads the output any more, as after `| head -1`, is not wrong: it is
    raised again, and Typer ends the command without a word.
    """
    if isinstance(error, BrokenPipeError):
        raise error
    _print_errors(of_files)
    text = shorten(_message(error), _LONGEST)
    lines = "\n".join(map(plain, text.split("\n")))
    console.print(f"[bold red]Error:[/] {lines}", soft_wrap=True)
    return typer.Exit(1)


def _message(error: Exception) -> str:
    """Return what an error says, or of a package that is missing, how to get it."""
    package = lacking(error) if isinstance(error, ImportError) else None
    return str(error) if package is None else missing(package)


def end(errors: list[str]) -> None:
    """Print the errors of files that could not be read; fail if there are any."""
    _print_errors(errors)
    if errors:
        raise typer.Exit(1)


def _print_errors(messages: Sequence[str]) -> None:
    for message in messages:
        text = plain(shorten(message, _LONGEST))
        console.print(f"[bold red]Error:[/] {text}", soft_wrap=True)


def plain(value: Any) -> str:
    """Return text that prints as it is: no markup, no control characters.

    Whatever comes out of files goes through it: their names, tags and errors.
    """
    return escape(printable(str(value)))


def print_json(data: Any) -> None:
    """Print plain data as JSON, in colours if the standard output is a terminal."""
    text = printable_json(json.dumps(data, indent=2, ensure_ascii=False))
    Console().print(JSONHighlighter()(text), soft_wrap=True)
