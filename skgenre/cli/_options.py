"""Options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

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


class FileFormat(StrEnum):
    """Forms of the results."""

    table = "table"
    csv = "csv"
    json = "json"
