"""Train on labelled music and evaluate on held-out clips."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skgenre._estimators import fit_with_groups
from skgenre._text import format_list
from skgenre.audio import AudioError
from skgenre.audio._remote import is_url
from skgenre.classifiers._several_genres import read_several
from skgenre.classifiers._training._data import validation_rows
from skgenre.cli._commands._library._labels import genre_counts, some_tracks
from skgenre.cli._commands._models._work_dir import clips_to_learn_from
from skgenre.cli._console import plain
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import (
    confusion_table,
    cooccurrence_table,
    report_table,
)
from skgenre.datasets._audit import repeated_files
from skgenre.datasets._tracks_csv import quoted
from skgenre.inspection import multilabel_score_intervals, score_intervals
from skgenre.inspection._report._clips import common_folder


@dataclass
class Evaluation:
    """Predictions of a model on clips that it was not trained on, and their scores."""

    target: NDArray
    predicted: NDArray
    scores: Bunch
    protocol: str
    n_artists: int | None = None

    @property
    def metrics(self) -> dict[str, Any]:
        """Scores to keep with the model."""
        names = [n for n in ("accuracy", "ranking_precision") if n in self.scores]
        of_genres = {
            str(genre): {
                **self._rounded(("precision", "recall", "f1"), row),
                "n_clips": int(self.scores.support[row]),
            }
            for row, genre in enumerate(self.scores.labels)
        }
        return {
            **self._rounded(names),
            "n_clips": len(self.target),
            "n_artists": self.n_artists,
            "protocol": self.protocol,
            "genres": of_genres,
        }

    def _rounded(self, names: Iterable[str], row: Any = ()) -> dict[str, Any]:
        """Return scores and their intervals."""
        return {
            name: np.round(np.asarray(self.scores[name])[row], 4).tolist()
            for each in names
            for name in (each, f"{each}_interval")
        }


@dataclass
class Training:
    """What a model was trained on in the end, and how it was evaluated before."""

    tracks: Bunch
    evaluation: Evaluation | None
    refit: bool

    @property
    def facts(self) -> dict[str, Any]:
        """What to keep with the model of its training."""
        groups = self.tracks.groups
        genres, counts = genre_counts(self.tracks.target)
        return {
            "n_clips": len(self.tracks.paths),
            "n_artists": None if groups is None else len(np.unique(groups)),
            "genres": dict(zip(genres.tolist(), counts.tolist(), strict=True)),
            "digest": _digest(self.tracks),
            "refit": self.refit,
        }


def _digest(tracks: Bunch) -> str:
    """Return a digest of the clips' names, sizes, genres and artists.

    It is the same where the folder that holds them all is moved.
    """
    folder = common_folder(tracks.paths.tolist())
    rows = []
    for i, path in enumerate(tracks.paths):
        artist = None if tracks.groups is None else str(tracks.groups[i])
        name = os.path.relpath(path, folder) if folder else path
        rows.append(
            (
                name.replace(os.sep, "/"),
                _size(path),
                str(tracks.target[i]),
                "" if artist in (None, path) else artist,  # who is not known
            )
        )
    return hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()


def _size(path: str) -> int:
    try:
        return -1 if is_url(path) else os.path.getsize(path)
    except OSError:  # it is gone; the training is done
        return -1


def leave_out(
    tracks: Bunch, errors: Mapping[str, AudioError | str], console: Console
) -> Bunch:
    """Return the tracks that can be learnt from; print what is wrong with others."""
    for error in errors.values():
        console.print(f"[yellow]Left out:[/] {plain(error)}", soft_wrap=True)
    good = np.array([path not in errors for path in tracks.paths])
    found = genre_counts(tracks.target[good])[0]
    lost = np.setdiff1d(tracks.target_names, found).tolist()
    n_genres = len(tracks.target_names) - len(lost)
    names = format_list(map(repr, lost), limit=len(lost))
    if n_genres < 2:
        raise ValueError(
            "At least two genres are needed, and readable files were found for "
            f"{n_genres}" + (f"; none could be read of {names}." if lost else ".")
        )
    if lost:
        console.print(
            plain(f"No file could be read of {names}: left out."), soft_wrap=True
        )
    return some_tracks(tracks, good)


def _warn_of_copies(tracks: Bunch, console: Console) -> None:
    """Warn of copies on both sides of a split, on which a model would be judged."""
    copies = [
        tracks.paths[copy]
        for first, copy in repeated_files(tracks.paths)
        if tracks.groups is None or tracks.groups[first] != tracks.groups[copy]
    ]
    if copies:
        artists = "" if tracks.groups is None else " of other artists"
        console.print(
            f"[yellow]Warning:[/] {len(copies)} files are copies of other files"
            f"{artists}: {plain(quoted(copies))}. A model "
            "that is judged on a clip that it was trained on gets scores that are too "
            "good. Delete the copies, or give both one artist in a tracks.csv.",
            soft_wrap=True,
        )


def train_and_evaluate(
    model: Pipeline,
    tracks: Bunch,
    *,
    test_size: float,
    random_state: int,
    console: Console,
    work_dir: Path | None = None,
    refit: bool = False,
) -> Training:
    """Fit the model on some of the tracks and report its scores on the others.

    Each file is read once. Those that can't be read are named and left out before
    training begins. With a `work_dir`, spectrograms are kept there rather than in
    memory. With `refit`, the model is then fitted on all of the tracks.
    """
    import_networks_quietly(model)
    with clips_to_learn_from(model, tracks.paths.tolist(), work_dir, console) as (
        learner,
        clips,
        errors,
    ):
        tracks = leave_out(tracks, errors, console)
        _warn_of_copies(tracks, console)
        several = read_several("genres", tracks.target)
        codes = (
            np.unique(tracks.target, return_inverse=True)[1]
            if several is None
            else several.values
        )
        held_out = validation_rows(
            codes, tracks.groups, test_size, np.random.RandomState(random_state)
        )
        everything = np.arange(len(codes))
        kept = np.setdiff1d(everything, held_out)
        console.print(f"Training on {len(kept)} clips, {len(held_out)} held out.")
        fit_rows(learner, clips, tracks, kept)
        if not len(held_out):
            console.print(
                "No clips were held out, so the model is not evaluated. Where there "
                "are few clips or artists, try a larger --test-size."
            )
            return Training(tracks, None, refit=False)
        judged = some_tracks(tracks, held_out)
        evaluation = _evaluate(learner, clips[held_out], judged, console)
        if not refit:
            return Training(some_tracks(tracks, kept), evaluation, refit=False)
        console.print(
            f"Training once more on all {len(everything)} clips, for the model that is "
            "kept (not with --no-refit).",
            soft_wrap=True,
        )
        fit_rows(learner, clips, tracks, everything)
        evaluation.protocol += "; then the model was trained on these clips, too"
        return Training(tracks, evaluation, refit=True)


def _evaluate(learner: Any, clips: Any, tracks: Bunch, console: Console) -> Evaluation:
    """Return the scores for the tracks that were held out, and print them."""
    target, genres = tracks.target, learner.classes_
    predicted = learner.predict(clips)
    if target.dtype == object:
        scores = multilabel_score_intervals(
            target,
            learner.predict_proba(clips),
            predicted,
            labels=genres,
            groups=tracks.groups,
        )
        table = cooccurrence_table(scores, console)
    else:
        scores = score_intervals(target, predicted, labels=genres, groups=tracks.groups)
        table = confusion_table(target, predicted, genres, console)
    console.print(report_table(scores, "Held-out clips"))
    console.print(table)
    protocol = "held-out clips, stratified by genre"
    n_artists = None
    if tracks.groups is not None:
        protocol = "clips of held-out artists, stratified by genre"
        n_artists = len(np.unique(tracks.groups))
    evaluation = Evaluation(target, predicted, scores, protocol, n_artists)
    name, score = "Accuracy", evaluation.metrics["accuracy"]
    if "ranking_precision" in scores:
        name, score = "Label-ranking average precision", scores.ranking_precision
    console.print(f"{name} on {len(target)} {protocol}: [bold]{score:.2f}[/]")
    if tracks.groups is None:
        console.print(
            "[yellow]Note:[/] Artists are not known, and may be on both sides: on new "
            "artists, the model may be right less often. Name them in a CSV of "
            "path,genre,group.",
            soft_wrap=True,
        )
    return evaluation


def fit_rows(learner: Any, clips: Any, tracks: Bunch, rows: NDArray) -> None:
    """Fit a model, or its last step, on some of the clips.

    With their artists, where it takes such and they are known.
    """
    groups = None if tracks.groups is None else tracks.groups[rows]
    fit_with_groups(learner, clips[rows], tracks.target[rows], groups)
