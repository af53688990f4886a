"""The commands on a library and their options."""

from pathlib import Path
from typing import Annotated

import typer

from skgenre.cli._commands._cache import CacheDir
from skgenre.cli._console import console, end, fail
from skgenre.cli._options import (
    FromFile,
    Jobs,
    Music,
    Output,
    SongFormat,
    TimeLimit,
    Yes,
)

_Among = Annotated[
    Path, typer.Option(help="Folder, or playlist, of music to choose from.")
]
_Model = Annotated[
    Path | None,
    typer.Option(
        help="Model file by whose embedding songs are compared.",
        show_default="musicnn's tags",
    ),
]
_Index = Annotated[
    Path | None,
    typer.Option(
        help="File in which the library's embeddings are kept, so that only new and "
        "changed files are read the next time."
    ),
]
_Format = Annotated[SongFormat, typer.Option("--format", help="Form of the result.")]


def similar(
    among: _Among,
    songs: Music = None,
    from_file: FromFile = None,
    less_like: Annotated[
        list[Path] | None,
        typer.Option(
            help="Song that you don't like: what is nearer to it is left out. May be "
            "given several times.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Songs to recommend.")] = 10,
    model: _Model = None,
    index: _Index = None,
    other_artists: Annotated[
        bool,
        typer.Option(
            "--other-artists/--same-artist",
            help="Leave out songs of the same artists, by a tracks.csv in the folder "
            "or by the files' tags, or recommend them, too.",
        ),
    ] = True,
    file_format: _Format = SongFormat.table,
    output: Output = None,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Recommend songs of a library that sound like those you like.

    Files that can't be read are named, and the others are compared all the same; the
    exit code is then 1.
    """
    from skgenre.cli._commands._embeddings import _songs
    from skgenre.cli._commands._embeddings._similar import artists_of, similar_songs
    from skgenre.cli._inputs import files_named
    from skgenre.cli._output import check_output, write_songs
    from skgenre.cli._tables import write_recommendations

    try:
        paths = _songs.library_files(among)
        liked = files_named(songs, from_file)
        disliked = files_named(less_like) if less_like else []
        check_output(
            output, [*paths, *liked, *disliked, among, model, index, from_file]
        )
        embedder = _songs.embedder_of(model, yes=yes)
        found = _songs.embed_songs(
            embedder,
            among,
            paths,
            liked + disliked,
            index=index,
            console=console,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
            yes=yes,
        )
        tracks = [*found.embeddings]
        near = similar_songs(
            found,
            liked,
            disliked,
            k=k,
            artists=artists_of(tracks, among, jobs) if other_artists else {},
            console=console,
        )
        errors = write_songs(near, write_recommendations, file_format, output)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    end(found.errors + errors)


def path(
    start: Annotated[Path, typer.Argument(help="The first song.")],
    end_at: Annotated[Path, typer.Argument(metavar="END", help="The last song.")],
    among: _Among,
    k: Annotated[
        int, typer.Option("-k", min=2, help="Songs of the path, with these two.")
    ] = 10,
    model: _Model = None,
    index: _Index = None,
    file_format: _Format = SongFormat.table,
    output: Output = None,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Find songs of a library that lead from one song to another in small steps.

    Files that can't be read are named, and the path leads through others; the exit
    code is then 1.
    """
    from skgenre.cli._commands._embeddings import _songs
    from skgenre.cli._commands._embeddings._similar import songs_between
    from skgenre.cli._output import check_output, write_songs
    from skgenre.cli._tables import write_path

    try:
        paths = _songs.library_files(among)
        ends = str(start), str(end_at)
        check_output(output, [*paths, *ends, among, model, index])
        found = _songs.embed_songs(
            _songs.embedder_of(model, yes=yes),
            among,
            paths,
            ends,
            index=index,
            console=console,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
            yes=yes,
        )
        between = songs_between(found, *ends, k=k, console=console)
        errors = write_songs(between, write_path, file_format, output)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    end(found.errors + errors)
