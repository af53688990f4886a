"""``skgenre cache info | clear``, and the option ``--cache-dir`` of other commands."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skgenre.cli._console import console, fail, plain, print_json
from skgenre.cli._help import Command, Group, examples

if TYPE_CHECKING:
    from skgenre.features._base import AudioTransformer

VARIABLE = "SKGENRE_CACHE_DIR"
"""Environment variable that names the folder for all commands."""
OFF = "off"
"""In place of a folder: nothing is kept."""


def default_folder() -> Path:
    """Return the folder in which the commands keep results unless told otherwise."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("skgenre", appauthor=False))


def _resolved(folder: Path | None) -> Path | None:
    if folder is None:
        return default_folder()
    return None if str(folder) == OFF else folder


CacheDir = Annotated[
    Path | None,
    typer.Option(
        envvar=VARIABLE,
        callback=_resolved,
        help="Folder that keeps the features of each file for later runs; "
        "off keeps nothing.",
        show_default="that of the user's caches",
    ),
]
_Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        envvar=VARIABLE,
        callback=_resolved,
        help="Folder that --cache-dir named.",
        show_default="that of the user's caches",
    ),
]

app = typer.Typer(
    cls=Group, help="Show or delete cached features.", no_args_is_help=True
)


def set_cache(step: "AudioTransformer", folder: Path | None) -> None:
    """Have an audio step keep its results in a folder.

    Not spectrograms in the folder that nobody has named: they are a hundred times as
    large as the other results.
    """
    from skgenre.features import MelSpectrogramTransformer

    if folder == default_folder() and isinstance(step, MelSpectrogramTransformer):
        folder = None
    step.set_params(cache_dir=usable_folder(folder))


def usable_folder(folder: Path | None) -> Path | None:
    """Return a folder, or None for that which nobody has named if it can't be made."""
    if folder is not None and folder == default_folder() and not _is_there(folder):
        return None
    return folder


def _is_there(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _checked(folder: Path | None) -> Path:
    if folder is None:
        raise fail(ValueError(f"No cache is used, as {VARIABLE} or --dir is {OFF!r}."))
    return folder


@app.command(cls=Command, epilog=examples("skgenre cache info"))
def info(folder: _Folder = None) -> None:
    """Show how much is cached of which kind, and when it was used."""
    from skgenre.audio._array_store import size_limit, usage

    folder = _checked(folder)
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


@app.command(cls=Command, epilog=examples("skgenre cache clear --dir my_cache"))
def clear(folder: _Folder = None) -> None:
    """Delete all that is cached; other files in the folder stay."""
    from skgenre.audio._array_store import clear, usage

    folder = _checked(folder)
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
