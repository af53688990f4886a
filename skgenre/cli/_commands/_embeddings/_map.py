"""A map of a library, as a page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skgenre.classifiers import GenreTagger
from skgenre.classifiers._tagging._tag_genres import tag_embedding
from skgenre.clustering._tag_clusters import cluster_names
from skgenre.datasets import GenreTree
from skgenre.datasets._library._fold_genres import fold_genres
from skgenre.datasets._library._tags import read_all_tags
from skgenre.inspection._displays._embedding import reduce_to_plane
from skgenre.inspection._report._map import REDUCTIONS, map_page

_MEANINGS = {
    "genre": "genres, as musicnn's tags predict them",
    "tags": "genres, as the files' own tags name them",
    "cluster": "clusters of songs that sound alike, named by their tags",
}


def map_of_songs(
    tagger: GenreTagger,
    tags: dict[str, NDArray],
    *,
    color: str,
    reduction: str,
    title: str,
    n_jobs: int,
) -> str:
    """Return a page with a map of songs.

    Parameters
    ----------
    tagger : GenreTagger
        Predicts genres by tags.
    tags : dict of str to ndarray of shape (100,)
        Probabilities of the tags, by path.
    color : {'genre', 'tags', 'cluster'}
        What the colours are.
    reduction : {'pca', 'umap'}
        How the map is made.
    title : str
        Title of the page.
    n_jobs : int
        Files whose own tags are read at a time.

    Raises
    ------
    ValueError
        If there are too few songs.
    ImportError
        If UMAP is wanted and not installed.
    """
    if len(tags) < 2:
        raise ValueError(
            f"A map needs at least 2 songs with music, and there are {len(tags)}. Name "
            "more."
        )
    paths = list(tags)
    probabilities = np.array(list(tags.values()))
    E = tag_embedding(probabilities)
    points, axes = reduce_to_plane(E, reduction, 0)
    own = read_all_tags(paths, n_jobs)
    labels: Sequence[str | None]
    if color == "genre":
        labels = tagger._genres(tagger._probabilities(probabilities)).tolist()
    elif color == "tags":
        genres, _ = fold_genres([each.genres for each in own], GenreTree({}))
        labels = [names[0] if names else None for names in genres]
    else:
        labels = cluster_names(probabilities)
    songs = [
        {
            "title": tag.title or Path(path).stem,
            "artist": tag.artist or "",
            "path": path,
        }
        for path, tag in zip(paths, own, strict=True)
    ]
    return map_page(
        E,
        points,
        labels,
        songs,
        title=title,
        meaning=_MEANINGS[color],
        axes=axes,
        notes=[REDUCTIONS[reduction]],
    )
