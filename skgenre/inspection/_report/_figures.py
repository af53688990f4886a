"""The numbers of a report, in the form that its template shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skgenre._text import format_list
from skgenre.inspection._report._predictions import Predictions
from skgenre.inspection._scores._bootstrap import (
    bootstrap_sums,
    group_numbers,
    interval,
    n_groups_with,
)
from skgenre.inspection._scores._calibration import (
    expected_calibration_error,
    reliability_curve,
)
from skgenre.inspection._scores._score_intervals import score_intervals

N_GENRES = 200
N_IN_MATRIX = 24
N_SHADES = 20
"""Steps of colour in the confusion matrix."""

_OF_TREE = {
    "f1": ("Hierarchical F1", "The harmonic mean of the two others."),
    "precision": (
        "Hierarchical precision",
        "Of all predicted genres, with those above them, the share that is right.",
    ),
    "recall": (
        "Hierarchical recall",
        "Of all true genres, with those above them, the share that is predicted.",
    ),
}


def headline(predictions: Predictions, scores: Bunch) -> dict[str, Any]:
    """Return the accuracy and what to compare it with."""
    support = np.bincount(predictions.true, minlength=len(predictions.labels))
    result = {
        "n_clips": len(predictions.true),
        "n_right": int(predictions.right.sum()),
        "n_artists": None
        if predictions.groups is None
        else len(np.unique(predictions.groups)),
        "accuracy": scores.accuracy,
        "accuracy_interval": scores.accuracy_interval,
        "macro_f1": scores.macro_f1,
        "macro_f1_interval": scores.macro_f1_interval,
        "commonest": predictions.labels.tolist()[support.argmax()],
        "commonest_share": support.max() / support.sum(),
    }
    if predictions.unknown is not None:
        result |= coverage(predictions)
    return result


def coverage(predictions: Predictions) -> dict[str, Any]:
    """Return the share of clips with a genre, and that of correct ones among them."""
    given, right = predictions.given, predictions.right
    columns = np.column_stack([right, given, np.ones_like(given)]).astype(float)
    number = group_numbers(predictions.groups, len(given))
    sums = bootstrap_sums(columns, number)
    _, n_of_given, n_groups = n_groups_with(number, columns)
    with np.errstate(invalid="ignore"):
        precision = sums[:, 0] / sums[:, 1]
    return {
        "coverage": float(given.mean()),
        "coverage_interval": interval(sums[:, 1] / sums[:, 2], n_groups),
        "precision": float(right[given].mean()) if given.any() else np.nan,
        "precision_interval": interval(precision, n_of_given),
    }


def cards(scores: Mapping[str, Any], texts: dict[str, tuple[str, str]]) -> list[dict]:
    """Return scores with what they are called and what they mean, by their keys."""
    return [
        {
            "name": name,
            "score": scores[key],
            "limits": scores[f"{key}_interval"],
            "text": text,
        }
        for key, (name, text) in texts.items()
    ]


def tree_cards(scores: Mapping[str, Any] | None) -> list[dict] | None:
    """Return what `hierarchical_scores` returned for a page; None without a tree.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if scores is None:
        return None
    wanted = {f"{key}{end}" for key in _OF_TREE for end in ("", "_interval")}
    if not scores.keys() >= wanted:
        raise ValueError(
            "hierarchical must be what hierarchical_scores returns, got a mapping of "
            f"{format_list(map(repr, scores)) or 'nothing'}."
        )
    return cards(scores, _OF_TREE)


def genre_rows(
    scores: Bunch, names: Sequence[str] = ("precision", "recall", "f1")
) -> dict[str, Any]:
    """Return a row of scores for each genre; the commonest, if there are too many."""
    shown = _commonest(scores.support, N_GENRES)
    rows = [
        {
            "genre": scores.labels[i],
            "n_clips": int(scores.support[i]),
            "n_artists": int(scores.n_groups[i]),
            "scores": [
                (scores[name][i], scores[f"{name}_interval"][i]) for name in names
            ],
        }
        for i in shown
    ]
    return {"rows": rows, "n_genres": len(scores.labels)}


def cooccurrence(scores: Bunch) -> dict[str, Any]:
    """Return which genres are predicted for clips of each; the commonest genres."""
    kept = _commonest(scores.support, N_IN_MATRIX)
    names = scores.labels[kept].tolist()
    rows = [
        {
            "genre": name,
            "cells": [
                {
                    "count": int(count),
                    "share": (share := count / max(scores.support[i], 1)),
                    "shade": _shade(share),
                    "kind": "right" if i == j else "open",
                }
                for j, count in zip(kept, scores.cooccurrence[i, kept], strict=True)
            ],
        }
        for i, name in zip(kept, names, strict=True)
    ]
    return {"names": names, "rows": rows, "n_left_out": len(scores.labels) - len(kept)}


def matrix(predictions: Predictions) -> dict[str, Any]:
    """Return the confusion matrix, rare genres taken together if there are many."""
    n = len(predictions.labels)
    support = np.bincount(predictions.true, minlength=n)
    # One genre alone is not put under another name.
    kept = _commonest(support, n if n == N_IN_MATRIX + 1 else N_IN_MATRIX)
    # Rare genres come after those that are kept, and the unknown label after them.
    place = np.full(n + 1, len(kept))
    place[kept] = np.arange(len(kept))
    names = predictions.labels[kept].tolist()
    if len(kept) < n:
        names.append(f"{n - len(kept)} rarer genres")
    place[-1] = len(names)  # -1 is the unknown label
    n_rows = len(names)
    if not predictions.given.all():
        names.append(predictions.unknown)
    counts = np.zeros((n_rows, len(names)), int)
    np.add.at(counts, (place[predictions.true], place[predictions.predicted]), 1)
    totals = counts.sum(axis=1)
    rows = [
        {
            "genre": names[i],
            "cells": [
                {
                    "count": int(count),
                    "share": count / max(totals[i], 1),
                    "shade": _shade(count / max(totals[i], 1)),
                    "kind": _kind(i, j, len(kept), n_rows),
                }
                for j, count in enumerate(row)
            ],
        }
        for i, row in enumerate(counts)
    ]
    return {"names": names, "rows": rows, "n_merged": n - len(kept)}


def _shade(share: float) -> int:
    """Return the step of colour; even a single clip must be visible."""
    return max(2, round(N_SHADES * share))


def _kind(row: int, column: int, n_kept: int, n_rows: int) -> str:
    """Return 'right' or 'wrong'; 'open' where several genres share a row or column."""
    if column >= n_rows or row == column >= n_kept:
        return "open"
    return "right" if row == column else "wrong"


def _commonest(support: NDArray, n: int) -> NDArray:
    """Return the numbers of the commonest genres, in the order of the labels."""
    return np.sort(np.argsort(-support, kind="stable")[:n])


def calibration(predictions: Predictions) -> dict[str, Any] | None:
    """Return the reliability curve; None without probabilities or predictions."""
    given = predictions.given
    if predictions.confidence is None or not given.any():
        return None
    right, confidence = predictions.right[given], predictions.confidence[given]
    mean_confidence, accuracy, n_clips = reliability_curve(right, confidence)
    bins = [
        {
            "low": i / len(n_clips),
            "high": (i + 1) / len(n_clips),
            "confidence": float(mean_confidence[i]),
            "accuracy": float(accuracy[i]),
            "n_clips": int(n_clips[i]),
        }
        for i in np.flatnonzero(n_clips)
    ]
    return {
        "bins": bins,
        "most": int(n_clips.max()),
        "error": expected_calibration_error(right, confidence),
        "mean_confidence": float(confidence.mean()),
        "accuracy": float(right.mean()),
    }


def scores_of(predictions: Predictions) -> Bunch:
    """Return the scores of all genres, with intervals."""
    return score_intervals(
        predictions.y_true,
        predictions.y_pred,
        labels=predictions.labels,
        groups=predictions.groups,
    )
