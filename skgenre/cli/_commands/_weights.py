"""The command that gets pretrained weights, and the question of other commands."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from skgenre.cli._console import console, fail, plain

NO_WEIGHTS = (
    "as the pretrained weights that `best` needs are not here: `skgenre weights` gets "
    "them"
)
_WHAT = "musicnn's pretrained weights (28 MiB from your package index, ISC licence)"


def weights(
    wheel: Annotated[
        Path | None,
        typer.Option(
            help="Wheel of musicnn 0.1.0 to take them from, instead of a download."
        ),
    ] = None,
) -> None:
    """Download the pretrained weights that `tag` and the model `best` need.

    pip or uv downloads them, with your own settings; nothing is installed.
    """
    try:
        folder = _fetch(wheel)
    except (OSError, ValueError) as error:
        raise fail(error) from None
    console.print(f"The weights are in [bold]{plain(folder)}[/].", soft_wrap=True)


def _fetch(wheel: Path | None = None) -> Path:
    from skgenre.features import fetch_weights
    from skgenre.features._pretrained._fetch_weights import is_complete
    from skgenre.features._pretrained._musicnn_weights import data_folder

    if wheel is None and not is_complete(data_folder()):
        console.print(f"Getting {_WHAT}.", soft_wrap=True)
    return fetch_weights(wheel)


def offer_weights(*, yes: bool) -> None:
    """Get the weights if they are not here, and somebody at a terminal wants them.

    With `yes` nobody is asked.
    """
    from skgenre.features._pretrained._musicnn_weights import has_weights

    if has_weights():
        return
    if not yes:
        if not (sys.stdin.isatty() and console.is_terminal):
            return
        console.print(f"This needs {_WHAT}.", soft_wrap=True)
        if not typer.confirm("Get them now?", default=True, err=True):
            return
    _fetch()


def require_weights(*, yes: bool) -> None:
    """Do as `offer_weights` does.

    Raises
    ------
    ImportError
        If the weights are not here then.
    """
    from skgenre.features._pretrained._musicnn_weights import require_tag_weights

    offer_weights(yes=yes)
    require_tag_weights()
