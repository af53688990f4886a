"""Errors that may be the labels', by neighbours of other artists."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import unique_labels

from skgenre._sklearn_compat import Interval, validate_params
from skgenre.classifiers._checks import check_groups
from skgenre.inspection._scores._bootstrap import check_genres_of_clips, group_numbers
from skgenre.inspection._scores._score_intervals import genre_positions

_N_ROWS = 1024  # of similarities at a time


@validate_params(
    {
        "embeddings": ["array-like"],
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "groups": ["array-like", None],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def suspected_label_errors(
    embeddings: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_neighbors: int = 10,
) -> NDArray:
    """Return which clips' neighbours have the predicted genre rather than the label.

    Parameters
    ----------
    embeddings : array-like of shape (n_clips, n_components)
        What the clips sound like, such as the output of `embedding_pipeline`.
    y_true, y_pred : array-like of shape (n_clips,)
        Labels, and predictions of a model that was not trained on these clips.
    groups : array-like of shape (n_clips,), default=None
        Artists, whose own clips are no neighbours.
    n_neighbors : int, default=10
        Nearest clips that are asked.

    Returns
    -------
    is_suspected : ndarray of shape (n_clips,), bool
        True where the prediction is not the label, and more of the neighbours have the
        predicted genre than any other. The share of the errors that are suspected is
        ``is_suspected.sum() / (y_true != y_pred).sum()``.

    Raises
    ------
    ValueError
        If there are no clips, lengths do not match, values are missing, or
        `n_neighbors` is less than 1.

    See Also
    --------
    accuracy_scores : Accuracies of several kinds.
    skgenre.datasets.audit : Other faults of a collection.

    Notes
    -----
    Neighbours are those of the smallest angle between standardised embeddings. Model
    and neighbours may err in the same way: a suspected label is one to listen to.

    Examples
    --------
    >>> from skgenre.inspection import suspected_label_errors
    >>> embeddings = [[0, 1], [0, 2], [0.1, 3], [1, 0], [2, 0], [3, 0.1]]
    >>> labels = ["folk", "rock", "folk", "rock", "rock", "rock"]
    >>> predicted = ["folk", "folk", "folk", "rock", "rock", "folk"]
    >>> suspected_label_errors(embeddings, labels, predicted, n_neighbors=2)
    array([False,  True, False, False, False, False])
    """
    true, predicted = check_genres_of_clips(y_true=y_true, y_pred=y_pred)
    X = check_array(embeddings, dtype=np.float64, input_name="embeddings")
    check_consistent_length(X, true)
    artist = group_numbers(check_groups(true, groups), len(true))
    genres = unique_labels(true, predicted)
    of_label, of_prediction = (genre_positions(y, genres) for y in (true, predicted))
    X = normalize(StandardScaler().fit_transform(X))
    suspected = np.zeros(len(true), dtype=bool)
    errors = np.flatnonzero(of_label != of_prediction)
    for start in range(0, len(errors), _N_ROWS):
        rows = errors[start : start + _N_ROWS]
        similarity = X[rows] @ X.T
        similarity[artist[rows, np.newaxis] == artist] = -np.inf
        n = min(n_neighbors, len(X) - 1)
        nearest = np.argpartition(-similarity, n - 1, axis=1)[:, :n]
        is_other = np.isfinite(np.take_along_axis(similarity, nearest, axis=1))
        votes = np.zeros((len(rows), len(genres)))
        places = np.arange(len(rows))[:, np.newaxis], of_label[nearest]
        np.add.at(votes, places, is_other)
        own = votes[np.arange(len(rows)), of_prediction[rows]]
        votes[np.arange(len(rows)), of_prediction[rows]] = -1
        suspected[rows] = own > np.maximum(votes.max(axis=1), 0)
    return suspected
