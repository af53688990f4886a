"""Clips to listen to: confused, confidently wrong, and judged differently."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.inspection._report._answers import Answers

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
    """What to call a clip: its path below the common folder, or else its row."""

    def __init__(self, answers: Answers) -> None:
        self.paths = answers.paths
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


def confused_pairs(answers: Answers, names: ClipNames) -> dict[str, Any]:
    """Return the genres most often taken for others, with clips as examples."""
    n = len(answers.labels)
    wrong = np.flatnonzero(answers.given & ~answers.right)
    pair = answers.true[wrong] * n + answers.answered[wrong]
    pairs, counts = np.unique(pair, return_counts=True)
    support = np.bincount(answers.true, minlength=n)
    rows = []
    for i in np.argsort(-counts, kind="stable")[:N_PAIRS]:
        true, answered = divmod(int(pairs[i]), n)
        clips = _most_confident_first(answers, wrong[pair == pairs[i]])[:N_EXAMPLES]
        rows.append(
            {
                "true": answers.labels[true],
                "answered": answers.labels[answered],
                "n_clips": int(counts[i]),
                "n_of_genre": int(support[true]),
                "examples": [_clip(answers, names, row) for row in clips],
            }
        )
    return {"rows": rows, "n_pairs": len(pairs), "n_wrong": len(wrong)}


def confident_errors(answers: Answers, names: ClipNames) -> dict[str, Any]:
    """Return the wrong answers that the model was surest of, album by album."""
    wrong = _most_confident_first(
        answers, np.flatnonzero(answers.given & ~answers.right)
    )
    albums, kind = _albums(answers, names)
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
                _clip(answers, names, row) | in_album(row) for row in rows[:N_OF_ALBUM]
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


def different_clips(answers: Answers, names: ClipNames) -> dict[str, Any]:
    """Return the clips that one of two models alone has right."""
    assert answers.other is not None
    other = answers.other == answers.y_true
    rows = _most_confident_first(answers, np.flatnonzero(answers.right != other))
    clips = [
        _clip(answers, names, row)
        | {"other": answers.other[row], "other_right": bool(other[row])}
        for row in rows[:N_DIFFERENT]
    ]
    return {"rows": clips, "n_clips": len(rows)}


def _most_confident_first(answers: Answers, rows: NDArray) -> NDArray:
    if answers.confidence is None:
        return rows
    # Clips without an answer come last.
    return rows[np.argsort(-answers.confidence[rows], kind="stable")]


def _clip(answers: Answers, names: ClipNames, row: int) -> dict[str, Any]:
    proba = answers.proba
    is_given = answers.given[row]
    return {
        "name": names[row],
        "true": answers.labels[answers.true[row]],
        "answered": answers.labels[answers.answered[row]]
        if is_given
        else answers.unknown,
        "right": bool(answers.right[row]),
        "confidence": None
        if proba is None or not is_given
        else float(proba[row, answers.answered[row]]),
        "of_true": None if proba is None else float(proba[row, answers.true[row]]),
    }


def _albums(answers: Answers, names: ClipNames) -> tuple[NDArray, str | None]:
    """Return the album, or else the folder, of each clip, and which it is."""
    if answers.albums is not None:
        return np.array(
            [
                _NO_ALBUM if album is None or album != album else str(album)
                for album in answers.albums
            ],
            dtype=object,
        ), "album"
    if answers.paths is not None:
        return np.array(names.folders(), dtype=object), "folder"
    return np.full(len(answers.true), "", dtype=object), None
