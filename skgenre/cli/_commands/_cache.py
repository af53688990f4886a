"""``skgenre cache info | clear``, and the option ``--cache-dir`` of other commands."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from skgenre.cli._console import console, fail, plain, print_json

VARIABLE = "SKGENRE_CACHE_DIR"
"""Environment variable that names the folder for all commands."""

CacheDir = Annotated[
    Path | None,
    typer.Option(
        envvar=VARIABLE,
        help="Folder in which what was computed of each file is kept and looked up.",
    ),
]
_Folder = Annotated[
    Path, typer.Option("--dir", envvar=VARIABLE, help="Folder that --cache-dir named.")
]

app = typer.Typer(
    help="Show or delete what --cache-dir has kept.", no_args_is_help=True
)


@app.command()
def info(folder: _Folder) -> None:
    """Show how much is kept of which kind, and when it was used."""
    from skgenre.audio._array_store import size_limit, usage

    try:
        kinds = usage(folder)
        facts = {
            "folder": str(folder),
            "bytes": sum(kind.n_bytes for kind in kinds),
            "limit": size_limit(),
            "results": [
                {
                    "kind": kind.kind,
                    "clips": kind.n_arrays,
                    "bytes": kind.n_bytes,
                    "last_used": datetime.fromtimestamp(kind.last_used, UTC).isoformat(
                        timespec="seconds"
                    ),
                }
                for kind in kinds
            ],
        }
    except (OSError, ValueError) as error:
        raise fail(error) from None
    print_json(facts)


@app.command()
def clear(folder: _Folder) -> None:
    """Delete what is kept; other files in the folder stay."""
    from skgenre.audio._array_store import clear, usage

    try:
        before = usage(folder)
        clear(folder)
    except OSError as error:
        raise fail(error) from None
    n_bytes = sum(kind.n_bytes for kind in before)
    console.print(
        f"Deleted {sum(kind.n_arrays for kind in before)} results "
        f"({n_bytes / 1e6:.0f} MB) in [bold]{plain(folder)}[/].",
        soft_wrap=True,
    )
