"""The labels of songs, those that look wrong, and the file that keeps changes."""

import csv
import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre._files import check_writable, write_atomically
from skgenre._text import csv_cell, printable
from skgenre.datasets._tracks_csv import SEPARATOR, read_tracks_csv
from skgenre.inspection._report._clips import most_confident_first
from skgenre.inspection._report._predictions import check_predictions
from skgenre.inspection._scores._out_of_fold import (
    label_probabilities,
    predict_other_artists,
    suspected_rows,
)

_COLUMNS = ["path", "genre", "artist", "checked"]
_LONGEST = 100
_CHECKED = "yes"
FEWEST = 5
"""Songs that a genre needs, to be learnt."""


class Labels:
    """Labels that can be changed, and are then kept in a file at once.

    The file is a table of ``path``, ``genre``, ``artist`` and ``checked``, as
    ``skgenre train`` takes it. Changes of an earlier time that are in it count.

    Parameters
    ----------
    paths : sequence of str
        The songs.
    genres, artists : sequence of str or None
        Of each, what is known beforehand. In genres, ``/`` takes the place of ``|``,
        which in a table stands between several.
    file : Path
        The table, which need not exist; its folder does.

    Raises
    ------
    OSError
        If the file can't be written.
    ValueError
        If it is another table.
    """

    def __init__(
        self,
        paths: Sequence[str],
        genres: Sequence[str | None],
        artists: Sequence[str | None],
        file: Path,
    ) -> None:
        self._paths = [os.path.abspath(path) for path in paths]
        self._artists = artists
        self._lock = threading.Lock()
        self.genres = [
            None if genre is None else printable(genre).replace(SEPARATOR, "/")
            for genre in genres
        ]
        self.checked: set[int] = set()
        self.file = check_writable(file)
        self._others: list[list[str]] = []
        """Rows of songs that are not explored now."""
        if self.file.exists():
            self._read()

    def _read(self) -> None:
        with open(self.file, encoding="utf-8-sig", newline="") as table:
            try:
                header = next(csv.reader(table), None)
            except (csv.Error, UnicodeDecodeError):
                header = None
        if header != _COLUMNS:
            raise ValueError(
                f"{str(self.file)!r} would be replaced by the table of labels, and is "
                f"none: its first line is not {','.join(_COLUMNS)}. Choose another "
                "file."
            )
        numbers = {path: i for i, path in enumerate(self._paths)}
        with open(self.file, encoding="utf-8-sig", newline="") as table:
            rows = list(csv.DictReader(table))
        if not rows:
            return
        for track, row in zip(
            read_tracks_csv(str(self.file), must_exist=False), rows, strict=True
        ):
            number = numbers.get(track.path)
            if number is None:
                self._others.append([row[name] or "" for name in _COLUMNS])
                continue
            without = track.genre[1:]  # the apostrophe before what is like a formula
            is_quoted = csv_cell(without) == track.genre
            self.genres[number] = without if is_quoted else track.genre
            if row["checked"] == _CHECKED:
                self.checked.add(number)

    def change(self, number: int, genre: Any) -> None:
        """Give a song a genre, or keep the one that it has, and write the file.

        Raises
        ------
        OSError
            If the file can't be written; nothing is changed then.
        ValueError
            If the genre is no name, or the song's own name can't be in a table.
        """
        if not isinstance(genre, str) or not (name := printable(genre.strip())):
            raise ValueError(f"A genre is a name, got {genre!r}. Write one.")
        if len(name) > _LONGEST or csv_cell(name) != name or SEPARATOR in name:
            raise ValueError(
                f"A genre has at most {_LONGEST} letters, no {SEPARATOR}, and is no "
                f"formula, as after = + - @. Got {printable(name[:20])!r}."
            )
        path = self._paths[number]
        if not _can_be_in_table(path):
            raise ValueError(
                f"The file's name {path!r} can't be in a table of text. Rename it."
            )
        with self._lock:
            before = self.genres[number], number in self.checked
            self.genres[number] = name
            self.checked.add(number)
            try:
                self._write()
            except OSError:
                self.genres[number] = before[0]
                if not before[1]:
                    self.checked.discard(number)
                raise

    def _write(self) -> None:
        text = self.table(range(len(self._paths)), self._others)
        write_atomically(self.file, text.encode("utf-8"), survive_crash=False)

    def table(
        self, numbers: Sequence[int], others: Sequence[Sequence[str]] = ()
    ) -> str:
        """Return songs with labels as a CSV that ``skgenre train`` takes."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for number in numbers:
            path, genre = self._paths[number], self.genres[number]
            if genre is None or not _can_be_in_table(path):
                continue
            artist = self._artists[number] or path  # an artist of one song
            checked = _CHECKED if number in self.checked else ""
            writer.writerow([path, *map(csv_cell, (genre, artist)), checked])
        writer.writerows(others)
        return stream.getvalue()


def _can_be_in_table(path: str) -> bool:
    """Return whether a path is the same when it is read again, and is no formula."""
    return path == path.strip() and csv_cell(path) == path


def find_suspects(
    numbers: NDArray, E: NDArray, genres: Sequence[str | None], groups: NDArray
) -> dict[str, Any]:
    """Return the labels that look wrong to models trained on other artists.

    Parameters
    ----------
    numbers : ndarray of shape (n_heard,)
        Numbers of the songs that were heard.
    E : ndarray of shape (n_heard, n_features)
        Their embeddings.
    genres : sequence of str or None
        Labels of all songs.
    groups : ndarray of shape (n_songs,)
        Artists of all songs.

    Returns
    -------
    dict
        'suspects', the most confident first: 'number', 'label', 'genre',
        'confidence' and 'of_label'; 'pairs' of genres, most often confused first, with
        'label', 'genre' and 'numbers'; 'n_checked' and 'agreement'.

    Raises
    ------
    ValueError
        If there are too few labels, or only one artist.
    """
    labels = np.array([genres[number] or "" for number in numbers])
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    rows = np.flatnonzero(np.isin(labels, names[counts >= FEWEST]))
    if len(np.unique(labels[rows])) < 2:
        raise ValueError(
            f"Labels are checked where two genres or more have {FEWEST} songs each "
            "that were heard. Label some, or wait."
        )
    X, target, artists = E[rows], labels[rows], groups[numbers[rows]]

    def fit_predict(training: NDArray, test: NDArray) -> tuple[NDArray, NDArray]:
        # The penalty is meant for rows of length 1, and these have the number of
        # columns as the square of theirs.
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=1 / X.shape[1], max_iter=1000)
        )
        model.fit(X[training], target[training])
        return model.classes_, model.predict_proba(X[test])

    tested, proba = predict_other_artists(fit_predict, target, artists, seed=0)
    all_genres = np.unique(target)
    found = check_predictions(
        target[tested],
        all_genres[proba.argmax(axis=1)],
        labels=all_genres,
        y_proba=proba,
        unknown=None,
        y_pred_other=None,
        groups=artists[tested],
        paths=None,
        albums=None,
    )
    of_label, confidence = label_probabilities(found), found.confidence
    assert confidence is not None
    songs = numbers[rows[tested]]
    wrong = np.flatnonzero(~found.right)
    pairs: dict[tuple[str, str], list[int]] = {}
    for i in most_confident_first(found, wrong):
        pair = str(found.y_true[i]), str(found.y_pred[i])
        pairs.setdefault(pair, []).append(int(songs[i]))
    in_order = sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        "suspects": [
            {
                "number": int(songs[i]),
                "label": printable(str(found.y_true[i])),
                "genre": printable(str(found.y_pred[i])),
                "confidence": round(float(confidence[i]), 4),
                "of_label": round(float(of_label[i]), 4),
            }
            for i in suspected_rows(found)
        ],
        "pairs": [
            {"label": printable(a), "genre": printable(b), "numbers": songs_of_pair}
            for (a, b), songs_of_pair in in_order
        ],
        "n_checked": len(tested),
        "agreement": float(found.right.mean()),
    }
