"""Clips held out of training to choose the learning rate and the best epoch."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold


def validation_rows(
    y: NDArray,
    groups: NDArray | None,
    fraction: float,
    random_state: np.random.RandomState,
) -> NDArray:
    """Choose the clips to validate on: shuffled, stratified and by group.

    Every genre keeps at least one clip (with groups: one artist) to train on; a genre
    with too few is not validated on.

    Parameters
    ----------
    y : ndarray of shape (n_clips,)
        Number of each clip's genre, in [0, n_classes).
    groups : ndarray of shape (n_clips,) or None
        Artist of each clip; the clips of one are never parted.
    fraction : float
        Share of the clips to choose, in [0, 1).
    random_state : RandomState
        Decides which.

    Returns
    -------
    ndarray of int
        Rows, sorted; empty where nothing can be spared.
    """
    if groups is None:
        chosen = _stratified(y, fraction, random_state)
    else:
        chosen = _stratified_by_group(y, groups, fraction, random_state)
    return np.sort(chosen)


def _stratified(
    y: NDArray, fraction: float, random_state: np.random.RandomState
) -> NDArray:
    chosen = []
    for genre in np.unique(y):
        rows = random_state.permutation(np.flatnonzero(y == genre))
        n_chosen = min(round(fraction * len(rows)), len(rows) - 1)
        chosen.append(rows[:n_chosen])
    return np.concatenate(chosen)


def _stratified_by_group(
    y: NDArray,
    groups: NDArray,
    fraction: float,
    random_state: np.random.RandomState,
) -> NDArray:
    n_splits = min(round(1 / fraction) if fraction else 0, len(np.unique(groups)))
    nothing = np.empty(0, dtype=np.intp)
    if n_splits < 2:
        return nothing
    n_genres = len(np.unique(y))
    splitter = StratifiedGroupKFold(
        n_splits, shuffle=True, random_state=random_state.randint(2**31 - 1)
    )
    folds = [
        held_out
        for kept, held_out in splitter.split(y, y, groups)
        if len(np.unique(y[kept])) == n_genres
    ]
    # The fold with the most genres in it judges best; ties go to the first.
    return max(folds, key=lambda rows: len(np.unique(y[rows])), default=nothing)
