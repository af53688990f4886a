"""Evaluate a model of several genres a clip on labelled music."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.utils import Bunch

from skgenre.classifiers._several_genres import genre_thresholds
from skgenre.cli._commands._evaluate import (
    format_genres,
    model_genres,
    predict_labelled,
    print_caveats,
)
from skgenre.cli._commands._library._labels import (
    as_target,
    genre_counts,
    genres_of_each,
    some_tracks,
)
from skgenre.cli._console import plain
from skgenre.cli._tables import cooccurrence_table, report_table, with_interval
from skgenre.datasets import GenreTree
from skgenre.inspection import multilabel_report_html, multilabel_score_intervals
from skgenre.persistence._contents import json_text

_HEADLINES = {
    "ranking_precision": "Label-ranking average precision",
    "macro_average_precision": "Average precision, mean over genres",
    "macro_f1": "F1, mean over genres",
    "accuracy": "All genres of a clip right, and no others",
}
_PER_GENRE = "average_precision", "precision", "recall", "f1"


@dataclass
class EvaluatedSeveral:
    """Predictions of a model of several genres a clip."""

    model_name: str
    tracks: Bunch
    proba: NDArray
    chosen: NDArray
    genres: NDArray
    notes: list[str]
    errors: dict[str, str]

    @property
    def scores(self) -> Bunch:
        """Scores of all genres, with intervals."""
        return multilabel_score_intervals(
            self.tracks.target,
            self.proba,
            self.chosen,
            labels=self.genres,
            groups=self.tracks.groups,
        )

    def write(self, file_format: str, stream: IO[str]) -> None:
        """Write the figures as a table or as JSON."""
        scores = self.scores
        if file_format == "json":
            stream.write(json_text(self._figures(scores), indent=2) + "\n")
            stream.flush()
            return
        console = Console(file=stream)
        console.print(report_table(scores, "Genres"))
        console.print(cooccurrence_table(scores, console))
        n_artists = self._n_artists()
        artists = f" of {n_artists} artists" if n_artists else ""
        lines = [f"{len(self.proba)} clips{artists}"] + [
            f"{name}: {with_interval(scores[key], scores[f'{key}_interval'])}"
            for key, name in _HEADLINES.items()
        ]
        for line in lines:
            console.print(plain(line), soft_wrap=True, highlight=False)

    def write_page(self, path: Path, *, title: str) -> None:
        """Write the page of HTML."""
        multilabel_report_html(
            self.tracks.target,
            self.proba,
            self.chosen,
            labels=self.genres,
            groups=self.tracks.groups,
            paths=self.tracks.paths,
            title=title,
            notes=self.notes,
            path=path,
        )

    def _n_artists(self) -> int | None:
        groups = self.tracks.groups
        return None if groups is None else len(np.unique(groups))

    def _figures(self, scores: Bunch) -> dict[str, Any]:
        columns = [*_PER_GENRE, *(f"{name}_interval" for name in _PER_GENRE)]
        return {
            "model": self.model_name,
            "n_clips": len(self.proba),
            "n_artists": self._n_artists(),
            **{
                key: scores[key]
                for name in _HEADLINES
                for key in (name, f"{name}_interval")
            },
            "genres": [
                {"genre": genre}
                | {key: scores[key][i] for key in (*columns, "support", "n_groups")}
                for i, genre in enumerate(scores.labels.tolist())
            ],
            "cooccurrence": scores.cooccurrence,
            "notes": self.notes,
            "errors": self.errors,
        }


def predicts_several(models: Sequence[tuple[str, Any]]) -> bool:
    """Return whether models predict several genres a clip; refuse two of these.

    Raises
    ------
    ValueError
        If one of two models does.
    """
    several = [name for name, model in models if genre_thresholds(model) is not None]
    if several and len(models) > 1:
        raise ValueError(
            f"{several[0]!r} predicts several genres a clip, and --compare is for "
            "models of one genre. Evaluate each by itself, on the same music."
        )
    return bool(several)


def evaluate_several(
    named: list[tuple[str, Any]],
    tracks: Bunch,
    *,
    merge: dict[str, str],
    genre_tree: GenreTree | None,
    console: Console,
    **how: Any,
) -> EvaluatedSeveral:
    """Return the predictions of a model of several genres for labelled music.

    Raises
    ------
    ValueError
        If genres are to be merged or are in a tree, no clip is of a genre that the
        model knows, or none can be read.
    """
    ((name, model),) = named
    if merge or genre_tree is not None:
        option = "--merge" if merge else "--genre-tree"
        raise ValueError(
            f"{option} is for models of one genre a clip. Leave it out, or give clips "
            "the genre that others count as, too."
        )
    model = getattr(model, "best_estimator_", model)
    genres = model_genres(model)
    tracks, notes = _with_known_genres(tracks, name, genres)
    found, good, errors = predict_labelled(
        lambda files: list(model.predict_proba(files)),
        [model],
        tracks.paths.tolist(),
        notes,
        console=console,
        **how,
    )
    print_caveats(notes, console)
    proba = np.array(found)
    return EvaluatedSeveral(
        model_name=name,
        tracks=some_tracks(tracks, good),
        proba=proba,
        chosen=(proba >= genre_thresholds(model)).astype(int),
        genres=genres,
        notes=notes,
        errors=errors,
    )


def _with_known_genres(
    tracks: Bunch, name: str, genres: NDArray
) -> tuple[Bunch, list[str]]:
    """Return clips with those of their genres that a model knows, and what it lacks."""
    known = {*genres.tolist()}
    notes = []
    strange = [g for g in tracks.target_names.tolist() if g not in known]
    if strange:
        notes.append(
            f"{name} knows {format_genres(genres)}; other genres are left out, and "
            f"clips that have no others: {format_genres(np.array(strange))}."
        )
    of_each = [
        tuple(g for g in each if g in known) for each in genres_of_each(tracks.target)
    ]
    tracks = Bunch(**tracks | {"target": as_target(of_each, several=True)})
    tracks = some_tracks(tracks, np.array([bool(each) for each in of_each]))
    if not len(tracks.paths):
        raise ValueError(
            f"No clip is of a genre that is known. {' '.join(notes)} Name the genres "
            "as in training."
        )
    absent = np.setdiff1d(genres, genre_counts(tracks.target)[0])
    if len(absent):
        notes.append(
            f"There are no clips of {format_genres(absent)}, which {name} knows, too."
        )
    return tracks, notes
