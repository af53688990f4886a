"""Messages beside the results."""

import typer
from rich.console import Console
from rich.markup import escape

console = Console(stderr=True)
"""Results go to the standard output, everything else to the standard error."""


def fail(error: Exception) -> typer.Exit:
    """Print what is wrong; return the exception that ends the command."""
    console.print(f"[bold red]Error:[/] {escape(str(error))}", soft_wrap=True)
    return typer.Exit(1)
