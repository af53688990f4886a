"""Output units of genres."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skgenre.classifiers import BaseGenreClassifier


def genre_units(
    network: BaseGenreClassifier, genres: ArrayLike | None, parameter: str
) -> NDArray:
    """Return the output unit of each genre; None stands for all genres.

    Parameters
    ----------
    network : BaseGenreClassifier
        Fitted.
    genres : array-like of shape (n_genres,) or None
        Members of its `classes_`.
    parameter : str
        Name of the parameter, for errors.

    Returns
    -------
    ndarray of shape (n_genres,)
        Positions in `classes_`.
    """
    known = network.classes_.tolist()
    if genres is None:
        return np.arange(len(known))
    wanted = np.asarray(genres)
    names = wanted.tolist()
    if wanted.ndim != 1 or not names or not all(name in known for name in names):
        raise ValueError(
            f"{parameter} must be a list of genres of the network, {known}. Got "
            f"{genres!r}."
        )
    return np.array([known.index(name) for name in names])
