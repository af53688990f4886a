"""The report on several genres a clip as a page of HTML."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skgenre._files import check_writable, write_atomically
from skgenre._sklearn_compat import validate_params
from skgenre.classifiers._checks import check_groups
from skgenre.inspection._report._clips import ClipNames
from skgenre.inspection._report._figures import (
    cards,
    cooccurrence,
    genre_rows,
    tree_cards,
)
from skgenre.inspection._report._html import caveats
from skgenre.inspection._report._page import render_page, report_style
from skgenre.inspection._report._predictions import check_paths
from skgenre.inspection._scores._several_genres import (
    genre_columns,
    multilabel_score_intervals,
    ranking_precisions,
)

_N_CLIPS = 40
_CARDS = {
    "ranking_precision": (
        "Label-ranking average precision",
        "How far up a clip's own genres are when all are ranked by probability; "
        "thresholds don't matter.",
    ),
    "macro_average_precision": (
        "Mean average precision",
        "Every genre with clips counts the same, however many it has.",
    ),
    "macro_f1": ("Mean F1 of the genres", "Of the genres above their threshold."),
    "accuracy": (
        "All genres right",
        "Clips for which exactly their own genres are predicted.",
    ),
}


@validate_params(
    {
        "y_true": ["array-like"],
        "y_proba": ["array-like"],
        "y_pred": ["array-like"],
        "labels": ["array-like", None],
        "groups": ["array-like", None],
        "paths": ["array-like", None],
        "hierarchical": [Mapping, None],
        "title": [str],
        "notes": [tuple, list],
        "path": [str, os.PathLike, None],
    },
    prefer_skip_nested_validation=True,
)
def multilabel_report_html(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    paths: ArrayLike | None = None,
    hierarchical: Mapping[str, Any] | None = None,
    title: str = "Report on several genres",
    notes: Sequence[str] = (),
    path: str | os.PathLike | None = None,
) -> str:
    """Return a page of HTML on a classifier of several genres a clip.

    The page has the label-ranking average precision, the average precision, precision,
    recall and F1 of each genre with 95 % intervals, which genres are predicted for
    clips of each, and the clips whose genres the model finds least probable. It is
    self-contained: it loads nothing and runs no script.

    Parameters
    ----------
    y_true : array-like of shape (n_clips, n_classes), or lists of genres
        True genres: 0 and 1 in columns, or a list for each clip.
    y_proba : array-like of shape (n_clips, n_classes)
        Probabilities of the genres.
    y_pred : array-like of shape (n_clips, n_classes), or lists of genres
        Predictions.
    labels : array-like of shape (n_classes,), default=None
        Genres of the columns, a classifier's ``classes_``; needed for lists. None takes
        the columns' numbers.
    groups : array-like of shape (n_clips,), default=None
        Artists, over whom intervals are computed. None treats clips as independent.
    paths : array-like of shape (n_clips,), default=None
        Names of the clips' files: str, bytes or PathLike. Clips are named by them, or
        else by their rows.
    hierarchical : Bunch or None, default=None
        What :func:`hierarchical_scores` returns for these predictions, to be shown as
        well.
    title : str, default='Report on several genres'
        Heading of the page.
    notes : sequence of str, default=()
        Sentences to show below the scores.
    path : str, PathLike or None, default=None
        File to write the page to. It is written whole or not at all.

    Returns
    -------
    str
        The page, in HTML.

    Raises
    ------
    ValueError
        If there are no clips, lengths or columns do not match, a genre is not among the
        labels, a probability is not from 0 to 1, or `hierarchical` is something else.
    OSError
        If `path` can't be written to.

    See Also
    --------
    multilabel_score_intervals : The scores as numbers.
    classification_report_html : Of one genre a clip.

    Examples
    --------
    >>> from skgenre.inspection import multilabel_report_html
    >>> page = multilabel_report_html(
    ...     [("folk", "pop"), ("rock",)],
    ...     [[0.9, 0.4, 0.6], [0.1, 0.6, 0.7]],
    ...     [("folk", "rock"), ("pop", "rock")],
    ...     labels=["folk", "pop", "rock"],
    ...     title="Two songs",
    ... )
    >>> "<title>Two songs</title>" in page
    True
    """
    target = None if path is None else check_writable(path)
    scores = multilabel_score_intervals(
        y_true, y_proba, y_pred, labels=labels, groups=groups
    )
    true = genre_columns("y_true", y_true, scores.labels)
    artists = check_groups(true, groups)
    names = ClipNames(check_paths(paths, true))
    errors = _worst(true, np.asarray(y_proba, dtype=float), scores.labels, names)
    tree = tree_cards(hierarchical)
    sections = {"scores": "Scores", "genres": "Genres"}
    sections |= {} if tree is None else {"tree": "Tree"}
    sections |= {"cooccurrence": "Together"}
    sections |= {"errors": "Ranked worst"} if errors else {}
    page = render_page(
        "_several.html",
        style=report_style(),
        sections=list({**sections, "method": "Method"}.items()),
        title=title,
        n_clips=len(true),
        n_artists=None if artists is None else len(np.unique(artists)),
        n_of_each=true.sum(axis=1).mean(),
        n_predicted=genre_columns("y_pred", y_pred, scores.labels).sum(axis=1).mean(),
        cards=cards(scores, _CARDS),
        tree=tree,
        genres=genre_rows(scores, ("average_precision", "precision", "recall", "f1")),
        matrix=cooccurrence(scores),
        errors=errors,
        notes=[*caveats(artists), *map(str, notes)],
    )
    if target is not None:
        write_atomically(target, page.encode("utf-8"))
    return page


def _worst(
    true: NDArray, proba: NDArray, labels: NDArray, names: ClipNames
) -> list[dict[str, Any]]:
    """Return the clips whose own genres are ranked lowest, the worst first."""
    precisions = ranking_precisions(true, proba)
    order = np.argsort(precisions, kind="stable")
    worst = order[precisions[order] < 1][:_N_CLIPS]

    def listed(genres: NDArray) -> str:
        return ", ".join(str(genre) for genre in genres.tolist())

    return [
        {
            "name": names[row],
            "true": listed(labels[true[row] > 0]),
            "best": listed(labels[np.argsort(-proba[row])[: true[row].sum()]]),
        }
        for row in worst
    ]
