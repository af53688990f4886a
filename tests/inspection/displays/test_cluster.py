from itertools import permutations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import EmbeddingKMeans
from skgenre.inspection import ClusterDisplay

pytestmark = pytest.mark.usefixtures("no_figures_left")

GENRES = ["chanson", "fado", "Électronique"]


@pytest.fixture
def blobs():
    E, numbers = make_blobs(90, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    return E, np.array(GENRES)[numbers]


def test_clusters_stand_where_their_genres_do(blobs):
    E, y = blobs
    model = make_pipeline(StandardScaler(), EmbeddingKMeans(3, random_state=0)).fit(E)
    display = ClusterDisplay.from_estimator(model, E, y)
    np.testing.assert_array_equal(display.cluster_matrix, 30 * np.eye(3))
    assert display.genres.tolist() == GENRES
    for genre, cluster in zip(GENRES, display.clusters, strict=True):
        assert set(y[model.predict(E) == cluster]) == {genre}
    assert display.adjusted_rand == 1
    assert display.ax_.get_title() == "Adjusted Rand index 1.00"
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == GENRES
    assert display.text_[0, 0].get_text() == "30"
    light, dark = display.im_.cmap(0.0), display.im_.cmap(1.0)
    assert display.text_[0, 0].get_color() == light  # on a dark cell
    assert display.text_[0, 1].get_color() == dark
    display.figure_.canvas.draw()


@pytest.mark.parametrize("n_clusters", [1, 2, 4, 6])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_matching_has_a_stronger_diagonal(n_clusters, seed):
    rng = np.random.default_rng(seed)
    y, labels = rng.integers(4, size=60), rng.integers(n_clusters, size=60)
    display = ClusterDisplay.from_predictions(y, labels)
    matrix = display.cluster_matrix
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    best = max(
        sum(tall[row, column] for column, row in enumerate(rows))
        for rows in permutations(range(tall.shape[0]), tall.shape[1])
    )
    assert np.trace(matrix) == best
    # Every count is that of its genre and cluster.
    for (row, column), count in np.ndenumerate(matrix):
        mine = (y == display.genres[row]) & (labels == display.clusters[column])
        assert count == mine.sum()


def test_what_is_left_over_comes_last():
    y = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    fewer = ClusterDisplay.from_predictions(y, [7] * 5 + [3] * 7)
    assert fewer.genres.tolist() == ["a", "c", "b"]
    assert fewer.clusters.tolist() == [7, 3]
    # Cluster 0 holds some of c, cluster 1 some of a.
    more = ClusterDisplay.from_predictions(y, [4, 4, 4, 1, 2, 2, 2, 2, 5, 5, 5, 0])
    assert more.genres.tolist() == ["a", "b", "c"]
    assert more.clusters.tolist() == [4, 2, 5, 1, 0]


@pytest.mark.parametrize(
    ("normalize", "expected"),
    [
        ("true", [[0.75, 0.25], [0, 1]]),
        ("pred", [[1, 1 / 3], [0, 2 / 3]]),
        ("all", [[0.5, 1 / 6], [0, 1 / 3]]),
    ],
)
def test_shares(normalize, expected):
    y, labels = ["a"] * 4 + ["b"] * 2, [0, 0, 0, 1, 1, 1]
    display = ClusterDisplay.from_predictions(y, labels, normalize=normalize)
    np.testing.assert_allclose(display.cluster_matrix, expected)
    assert display.im_.get_clim() == (0, np.max(expected))
    assert display.text_[0, 1].get_text() == f"{expected[0][1]:.2f}"


def test_on_given_axes_of_a_part_of_a_figure():
    left, _ = plt.figure().subfigures(1, 2)
    ax = left.add_subplot()
    display = ClusterDisplay.from_predictions(
        pd.Series([5, 5, 8]), [0, 0, 1], ax=ax, include_values=False, colorbar=False
    )
    assert display.ax_ is ax and display.figure_ is left and display.text_ is None
    display.plot(ax=left.add_subplot(), values_format=".1e")
    assert display.text_[0, 0].get_text() == "2.0e+00"


def test_names_are_no_formulas():
    display = ClusterDisplay.from_predictions(["$_$", "R$B$"], ["$_$", "_"])
    display.figure_.canvas.draw()
    labels = display.ax_.get_yticklabels()
    assert [text.get_text() for text in labels] == ["$_$", "R$B$"]


def test_no_agreement_is_no_negative_zero():
    y, labels = ["a", "b"] * 500, ["a", "a", "b", "b"] * 250
    display = ClusterDisplay.from_predictions(y, labels)
    assert -0.005 < display.adjusted_rand < 0
    assert display.ax_.get_title() == "Adjusted Rand index 0.00"


def test_refuses_what_it_can_not_draw(blobs):
    E, y = blobs
    with pytest.raises(NotFittedError):
        ClusterDisplay.from_estimator(EmbeddingKMeans(), E, y)
    with pytest.raises(ValueError, match="needs a clusterer with predict.*Got SVC"):
        ClusterDisplay.from_estimator(SVC().fit(E, y), E, y)
    with pytest.raises(ValueError, match="Got DBSCAN.*use from_predictions"):
        ClusterDisplay.from_estimator(DBSCAN().fit(E), E, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ClusterDisplay.from_predictions(["a"], [0, 1])
    with pytest.raises(ValueError, match="labels is empty"):
        ClusterDisplay.from_predictions([], [])
    with pytest.raises(ValueError, match="y contains NaN or None in row 1"):
        ClusterDisplay.from_predictions(["a", None], [0, 1])
    with pytest.raises(ValueError, match="'normalize' parameter.*Got 'rows'"):
        ClusterDisplay.from_predictions(["a", "b"], [0, 1], normalize="rows")
    with pytest.raises(TypeError, match="colour"):
        ClusterDisplay.from_predictions(["a", "b"], [0, 1], colour="red")
