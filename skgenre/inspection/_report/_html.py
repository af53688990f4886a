"""The classification report as a page of HTML."""

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from numpy.typing import ArrayLike, NDArray

from skgenre._files import check_writable, write_atomically
from skgenre._sklearn_compat import validate_params
from skgenre.inspection._report import _clips as clips
from skgenre.inspection._report import _figures as figures
from skgenre.inspection._report._page import render
from skgenre.inspection._report._predictions import Predictions, check_predictions
from skgenre.inspection._scores._comparison import compare_predictions


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "labels": ["array-like", None],
        "y_proba": ["array-like", None],
        "unknown": [str, Real, None],
        "y_pred_other": ["array-like", None],
        "model_names": [tuple, list],
        "groups": ["array-like", None],
        "paths": ["array-like", None],
        "albums": ["array-like", None],
        "hierarchical": [Mapping, None],
        "title": [str],
        "notes": [tuple, list],
        "path": [str, os.PathLike, None],
    },
    prefer_skip_nested_validation=True,
)
def classification_report_html(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    y_proba: ArrayLike | None = None,
    unknown: str | float | None = None,
    y_pred_other: ArrayLike | None = None,
    model_names: Sequence[str] = ("this model", "the other model"),
    groups: ArrayLike | None = None,
    paths: ArrayLike | None = None,
    albums: ArrayLike | None = None,
    hierarchical: Mapping[str, Any] | None = None,
    title: str = "Classification report",
    notes: Sequence[str] = (),
    path: str | os.PathLike | None = None,
) -> str:
    """Return a page of HTML on what a classifier gets right and wrong.

    The page has the accuracy beside the majority baseline, precision, recall and F1 of
    each genre with 95 % intervals, the confusion matrix and the genres most often
    confused, with clips to listen to. With `y_proba` it adds the most confident errors,
    which are often wrong labels, and a calibration curve; with `y_pred_other` it
    compares two models, and with `hierarchical` it has the scores in a tree of genres.
    Its end says what was left out, and why.

    The page is self-contained: it loads nothing, runs no script, and follows the
    reader's choice of light or dark.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        True genres.
    y_pred : array-like of shape (n_clips,)
        Predictions.
    labels : array-like of shape (n_classes,), default=None
        Genres in the order to show them, which is that of the columns of `y_proba`: a
        classifier's ``classes_``. None takes all of `y_true` and `y_pred`, sorted.
    y_proba : array-like of shape (n_clips, n_classes), default=None
        Probabilities of the genres.
    unknown : str, number or None, default=None
        The label that means 'I don't know', such as that of an
        :class:`~skgenre.classifiers.AbstainingClassifier`. It counts as not correct;
        the share of clips with a genre, and that of correct ones among them, stand
        beside the accuracy.
    y_pred_other : array-like of shape (n_clips,), default=None
        Predictions of another model for the same clips.
    model_names : sequence of 2 str, default=('this model', 'the other model')
        What to call the two models.
    groups : array-like of shape (n_clips,), default=None
        Artists, over whom intervals are computed. None treats clips as independent.
    paths : array-like of shape (n_clips,), default=None
        Names of the clips' files: str, bytes or PathLike. Clips are named by them, or
        else by their rows.
    albums : array-like of shape (n_clips,), default=None
        Albums, by which the most confident errors are grouped, or else by the files'
        folders. None or NaN stands for a clip without an album.
    hierarchical : Bunch or None, default=None
        What :func:`hierarchical_scores` returns for these predictions, to be shown as
        well.
    title : str, default='Classification report'
        Heading of the page.
    notes : sequence of str, default=()
        Sentences to show below the accuracy.
    path : str, PathLike or None, default=None
        File to write the page to. It is written whole or not at all.

    Returns
    -------
    str
        The page, in HTML.

    Raises
    ------
    ValueError
        If there are no clips, lengths do not match, values are missing, a prediction is
        not among the labels, `y_proba` does not hold their probabilities, or
        `hierarchical` is something else.
    OSError
        If `path` can't be written to.

    See Also
    --------
    score_intervals : The scores as numbers.
    compare_predictions : The comparison as numbers.
    expected_calibration_error : Calibration as a number.
    sklearn.metrics.classification_report : Scores as text.

    Notes
    -----
    The figures hold only for music that the model was not trained on.

    The page does not grow with the number of clips: it names some hundred of them at
    most, and beyond 25 genres the confusion matrix merges the rarest. The same
    predictions give the same page.

    Examples
    --------
    >>> from skgenre.inspection import classification_report_html
    >>> page = classification_report_html(
    ...     ["folk", "folk", "rock"], ["folk", "rock", "rock"], title="Three songs"
    ... )
    >>> "<title>Three songs</title>" in page
    True
    """
    if len(model_names) != 2:
        raise ValueError(
            f"model_names must be the names of two models, got {model_names!r}."
        )
    target = None if path is None else check_writable(path)
    predictions = check_predictions(
        y_true,
        y_pred,
        labels=labels,
        y_proba=y_proba,
        unknown=unknown,
        y_pred_other=y_pred_other,
        groups=groups,
        paths=paths,
        albums=albums,
    )
    page = render(
        **_contents(predictions, figures.tree_cards(hierarchical)),
        title=title,
        notes=[*caveats(predictions.groups), *map(str, notes)],
        model_names=[str(name) for name in model_names],
    )
    if target is not None:
        write_atomically(target, page.encode("utf-8"))
    return page


def _contents(predictions: Predictions, tree: list[dict] | None) -> dict[str, Any]:
    """Return what the template shows, with None for sections that are left out."""
    scores = figures.scores_of(predictions)
    names = clips.ClipNames(predictions.paths)
    is_wrong = bool((predictions.given & ~predictions.right).any())
    left_out = []
    if tree is None:
        left_out += [("In the tree of genres", "no hierarchical scores were given")]
    if not is_wrong:
        reason = "no genre was taken for another"
        left_out += [("Most confused genres", reason)]
    if predictions.proba is None:
        reason = "the model gives no probabilities"
        left_out += [("Most confident errors", reason), ("Calibration", reason)]
    else:
        if not is_wrong:
            left_out += [("Most confident errors", "no prediction is wrong")]
        if not predictions.given.any():
            left_out += [("Calibration", "no clip has a prediction")]
    if predictions.other is None:
        left_out += [("Comparison", "no other model's predictions were given")]
    comparison = different = None
    if predictions.other is not None:
        comparison = compare_predictions(
            predictions.y_true,
            predictions.y_pred,
            predictions.other,
            groups=predictions.groups,
        )
        different = clips.different_clips(predictions, names)
    has_errors = is_wrong and predictions.proba is not None
    return {
        "head": figures.headline(predictions, scores),
        "unknown": predictions.unknown,
        "names": names,
        "has_proba": predictions.proba is not None,
        "genres": figures.genre_rows(scores),
        "tree": tree,
        "matrix": figures.matrix(predictions),
        "pairs": clips.confused_pairs(predictions, names) if is_wrong else None,
        "errors": clips.confident_errors(predictions, names) if has_errors else None,
        "calibration": figures.calibration(predictions),
        "comparison": comparison,
        "different": different,
        "left_out": left_out,
    }


def caveats(groups: NDArray | None) -> list[str]:
    """Return what a reader should know before believing the figures."""
    found = [
        "These figures hold only for music that the model was not trained on. Clips of "
        "its training, and other clips of the same artists, make it look better than "
        "it is."
    ]
    if groups is None:
        found.append(
            "Artists are not known, so clips count as independent. Several clips of an "
            "artist make the intervals too narrow."
        )
    return found
