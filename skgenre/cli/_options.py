"""What several commands share: options, messages, and how they fail."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

# Results go to the standard output, everything else to the standard error.
console = Console(stderr=True)

Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=-1,
        max=256,
        help="Clips to decode at a time; -1: as many as cores.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 2, help="Random seed.")]


class FileFormat(StrEnum):
    """Forms of the results."""

    table = "table"
    csv = "csv"
    json = "json"


def fail(error: Exception) -> typer.Exit:
    """Print what is wrong; return the exception that ends the command."""
    console.print(f"[bold red]Error:[/] {escape(str(error))}", soft_wrap=True)
    return typer.Exit(1)


def end(errors: list[str]) -> None:
    """Name the files that could not be read, and fail if there are any."""
    for message in errors:
        console.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True)
    if errors:
        raise typer.Exit(1)
