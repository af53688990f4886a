"""The command that shows music in the browser."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skgenre.cli._commands._cache import CacheDir, usable_folder
from skgenre.cli._console import console, fail, plain
from skgenre.cli._options import Jobs, Labels, TimeLimit, Yes

if TYPE_CHECKING:
    import pandas as pd

_MOST_COLUMNS = 200
_OF_TRACKS = {"path", "genre", "checked"}
"""Columns of a table of labels that are shown anyway."""


def explore(
    folder: Annotated[
        Path, typer.Argument(help="Folder of music, searched at any depth.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model file, by whose embedding songs are compared.",
            show_default="musicnn's tags",
        ),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            metavar="tags|folders|CSV",
            help="Where labels come from: the files' tags, the sub-folders, or a CSV "
            "of path,genre[,group], whose further columns can be colours of the map.",
        ),
    ] = "tags",
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="CSV to which labels are written when one is changed, as `train` "
            "takes it; what is in it is read first.",
        ),
    ] = Path("skgenre-labels.csv"),
    models_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the models that are trained on the page.",
            show_default="models in ~/skgenre_data",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; others may then ask, too.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")
    ] = 0,
    static: Annotated[
        Path | None,
        typer.Option(
            help="Page of HTML to write instead, with map and lists, that needs no "
            "server.",
        ),
    ] = None,
    previews: Annotated[
        float,
        typer.Option(
            min=0, max=60, help="Seconds of each song to embed in the --static page."
        ),
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the browser.")
    ] = True,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Look at and listen to a collection in the browser, and mend its labels.

    Nothing leaves this machine, and no music file is changed. Ctrl-C ends it; what was
    computed is kept.
    """
    from skgenre.cli._files import prepare
    from skgenre.cli._output import check_output
    from skgenre.explore import explore as start
    from skgenre.explore._explore import LOOPBACK_HOSTS
    from skgenre.persistence import load

    try:
        if static is not None:
            table = None if labels in [*Labels] else labels
            check_output(static, [folder, model, output, table], option="--static")
        estimator = None if model is None else load(model, runtime="auto")
        if estimator is None:
            from skgenre.cli._commands._weights import require_weights

            require_weights(yes=yes)
        else:
            prepare(
                estimator,
                n_jobs=jobs,
                cache_dir=cache_dir,
                time_limit=time_limit,
                yes=yes,
            )
        if host not in LOOPBACK_HOSTS:
            console.print(
                f"[yellow]Warning:[/] at {plain(repr(host))}, other machines can reach "
                "the page. Whoever learns its address can hear the music, change "
                "labels and train models, and the connection is not encrypted.",
                soft_wrap=True,
            )
        explorer = start(
            **_labelled(folder, labels),
            model=estimator,
            labels_file=output,
            models_dir=models_dir,
            host=host,
            port=port,
            open_browser=browser and static is None,
            cache_dir=usable_folder(cache_dir),
            time_limit=time_limit,
            n_jobs=jobs,
        )
        if static is not None:
            with explorer:
                explorer.save(static, preview_seconds=previews)
            console.print(f"Page in [bold]{plain(static)}[/].", soft_wrap=True)
            return
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    console.print(f"Open [bold]{plain(explorer.url)}[/]", soft_wrap=True)
    console.print("Ctrl-C ends it.")
    try:
        while True:  # with a timeout, so that Windows, too, sees Ctrl-C
            explorer.wait(1)
    finally:
        explorer.stop()


def _labelled(folder: Path, labels: str) -> dict[str, Any]:
    """Return the parameters of `explore` that name songs and their labels.

    Raises
    ------
    ValueError
        If `labels` is none of its values.
    """
    from skgenre.cli._commands._library._labels import labelled_tracks
    from skgenre.datasets import find_audio_files

    if folder.is_file():
        raise ValueError(
            f"{str(folder)!r} is a file. Give the folder of the music, and a CSV of "
            "its labels by --labels."
        )
    if not folder.is_dir():
        raise ValueError(f"There is no folder {str(folder)!r}. Check the path.")
    paths = find_audio_files(folder)
    if labels == Labels.tags:
        return {"paths": paths}
    table = Path(labels)
    if labels != Labels.folders and not table.is_file():
        raise ValueError(
            f"--labels must be tags, folders or a CSV, and there is no file {labels!r}."
        )
    source = folder if labels == Labels.folders else table
    tracks = labelled_tracks(source, Labels.folders, console)
    groups = [None] * len(tracks.paths) if tracks.groups is None else tracks.groups
    known = {
        os.path.realpath(path): (str(genre), artist)
        for path, genre, artist in zip(tracks.paths, tracks.target, groups, strict=True)
    }
    found = [known.get(os.path.realpath(path), (None, None)) for path in paths]
    named: dict[str, Any] = {"paths": paths, "genres": [genre for genre, _ in found]}
    if any(artist is not None for _, artist in found):
        named["artists"] = [artist for _, artist in found]
    if labels != Labels.folders:
        named["frame"] = _further_columns(table, paths)
    return named


def _further_columns(table: Path, paths: list[str]) -> "pd.DataFrame | None":
    """Return the columns of a table that `explore` does not know, by file."""
    import pandas as pd

    from skgenre.datasets._tracks_csv import GROUP_COLUMNS
    from skgenre.explore._collection import TAKEN

    n_columns = len(pd.read_csv(table, nrows=0, skipinitialspace=True).columns)
    if n_columns > _MOST_COLUMNS:  # of which each row makes values
        raise ValueError(
            f"{str(table)!r} has {n_columns} columns, more than {_MOST_COLUMNS}. Leave "
            "out those by which the map is not to be coloured."
        )
    frame = pd.read_csv(table, skipinitialspace=True)
    frame.columns = [str(name).strip() for name in frame.columns]
    (path_column,) = (name for name in frame if name.lower() == "path")
    rows = [os.path.realpath(table.parent / str(path)) for path in frame[path_column]]
    known = _OF_TRACKS | {*GROUP_COLUMNS, *TAKEN}
    further = [name for name in frame if name.lower() not in known]
    if not further:
        return None
    frame = frame[further].set_axis(rows)
    frame = frame[~frame.index.duplicated()]
    return frame.reindex([os.path.realpath(path) for path in paths])
