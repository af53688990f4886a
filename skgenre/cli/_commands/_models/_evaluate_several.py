"""Evaluate one or two models of several genres a clip on labelled music."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.utils import Bunch

from skgenre.classifiers._several_genres import genre_thresholds
from skgenre.cli._commands._library._labels import (
    as_target,
    genre_counts,
    genres_of_each,
    some_tracks,
)
from skgenre.cli._commands._models._evaluate import (
    difference,
    format_genres,
    hierarchical_figures,
    hierarchical_lines,
    merged_genres,
    model_genres,
    predict_labelled,
    print_caveats,
)
from skgenre.cli._console import plain
from skgenre.cli._tables import cooccurrence_table, report_table, with_interval
from skgenre.datasets import GenreTree
from skgenre.inspection import (
    hierarchical_scores,
    multilabel_report_html,
    multilabel_score_intervals,
)
from skgenre.inspection._scores._accuracies import check_merged_genres
from skgenre.inspection._scores._several_genres import compare_rankings, genre_columns
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
    """Predictions of a model of several genres a clip, and maybe of another."""

    model_names: list[str]
    tracks: Bunch
    genres: NDArray
    """All models know them; the columns of these:"""
    true: NDArray
    proba: NDArray
    chosen: NDArray
    other: NDArray | None
    """Probabilities by the other model."""
    merge: dict[str, str]
    notes: list[str]
    errors: dict[str, str]
    hierarchical: Bunch | None

    @property
    def scores(self) -> Bunch:
        """Scores of all genres, with intervals."""
        return multilabel_score_intervals(
            self.true,
            self.proba,
            self.chosen,
            labels=self.genres,
            groups=self.tracks.groups,
        )

    @property
    def merged(self) -> Bunch | None:
        """The scores where some genres count as others, if any do."""
        if not self.merge:
            return None
        names = np.array([self.merge.get(name, name) for name in self.genres.tolist()])
        labels, number = np.unique(names, return_inverse=True)
        members = np.arange(len(labels))[:, np.newaxis] == number
        return multilabel_score_intervals(
            _any_of(self.true, members),
            _any_of(self.proba, members),
            _any_of(self.chosen, members),
            labels=labels,
            groups=self.tracks.groups,
        )

    @property
    def comparison(self) -> Bunch | None:
        """The model compared with the other, where there is one."""
        if self.other is None:
            return None
        return compare_rankings(self.true, self.proba, self.other, self.tracks.groups)

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
        lines = [f"{len(self.proba)} clips{artists}", *_headlines(scores)]
        if (merged := self.merged) is not None:
            lines += _headlines(merged, f", {merged_genres(self.merge)}")
        lines += hierarchical_lines(self.hierarchical)
        lines += self._compared()
        for line in lines:
            console.print(plain(line), soft_wrap=True, highlight=False)

    def write_page(self, path: Path, *, title: str) -> None:
        """Write the page of HTML."""
        multilabel_report_html(
            self.true,
            self.proba,
            self.chosen,
            labels=self.genres,
            groups=self.tracks.groups,
            paths=self.tracks.paths,
            hierarchical=self.hierarchical,
            title=title,
            notes=[*self.notes, *self._compared()],
            path=path,
        )

    def _compared(self) -> list[str]:
        """Return the comparison as a line; none without another model."""
        if (found := self.comparison) is None:
            return []
        return [
            f"{_HEADLINES['ranking_precision']}, difference to {self.model_names[1]}: "
            f"{difference(found)}; this one is better on {found.first_better} clips, "
            f"the other on {found.second_better}."
        ]

    def _n_artists(self) -> int | None:
        groups = self.tracks.groups
        return None if groups is None else len(np.unique(groups))

    def _figures(self, scores: Bunch) -> dict[str, Any]:
        columns = [*_PER_GENRE, *(f"{name}_interval" for name in _PER_GENRE)]
        merged = self.merged
        return {
            "model": self.model_names[0],
            "n_clips": len(self.proba),
            "n_artists": self._n_artists(),
            **_headline_figures(scores),
            "genres": [
                {"genre": genre}
                | {key: scores[key][i] for key in (*columns, "support", "n_groups")}
                for i, genre in enumerate(scores.labels.tolist())
            ],
            "cooccurrence": scores.cooccurrence,
            **({} if merged is None else {"merged": _headline_figures(merged)}),
            **hierarchical_figures(self.hierarchical),
            "compared_with": None if self.other is None else self.model_names[1],
            "comparison": self.comparison,
            "notes": self.notes,
            "errors": self.errors,
        }


def _headlines(scores: Bunch, suffix: str = "") -> list[str]:
    return [
        f"{name}{suffix}: {with_interval(scores[key], scores[f'{key}_interval'])}"
        for key, name in _HEADLINES.items()
    ]


def _headline_figures(scores: Bunch) -> dict[str, Any]:
    names = (each for key in _HEADLINES for each in (key, f"{key}_interval"))
    return {name: scores[name] for name in names}


def _any_of(table: NDArray, members: NDArray) -> NDArray:
    """Return the highest value among some columns: 0 and 1, or probabilities.

    Parameters
    ----------
    table : ndarray of shape (n_clips, n_columns)
        Values.
    members : ndarray of shape (n, n_columns), bool
        Which of the columns each new one is made of.

    Returns
    -------
    ndarray of shape (n_clips, n)
    """
    return np.stack([table[:, chosen].max(axis=1) for chosen in members], axis=1)


def predicts_several(models: Sequence[tuple[str, Any]]) -> bool:
    """Return whether models predict several genres a clip.

    Raises
    ------
    ValueError
        If one of two does, and the other doesn't.
    """
    several = [name for name, model in models if genre_thresholds(model) is not None]
    if several and len(several) < len(models):
        raise ValueError(
            f"{several[0]!r} predicts several genres a clip, and the other model one, "
            "so that they have no score in common. --compare takes two models of one "
            "kind."
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
    """Return what one or two models of several genres predict for labelled music.

    With a tree, clips and predictions are of the genres above theirs, too.

    Raises
    ------
    ValueError
        If no clip is of a genre that the models know, none can be read, a genre that
        is merged is nobody's, or fewer than two genres are left.
    """
    models = [getattr(model, "best_estimator_", model) for _, model in named]
    names = [name for name, _ in named]
    genres, notes = _common_genres(names, models)
    check_merged_genres(merge, genres.tolist())
    tree = GenreTree({} if genre_tree is None else genre_tree)
    if genre_tree is not None:
        notes.append("Clips and predictions are of the genres above theirs, too.")
    given = tracks.target
    tracks, kept, more = _with_known_genres(tracks, names, genres, tree)
    notes += more

    def results(files: Sequence[str]) -> list[tuple]:
        of_models = (model.predict_proba(files) for model in models)
        return list(zip(*of_models, strict=True))

    found, good, errors = predict_labelled(
        results,
        models,
        tracks.paths.tolist(),
        notes,
        console=console,
        **how,
    )
    print_caveats(notes, console)
    tracks = some_tracks(tracks, good)
    lineages = [tree.lineage(genre) for genre in genres.tolist()]
    # Each genre is made of itself and those below it.
    members = np.array([[name in each for each in lineages] for *_, name in lineages])
    columns = [_positions(genres, model_genres(model)) for model in models]
    tables = [
        np.array(table)[:, own]
        for table, own in zip(zip(*found, strict=True), columns, strict=True)
    ]
    proba, *others = (_any_of(table, members) for table in tables)
    thresholds = genre_thresholds(models[0])
    assert thresholds is not None  # by `predicts_several`
    chosen = _any_of(tables[0] >= thresholds[columns[0]], members).astype(int)
    hierarchical = None
    if genre_tree is not None:
        hierarchical = hierarchical_scores(
            given[kept][good],
            [tuple(genres[row].tolist()) for row in chosen > 0],
            tree,
            groups=tracks.groups,
        )
    return EvaluatedSeveral(
        model_names=names,
        tracks=tracks,
        genres=genres,
        true=genre_columns("target", tracks.target, genres),
        proba=proba,
        chosen=chosen,
        other=others[0] if others else None,
        merge=merge,
        notes=notes,
        errors=errors,
        hierarchical=hierarchical,
    )


def _positions(genres: NDArray, among: NDArray) -> list[int]:
    """Return where each of some genres is among others."""
    return [among.tolist().index(genre) for genre in genres.tolist()]


def _common_genres(names: list[str], models: list[Any]) -> tuple[NDArray, list[str]]:
    """Return the genres that all models know, and a note on the others."""
    of_models = [model_genres(model).tolist() for model in models]
    common = [genre for genre in of_models[0] if all(genre in own for own in of_models)]
    if len(common) < 2:
        raise ValueError(
            f"{' and '.join(names)} have {len(common)} genres in common, and two are "
            "needed. Compare models that were trained on the same genres."
        )
    others = sorted({genre for own in of_models for genre in own} - {*common})
    if not others:
        return np.array(common), []
    left_out = format_genres(np.array(others))
    note = f"Left out, as not all of the models know them, are the genres {left_out}."
    return np.array(common), [note]


def _with_known_genres(
    tracks: Bunch, names: list[str], genres: NDArray, tree: GenreTree
) -> tuple[Bunch, NDArray, list[str]]:
    """Return clips with the genres that models know, which clips, and notes.

    The genres of a clip are its own and those above them.
    """
    known = {tree.lineage(genre)[-1]: genre for genre in genres.tolist()}
    who = f"{names[0]} knows" if len(names) == 1 else "the models know"
    notes = []
    with_above = (
        [name for genre in each for name in tree.lineage(genre) if name in known]
        for each in genres_of_each(tracks.target)
    )
    of_each = [tuple({known[name]: None for name in each}) for each in with_above]
    found = genre_counts(tracks.target)[0]
    is_strange = [tree.lineage(genre)[-1] not in known for genre in found.tolist()]
    if len(strange := found[is_strange]):
        notes.append(
            f"Of the clips' genres, {who} {format_genres(genres)}; others are left "
            f"out, and clips that have no others: {format_genres(strange)}."
        )
    kept = np.array([bool(each) for each in of_each])
    if not kept.any():
        raise ValueError(
            f"No clip is of a genre that is known. {' '.join(notes)} Name the genres "
            "as in training."
        )
    tracks = Bunch(**tracks | {"target": as_target(of_each, several=True)})
    tracks = some_tracks(tracks, kept)
    absent = np.setdiff1d(genres, genre_counts(tracks.target)[0])
    if len(absent):
        notes.append(
            f"There are no clips of {format_genres(absent)}, which {who}, too."
        )
    return tracks, kept, notes
