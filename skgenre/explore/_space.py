"""Which songs lie near which, on a map and in truth, and why."""

import importlib.util
import threading
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from skgenre._warnings import ignored_warnings
from skgenre.classifiers._tagging._tag_genres import tag_embedding
from skgenre.clustering import EmbeddingKMeans, TrackRecommender
from skgenre.clustering._recommender import is_copy
from skgenre.clustering._tag_clusters import K_RANGE, cluster_names, distinctive_tags
from skgenre.explore._kept import Kept
from skgenre.inspection._displays._embedding import reduce_to_plane
from skgenre.inspection._report._map import REDUCTIONS, trust_of_map

# Of songs that are compared in pairs, to say how true a map is: in some 50 MB.
_N_COMPARED = 1000


class Near(NamedTuple):
    """A song near another."""

    number: int
    distance: float
    tags: list[str]
    """That both have more than most songs."""


class Space:
    """Some songs of a collection by their embeddings.

    Parameters
    ----------
    numbers : ndarray of shape (n_songs,)
        Their numbers in the collection.
    E : ndarray of shape (n_songs, n_features)
        Embeddings.
    tags : ndarray of shape (n_songs, 100) or None
        Probabilities of tags.
    groups : ndarray of shape (n_songs,)
        Artists.
    kept : Kept or None, default=None
        Where maps that take long are kept.
    """

    def __init__(
        self,
        numbers: NDArray,
        E: NDArray,
        tags: NDArray | None,
        groups: NDArray,
        kept: Kept | None = None,
    ) -> None:
        self.numbers, self.E, self._groups = numbers, E, groups
        self._kept = Kept(None, None, ()) if kept is None else kept
        self.place = {int(number): i for i, number in enumerate(numbers)}
        self._probabilities = tags
        self._tags = None if tags is None else tag_embedding(tags)
        self._mean = None if self._tags is None else self._tags.mean(axis=0)
        # A map may take long, in which neighbours are asked for.
        self._lock, self._map_lock = threading.Lock(), threading.Lock()
        self._maps: dict[str, tuple[NDArray, tuple[str, str]]] = {}
        self._recommender: TrackRecommender | None = None

    @staticmethod
    def reductions() -> list[str]:
        """Return the names of the maps that can be made here, the quickest first."""
        return ["pca", *(["umap"] if importlib.util.find_spec("umap") else [])]

    def map(self, reduction: str = "pca") -> tuple[NDArray, tuple[str, str]]:
        """Return the points of a map, (n_songs, 2), and the names of its axes."""
        with self._map_lock:
            if reduction not in self._maps:
                self._maps[reduction] = self._reduce(reduction)
            return self._maps[reduction]

    def _reduce(self, reduction: str) -> tuple[NDArray, tuple[str, str]]:
        if len(self.E) < 4:  # in a row
            points = np.column_stack([np.arange(len(self.E)), np.zeros(len(self.E))])
            return points, ("order of the files", "nothing: there are too few songs")
        if reduction == "umap":
            return self._umap(), ("UMAP 1", "UMAP 2")
        with ignored_warnings():
            points, axes = reduce_to_plane(self.E, reduction, 0)
        # Of the two directions of a component, the one in which more is longer.
        points = points * np.where(np.sum(points**3, axis=0) < 0, -1, 1)
        first, second = map(self._meaning, axes, points.T)
        return points, (first, second)

    def _umap(self) -> NDArray:
        """Return the points of a map that is kept, as it takes long."""
        state = joblib.hash(self.E)
        points = self._kept.get(state, "umap")
        if points is None or points.shape != (len(self.E), 2):
            with ignored_warnings():
                points, _ = reduce_to_plane(self.E, "umap", 0)
            self._kept.put(state, "umap", points)
        return points

    def _meaning(self, axis: str, values: NDArray) -> str:
        """Add to the name of an axis which tags lie at its ends."""
        if self._tags is None:
            return axis
        order = np.argsort(values, kind="stable")
        n = max(1, len(order) // 10)
        low, high = (
            self._tags[order[:n]].mean(axis=0),
            self._tags[order[-n:]].mean(axis=0),
        )
        ends = (", ".join(distinctive_tags(e)) for e in (low - high, high - low))
        return "{}: from {} to {}".format(axis, *ends)

    def truth(self, reduction: str) -> dict[str, Any]:
        """Return how true a map is."""
        points, _ = self.map(reduction)
        trust, n_neighbors, n_sampled = trust_of_map(self.E, points, _N_COMPARED)
        return {
            "trust": trust,
            "n_neighbors": n_neighbors,
            "n_sampled": n_sampled,
            "note": REDUCTIONS[reduction],
        }

    @property
    def recommender(self) -> TrackRecommender:
        """The songs, fitted."""
        with self._lock:
            if self._recommender is None:
                fitted = TrackRecommender().fit(self.E, groups=self._groups)
                self._recommender = fitted
            return self._recommender

    def copies(self, embedding: NDArray) -> list[int]:
        """Return the numbers of songs that are the same recording."""
        return self.numbers[is_copy(self.E, embedding)].tolist()

    def near(
        self,
        liked: list[int],
        k: int,
        *,
        disliked: list[int] | None = None,
        other_artists: bool = False,
    ) -> list[Near]:
        """Return songs near some, and not near others, by their numbers."""
        rows = [self.place[number] for number in liked]
        unwanted = [self.place[number] for number in disliked or ()] or None
        with ignored_warnings():  # of fewer than k
            found = self.recommender.recommend(
                rows, k, disliked=unwanted, exclude_groups=other_artists
            )
        return [
            self._near(row, distance, None if self._tags is None else self._tags[by])
            for row, distance, by in zip(
                found.rows, found.distances, found.liked, strict=True
            )
        ]

    def near_embedding(
        self, embedding: NDArray, tags: NDArray | None, k: int
    ) -> list[Near]:
        """Return songs near one that is not in the collection."""
        own = None if tags is None else tag_embedding(tags)
        with ignored_warnings():
            found = self.recommender.recommend_by_embedding([embedding], k)
        return [
            self._near(row, distance, own)
            for row, distance in zip(found.rows, found.distances, strict=True)
        ]

    def _near(self, row: int, distance: float, tags: NDArray | None) -> Near:
        names: list[str] = []
        if tags is not None and self._tags is not None and self._mean is not None:
            excess = np.minimum(tags, self._tags[row]) - self._mean
            names = distinctive_tags(excess)
        return Near(int(self.numbers[row]), float(distance), names)

    def path(self, start: int, end: int, k: int) -> list[tuple[int, float]]:
        """Return the songs from one to another, with the distance of each step."""
        with ignored_warnings():
            found = self.recommender.path(self.place[start], self.place[end], k)
        return [
            (int(self.numbers[row]), float(distance))
            for row, distance in zip(found.rows, found.distances, strict=True)
        ]

    def clusters(self) -> list[str]:
        """Return the name of each song's cluster."""
        if self._probabilities is not None:
            return cluster_names(self._probabilities)
        if len(self.E) <= K_RANGE[0]:
            return ["1"] * len(self.E)
        kmeans = EmbeddingKMeans("auto", k_range=K_RANGE, n_init=2, random_state=0)
        return [str(label + 1) for label in kmeans.fit_predict(self.E)]


def reasons(near: Near, same: dict[str, str]) -> list[str]:
    """Return why a song lies near, in words.

    Parameters
    ----------
    near : Near
        The song.
    same : dict of str to str
        What else both have, such as ``{"artist": "Ella"}``.

    Examples
    --------
    >>> reasons(Near(3, 0.1, ["piano", "slow"]), {"artist": "Ella"})
    ['both: piano, slow', 'same artist: Ella']
    """
    found = [f"both: {', '.join(near.tags)}"] if near.tags else []
    return found + [f"same {name}: {value}" for name, value in same.items()]
