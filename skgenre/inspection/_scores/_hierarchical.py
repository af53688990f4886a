"""Scores of predictions in a tree of genres, where a near miss is not all wrong."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch, check_consistent_length

from skgenre.classifiers._checks import check_groups, check_labels
from skgenre.datasets import GenreTree
from skgenre.datasets._form import genres_of_clips
from skgenre.inspection._scores._bootstrap import (
    bootstrap_sums,
    group_numbers,
    interval,
    n_groups_with,
)


def hierarchical_scores(
    y_true: Any,
    y_pred: Any,
    genre_tree: Mapping[str, str | None],
    *,
    unknown: Any = None,
    groups: ArrayLike | None = None,
) -> Bunch:
    r"""Return hierarchical precision, recall and F1, each with a 95 % interval.

    Each genre stands for itself and all genres above it. So "Punk" for "Metal" is half
    right if both are below "Rock", and so is "Rock"; "Jazz" is wrong.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_clips,), or sequence of sequences of str
        True and predicted genres: one for each clip, or several.
    genre_tree : GenreTree or mapping of str to str
        The genre above each; see :class:`~skgenre.datasets.GenreTree`.
    unknown : str, number or None, default=None
        A prediction that stands for no genre, such as 'unknown'.
    groups : array-like of shape (n_clips,), default=None
        Artists, who are drawn with all their clips; None draws clips.

    Returns
    -------
    scores : :class:`~sklearn.utils.Bunch`
        With these attributes, and the interval of each, ``precision_interval`` and so
        on, an ndarray of shape (2,):

        precision : float
            Share of the predicted genres, with those above them, that are right; NaN
            where nothing is predicted.
        recall : float
            Share of the true genres, with those above them, that are predicted; NaN
            where there are none.
        f1 : float
            Their harmonic mean; NaN where there are neither.

    Raises
    ------
    ValueError
        If there are no clips, lengths do not match, values are missing, or `genre_tree`
        is no tree.

    See Also
    --------
    score_intervals : Scores of each genre, without a tree.
    skgenre.AbstainingClassifier : Predicts the genre above where it is uncertain.

    Notes
    -----
    These are the measures of Kiritchenko et al. [1]_, micro-averaged: with the sets
    :math:`\hat P_i` and :math:`\hat T_i` of predicted and true genres and all genres
    above them,

    .. math::

        hP = \frac{\sum_i |\hat P_i \cap \hat T_i|}{\sum_i |\hat P_i|}, \quad
        hR = \frac{\sum_i |\hat P_i \cap \hat T_i|}{\sum_i |\hat T_i|}, \quad
        hF = \frac{2 \, hP \, hR}{hP + hR} .

    Intervals are those of `bootstrap_accuracy`; NaN where all clips of a score are by
    one artist.

    References
    ----------
    .. [1] S. Kiritchenko, S. Matwin, R. Nock, A. F. Famili, "Learning and evaluation in
       the presence of class hierarchies: application to text categorization", Canadian
       AI 2006.

    Examples
    --------
    >>> from skgenre.inspection import hierarchical_scores
    >>> tree = {"Punk": "Rock", "Metal": "Rock"}
    >>> scores = hierarchical_scores(["Punk", "Metal"], ["Punk", "Rock"], tree)
    >>> scores.precision, scores.recall, round(scores.f1, 2)
    (1.0, 0.75, 0.86)
    """
    tree = GenreTree(genre_tree)
    true = _augmented("y_true", y_true, tree, None)
    predicted = _augmented("y_pred", y_pred, tree, unknown)
    check_consistent_length(true, predicted)
    if not true:
        raise ValueError("There are no clips to evaluate: got arrays of length 0.")
    pairs = zip(predicted, true, strict=True)
    counts = np.array([(len(p & t), len(p), len(t)) for p, t in pairs], dtype=float)
    scores = _ratios(counts.sum(axis=0))
    number = group_numbers(check_groups(true, groups), len(true))
    samples = _ratios(bootstrap_sums(counts, number))
    _, of_predicted, of_true = counts.T
    columns = np.column_stack([of_predicted, of_true, of_predicted + of_true])
    n_groups = n_groups_with(number, columns)
    result = Bunch()
    for name, n in zip(("precision", "recall", "f1"), n_groups, strict=True):
        result[name] = float(scores[name])
        result[f"{name}_interval"] = interval(samples[name], n)
    return result


def _augmented(name: str, genres: Any, tree: GenreTree, unknown: Any) -> list[set]:
    """Return the genres of each clip, with all those above them."""
    of_each, are_several = genres_of_clips(name, genres)
    if not are_several:
        of_each = [(genre,) for genre in check_labels(name, genres).tolist()]
    return [
        {
            each
            for genre in several
            if unknown is None or genre != unknown
            for each in tree.lineage(genre)
        }
        for several in of_each
    ]


def _ratios(sums: NDArray) -> dict[str, NDArray]:
    """Return the scores of sums of right, predicted and true genres."""
    right, predicted, true = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore"):
        return {
            "precision": right / predicted,
            "recall": right / true,
            "f1": 2 * right / (predicted + true),
        }
