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


class Labels(StrEnum):
    """Where genres and artists of labelled music come from."""

    folders = "folders"
    tags = "tags"


LabelsFrom = Annotated[
    Labels,
    typer.Option(
        "--labels",
        help="Where genres and artists come from: sub-folders or a CSV, or the tags in "
        "the files.",
    ),
]
GenreTreeFile = Annotated[
    Path | None,
    typer.Option(
        "--genre-tree",
        help="File of which genre is above which: a CSV of genre,parent, FMA's "
        "genres.csv, or JSON or YAML as beets' genres-tree.yaml.",
        dir_okay=False,
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
MissingOnly = Annotated[
    bool,
    typer.Option("--missing-only", help="Only files whose tags name no genre."),
]
WriteTags = Annotated[
    bool,
    typer.Option(
        "--write-tags",
        help="Write the genres into the files' tags, those of at least "
        "--min-confidence; `skgenre undo` takes it back. Needs mutagen.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be written.")
]
NewUndoFile = Annotated[
    Path | None,
    typer.Option(
        "--undo-file",
        help="File to write the earlier genres to.",
        show_default="skgenre-undo-DATE.jsonl",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 2, help="Random seed.")]


class ModelName(StrEnum):
    """Pipelines to train."""

    best = "best"
    scratch = "scratch"
    fast = "fast"
    paper = "paper"
    baseline = "baseline"


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


GenreFormat = Annotated[
    SongFormat,
    typer.Option(
        "--format",
        help="Form of the result; m3u is a playlist for each genre, or without "
        "--output one, genre by genre.",
    ),
]
