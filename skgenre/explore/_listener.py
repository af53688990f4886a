"""What is computed of each song: its embedding, genres and tags."""

import contextlib
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skgenre._text import printable
from skgenre._warnings import ignored_warnings
from skgenre.audio import load_audio
from skgenre.audio._isolation._task import IsolatedTask
from skgenre.classifiers import BaseGenreClassifier, GenreTagger
from skgenre.classifiers._tagging._tag_genres import FEATURE_NAMES, tag_embedding
from skgenre.explore._media import LONGEST
from skgenre.features import MusicnnEmbedding
from skgenre.features._base import audio_steps
from skgenre.features._pretrained._musicnn_weights import has_weights, weights_folder
from skgenre.inspection._displays._timeline import predicts_timeline, song_timeline
from skgenre.inspection._fitted_parts import find_network
from skgenre.pipelines import embedding_pipeline

N_TAGS = 8
"""Of a song, that are shown."""


class Heard(NamedTuple):
    """What was computed of one song."""

    embedding: NDArray
    proba: NDArray | None
    """Of the genres; None if the model gives none."""
    tags: NDArray | None
    """Probabilities of musicnn's tags; None if they would take a pass of their own."""


class Listener:
    """A model, or the pretrained tagger without one.

    Parameters
    ----------
    model : estimator or None
        Fitted, from sound files to genres or embeddings.
    cache_dir : path or None
        Folder in which the tagger keeps what it has computed.
    time_limit : float or None
        Seconds that a file may take in the tagger and in `load`; the audio steps of
        `model` have their own.

    Raises
    ------
    ImportError
        If there is no model, and the tagger's weights are not here.
    ValueError
        If the model makes no embedding.
    """

    def __init__(
        self,
        model: Any = None,
        *,
        cache_dir: Any = None,
        time_limit: float | None = None,
    ) -> None:
        self._how = {"cache_dir": cache_dir, "time_limit": time_limit}
        self.model = getattr(model, "best_estimator_", model)  # of a search
        self.tagger: GenreTagger | None = None
        if model is None:
            for name in ("msd", "mtt"):
                weights_folder(name)
        if model is None or has_weights():
            self.tagger = GenreTagger(**self._how)
        self._embedding: Any = None if model is None else embedding_pipeline(model)
        self.network: BaseGenreClassifier | None = None
        if model is not None:
            with contextlib.suppress(ValueError):  # there is none in it
                self.network = find_network(model)
        # musicnn keeps what either needs, so that the tags cost nothing more.
        self._has_tags = model is None or any(
            isinstance(step, MusicnnEmbedding) for step in audio_steps(model)
        )
        classifier = self.tagger if model is None else self.model
        genres = getattr(classifier, "classes_", ())
        is_classifier = hasattr(classifier, "predict_proba")
        self.classes = [str(genre) for genre in genres] if is_classifier else []

    @property
    def steps(self) -> list[Any]:
        """The estimators by which a song is heard."""
        models = [self.model, self.tagger if self._has_tags else None]
        return [each for each in models if each is not None]

    @property
    def makes(self) -> dict[str, int | None]:
        """The arrays of what is heard, and how many numbers a song has in each.

        None stands for any number.
        """
        found: dict[str, int | None] = {"embeddings": None}
        if self.classes:
            found["proba"] = len(self.classes)
        if self.tagger is not None and self._has_tags:
            found["tags"] = len(FEATURE_NAMES)
        return found

    @property
    def meaning(self) -> str:
        """What it means that songs are near."""
        if self.model is None:
            return (
                "Songs that are near sound alike to musicnn, a network that was "
                "trained to name instruments, voices, styles and moods."
            )
        return (
            "Songs that are near are alike in the model's embedding: in what it has "
            "left of a song before it decides on a genre."
        )

    def load(self, path: str, **what: Any) -> NDArray:
        """Return a song's waveform, as `load_audio` does, within the time limit."""
        task: Any = functools.partial(load_audio, **what)
        if (limit := self._how["time_limit"]) is not None:
            task = IsolatedTask(task, limit)
        wave: NDArray = task(path)
        return wave

    def listen(self, paths: Sequence[str]) -> list[Heard]:
        """Return what is heard in files, all of which can be read."""
        tags = self.tagger.transform(paths) if self.tagger and self._has_tags else None
        if self.model is None:
            assert tags is not None and self.tagger is not None
            E = tag_embedding(tags)
            proba: NDArray | None = self.tagger._probabilities(tags)
        else:
            E = np.asarray(self._embedding.transform(paths), np.float32)
            if E.ndim != 2:
                raise ValueError(
                    f"The model has no embedding: it makes arrays of shape "
                    f"{E.shape[1:]} of a song. Train another one."
                )
            proba = self.model.predict_proba(paths) if self.classes else None
        return [
            Heard(
                E[i],
                None if proba is None else proba[i],
                None if tags is None else tags[i],
            )
            for i in range(len(E))
        ]

    def predict_proba(self, clips: Sequence[Any]) -> NDArray:
        """Return the probabilities of the genres, of sounds of any form.

        Raises
        ------
        ValueError
            If the model predicts no genres.
        """
        if not self.classes:
            raise ValueError("The model predicts no genres: it has no predict_proba.")
        model: Any = self.tagger if self.model is None else self.model
        with ignored_warnings():
            proba: NDArray = model.predict_proba(clips)
        return proba

    def top_tags(self, path: str) -> list[tuple[str, float]]:
        """Return a song's most probable tags; nothing without the tagger's weights."""
        return [] if self.tagger is None else self.tagger.top_tags([path], N_TAGS)[0]

    def timeline(self, path: str) -> dict[str, Any]:
        """Return the genres through a song.

        Those of the model, if it predicts windows of a whole song, or else of the
        tagger.

        Returns
        -------
        dict
            'genres'; 'times', start and end of each window in seconds; 'proba', a
            list for each window; 'by', what predicts them. No windows where nothing
            can.
        """
        with ignored_warnings():
            if self.model is not None and predicts_timeline(self.model):
                found, times, genres = song_timeline(self.model, path)
                by = "the model"
            elif self.tagger is not None:
                tagger = GenreTagger(duration=LONGEST, excerpt="start", **self._how)
                (found,), (times,) = tagger.predict_timeline([path])
                genres, by = tagger.classes_, "the pretrained tagger"
            else:
                return {"genres": [], "times": [], "proba": [], "by": ""}
        return {
            "genres": [printable(str(genre)) for genre in genres],
            "times": np.round(times, 2).tolist(),
            "proba": np.round(found.astype(float), 3).tolist(),
            "by": by,
        }
