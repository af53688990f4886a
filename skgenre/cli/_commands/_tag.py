"""The command that tells genres without any training."""

import sys
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from skgenre.cli._commands._cache import CacheDir
from skgenre.cli._commands._weights import require_weights
from skgenre.cli._console import console, end, fail
from skgenre.cli._options import (
    DryRun,
    Jobs,
    MissingOnly,
    NewUndoFile,
    TimeLimit,
    WriteTags,
    Yes,
)
from skgenre.cli._quick_start import defer_scipy_stats

if TYPE_CHECKING:
    from skgenre.classifiers import GenreTagger

_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # controls, half characters, ends of lines


class TagFormat(StrEnum):
    """Forms of the genres of songs."""

    table = "table"
    csv = "csv"
    json = "json"
    m3u = "m3u"


def tag(
    music: Annotated[list[Path], typer.Argument(help="Audio files and folders.")],
    genres: Annotated[
        str | None,
        typer.Option(
            help="Genres to choose from, between commas, also in German, French or "
            "Spanish: the fewer, the more often right.",
            show_default="15 genres",
        ),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Below, the genre is 'unknown'."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Tags to show for each file.")] = 5,
    timeline: Annotated[
        bool,
        typer.Option(
            "--timeline", help="Give the genre of each window of 3 s instead."
        ),
    ] = False,
    file_format: Annotated[
        TagFormat,
        typer.Option(
            "--format", help="Form of the result; m3u is a playlist, genre by genre."
        ),
    ] = TagFormat.table,
    missing_only: MissingOnly = False,
    write_tags: WriteTags = False,
    dry_run: DryRun = False,
    undo_file: NewUndoFile = None,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Tell the genres of audio files by pretrained tags, without any training.

    Files that can't be read are named, and the others are tagged all the same; the
    exit code is then 1.
    """
    defer_scipy_stats()
    from skgenre.classifiers import GenreTagger
    from skgenre.cli._commands._library._missing import without_genre
    from skgenre.cli._commands._library._write_tags import check_writing
    from skgenre.cli._files import files_named
    from skgenre.cli._tables import write_tagged, write_timelines

    try:
        if timeline and file_format == TagFormat.m3u:
            raise ValueError(
                "A playlist has no timeline. Leave out --timeline, or choose another "
                "--format."
            )
        if timeline and write_tags:
            raise ValueError(
                "A tag has one genre, not one for each window. Leave out --timeline or "
                "--write-tags."
            )
        writing = check_writing(
            write_tags,
            min_confidence=min_confidence,
            undo_file=undo_file,
            dry_run=dry_run,
        )
        tagger = GenreTagger(
            None if genres is None else [name.strip() for name in genres.split(",")],
            threshold=min_confidence,
            duration=None if timeline else 30.0,
        )
        tagger._check_parameters()
        require_weights(yes=yes)
        paths = files_named(music)
        if missing_only:
            paths = without_genre(paths, n_jobs=jobs, console=console)
        how: dict[str, Any] = {
            "cache_dir": cache_dir,
            "time_limit": time_limit,
            "n_jobs": jobs,
        }
        if timeline:
            tagged = timelines(tagger, paths, **how)
            write_timelines(tagged, file_format, sys.stdout)
        else:
            tagged = tag_files(tagger, paths, top=top, **how)
            if file_format == TagFormat.m3u:
                tagged = [_in_playlist(song) for song in tagged]
            write_tagged(tagged, file_format, sys.stdout)
        not_written = []
        if writing is not None:
            found = {
                song["path"]: (song["genre"], song["confidence"])
                for song in tagged
                if "genre" in song
            }
            not_written = writing.write(found, console)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    end([song["error"] for song in tagged if "error" in song] + not_written)


def tag_files(
    tagger: "GenreTagger", paths: Sequence[str], *, top: int, **how: Any
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', and either what it sounds like or an 'error'.

    That is 'genre', 'confidence' and 'tags', which are dicts of 'tag' and
    'probability'; of a file without music only a 'note', which says why.
    """
    from skgenre.classifiers._tag_genres import top_tags
    from skgenre.cli._files import apply_to_files, prepare, print_notes

    prepare(tagger, **how)
    tags, errors, readings = apply_to_files(
        tagger.transform,
        tagger,
        paths,
        n_jobs=how["n_jobs"],
        title="Listening",
        console=console,
    )
    print_notes(readings, console)
    songs: list[dict[str, Any]] = []
    for path in paths:
        if path in errors:
            songs.append({"path": path, "error": errors[path]})
            continue
        reading = readings.get(path)
        note = {} if reading is None else {"note": f"{reading.status}: {reading.cause}"}
        if reading is not None and not reading.has_music:
            songs.append({"path": path, **note})
            continue
        ((genre, confidence),) = _best(tagger, tagger._probabilities(tags[path][None]))
        pairs = [
            {"tag": name, "probability": round(probability, 4)}
            for name, probability in top_tags(tags[path], top)
        ]
        song = {"path": path, "genre": genre, "confidence": confidence, "tags": pairs}
        songs.append(song | note)
    return songs


def _in_playlist(song: dict[str, Any]) -> dict[str, Any]:
    """Return the song, or an error if a line of text can't hold its name."""
    if not any(unicodedata.category(c) in _NO_TEXT for c in song["path"]):
        return song
    error = (
        f"{song['path']!r} can't be in a playlist, which has one name a line, in "
        "Unicode. Rename it."
    )
    return {"path": song["path"], "error": song.get("error", error)}


def timelines(
    tagger: "GenreTagger", paths: Sequence[str], **how: Any
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', and 'windows' or what is wrong ('error').

    A window has 'start', 'end', 'genre' and 'confidence'.
    """
    from skgenre.audio import AudioError
    from skgenre.cli._files import prepare

    prepare(tagger, **how)
    tagger.set_params(on_error="ignore", verbose=console.is_terminal)
    probabilities, times = tagger.predict_timeline(paths)
    report = tagger.extraction_report_
    songs: list[dict[str, Any]] = []
    for i, path in enumerate(paths):
        if report["status"][i] not in ("ok", "damaged"):
            error = str(AudioError(path, report["cause"][i]))
            songs.append({"path": path, "error": error})
            continue
        windows = [
            {
                "start": round(float(start), 2),
                "end": round(float(stop), 2),
                "genre": genre,
                "confidence": confidence,
            }
            for (start, stop), (genre, confidence) in zip(
                times[i], _best(tagger, probabilities[i]), strict=True
            )
        ]
        songs.append({"path": path, "windows": windows})
    return songs


def _best(tagger: "GenreTagger", probabilities: np.ndarray) -> list[tuple[str, float]]:
    genres = tagger._genres(probabilities).tolist()
    best = probabilities.max(axis=1).round(4).tolist()
    return list(zip(genres, best, strict=True))
