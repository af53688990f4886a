"""The commands and their options."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from skgenre.cli._commands import _cache
from skgenre.cli._commands._cache import CacheDir
from skgenre.cli._commands._embeddings._commands import (
    cluster,
    make_map,
    path,
    similar,
)
from skgenre.cli._commands._explore import explore
from skgenre.cli._commands._library._check_tags import check_tags
from skgenre.cli._commands._library._undo import undo
from skgenre.cli._commands._models._info import card, info
from skgenre.cli._commands._scan import scan
from skgenre.cli._commands._tag import tag
from skgenre.cli._commands._weights import weights
from skgenre.cli._console import console, end, fail, plain
from skgenre.cli._help import Command, examples
from skgenre.cli._options import (
    DryRun,
    FromFile,
    GenreFormat,
    GenreTreeFile,
    GroupedOutput,
    Jobs,
    Labels,
    LabelsFrom,
    MissingOnly,
    ModelName,
    NewUndoFile,
    Seed,
    SongFormat,
    TimeLimit,
    WriteTags,
    Yes,
)
from skgenre.cli._quick_start import defer_scipy_stats
from skgenre.cli._signals import InterruptibleGroup

app = typer.Typer(
    cls=InterruptibleGroup,
    help="Music genre recognition: audio files in, genres out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class ReportFormat(StrEnum):
    """Forms of an evaluation."""

    table = "table"
    json = "json"


def _version(wanted: bool) -> None:
    if wanted:
        from skgenre._version import __version__

        typer.echo(f"skgenre {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Music genre recognition: audio files in, genres out."""
    # TensorFlow greets on the standard error; its errors still come through.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def train(
    music: Annotated[
        Path,
        typer.Argument(
            help="Folder with one sub-folder per genre, or a CSV of "
            "path,genre[,group]; with --labels tags, any folder of music."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Model file to write.")
    ] = Path("genres.model"),
    labels: LabelsFrom = Labels.folders,
    genre_tree: GenreTreeFile = None,
    model: Annotated[
        ModelName | None,
        typer.Option(
            help="Kind of model to train.",
            show_default="best, or fast without its weights",
        ),
    ] = None,
    test_size: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.9,
            help="Share of the clips to evaluate on, by whole artists where they "
            "are known; 0 trains on all clips, without an evaluation.",
        ),
    ] = 0.2,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit/--no-refit",
            help="After the evaluation, train the saved model once more, on all clips.",
        ),
    ] = True,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of epochs of a network, instead of the default."
        ),
    ] = None,
    checkpoint_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder for checkpoints of a network after each epoch; to "
            "resume, run the same command again.",
            file_okay=False,
        ),
    ] = None,
    work_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the spectrograms of a network, instead of memory, "
            "for large collections; after an interruption, those in it are "
            "used again.",
        ),
    ] = None,
    multi_label: Annotated[
        bool,
        typer.Option(
            "--multi-label",
            help="Learn several genres of each clip: those separated by | in a "
            "CSV, as in rock|pop, or all in the tags.",
        ),
    ] = False,
    note: Annotated[
        str | None, typer.Option(help="Text to save with the model; `info` shows it.")
    ] = None,
    seed: Seed = 0,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Train a model on labelled music, evaluate it on held-out clips and save it.

    With --genre-tree, genres of too few clips or artists count as the genre above them;
    where clips have several genres, each is also of all that are above its own.
    """
    from skgenre.cli._commands._library._labels import (
        add_genres_above,
        fold_rare_genres,
        labelled_tracks,
        without_rare_genres,
    )
    from skgenre.cli._commands._models._chosen_model import best_installed, chosen_model
    from skgenre.cli._commands._models._train import train_and_evaluate
    from skgenre.cli._commands._models._work_dir import check_work_dir
    from skgenre.cli._output import check_output
    from skgenre.datasets import GenreTree
    from skgenre.persistence import save
    from skgenre.persistence._training_facts import check_training

    try:
        name = model or best_installed()
        given = {"recipe": str(name), "labels": str(labels), "seed": seed}
        given |= {} if note is None else {"note": note}
        check_training(given)
        pipeline = chosen_model(
            model,
            multi_label=multi_label,
            epochs=epochs,
            checkpoint_dir=checkpoint_dir,
            seed=seed,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
            yes=yes,
            console=console,
        )
        check_output(output, [music, genre_tree])
        tree = None if genre_tree is None else GenreTree.from_file(genre_tree)
        tracks = labelled_tracks(music, labels, console, multi_label=multi_label)
        if tree is not None:
            by_tree = add_genres_above if multi_label else fold_rare_genres
            tracks = by_tree(tracks, tree, console)
        if multi_label or labels == Labels.tags:
            tracks = without_rare_genres(tracks, console)
        check_work_dir(pipeline, len(tracks.paths), work_dir)
        trained = train_and_evaluate(
            pipeline,
            tracks,
            test_size=test_size,
            random_state=seed,
            console=console,
            work_dir=work_dir,
            refit=refit,
        )
        _reset_work_parameters(pipeline)
        evaluation = trained.evaluation
        save(
            pipeline,
            output,
            metrics=None if evaluation is None else evaluation.metrics,
            training=given | trained.facts,
        )
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    console.print(f"Saved to [bold]{plain(output)}[/].")


def _reset_work_parameters(pipeline: Any) -> None:
    """Reset how the work was done: a saved model is used in other programs."""
    from skgenre._estimators import set_in_parts

    set_in_parts(
        pipeline, lambda part: True, verbose=False, n_jobs=None, time_limit=None
    )


def predict(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    music: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Audio files, folders and playlists (.m3u, .m3u8); - reads one "
            "sound file from the standard input."
        ),
    ] = None,
    from_file: FromFile = None,
    file_format: GenreFormat = SongFormat.table,
    output: GroupedOutput = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of genres to show for each file.",
            show_default="1; of a model of several genres, all above their threshold",
        ),
    ] = None,
    missing_only: MissingOnly = False,
    write_tags: WriteTags = False,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Lowest probability at which a genre is written."
        ),
    ] = None,
    dry_run: DryRun = False,
    undo_file: NewUndoFile = None,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Predict the genres of audio files by a model.

    Files that can't be read are reported and skipped; the exit code is then 1.
    """
    defer_scipy_stats()
    from skgenre.cli._commands._library._missing import without_genre
    from skgenre.cli._commands._library._write_tags import check_writing
    from skgenre.cli._files import predict_files
    from skgenre.cli._inputs import files_and_standard_input
    from skgenre.cli._output import check_output, results_to, write_grouped
    from skgenre.cli._tables import write_predictions
    from skgenre.datasets._library._playlists import Entry
    from skgenre.persistence import load

    try:
        writing = check_writing(
            write_tags,
            min_confidence=min_confidence,
            undo_file=undo_file,
            dry_run=dry_run,
        )
        pipeline = load(model, runtime="auto")
        if not hasattr(pipeline, "predict_proba"):
            raise ValueError(
                f"{str(model)!r} gives no probabilities of genres: "
                f"{type(pipeline).__name__} has no predict_proba. Use a classifier."
            )
        files, lists = files_and_standard_input(music, from_file)
        paths = [file for file in files if isinstance(file, str)]
        is_playlist = file_format == SongFormat.m3u
        if is_playlist and len(paths) < len(files):
            raise ValueError(
                "A playlist has names of files, and '-' has none. Choose another "
                "--format."
            )
        check_output(output, [model, *paths, *lists], is_folder=is_playlist)
        if missing_only:
            files = without_genre(files, n_jobs=jobs, console=console)
        predictions, genres = predict_files(
            pipeline,
            files,
            top=top,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
            yes=yes,
            console=console,
        )
        errors = [p["error"] for p in predictions if "error" in p]
        good = [(p["path"], p["genres"][0]) for p in predictions if p.get("genres")]
        if is_playlist:
            sure_first = sorted(good, key=lambda pair: -pair[1]["probability"])
            entries = [Entry(path, str(best["genre"])) for path, best in sure_first]
            errors += write_grouped(entries, output)
        else:
            with results_to(output) as stream:
                write_predictions(predictions, file_format, stream)
        if writing is not None:
            found = {
                path: [(str(each["genre"]), each["probability"]) for each in several]
                for path, several in genres.items()
            }
            errors += writing.write(found, console)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    end(errors)


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    music: Annotated[
        Path,
        typer.Argument(
            help="Folder with one sub-folder per genre, or a CSV of "
            "path,genre[,group]; with --labels tags, any folder of music."
        ),
    ],
    labels: LabelsFrom = Labels.folders,
    report: Annotated[
        Path | None,
        typer.Option(help="HTML page to write, with errors, clips and curves."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Second model file, to compare with.")
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(
            help="Count one genre as another, such as pop=rock, in an additional "
            "accuracy."
        ),
    ] = None,
    genre_tree: GenreTreeFile = None,
    file_format: Annotated[
        ReportFormat, typer.Option("--format", help="Format of the results.")
    ] = ReportFormat.table,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
) -> None:
    """Evaluate a model on labelled music that it was not trained on.

    Files that can't be read are reported and skipped; the exit code is then 1.

    With --genre-tree, or a model that has a tree, there are hierarchical scores, too:
    a genre above the right one counts as partly right.
    """
    from skgenre.cli._commands._library._labels import labelled_tracks
    from skgenre.cli._commands._models._evaluate import (
        check_merge,
        evaluate_models,
        load_classifiers,
    )
    from skgenre.cli._commands._models._evaluate_several import (
        evaluate_several,
        predicts_several,
    )
    from skgenre.cli._output import check_output
    from skgenre.datasets import GenreTree

    try:
        check_output(report, [model, music, compare, genre_tree], option="--report")
        merged = check_merge(merge or [])
        tree = None if genre_tree is None else GenreTree.from_file(genre_tree)
        files = [model, *([] if compare is None else [compare])]
        models = load_classifiers(files)
        several = predicts_several(models)
        evaluated = evaluate_several if several else evaluate_models
        judged = evaluated(
            models,
            labelled_tracks(music, labels, console, models=files, multi_label=several),
            merge=merged,
            genre_tree=tree,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
            console=console,
        )
        judged.write(file_format, sys.stdout)
        if report is not None:
            judged.write_page(report, title=f"{model.name} on {music.resolve().name}")
            console.print(f"Report in [bold]{plain(report)}[/].")
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    if judged.errors:
        raise typer.Exit(1)


def demo(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write to."),
    ] = Path("skgenre-demo"),
    seed: Seed = 0,
    jobs: Jobs = -1,
) -> None:
    """Make a small corpus, train on it, evaluate, predict and save plots."""
    from skgenre.cli._commands._demo import run_demo

    try:
        run_demo(output, seed=seed, n_jobs=jobs, console=console)
    except (OSError, ValueError) as error:
        raise fail(error) from None


# Names of the groups in the help, and in them commands with examples.
_GROUPS: dict[str, dict[str, tuple[Any, ...]]] = {
    "Without labels": {
        "tag": (
            tag,
            "skgenre tag my_music",
            "skgenre tag my_music --genres jazz,rock,soul --format csv",
        ),
        "similar": (similar, "skgenre similar song.mp3 --among my_music -k 20"),
        "path": (path, "skgenre path calm.mp3 loud.mp3 --among my_music"),
        "cluster": (cluster, "skgenre cluster my_music --format m3u -o playlists"),
        "map": (make_map, "skgenre map my_music --color cluster -o map.html"),
        "explore": (explore, "skgenre explore my_music"),
    },
    "With labels": {
        "train": (
            train,
            "skgenre train my_music -o genres.model",
            "skgenre train tracks.csv --model fast --note 'first try'",
        ),
        "predict": (
            predict,
            "skgenre predict genres.model song.mp3 my_music",
            "find . -name '*.mp3' | skgenre predict genres.model --from-file -",
        ),
        "evaluate": (
            evaluate,
            "skgenre evaluate genres.model other_music --report report.html",
        ),
        "check-tags": (
            check_tags,
            "skgenre check-tags my_music --format html -o tags.html",
        ),
        "info": (info, "skgenre info genres.model"),
        "card": (card, "skgenre card genres.model -o MODEL_CARD.md"),
    },
    "Files": {
        "scan": (scan, "skgenre scan my_music --time-limit 60"),
        "undo": (
            undo,
            "skgenre undo skgenre-undo-20261130-101500-000000.jsonl --dry-run",
        ),
    },
    "This program": {
        "demo": (demo, "skgenre demo"),
        "weights": (weights, "skgenre weights"),
    },
}
for _group, _commands in _GROUPS.items():
    for _name, (_function, *_lines) in _commands.items():
        app.command(
            _name, cls=Command, rich_help_panel=_group, epilog=examples(*_lines)
        )(_function)
app.add_typer(_cache.app, name="cache", rich_help_panel="This program")
