"""The commands that compare songs, and their options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from skgenre.cli._commands._cache import CacheDir
from skgenre.cli._console import console, end, fail, plain
from skgenre.cli._options import (
    FromFile,
    GroupedOutput,
    Jobs,
    Music,
    Output,
    SongFormat,
    TimeLimit,
    Yes,
)

_Among = Annotated[
    Path, typer.Option(help="Folder or playlist of music to choose from.")
]
_Model = Annotated[
    Path | None,
    typer.Option(
        help="Model file whose embeddings are compared.",
        show_default="musicnn's tags",
    ),
]
_Index = Annotated[
    Path | None,
    typer.Option(
        help="File that keeps the library's embeddings; the next run reads "
        "only new and changed files."
    ),
]
_Format = Annotated[SongFormat, typer.Option("--format", help="Format of the results.")]


class Color(StrEnum):
    """What the colours of a map are."""

    genre = "genre"
    tags = "tags"
    cluster = "cluster"


class Reduction(StrEnum):
    """How a map is made."""

    pca = "pca"
    umap = "umap"


def similar(
    among: _Among,
    songs: Music = None,
    from_file: FromFile = None,
    less_like: Annotated[
        list[Path] | None,
        typer.Option(
            help="Song that you don't like; songs closer to it than to the "
            "others are left out. Can be given several times.",
        ),
    ] = None,
    k: Annotated[
        int, typer.Option("-k", min=1, help="Number of songs to recommend.")
    ] = 10,
    model: _Model = None,
    index: _Index = None,
    other_artists: Annotated[
        bool,
        typer.Option(
            "--other-artists/--same-artist",
            help="Leave out songs by the same artists, or include them. Artists "
            "come from a tracks.csv in the folder or from the files' tags.",
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

    Files that can't be read are reported and skipped; the exit code is then 1.
    """
    from skgenre.cli._commands._embeddings import _songs
    from skgenre.cli._commands._embeddings._similar import Artists, similar_songs
    from skgenre.cli._inputs import files_named
    from skgenre.cli._output import check_output, write_songs
    from skgenre.cli._tables import write_recommendations

    try:
        paths = _songs.library_files(among)
        liked, lists = files_named(songs, from_file)
        disliked, more = files_named(less_like) if less_like else ([], [])
        read = [*paths, *liked, *disliked, *lists, *more, among, model, index]
        check_output(output, read)
        artists = Artists(among, jobs) if other_artists else None
        found = _songs.embed_songs(
            _songs.embedder_of(model, yes=yes),
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
        near = similar_songs(
            found,
            liked,
            disliked,
            k=k,
            artists=artists,
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
        int,
        typer.Option(
            "-k", min=2, help="Number of songs of the path, including these two."
        ),
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

    Files that can't be read are reported and skipped; the exit code is then 1.
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


def _number_of_clusters(value: str) -> int | None:
    """Return the number, or None for 'auto'."""
    if value == "auto":
        return None
    if value.isdecimal() and int(value) >= 2:
        return int(value)
    raise typer.BadParameter(f"{value!r} is neither 'auto' nor a number from 2 on.")


def cluster(
    music: Music = None,
    from_file: FromFile = None,
    k: Annotated[
        Any,
        typer.Option(
            "-k",
            parser=_number_of_clusters,
            metavar="N|auto",
            help="Number of clusters; auto tries 2 to 15 and takes the one that "
            "separates them best.",
        ),
    ] = "auto",
    file_format: Annotated[
        SongFormat,
        typer.Option(
            "--format",
            help="Format of the results. m3u is one playlist for each cluster; "
            "without --output, a single one sorted by cluster.",
        ),
    ] = SongFormat.table,
    output: GroupedOutput = None,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Sort songs into clusters that sound alike, named by their tags.

    Files that can't be read are reported and skipped; the exit code is then 1.
    """
    from skgenre.classifiers import GenreTagger
    from skgenre.cli._commands._embeddings._songs import tag_probabilities
    from skgenre.cli._commands._weights import require_weights
    from skgenre.cli._inputs import files_named
    from skgenre.cli._output import check_output, results_to, write_grouped
    from skgenre.cli._tables import write_clusters
    from skgenre.clustering._tag_clusters import cluster_songs
    from skgenre.datasets._library._playlists import Entry

    errors: list[str] = []
    try:
        paths, lists = files_named(music, from_file)
        is_playlist = file_format == SongFormat.m3u
        check_output(output, [*paths, *lists], is_folder=is_playlist)
        require_weights(yes=yes)
        tags, errors = tag_probabilities(
            GenreTagger(),
            paths,
            console=console,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
        )
        found = cluster_songs(tags, k)
        if is_playlist:
            digits = len(str(len(found["clusters"])))
            entries = [
                Entry(song["path"], f"{each['cluster']:0{digits}} {each['name']}")
                for each in found["clusters"]
                for song in each["songs"]
            ]
            errors += write_grouped(entries, output)
        else:
            with results_to(output) as stream:
                write_clusters(found, file_format, stream)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error, errors) from None
    if (silhouette := found["silhouette"]) is not None:
        console.print(
            f"Silhouette {silhouette:.2f} of {len(found['clusters'])} clusters: from "
            "-1 to 1; below 0.25 they run into one another.",
            soft_wrap=True,
        )
    end(errors)


def make_map(
    music: Music = None,
    from_file: FromFile = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="HTML page to write.")
    ] = Path("map.html"),
    color: Annotated[
        Color,
        typer.Option(
            help="Colours of the songs: predicted genres, genres in the files' "
            "tags, or clusters."
        ),
    ] = Color.genre,
    reduction: Annotated[
        Reduction,
        typer.Option(
            help="Method for the map; umap, an extra, keeps more neighbours together."
        ),
    ] = Reduction.pca,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Draw a map of music, on which songs that sound alike lie together.

    Files that can't be read are reported and skipped; the exit code is then 1.
    """
    from skgenre._files import check_writable, write_atomically
    from skgenre._text import format_list
    from skgenre.classifiers import GenreTagger
    from skgenre.cli._commands._embeddings._map import map_of_songs
    from skgenre.cli._commands._embeddings._songs import tag_probabilities
    from skgenre.cli._commands._weights import require_weights
    from skgenre.cli._inputs import files_named
    from skgenre.cli._output import check_output

    errors: list[str] = []
    try:
        paths, lists = files_named(music, from_file)
        check_output(output, [*paths, *lists])
        require_weights(yes=yes)
        tagger = GenreTagger()
        tags, errors = tag_probabilities(
            tagger,
            paths,
            console=console,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
        )
        names = format_list([path.resolve().name for path in music or []], limit=1)
        page = map_of_songs(
            tagger,
            tags,
            color=color,
            reduction=reduction,
            title=f"Map of {names or 'music'}",
            n_jobs=jobs,
        )
        write_atomically(check_writable(output), page.encode("utf-8"))
    except (ImportError, OSError, ValueError) as error:
        raise fail(error, errors) from None
    console.print(f"Map in [bold]{plain(output)}[/].", soft_wrap=True)
    end(errors)
