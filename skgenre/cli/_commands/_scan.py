"""The command that finds files that can't be read, and those without music."""

from typing import Annotated

import typer

from skgenre.cli._console import console, fail
from skgenre.cli._options import FileFormat, FromFile, Jobs, Music, Output, TimeLimit


def scan(
    music: Music = None,
    from_file: FromFile = None,
    file_format: Annotated[
        FileFormat,
        typer.Option(
            "--format",
            help="Format of the results: a table of the files with problems, or "
            "all files as CSV or JSON.",
        ),
    ] = FileFormat.table,
    output: Output = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="Decode whole files, not only 30 s from the middle."
        ),
    ] = False,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
) -> None:
    """Find audio files that can't be read, and why.

    The exit code is 1 if there are any. Damaged, silent and very short files are
    listed, too.
    """
    from skgenre.cli._inputs import files_named
    from skgenre.cli._output import check_output, results_to
    from skgenre.cli._tables import write_scan
    from skgenre.datasets import check_audio

    try:
        paths, lists = files_named(music, from_file)
        check_output(output, [*paths, *lists])
        checked = check_audio(
            paths,
            duration=None if whole else 30.0,
            time_limit=time_limit,
            n_jobs=jobs,
            verbose=console.is_terminal,
        )
        with results_to(output) as stream:
            write_scan(checked.report, file_format, stream)
    except (OSError, ValueError) as error:
        raise fail(error) from None
    n_readable = checked.readable.sum()
    minutes = checked.report["duration"][checked.readable].sum() / 60
    length = f"{minutes / 60:.1f} hours" if minutes >= 60 else f"{minutes:.2f} minutes"
    console.print(
        f"{n_readable} of {len(checked.readable)} files can be read; they last "
        f"{length}."
    )
    counts = checked.report["status"].value_counts()
    if odd := [
        f"{counts[status]} {status}"
        for status in ("damaged", "silent", "too short")
        if status in counts
    ]:
        console.print(f"Among them: {', '.join(odd)}.")
    if n_readable < len(checked.readable):
        raise typer.Exit(1)
