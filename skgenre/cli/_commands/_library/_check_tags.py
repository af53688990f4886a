"""The command that finds tags which look wrong."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from skgenre.cli._commands._cache import CacheDir
from skgenre.cli._console import console, fail
from skgenre.cli._options import (
    Jobs,
    Labels,
    ModelName,
    Output,
    Seed,
    TimeLimit,
    Yes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline
    from sklearn.utils import Bunch

    from skgenre.inspection._report._predictions import Predictions


class TagsFormat(StrEnum):
    """Forms of the tags that look wrong."""

    table = "table"
    csv = "csv"
    json = "json"
    html = "html"


def check_tags(
    library: Annotated[Path, typer.Argument(help="Folder of music with tags.")],
    model: Annotated[
        ModelName | None,
        typer.Option(
            help="Kind of model to train.",
            show_default="best, or fast without its weights",
        ),
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Lowest probability of the predicted genre to list a track.",
        ),
    ] = 0.0,
    file_format: Annotated[
        TagsFormat,
        typer.Option(
            "--format", help="Format of the results; html is a page with all figures."
        ),
    ] = TagsFormat.table,
    output: Output = None,
    seed: Seed = 0,
    cache_dir: CacheDir = None,
    time_limit: TimeLimit = None,
    jobs: Jobs = -1,
    yes: Yes = False,
) -> None:
    """Find genres in tags that look wrong; no file is changed.

    A model learns from the library's own tags, and predicts the genre of each track
    from tracks by other artists. Tracks whose tags disagree are listed, the most
    confident predictions first. Files that can't be read are reported and skipped; the
    exit code is then 1.
    """
    from skgenre.cli._commands._library._labels import (
        labelled_tracks,
        without_rare_genres,
    )
    from skgenre.cli._commands._models._chosen_model import chosen_model
    from skgenre.cli._output import check_output, results_to
    from skgenre.cli._tables import write_suspects

    try:
        check_output(output, [library])
        pipeline = chosen_model(
            model,
            seed=seed,
            cache_dir=cache_dir,
            time_limit=time_limit,
            n_jobs=jobs,
            yes=yes,
            console=console,
        )
        tracks = labelled_tracks(library, Labels.tags, console)
        checked = check(pipeline, without_rare_genres(tracks, console), seed=seed)
        suspects = checked.suspects(min_confidence)
        with results_to(output) as stream:
            if file_format == TagsFormat.html:
                stream.write(checked.page(title=f"Tags of {library.resolve().name}"))
            else:
                write_suspects(suspects, file_format, stream)
    except (ImportError, OSError, ValueError) as error:
        raise fail(error) from None
    console.print(
        f"{len(suspects)} of {len(checked.rows)} tags look wrong; predictions for "
        f"artists not trained on agree with {checked.agreement:.0%} of them.",
        soft_wrap=True,
    )
    if n_unknown := len(checked.tracks.paths) - len(checked.rows):
        console.print(
            f"{n_unknown} tracks are not checked: too few of other artists have their "
            "genre.",
            soft_wrap=True,
        )
    if checked.has_errors:
        raise typer.Exit(1)


class Checked(NamedTuple):
    """Predictions for tracks by models that were trained on other artists."""

    tracks: "Bunch"
    rows: "NDArray"
    """Those with a prediction."""
    predictions: "Predictions"
    """Of these. A genre in the tags, though not the first one, is right."""
    has_errors: bool

    @property
    def agreement(self) -> float:
        """Share of the tags with which the predictions agree."""
        return float(self.predictions.right.mean())

    def suspects(self, min_confidence: float) -> list[dict[str, Any]]:
        """Return the tracks whose tags look wrong, the most confident first.

        Returns
        -------
        list of dict
            'path', 'tag', the 'genre' that is heard, its 'confidence', the probability
            of the tag ('of_tag'), 'artist' (the track's group) and 'album'.
        """
        from skgenre.inspection._scores._out_of_fold import (
            label_probabilities,
            suspected_rows,
        )

        found = self.predictions
        confidence, of_tag = found.confidence, label_probabilities(found)
        assert confidence is not None
        return [
            {
                "path": self.tracks.paths[self.rows[i]],
                "tag": str(found.y_true[i]),
                "genre": str(found.y_pred[i]),
                "confidence": round(float(confidence[i]), 4),
                "of_tag": round(float(of_tag[i]), 4),
                "artist": self.tracks.groups[self.rows[i]],
                "album": self.tracks.albums[self.rows[i]],
            }
            for i in suspected_rows(found, min_confidence)
        ]

    def page(self, *, title: str) -> str:
        """Return the page of HTML on all predictions."""
        from skgenre.inspection import classification_report_html

        found = self.predictions
        return classification_report_html(
            found.y_true,
            found.y_pred,
            labels=found.labels,
            y_proba=found.proba,
            groups=found.groups,
            paths=found.paths,
            albums=self.tracks.albums[self.rows],
            title=title,
            notes=[
                "The true genres are those of the tags, and each track is predicted by "
                "a model that was trained on the tags of other artists. Confident "
                "errors are often wrong tags."
            ],
        )


def check(model: "Pipeline", tracks: "Bunch", *, seed: int) -> Checked:
    """Predict each track by models that were trained on other artists.

    Every file is read once. Those that can't be read are named and left out.

    Raises
    ------
    ValueError
        If there are fewer than two artists, or genres whose files can be read.
    """
    import numpy as np

    from skgenre.cli._commands._models._train import fit_rows, leave_out
    from skgenre.cli._commands._models._work_dir import (
        check_work_dir,
        clips_to_learn_from,
    )
    from skgenre.cli._quiet import import_networks_quietly
    from skgenre.inspection._report._predictions import check_predictions
    from skgenre.inspection._scores._out_of_fold import predict_other_artists

    check_work_dir(model, len(tracks.paths), None)
    import_networks_quietly(model)
    with clips_to_learn_from(model, tracks.paths.tolist(), None, console) as (
        learner,
        clips,
        errors,
    ):
        tracks = leave_out(tracks, errors, console)
        genres = tracks.target_names

        def fit_predict(training: "NDArray", test: "NDArray") -> Any:
            fit_rows(learner, clips, tracks, training)
            return learner.classes_, learner.predict_proba(clips[test])

        rows, proba = predict_other_artists(
            fit_predict, tracks.target, tracks.groups, seed=seed
        )
    predicted = genres[proba.argmax(axis=1)]
    true = [
        heard if heard in tracks.genres[row] else tracks.target[row]
        for row, heard in zip(rows, predicted, strict=True)
    ]
    predictions = check_predictions(
        np.array(true),
        predicted,
        labels=genres,
        y_proba=proba,
        unknown=None,
        y_pred_other=None,
        groups=tracks.groups[rows],
        paths=tracks.paths[rows],
        albums=None,
    )
    return Checked(tracks, rows, predictions, bool(errors))
