"""A model that is trained on songs of the page, in the background."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skgenre._estimators import fit_with_groups
from skgenre._files import check_writable
from skgenre._text import format_list, printable, shorten
from skgenre.explore._labels import FEWEST
from skgenre.features._base import known_results
from skgenre.features._precompute import CLIPS_AT_A_TIME, ReadClips, read_once
from skgenre.features._pretrained._musicnn_weights import has_weights
from skgenre.inspection import score_intervals
from skgenre.inspection._scores._out_of_fold import predict_other_artists
from skgenre.persistence import save
from skgenre.pipelines import genre_pipeline

_SEED = 0
_PROTOCOL = (
    "songs by artists not trained on; then the model was trained on these songs, too"
)


class Songs(NamedTuple):
    """Songs to learn from."""

    paths: Sequence[str]
    genres: Sequence[str | None]
    artists: Sequence[str | None]
    groups: NDArray
    """Artists; a song of which none is known has one of its own."""


class Training:
    """Trains one model at a time, of pipelines without a network of their own.

    Their accuracy is that on songs by artists not trained on. The model that is kept is
    then trained on all of the songs.

    Parameters
    ----------
    folder : Path
        Where models are written; made when the first one is. No file in it is replaced.
    cache_dir : path or None
        Folder in which features of the songs are kept.
    time_limit : float or None
        Seconds that a file may take.
    n_jobs : int or None
        Files read at a time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache_dir: Any = None,
        time_limit: float | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self._folder, self._n_jobs = folder, n_jobs
        self._how = {"cache_dir": cache_dir, "time_limit": time_limit}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._state: dict[str, Any] = {"phase": "none"}

    @staticmethod
    def recipes() -> list[str]:
        """Return the names of the pipelines that can be trained here, best first."""
        return [*(["best"] if has_weights() else []), "fast"]

    def state(self) -> dict[str, Any]:
        """Return how far it is, and what came of it.

        Returns
        -------
        dict
            'phase': 'none', 'reading', 'checking', 'training', 'done', 'stopped' or
            'failed'; 'n_songs' and 'n_read'; 'failure', why it failed; 'result', a
            dict, in the end.
        """
        return self._state

    def start(self, recipe: Any, songs: Songs) -> None:
        """Train a model, in a thread.

        Raises
        ------
        OSError
            If it can't be written.
        ValueError
            If another one is being trained, there is no such pipeline, or there are too
            few songs with labels.
        """
        if recipe not in self.recipes():
            raise ValueError(f"recipe must be one of {', '.join(self.recipes())}.")
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise ValueError(
                    "A model is being trained. Wait until it is done, or stop it."
                )
            n_songs = len(_learnable(songs.genres))
            self._folder.mkdir(parents=True, exist_ok=True)
            target = check_writable(self._new_file(recipe))
            self._stop.clear()
            self._state = {"phase": "reading", "n_songs": n_songs, "n_read": 0}
            self._thread = threading.Thread(
                target=self._run, args=(recipe, songs, target), daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End without a model, as soon as the step that it is at is done."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done, or has stopped."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _new_file(self, recipe: str) -> Path:
        name = f"{recipe}-{time.strftime('%Y-%m-%d-%H%M%S')}"
        file, number = self._folder / f"{name}.model", 1
        while file.exists():
            number += 1
            file = self._folder / f"{name}-{number}.model"
        return file

    def _run(self, recipe: str, songs: Songs, target: Path) -> None:
        try:
            self._train(recipe, songs, target)
        except _Stopped:
            self._change(phase="stopped")
        except Exception as error:  # of any type, as a library's; the page shows it
            failure = shorten(f"{type(error).__name__}: {error}", 500)
            self._change(phase="failed", failure=printable(failure))

    def _change(self, **what: Any) -> None:
        self._state = self._state | what  # at once, as other threads see it

    def _enter(self, phase: str) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._change(phase=phase)

    def _read(self, model: Any, paths: Sequence[str]) -> ReadClips:
        """Return the features of songs, of which some are read at a time."""
        read = ReadClips({}, {}, [])
        for start in range(0, len(paths), CLIPS_AT_A_TIME):
            self._enter("reading")
            chunk = paths[start : start + CLIPS_AT_A_TIME]
            with read_once(model, chunk, n_jobs=self._n_jobs) as some:
                read.errors |= some.errors
                read.readings |= some.readings
                read.results = read.results or [(s, {}) for s, _ in some.results]
                for (_, made), (_, more) in zip(
                    read.results, some.results, strict=True
                ):
                    made.update(more)
            self._change(n_read=start + len(chunk))
        return read

    def _train(self, recipe: str, songs: Songs, target: Path) -> None:
        model = genre_pipeline(recipe, random_state=_SEED)
        model[0].set_params(**self._how)
        paths = np.array(songs.paths, dtype=object)
        rows = _learnable(songs.genres)
        read = self._read(model, paths[rows].tolist())
        is_music = np.array([read.is_music(path) for path in paths[rows]])
        rows, n_bad = rows[is_music], int(np.sum(~is_music))
        rows = rows[_learnable([songs.genres[row] for row in rows.tolist()], n_bad)]
        paths = paths[rows]
        y, groups = np.array(songs.genres, dtype=str)[rows], songs.groups[rows]
        is_known = all(songs.artists[row] is not None for row in rows.tolist())

        def fit(learner: Any, chosen: Any) -> None:
            fit_with_groups(learner, paths[chosen], y[chosen], groups[chosen])

        def fit_predict(training: NDArray, test: NDArray) -> tuple[NDArray, NDArray]:
            self._enter("checking")
            judged = clone(model)
            fit(judged, training)
            return judged.classes_, judged.predict_proba(paths[test])

        with known_results(read.results):
            checked = _checked(fit_predict, y, groups)
            self._enter("training")
            fit(model, slice(None))
        self._enter("training")
        n_artists = len(np.unique(groups)) if is_known else None
        names, counts = np.unique(y, return_counts=True)
        metrics = None
        if "accuracy" in checked:
            metrics = {
                "accuracy": checked["accuracy"],
                "n_clips": checked["n_checked"],
                "n_artists": n_artists,
                "protocol": _PROTOCOL,
            }
        save(
            model,
            target,
            metrics=metrics,
            training={
                "recipe": recipe,
                "labels": "skgenre explore",
                "seed": _SEED,
                "n_clips": len(y),
                "n_artists": n_artists,
                "genres": dict(zip(names.tolist(), counts.tolist(), strict=True)),
                "refit": True,
            },
        )
        result = checked | {
            "path": printable(str(target)),
            "n_songs": len(y),
            "n_left_out": len(songs.paths) - len(y),
            "genres": [printable(name) for name in names.tolist()],
            "artists_are_known": is_known,
        }
        self._change(phase="done", result=result)


class _Stopped(Exception):
    """It is to end."""


def _learnable(genres: Sequence[str | None], n_bad: int = 0) -> NDArray:
    """Return the rows with labels that are not too rare.

    Raises
    ------
    ValueError
        If there are not two such labels; it says how many songs can't be read.
    """
    labels = np.array([genre or "" for genre in genres], dtype=str)
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    kept = names[counts >= FEWEST]
    if len(kept) < 2:
        found = [
            f"{printable(str(name))}: {count}"
            for name, count in zip(names, counts, strict=True)
        ]
        raise ValueError(
            f"A model needs two genres or more with {FEWEST} songs each. Found "
            f"{format_list(found) or 'none'}"
            + (f", and {n_bad} songs that can't be read as music" if n_bad else "")
            + ". Select more songs, or label them."
        )
    return np.flatnonzero(np.isin(labels, kept))


def _checked(fit_predict: Any, y: NDArray, groups: NDArray) -> dict[str, Any]:
    """Return the accuracy on songs of other artists, or why it is not known."""
    try:
        rows, proba = predict_other_artists(fit_predict, y, groups, seed=_SEED)
    except ValueError as error:
        return {"unchecked": printable(str(error))}
    genres = np.unique(y)
    predicted = genres[proba.argmax(axis=1)]
    scores = score_intervals(y[rows], predicted, labels=genres, groups=groups[rows])
    return {
        "accuracy": round(float(scores.accuracy), 4),
        "interval": [round(float(end), 4) for end in scores.accuracy_interval],
        "n_checked": len(rows),
    }
