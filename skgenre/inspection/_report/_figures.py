"""The numbers of a report, as its template shows them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skgenre.inspection._report._answers import Answers
from skgenre.inspection._scores._bootstrap import bootstrap_sums, interval
from skgenre.inspection._scores._calibration import (
    expected_calibration_error,
    reliability_curve,
)
from skgenre.inspection._scores._score_intervals import score_intervals

N_GENRES = 200
N_IN_MATRIX = 24
N_SHADES = 20
"""Steps of colour in the confusion matrix."""


def headline(answers: Answers, scores: Bunch) -> dict[str, Any]:
    """Return the accuracy and what to compare it with."""
    support = np.bincount(answers.true, minlength=len(answers.labels))
    result = {
        "n_clips": len(answers.true),
        "n_right": int(answers.right.sum()),
        "n_artists": None if answers.groups is None else len(np.unique(answers.groups)),
        "accuracy": scores.accuracy,
        "accuracy_interval": scores.accuracy_interval,
        "macro_f1": scores.macro_f1,
        "macro_f1_interval": scores.macro_f1_interval,
        "commonest": answers.labels.tolist()[support.argmax()],
        "commonest_share": support.max() / support.sum(),
    }
    if answers.unknown is not None:
        result |= coverage(answers)
    return result


def coverage(answers: Answers) -> dict[str, Any]:
    """Return how many clips were answered and how many answers are right."""
    given, right = answers.given, answers.right
    columns = np.column_stack([right, given, np.ones_like(given)]).astype(float)
    sums = bootstrap_sums(columns, answers.groups)
    with np.errstate(invalid="ignore"):
        precision = sums[:, 0] / sums[:, 1]
    return {
        "coverage": float(given.mean()),
        "coverage_interval": interval(sums[:, 1] / sums[:, 2]),
        "precision": float(right[given].mean()) if given.any() else np.nan,
        "precision_interval": interval(precision),
    }


def genre_rows(scores: Bunch) -> dict[str, Any]:
    """Return a row of scores for each genre; the commonest, if there are too many."""
    shown = _commonest(scores.support, N_GENRES)
    rows = [
        {
            "genre": scores.labels[i],
            "n_clips": int(scores.support[i]),
            "n_artists": int(scores.n_groups[i]),
            "scores": [
                (scores[name][i], scores[f"{name}_interval"][i])
                for name in ("precision", "recall", "f1")
            ],
        }
        for i in shown
    ]
    return {"rows": rows, "n_genres": len(scores.labels)}


def matrix(answers: Answers) -> dict[str, Any]:
    """Return the confusion matrix, rare genres taken together if there are many."""
    n = len(answers.labels)
    support = np.bincount(answers.true, minlength=n)
    # One genre alone is not put under another name.
    kept = _commonest(support, n if n == N_IN_MATRIX + 1 else N_IN_MATRIX)
    # Rare genres and then the unknown answer come after those that are kept.
    place = np.full(n + 1, len(kept))
    place[kept] = np.arange(len(kept))
    names = answers.labels[kept].tolist()
    if len(kept) < n:
        names.append(f"{n - len(kept)} rarer genres")
    place[-1] = len(names)  # -1 is the answer "unknown"
    n_rows = len(names)
    if not answers.given.all():
        names.append(answers.unknown)
    counts = np.zeros((n_rows, len(names)), int)
    np.add.at(counts, (place[answers.true], place[answers.answered]), 1)
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
    """Return the step of colour; even a single clip is to be seen."""
    return max(2, round(N_SHADES * share))


def _kind(row: int, column: int, n_kept: int, n_rows: int) -> str:
    """Tell right answers from wrong ones; neither where several genres are taken."""
    if column >= n_rows or row == column >= n_kept:
        return "open"
    return "right" if row == column else "wrong"


def _commonest(support: NDArray, n: int) -> NDArray:
    """Return the numbers of the commonest genres, in the order of the labels."""
    return np.sort(np.argsort(-support, kind="stable")[:n])


def calibration(answers: Answers) -> dict[str, Any] | None:
    """Return the reliability curve of the given answers, None where none is given."""
    given = answers.given
    if answers.confidence is None or not given.any():
        return None
    right, confidence = answers.right[given], answers.confidence[given]
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


def scores_of(answers: Answers) -> Bunch:
    """Return the scores of all genres, with intervals."""
    return score_intervals(
        answers.y_true, answers.y_pred, labels=answers.labels, groups=answers.groups
    )
