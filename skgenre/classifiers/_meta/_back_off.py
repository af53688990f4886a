"""Predictions that stop at a genre above where its subgenres are uncertain."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skgenre.datasets import GenreTree

_TOP, _ENDED = -1, -2  # places that are no genre's


class Branches(NamedTuple):
    """For each clip, genres from a top genre down, each below the one before.

    Attributes
    ----------
    genres : ndarray of shape (n_genres,)
        The classes, and the genres above them.
    places : ndarray of shape (n_clips, n_levels), int
        Their positions in `genres`; -1 after the last.
    probabilities : ndarray of shape (n_clips, n_levels)
        Their probabilities, with those of their subgenres, which never rise from one
        to the next; -inf after the last.
    """

    genres: NDArray
    places: NDArray
    probabilities: NDArray

    def deepest(self, threshold: float) -> tuple[NDArray, NDArray]:
        """Return the last genre of each clip that is probable enough, and if any is."""
        n_levels = (self.probabilities >= threshold).sum(axis=1)
        chosen = self.places[np.arange(len(self.places)), np.maximum(n_levels - 1, 0)]
        return self.genres[chosen], n_levels > 0

    def right(self, y: NDArray, tree: GenreTree) -> NDArray:
        """Return whether each genre is that of its clip, or above it."""
        names = np.array([tree.lineage(genre)[-1] for genre in self.genres.tolist()])
        true, of_clip = np.unique(y, return_inverse=True)
        is_above = [np.isin(names, tree.lineage(genre)) for genre in true.tolist()]
        of_places = np.array(is_above)[of_clip[:, np.newaxis], self.places]
        return of_places & (self.places >= 0)


def likeliest_branches(
    probabilities: ArrayLike, classes: NDArray, tree: GenreTree
) -> Branches:
    """Return the branch of a tree that is the most probable for each clip.

    It begins at the most probable top genre, and goes on to the most probable genre
    below as long as there is one that is as probable as the genre itself without its
    subgenres. So it doesn't depend on a threshold, and a higher one can only end it
    sooner.

    Parameters
    ----------
    probabilities : array-like of shape (n_clips, n_classes)
        As of `predict_proba`.
    classes : ndarray of shape (n_classes,)
        Genres of the columns.
    tree : GenreTree
        The genre above each.

    Returns
    -------
    Branches
        One for each clip.
    """
    sums, genres = tree.sum_probabilities(probabilities, classes)
    # Of the last column, the place above the top genres, nothing is its own.
    own = np.full((len(sums), len(genres) + 1), -np.inf)
    own[:, np.searchsorted(genres, classes)] = probabilities
    lineages = [tree.lineage(genre) for genre in genres.tolist()]
    place_of = {lineage[-1]: place for place, lineage in enumerate(lineages)}
    below: dict[int, list[int]] = {}
    for lineage in lineages:
        above = place_of[lineage[-2]] if len(lineage) > 1 else _TOP
        below.setdefault(above, []).append(place_of[lineage[-1]])

    place = np.full(len(sums), _TOP)
    places = np.full((len(sums), max(map(len, lineages))), -1)
    for level in range(places.shape[1]):
        for parent, children in below.items():
            clips = np.flatnonzero(place == parent)
            of_children = sums[clips][:, children]
            goes_on = of_children.max(axis=1) >= own[clips, parent]
            best = np.array(children)[of_children.argmax(axis=1)]
            places[clips[goes_on], level] = best[goes_on]
        place = np.where(places[:, level] < 0, _ENDED, places[:, level])
    found = np.take_along_axis(sums, np.maximum(places, 0), axis=1)
    return Branches(genres, places, np.where(places < 0, -np.inf, found))
