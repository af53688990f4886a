"""Train on labelled music and judge on what was held out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skgenre.classifiers._training._data import validation_rows
from skgenre.cli._models import fit_folds
from skgenre.cli._quiet import import_networks_quietly
from skgenre.cli._tables import confusion_table, report_table
from skgenre.cli._work_dir import spectrograms_on_disk
from skgenre.datasets._audit import repeated_files
from skgenre.datasets._check_audio import decode_all
from skgenre.datasets._tracks_csv import named
from skgenre.inspection import score_intervals


@dataclass
class Evaluation:
    """What a model answered on clips that it was not trained on."""

    target: NDArray
    predicted: NDArray
    protocol: str

    @property
    def metrics(self) -> dict[str, Any]:
        """Scores to keep with the model."""
        return {
            "accuracy": round(accuracy_score(self.target, self.predicted), 4),
            "n_clips": len(self.target),
            "protocol": self.protocol,
        }


def readable_tracks(
    tracks: Bunch,
    *,
    cache_dir: Path | None = None,
    time_limit: float | None = None,
    n_jobs: int | None,
    console: Console,
) -> Bunch:
    """Return the tracks whose files decode; name the others.

    Decoding what will be needed once more costs little next to training, and a broken
    file then ends no training that has run for an hour.
    """
    outcomes = decode_all(
        tracks.paths,
        cache_dir=cache_dir,
        time_limit=time_limit,
        n_jobs=n_jobs,
        verbose=console.is_terminal,
    )
    errors = [outcome.error for outcome in outcomes]
    for error in filter(None, errors):
        console.print(f"[yellow]Left out:[/] {escape(str(error))}", soft_wrap=True)
    good = np.array([error is None for error in errors])
    lost = np.setdiff1d(tracks.target, tracks.target[good]).tolist()
    if len(tracks.target_names) - len(lost) < 2:
        raise ValueError(
            "At least two genres are needed, and readable files were found for "
            f"{len(tracks.target_names) - len(lost)}"
            + (
                f"; none could be read of {', '.join(map(repr, lost))}."
                if lost
                else "."
            )
        )
    if lost:
        console.print(
            escape(f"No file could be read of {', '.join(map(repr, lost))}: left out."),
            soft_wrap=True,
        )
    kept = Bunch(
        paths=tracks.paths[good],
        target=tracks.target[good],
        groups=None if tracks.groups is None else tracks.groups[good],
    )
    _tell_repetitions(kept, console)
    return kept


def _tell_repetitions(tracks: Bunch, console: Console) -> None:
    """Warn of copies that a split can part, so that a model is judged on them."""
    copies = [
        tracks.paths[copy]
        for first, copy in repeated_files(tracks.paths)
        if tracks.groups is None or tracks.groups[first] != tracks.groups[copy]
    ]
    if copies:
        artists = "" if tracks.groups is None else " of other artists"
        console.print(
            f"[yellow]Warning:[/] {len(copies)} files are copies of other files"
            f"{artists}: {escape(named(copies))}. A model that is judged on a clip "
            "that it was trained on gets scores that are too good. Delete the copies, "
            "or give both one artist in a tracks.csv.",
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
) -> Evaluation | None:
    """Fit the model on a part of the tracks and report on the rest.

    With a `work_dir`, spectrograms are kept there rather than in memory.

    Returns
    -------
    Evaluation or None
        None where nothing was held out.
    """
    codes = np.unique(tracks.target, return_inverse=True)[1]
    held_out = validation_rows(
        codes, tracks.groups, test_size, np.random.RandomState(random_state)
    )
    kept = np.setdiff1d(np.arange(len(codes)), held_out)
    protocol = (
        "held-out clips, stratified by genre"
        if tracks.groups is None
        else "clips of held-out artists, stratified by genre"
    )
    import_networks_quietly(model)
    clips, learner = tracks.paths, model
    if work_dir is not None:
        clips = spectrograms_on_disk(model, tracks.paths, work_dir, console)
        learner = model[-1]
    console.print(f"Training on {len(kept)} clips, {len(held_out)} held out.")
    fit_folds(model, tracks.target[kept])
    with sklearn.config_context(enable_metadata_routing=True):
        wanted = learner.get_metadata_routing().consumes("fit", ["groups"])
        groups = (
            {"groups": tracks.groups[kept]}
            if wanted and tracks.groups is not None
            else {}
        )
        learner.fit(clips[kept], tracks.target[kept], **groups)
    if not len(held_out):
        console.print(
            "No clips were held out, so the model is not evaluated. Where there are "
            "few clips or artists, try a larger --test-size."
        )
        return None

    evaluation = Evaluation(
        tracks.target[held_out], learner.predict(clips[held_out]), protocol
    )
    answers = evaluation.target, evaluation.predicted
    scores = score_intervals(
        *answers,
        labels=model.classes_,
        groups=None if tracks.groups is None else tracks.groups[held_out],
    )
    console.print(report_table(scores, "Held-out clips"))
    console.print(confusion_table(*answers, model.classes_))
    accuracy = evaluation.metrics["accuracy"]
    console.print(f"Accuracy on {len(held_out)} {protocol}: [bold]{accuracy:.2f}[/]")
    return evaluation
