"""Clips to listen to: confused, confidently wrong, or predicted differently."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.inspection._report._predictions import Predictions

N_PAIRS = 10
N_EXAMPLES = 3
N_ALBUMS = 15
N_OF_ALBUM = 5
N_DIFFERENT = 40
_NO_ALBUM = "(no album)"


def common_folder(paths: list[str]) -> str:
    """Return the folder above all paths, or nothing."""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # some are absolute and some are not
        return ""


class ClipNames:
    """Names of clips: the path below the common folder, or else the row."""

    def __init__(self, paths: list[str] | None) -> None:
        self.paths = paths
        self.folder = common_folder(self.paths) if self.paths else ""

    def __getitem__(self, row: int) -> str:
        """Return the name of the clip in a row."""
        return f"row {row}" if self.paths is None else self._below(self.paths[row])

    def folders(self) -> list[str]:
        """Return the folders of all clips, below the common one."""
        folders = [os.path.dirname(path) for path in self.paths or ()]
        below = {folder: self._below(folder) or os.curdir for folder in set(folders)}
        return [below[folder] for folder in folders]

    def _below(self, path: str) -> str:
        return os.path.relpath(path, self.folder) if self.folder else path


def confused_pairs(predictions: Predictions, names: ClipNames) -> dict[str, Any]:
    """Return the pairs of genres most often confused, with clips as examples."""
    n = len(predictions.labels)
    wrong = np.flatnonzero(predictions.given & ~predictions.right)
    pair = predictions.true[wrong] * n + predictions.predicted[wrong]
    pairs, counts = np.unique(pair, return_counts=True)
    support = np.bincount(predictions.true, minlength=n)
    rows = []
    for i in np.argsort(-counts, kind="stable")[:N_PAIRS]:
        true, predicted = divmod(int(pairs[i]), n)
        clips = most_confident_first(predictions, wrong[pair == pairs[i]])[:N_EXAMPLES]
        rows.append(
            {
                "true": predictions.labels[true],
                "predicted": predictions.labels[predicted],
                "n_clips": int(counts[i]),
                "n_of_genre": int(support[true]),
                "examples": [_clip(predictions, names, row) for row in clips],
            }
        )
    return {"rows": rows, "n_pairs": len(pairs), "n_wrong": len(wrong)}


def confident_errors(predictions: Predictions, names: ClipNames) -> dict[str, Any]:
    """Return the most confident wrong predictions, album by album."""
    wrong = most_confident_first(
        predictions, np.flatnonzero(predictions.given & ~predictions.right)
    )
    albums, kind = _albums(predictions, names)
    codes, number = np.unique(albums, return_inverse=True)
    n_clips = np.bincount(number)
    of_album: dict[int, list[int]] = {}
    for row in wrong:
        of_album.setdefault(int(number[row]), []).append(row)

    def in_album(row: int) -> dict[str, str]:
        if kind != "folder":
            return {}
        return {"name": os.path.basename(names[row])}  # the folder is the heading

    shown = [
        {
            "name": codes[album],
            "n_wrong": len(rows),
            "n_clips": int(n_clips[album]),
            "clips": [
                _clip(predictions, names, row) | in_album(row)
                for row in rows[:N_OF_ALBUM]
            ],
        }
        for album, rows in list(of_album.items())[:N_ALBUMS]
    ]
    n_shown = sum(len(album["clips"]) for album in shown)
    return {
        "albums": shown,
        "kind": kind,
        "n_albums": len(of_album),
        "n_wrong": len(wrong),
        "n_shown": n_shown,
    }


def different_clips(predictions: Predictions, names: ClipNames) -> dict[str, Any]:
    """Return the clips that only one of two models has right."""
    assert predictions.other is not None
    other = predictions.other == predictions.y_true
    rows = most_confident_first(predictions, np.flatnonzero(predictions.right != other))
    clips = [
        _clip(predictions, names, row)
        | {"other": predictions.other[row], "other_right": bool(other[row])}
        for row in rows[:N_DIFFERENT]
    ]
    return {"rows": clips, "n_clips": len(rows)}


def most_confident_first(predictions: Predictions, rows: NDArray) -> NDArray:
    """Return the rows, those with the most probable prediction first."""
    if predictions.confidence is None:
        return rows
    # Clips without a prediction come last.
    return rows[np.argsort(-predictions.confidence[rows], kind="stable")]


def _clip(predictions: Predictions, names: ClipNames, row: int) -> dict[str, Any]:
    proba = predictions.proba
    is_given = predictions.given[row]
    return {
        "name": names[row],
        "true": predictions.labels[predictions.true[row]],
        "predicted": predictions.labels[predictions.predicted[row]]
        if is_given
        else predictions.unknown,
        "right": bool(predictions.right[row]),
        "confidence": None
        if proba is None or not is_given
        else float(proba[row, predictions.predicted[row]]),
        "of_true": None if proba is None else float(proba[row, predictions.true[row]]),
    }


def _albums(predictions: Predictions, names: ClipNames) -> tuple[NDArray, str | None]:
    """Return the album, or else the folder, of each clip, and which it is."""
    if predictions.albums is not None:
        albums = [_NO_ALBUM if name is None else name for name in predictions.albums]
        return np.array(albums, dtype=object), "album"
    if predictions.paths is not None:
        return np.array(names.folders(), dtype=object), "folder"
    return np.full(len(predictions.true), "", dtype=object), None
