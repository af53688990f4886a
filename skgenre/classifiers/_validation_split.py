"""Clips held out of training to choose the learning rate and the best epoch."""

import numpy as np
from numpy.typing import NDArray


def validation_rows(
    y: NDArray,
    groups: NDArray | None,
    fraction: float,
    random_state: np.random.RandomState,
) -> NDArray:
    """Choose the clips to validate on: shuffled, stratified and by group.

    Every genre keeps at least one clip (with groups: one artist) to train on, and none
    gives much more than its share: a genre of few clips or few artists may not be
    validated on.

    Parameters
    ----------
    y : ndarray of shape (n_clips,)
        Number of each clip's genre.
    groups : ndarray of shape (n_clips,) or None
        Artist of each clip; the clips of one are never parted.
    fraction : float
        Share of each genre's clips to choose, in [0, 1).
    random_state : RandomState
        Decides which.

    Returns
    -------
    ndarray of int
        Rows, sorted; empty where nothing can be spared.
    """
    if groups is None:
        return np.sort(_clips(y, fraction, random_state))
    return _clips_of_artists(y, groups, fraction, random_state)


def _clips(y: NDArray, fraction: float, random_state: np.random.RandomState) -> NDArray:
    genres, counts = np.unique(y, return_counts=True)
    shares = fraction * counts
    wanted = shares.astype(int)
    # What rounding down has left over goes to the genres that lost most by it.
    n_over = round(fraction * len(y)) - wanted.sum()
    wanted[np.argsort(wanted - shares, kind="stable")[:n_over]] += 1
    return np.concatenate(
        [
            random_state.permutation(np.flatnonzero(y == genre))[: min(n, count - 1)]
            for genre, n, count in zip(genres, wanted, counts, strict=True)
        ]
    )


def _clips_of_artists(
    y: NDArray, groups: NDArray, fraction: float, random_state: np.random.RandomState
) -> NDArray:
    """Take artists, in random order, as long as that comes closer to the share."""
    artists, artist_of = np.unique(groups, return_inverse=True)
    genres, genre_of = np.unique(y, return_inverse=True)
    n_clips = np.zeros((len(artists), len(genres)), dtype=int)
    np.add.at(n_clips, (artist_of, genre_of), 1)

    missing = fraction * n_clips.sum(axis=0)  # clips of each genre still to be chosen
    n_left = (n_clips > 0).sum(axis=0)  # artists of each genre left to train on
    chosen = np.zeros(len(artists), dtype=bool)
    for artist in random_state.permutation(len(artists)):
        clips = n_clips[artist]
        comes_closer = np.abs(missing - clips).sum() < np.abs(missing).sum()
        if comes_closer and (n_left[clips > 0] > 1).all():
            chosen[artist] = True
            missing -= clips
            n_left -= clips > 0
    return np.flatnonzero(chosen[artist_of])
