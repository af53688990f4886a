"""Songs that sound alike, in clusters that their tags name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgenre.classifiers._tagging._tag_genres import TAG_NAMES, tag_embedding
from skgenre.clustering._embedding_kmeans import EmbeddingKMeans

K_RANGE = 2, 15
"""Numbers of clusters of which 'auto' takes the one with the best silhouette."""
_N_TAGS = 3
# Of tags for one thing, a name has the first.
_SYNONYMS = [
    group.split(", ")
    for group in (
        "vocal, vocals, voice, singing",
        "no vocal, no vocals, no voice",
        "male vocal, male vocalists, male voice, male, man",
        "female vocal, female vocals, female vocalist, female vocalists, female voice, "
        "female, woman",
        "beat, beats",
        "classical, classic",
        "electronic, electronica, electro",
        "chill, chillout",
    )
]
_FIRST = {tag: group[0] for group in _SYNONYMS for tag in group}


def cluster_songs(tags: dict[str, NDArray], k: int | None) -> dict[str, Any]:
    """Return `k` clusters of songs, or as many as have the best silhouette.

    Parameters
    ----------
    tags : dict of str to ndarray of shape (100,)
        Probabilities of the tags, by path.
    k : int or None
        Number of clusters; None tries those of `K_RANGE`.

    Returns
    -------
    dict
        'silhouette', a float, or None where it is not defined; 'silhouettes', the same
        by the numbers that were tried; and 'clusters', the largest first: dicts with
        'cluster', a number from 1, 'name', and 'songs', the most typical first, each
        with its 'path' and its 'distance' to the centre.

    Raises
    ------
    ValueError
        If there are fewer songs than clusters.
    """
    least = K_RANGE[0] + 1 if k is None else k
    if len(tags) < least:
        what = "Clusters" if k is None else f"{k} clusters"
        raise ValueError(
            f"{what} need at least {least} songs with music, and there are "
            f"{len(tags)}. Name more."
        )
    paths = list(tags)
    E = tag_embedding(np.array(list(tags.values())))
    # More starts don't change the clusters of a library enough to be waited for.
    kmeans = EmbeddingKMeans(k or "auto", k_range=K_RANGE, n_init=2, random_state=0)
    labels = kmeans.fit_predict(E)
    distances = np.linalg.norm(E - kmeans.cluster_centers_[labels], axis=1)
    numbers, counts = np.unique(labels, return_counts=True)
    order = numbers[np.argsort(-counts, kind="stable")]
    clusters = []
    for i, number in enumerate(order, 1):
        rows = np.flatnonzero(labels == number)
        rows = rows[np.argsort(distances[rows], kind="stable")]
        name = ", ".join(distinctive_tags(E[rows].mean(axis=0) - E.mean(axis=0)))
        songs = [
            {"path": paths[row], "distance": round(float(distances[row]), 4)}
            for row in rows
        ]
        clusters.append({"cluster": i, "name": name, "songs": songs})
    return {
        "silhouette": _known(kmeans.silhouette_score_),
        "silhouettes": {k: _known(s) for k, s in kmeans.silhouette_by_k_.items()},
        "clusters": clusters,
    }


def cluster_names(tags: NDArray) -> list[str]:
    """Return number and name of each song's cluster, as ``1 jazz, saxophone``.

    Two songs or fewer are one cluster, ``1``.

    Parameters
    ----------
    tags : ndarray of shape (n_songs, 100)
        Probabilities of the tags.
    """
    if len(tags) <= K_RANGE[0]:
        return ["1"] * len(tags)
    rows = {str(i): row for i, row in enumerate(tags)}
    name_of = {
        song["path"]: f"{cluster['cluster']} {cluster['name']}"
        for cluster in cluster_songs(rows, None)["clusters"]
        for song in cluster["songs"]
    }
    return [name_of[row] for row in rows]


def _known(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 4)


def distinctive_tags(excess: Sequence[float] | NDArray) -> list[str]:
    """Return the tags that are most above the mean of the library, the first first.

    There are at most three, and none that is not above it.

    Parameters
    ----------
    excess : array-like of shape (100,)
        By how much each tag is above it. Of a tag that is there twice, or has
        synonyms, the largest value counts.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre.classifiers._tagging._tag_genres import TAG_NAMES
    >>> excess = np.zeros(100)
    >>> excess[[TAG_NAMES.index(tag) for tag in ("voice", "vocals", "rock")]] = 3, 2, 1
    >>> excess[TAG_NAMES.index("sad")] = 0.5
    >>> distinctive_tags(excess)
    ['vocal', 'rock', 'sad']
    """
    above = np.asarray(excess)
    order = np.argsort(-above, kind="stable")[: int((above > 0).sum())]
    names = dict.fromkeys(_FIRST.get(TAG_NAMES[i], TAG_NAMES[i]) for i in order)
    return list(names)[:_N_TAGS]
