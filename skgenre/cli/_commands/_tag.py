"""The command that predicts genres without any training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from skgenre.cli._commands._cache import CacheDir
from skgenre.cli._commands._weights import require_weights
from skgenre.cli._console import console, end, fail
from skgenre.cli._options import (
    DryRun,
    FromFile,
    GenreFormat,
    GroupedOutput,
    Jobs,
    MissingOnly,
    Music,
    NewUndoFile,
    SongFormat,
    TimeLimit,
    WriteTags,
    Yes,
)
from skgenre.cli._quick_start import defer_scipy_stats

if TYPE_CHECKING:
    from skgenre.classifiers import GenreTagger


def tag(
    music: Music = None,
    from_file: FromFile = None,
    genres: Annotated[
        str | None,
        typer.Option(
            help="Genres to choose from, separated by commas, also in German, "
            "French or Spanish. The fewer there are, the more predictions are "
            "right.",
            show_default="ambient, blues, classical, country, dance, electronic, folk, "
            "funk, hip-hop, jazz, metal, pop, punk, rock, soul",
        ),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Below this probability, the genre is 'unknown'."
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(min=1, help="Number of tags to show for each file.")
    ] = 5,
    timeline: Annotated[
        bool,
        typer.Option(
            "--timeline", help="Show the genre of each window of 3 s instead."
        ),
    ] = False,
    file_format: GenreFormat = SongFormat.table,
    output: GroupedOutput = None,
    missing_only: MissingOnly = False,
    write_tags: WriteTags = False,
    dry_run: DryRun = False,
    undo_file: NewUndoFile = None,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Predict genres by pretrained tags, without any training.

    Files that can't be read are reported and skipped; the exit code is then 1.
    """
    defer_scipy_stats()
    from skgenre.classifiers import GenreTagger
    from skgenre.cli._commands._library._missing import without_genre
    from skgenre.cli._commands._library._write_tags import check_writing
    from skgenre.cli._inputs import files_named
    from skgenre.cli._output import check_output, results_to, write_grouped
    from skgenre.cli._tables import write_tagged, write_timelines
    from skgenre.datasets._library._playlists import Entry

    try:
        is_playlist = file_format == SongFormat.m3u
        if timeline and is_playlist:
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
        paths, lists = files_named(music, from_file)
        check_output(output, [*paths, *lists], is_folder=is_playlist)
        require_weights(yes=yes)
        if missing_only:
            paths = without_genre(paths, n_jobs=jobs, console=console)
        how: dict[str, Any] = {
            "cache_dir": cache_dir,
            "time_limit": time_limit,
            "n_jobs": jobs,
        }
        if timeline:
            tagged = timelines(tagger, paths, **how)
        else:
            tagged = tag_files(tagger, paths, top=top, **how)
        errors = [song["error"] for song in tagged if "error" in song]
        good = [song for song in tagged if "genre" in song]
        if is_playlist:
            good.sort(key=lambda song: -song["confidence"])
            entries = [Entry(song["path"], song["genre"]) for song in good]
            errors += write_grouped(entries, output)
        else:
            write = write_timelines if timeline else write_tagged
            with results_to(output) as stream:
                write(tagged, file_format, stream)
        if writing is not None:
            found = {
                song["path"]: [(song["genre"], song["confidence"])] for song in good
            }
            errors += writing.write(found, console)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    end(errors)


def tag_files(
    tagger: "GenreTagger", paths: Sequence[str], *, top: int, **how: Any
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', 'status', and what it sounds like or an 'error'.

    That is 'genre', 'confidence' and 'tags', which are dicts of 'tag' and
    'probability'; of a file without music only a 'note', which says why.
    """
    from skgenre.classifiers._tagging._tag_genres import top_tags
    from skgenre.cli._files import process_files

    tags, errors, readings = process_files(
        tagger.transform, tagger, paths, title="Listening", console=console, **how
    )
    songs: list[dict[str, Any]] = []
    for path in paths:
        if path in errors:
            songs.append({"path": path, "status": "error", "error": errors[path]})
            continue
        song: dict[str, Any] = {"path": path, "status": "ok"}
        if (reading := readings.get(path)) is not None:
            song |= {"status": reading.status, "note": reading.cause}
            if not reading.has_music:
                songs.append(song)
                continue
        ((genre, confidence),) = _best(tagger, tagger._probabilities(tags[path][None]))
        pairs = [
            {"tag": name, "probability": round(probability, 4)}
            for name, probability in top_tags(tags[path], top)
        ]
        songs.append(song | {"genre": genre, "confidence": confidence, "tags": pairs})
    return songs


def timelines(
    tagger: "GenreTagger", paths: Sequence[str], **how: Any
) -> list[dict[str, Any]]:
    """Return one dict a file: 'path', 'status', and 'windows' or an 'error'.

    A window has 'start', 'end', 'genre' and 'confidence'. Of a file that is damaged or
    without music, a 'note' says why; one without music has no windows.
    """
    from skgenre.audio import AudioError
    from skgenre.cli._files import prepare, print_note

    if not paths:  # all of them have a genre
        return []
    prepare(tagger, **how)
    tagger.set_params(on_error="ignore", verbose=console.is_terminal)
    probabilities, times = tagger.predict_timeline(paths)
    songs: list[dict[str, Any]] = []
    for i, (path, read) in enumerate(
        zip(paths, tagger.extraction_records_, strict=True)
    ):
        song: dict[str, Any] = {"path": path, "status": read["status"]}
        songs.append(song)
        if song["status"] == "error":
            song["error"] = str(AudioError(path, read["cause"]))
            continue
        if song["status"] != "ok":
            song["note"] = read["cause"]
            print_note(path, song["status"], read["cause"], console)
        if song["status"] not in ("ok", "damaged"):
            continue
        song["windows"] = [
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
    return songs


def _best(tagger: "GenreTagger", probabilities: np.ndarray) -> list[tuple[str, float]]:
    genres = tagger._genres(probabilities).tolist()
    best = probabilities.max(axis=1).round(4).tolist()
    return list(zip(genres, best, strict=True))
