"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skgenre.audio._isolation._worker import MAX_SECONDS

Music = Annotated[
    list[Path] | None,
    typer.Argument(help="Audio files, folders and playlists (.m3u, .m3u8)."),
]
FromFile = Annotated[
    Path | None,
    typer.Option(
        help="List of more files, one path a line; - reads the list from the "
        "standard input.",
        allow_dash=True,
    ),
]


def _not_zero(jobs: int) -> int:
    if jobs == 0:
        raise typer.BadParameter("0 is neither -1 nor a number from 1 on.")
    return jobs


Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=-1,
        max=256,
        callback=_not_zero,
        help="Number of clips to decode at once; -1 for one per core.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        max=MAX_SECONDS,
        help="Most seconds that a file may take. Files are then decoded in "
        "separate processes, so that one that crashes the decoder is "
        "reported like any other.",
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
        help="Source of genres and artists: sub-folders or a CSV, or the "
        "tags in the files.",
    ),
]
GenreTreeFile = Annotated[
    Path | None,
    typer.Option(
        "--genre-tree",
        help="File that says which genre belongs under which: a CSV of "
        "genre,parent, FMA's genres.csv, or JSON or YAML like beets' "
        "genres-tree.yaml.",
        dir_okay=False,
    ),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Download pretrained weights without asking if they are needed.",
    ),
]


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write instead of the standard output. An existing file "
        "is replaced.",
    ),
]
GroupedOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write instead of the standard output; with --format "
        "m3u, a folder for one playlist each. Existing files are "
        "replaced.",
    ),
]
MissingOnly = Annotated[
    bool,
    typer.Option("--missing-only", help="Only files that have no genre in their tags."),
]
WriteTags = Annotated[
    bool,
    typer.Option(
        "--write-tags",
        help="Write genres of at least --min-confidence into the files' "
        "tags; `skgenre undo` restores the old ones. Needs mutagen.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only report what would be written.")
]
NewUndoFile = Annotated[
    Path | None,
    typer.Option(
        "--undo-file",
        help="File to save the old genres to.",
        show_default="skgenre-undo-DATE.jsonl",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 2, help="Random seed.")]


class ModelName(StrEnum):
    """Pipelines to train."""

    best = "best"
    scratch = "scratch"
    fast = "fast"
    crnn = "crnn"
    parallel = "parallel"
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
        help="Format of the results. m3u is one playlist for each genre; "
        "without --output, a single one sorted by genre.",
    ),
]
