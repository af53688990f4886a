"""Evaluate one or two models on labelled music."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.base import is_classifier
from sklearn.utils import Bunch

from skgenre._estimators import split_last_step
from skgenre._text import format_list, printable
from skgenre.cli._commands._library._labels import folded_genres, some_tracks
from skgenre.cli._console import plain
from skgenre.cli._files import apply_to_files, prepare, print_notes
from skgenre.cli._tables import confusion_table, report_table, with_interval
from skgenre.datasets import GenreTree
from skgenre.inspection import (
    accuracy_scores,
    classification_report_html,
    compare_predictions,
    expected_calibration_error,
    hierarchical_scores,
    suspected_label_errors,
)
from skgenre.inspection._report._figures import headline, scores_of
from skgenre.inspection._report._predictions import Predictions, check_predictions
from skgenre.inspection._scores._accuracies import check_merged_genres
from skgenre.persistence import load
from skgenre.persistence._contents import json_text
from skgenre.pipelines import embedding_pipeline

_PER_GENRE = (
    *("precision", "recall", "f1", "support", "n_groups"),
    *("precision_interval", "recall_interval", "f1_interval"),
)


# Besides the accuracy of `headline`; what each is called.
_ACCURACIES = {
    "top_2_accuracy": "Right among the two most probable genres",
    "macro_accuracy": "Accuracy, mean over genres",
    "artist_accuracy": "Accuracy, mean over artists",
}
# Scores in a tree of genres.
_HIERARCHICAL = {"precision": "precision", "recall": "recall", "f1": "F1"}


@dataclass
class Evaluated:
    """Predictions of a model, and of another, for the same clips."""

    model_names: list[str]
    predictions: Predictions
    embeddings: NDArray | None
    merge: dict[str, str]
    notes: list[str]
    errors: dict[str, str]
    hierarchical: Bunch | None

    @cached_property
    def accuracies(self) -> Bunch:
        """Accuracies of several kinds, with intervals."""
        found = self.predictions
        return accuracy_scores(
            found.y_true,
            found.y_pred,
            groups=found.groups,
            y_proba=found.proba,
            labels=found.labels,
            merge=self.merge or None,
        )

    @cached_property
    def suspected_labels(self) -> float | None:
        """Share of the errors that may be the labels'; None if nothing can be said."""
        found = self.predictions
        errors = found.y_true != found.y_pred
        if self.embeddings is None or not errors.any():
            return None
        suspected = suspected_label_errors(
            self.embeddings, found.y_true, found.y_pred, found.groups
        )
        return float(suspected.sum() / errors.sum())

    @property
    def scores(self) -> Bunch:
        """Scores of all genres, with intervals."""
        return scores_of(self.predictions)

    @property
    def comparison(self) -> Bunch | None:
        """The model compared with the other, where there is one."""
        found = self.predictions
        if found.other is None:
            return None
        return compare_predictions(
            found.y_true, found.y_pred, found.other, groups=found.groups
        )

    def write(self, file_format: str, stream: IO[str]) -> None:
        """Write the figures as a table or as JSON."""
        if file_format == "json":
            text = json_text(self._figures(), indent=2)
            stream.write(text + "\n")
            stream.flush()
        else:
            self._print(Console(file=stream))

    def write_page(self, path: Path, *, title: str) -> None:
        """Write the page of HTML."""
        found = self.predictions
        classification_report_html(
            found.y_true,
            found.y_pred,
            labels=found.labels,
            y_proba=found.proba,
            unknown=found.unknown,
            y_pred_other=found.other,
            model_names=[*self.model_names, ""][:2],
            groups=found.groups,
            paths=found.paths,
            hierarchical=self.hierarchical,
            title=title,
            notes=self.notes,
            path=path,
        )

    def _figures(self) -> dict[str, Any]:
        found, scores = self.predictions, self.scores
        given, confidence = found.given, found.confidence
        return {
            "model": self.model_names[0],
            **headline(found, scores),
            **_known(self.accuracies),
            "suspected_label_errors": self.suspected_labels,
            "genres": [
                {"genre": genre} | {name: scores[name][i] for name in _PER_GENRE}
                for i, genre in enumerate(scores.labels.tolist())
            ],
            **hierarchical_figures(self.hierarchical),
            "calibration_error": None
            if confidence is None or not given.any()
            else expected_calibration_error(found.right[given], confidence[given]),
            "compared_with": self.model_names[1] if found.other is not None else None,
            "comparison": self.comparison,
            "notes": self.notes,
            "errors": self.errors,
        }

    def _print(self, console: Console) -> None:
        found, scores = self.predictions, self.scores
        head = headline(found, scores)
        labels = found.labels
        if found.unknown is not None:
            labels = np.append(labels, found.unknown)
        console.print(report_table(scores, "Genres"))
        console.print(confusion_table(found.y_true, found.y_pred, labels, console))
        artists = f" of {head['n_artists']} artists" if head["n_artists"] else ""
        lines = [
            f"Accuracy on {head['n_clips']} clips{artists}: "
            + with_interval(head["accuracy"], head["accuracy_interval"]),
            f"Always {printable(head['commonest'])!r}: {head['commonest_share']:.2f}",
        ]
        accuracies = self.accuracies
        names = dict(_ACCURACIES)
        if self.merge:
            names["merged_accuracy"] = f"Accuracy, {merged_genres(self.merge)}"
        lines += [
            f"{name}: {with_interval(accuracies[key], accuracies[f'{key}_interval'])}"
            for key, name in names.items()
            if not np.isnan(accuracies[key])
        ]
        if found.groups is not None:
            n = accuracies.n_effective_groups
            lines.append(f"The artists say as much as {n:.0f} with as many clips each.")
        if self.suspected_labels is not None:
            whose = "" if found.groups is None else " by other artists"
            lines.append(
                f"Errors where most neighbours{whose} have the predicted genre, so "
                f"that the label may be wrong: {self.suspected_labels:.2f}"
            )
        if "coverage" in head:
            lines += [
                "Clips with a prediction: "
                + with_interval(head["coverage"], head["coverage_interval"]),
                "Right, of the predictions: "
                + with_interval(head["precision"], head["precision_interval"]),
            ]
        lines += hierarchical_lines(self.hierarchical)
        if (comparison := self.comparison) is not None:
            lines.append(
                f"Difference to {self.model_names[1]}: {difference(comparison)}; only "
                "this one right: "
                f"{comparison.only_first}, only the other: {comparison.only_second}, "
                f"McNemar's p = {comparison.p_value:.2g}"
            )
        for line in lines:
            console.print(plain(line), soft_wrap=True, highlight=False)


def _known(scores: Bunch) -> dict[str, Any]:
    """Return the scores that there are, without those that are NaN."""
    return {name: score for name, score in scores.items() if not np.isnan(score).any()}


def difference(comparison: Bunch) -> str:
    """Return by how much a model is better than another, and the interval, if any."""
    low, high = comparison.difference_interval
    limits = f" ({low:+.2f} to {high:+.2f})" if high > low else ""
    return f"{comparison.difference:+.2f}{limits}"


def hierarchical_figures(scores: Bunch | None) -> dict[str, Any]:
    """Return scores in a tree as a part of the figures in JSON; none without a tree."""
    return {} if scores is None else {"hierarchical": _known(scores)}


def hierarchical_lines(scores: Bunch | None) -> list[str]:
    """Return scores in a tree as lines to print; none without a tree."""
    return [
        f"Hierarchical {name}: {with_interval(scores[key], scores[f'{key}_interval'])}"
        for key, name in _HIERARCHICAL.items()
        if scores is not None and not np.isnan(scores[key])
    ]


def merged_genres(merge: dict[str, str]) -> str:
    """Return which genres count as which others, in words."""
    return format_list(f"{a} as {b}" for a, b in merge.items())


def check_merge(pairs: Sequence[str]) -> dict[str, str]:
    """Return genres that count as others, from texts such as "pop=rock".

    Raises
    ------
    ValueError
        If a text is no such pair, or a genre is to count as two others.
    """
    merge: dict[str, str] = {}
    for pair in pairs:
        genre, equals, other = (part.strip() for part in pair.partition("="))
        if not (genre and equals and other):
            raise ValueError(
                f"--merge takes two genres such as pop=rock, got {pair!r}."
            )
        if merge.get(genre, other) != other:
            raise ValueError(
                f"--merge counts {genre!r} as {merge[genre]!r} and as {other!r}. "
                "Choose one of them."
            )
        merge[genre] = other
    return merge


def load_classifiers(files: Sequence[Path]) -> list[tuple[str, Any]]:
    """Return the models in files, each after its name as it is printed.

    Raises
    ------
    ValueError
        If a file holds no fitted classifier.
    """
    models = [(printable(str(file)), load(file, runtime="auto")) for file in files]
    for name, model in models:
        if not is_classifier(model):
            raise ValueError(
                f"{name!r} holds no classifier but {type(model).__name__}. Use a model "
                "that predicts genres."
            )
        if not hasattr(model, "classes_"):
            raise ValueError(f"{name!r} holds a model that was not fitted. Train it.")
    return models


def evaluate_models(
    named: list[tuple[str, Any]],
    tracks: Bunch,
    *,
    merge: dict[str, str],
    genre_tree: GenreTree | None,
    console: Console,
    **how: Any,
) -> Evaluated:
    """Return the predictions of one or two models for labelled music.

    Raises
    ------
    ValueError
        If no clip is of a genre that the models know, none can be read, or a genre
        that is merged is nobody's.
    """
    models = [getattr(model, "best_estimator_", model) for _, model in named]
    last = split_last_step(models[0])[1]
    tree = getattr(last, "genre_tree", None) if genre_tree is None else genre_tree
    given, notes = tracks.target, []
    if tree is not None:
        target = _as_known(given, models, GenreTree(tree))
        tracks = Bunch(**tracks | {"target": target})
        if folded := folded_genres(given, target):
            notes.append(f"Genres that are not known count as those above: {folded}.")
    kept, more = _known_clips(tracks, dict(named))
    notes += more
    names = [name for name, _ in named]
    check_merged_genres(
        merge, {*model_genres(named[0][1]).tolist(), *tracks.target[kept].tolist()}
    )
    embedder = _embedder(models[0])

    def results(files: Sequence[str]) -> list[tuple]:
        embeddings = [None] * len(files)
        if embedder is not None:
            embeddings = list(np.asarray(embedder.transform(files)))
        of_models = [_predict(model, files) for model in models]
        return list(zip(embeddings, *of_models, strict=True))

    found, good, errors = predict_labelled(
        results,
        models,
        tracks.paths[kept].tolist(),
        notes,
        console=console,
        **how,
    )
    rows = np.flatnonzero(kept)[good]
    tracks = some_tracks(tracks, rows)
    embeddings = None
    if embedder is not None:
        embeddings = np.array([embedding for embedding, *_ in found])
    predicted = [[genre for genre, _ in of_models] for _, *of_models in found]
    proba = [of_models[0][1] for _, *of_models in found]
    unknown = getattr(last, "unknown_", None)
    unknown = None if unknown is None else str(unknown)
    labels = model_genres(models[0])
    first = [genres[0] for genres in predicted]
    hierarchical = None
    if tree is not None:
        hierarchical = hierarchical_scores(
            given[rows], first, tree, unknown=unknown, groups=tracks.groups
        )
        known = {*labels.tolist(), unknown}
        if n_above := sum(genre not in known for genre in first):
            first = [genre if genre in known else unknown for genre in first]
            notes.append(
                f"{n_above} predictions are genres above those of the model. Outside "
                f"the hierarchical scores they count as {unknown!r}."
            )
    print_caveats(notes, console)
    return Evaluated(
        model_names=names,
        predictions=check_predictions(
            tracks.target,
            first,
            labels=labels,
            y_proba=None if proba[0] is None else np.array(proba),
            unknown=unknown,
            y_pred_other=[genres[1] for genres in predicted]
            if len(models) > 1
            else None,
            groups=tracks.groups,
            paths=tracks.paths.tolist(),
            albums=None,
        ),
        embeddings=embeddings,
        merge=merge,
        notes=notes,
        errors=errors,
        hierarchical=hierarchical,
    )


def print_caveats(notes: list[str], console: Console) -> None:
    """Print what a reader should know of the figures that follow."""
    for note in notes:
        console.print(f"[yellow]Note:[/] {plain(note)}", soft_wrap=True)
    console.print("These figures hold only for music that was not trained on.")


def predict_labelled(
    predict: Callable[[Sequence[Any]], list],
    models: list[Any],
    paths: list[str],
    notes: list[str],
    *,
    cache_dir: Path | None,
    time_limit: float | None,
    n_jobs: int,
    console: Console,
) -> tuple[list[Any], NDArray, dict[str, str]]:
    """Return what models predict for files, which can be read, and the errors.

    Parameters
    ----------
    predict : callable
        Takes some of the files, and returns a prediction for each.
    models : list of estimator
        The fitted models that it uses.
    paths : list of str
        Files.
    notes : list of str
        Gets one more where files can't be read.
    cache_dir, time_limit, n_jobs, console : object
        As of the command.

    Returns
    -------
    predictions : list
        Of each file that can be read.
    good : ndarray of int
        Rows of these files in `paths`.
    errors : dict of str to str
        What is wrong with the others.

    Raises
    ------
    ValueError
        If none can be read.
    """
    for model in models:
        prepare(model, n_jobs=n_jobs, cache_dir=cache_dir, time_limit=time_limit)
    predictions, errors, readings = apply_to_files(
        predict,
        models,
        paths,
        n_jobs=n_jobs,
        title="Predicting",
        console=console,
    )
    print_notes(readings, console)
    for message in errors.values():
        console.print(f"[bold red]Error:[/] {plain(message)}", soft_wrap=True)
    good = np.array([row for row, path in enumerate(paths) if path not in errors], int)
    if not len(good):
        raise ValueError("None of the files could be read, so nothing was evaluated.")
    if errors:
        notes.append(
            f"Left out, as they could not be read: {len(errors)} of the files."
        )
    return [predictions[paths[row]] for row in good], good, errors


def _as_known(target: NDArray, models: list[Any], tree: GenreTree) -> NDArray:
    """Return genres that all models know, in place of those that are below them."""
    common = set.intersection(*({*model_genres(model).tolist()} for model in models))
    known = {tree.lineage(genre)[-1]: genre for genre in sorted(common)}

    def nearest(genre: str) -> str:
        above = [known[name] for name in tree.lineage(genre) if name in known]
        return genre if genre in common or not above else above[-1]

    return np.array([nearest(genre) for genre in target.tolist()])


def _known_clips(tracks: Bunch, models: dict[str, Any]) -> tuple[NDArray, list[str]]:
    """Return which clips are of genres that all models know, and notes on others."""
    kept = np.ones(len(tracks.target), bool)
    notes = []
    for name, model in models.items():
        genres = model_genres(model)
        is_known = np.isin(tracks.target, genres)
        strange, counts = np.unique(tracks.target[~is_known], return_counts=True)
        if len(strange):
            notes.append(
                f"{name} knows {format_genres(genres)}, so clips of other genres "
                f"({counts.sum()}) are left out: {format_genres(strange)}."
            )
        kept &= is_known
    if not kept.any():
        raise ValueError(
            f"No clip is of a genre that is known. {' '.join(notes)} Name the genres "
            "as in training."
        )
    for name, model in models.items():
        absent = np.setdiff1d(model_genres(model), tracks.target[kept])
        if len(absent):
            notes.append(
                f"There are no clips of {format_genres(absent)}, which {name} knows, "
                "too."
            )
    return kept, notes


def format_genres(genres: NDArray) -> str:
    return format_list(repr(str(genre)) for genre in genres)


def model_genres(model: Any) -> NDArray:
    """Return the genres as folders are called; they may have been numbers."""
    return np.array([str(genre) for genre in model.classes_.tolist()])


def _embedder(model: Any) -> Any | None:
    """Return what makes the model's embeddings, or None where nothing does."""
    try:
        return embedding_pipeline(model)
    except ValueError:
        return None


def _predict(model: Any, paths: Sequence[str]) -> list[tuple[str, NDArray | None]]:
    """Return genre and probabilities (None without) of each file."""
    predicted = [str(genre) for genre in np.asarray(model.predict(paths))]
    proba: Any = [None] * len(predicted)
    if hasattr(model, "predict_proba"):
        proba = model.predict_proba(paths)
    return list(zip(predicted, proba, strict=True))
