"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skgenre.audio._isolation._worker import MAX_SECONDS

Music = Annotated[
    list[Path] | None,
    typer.Argument(help="Audio files, folders, and playlists (.m3u, .m3u8)."),
]
FromFile = Annotated[
    Path | None,
    typer.Option(
        help="File with more of them, one path a line, as `find` prints them; - is a "
        "list on the standard input.",
        allow_dash=True,
    ),
]
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
TimeLimit = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        max=MAX_SECONDS,
        help="Seconds that a file may take; files are then decoded in processes of "
        "their own, which may crash.",
    ),
]

Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Get pretrained weights without asking, where they are needed.",
    ),
]


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write instead of the standard output. An older one is replaced.",
    ),
]
GroupedOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write instead of the standard output; with m3u a folder, for "
        "one playlist each. Older files are replaced.",
    ),
]


class FileFormat(StrEnum):
    """Forms of the results."""

    table = "table"
    csv = "csv"
    json = "json"


class SongFormat(StrEnum):
    """Forms of results that name songs."""

    table = "table"
    csv = "csv"
    json = "json"
    m3u = "m3u"
