import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_samples, silhouette_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import EmbeddingKMeans
from skgenre.clustering import _embedding_kmeans
from skgenre.inspection import SilhouetteDisplay

pytestmark = pytest.mark.usefixtures("no_figures_left")


@pytest.fixture
def blobs():
    return make_blobs(90, centers=[[0, 0], [4, 0], [0, 4]], random_state=0)


def test_each_cluster_has_its_clips_sorted(blobs):
    E, _ = blobs
    model = make_pipeline(StandardScaler(), EmbeddingKMeans(3, random_state=0)).fit(E)
    display = SilhouetteDisplay.from_estimator(model, E)
    scaled, labels = model[0].transform(E), model.predict(E)
    np.testing.assert_allclose(display.silhouettes, silhouette_samples(scaled, labels))
    bottom = -np.inf
    for cluster, stairs in enumerate(display.ax_.patches):
        values, edges, _ = stairs.get_data()
        expected = np.sort(display.silhouettes[labels == cluster])[::-1]
        np.testing.assert_array_equal(values, expected)
        assert edges[0] > bottom  # they don't overlap
        bottom = edges[-1]
        assert edges[0] < display.ax_.get_yticks()[cluster] < edges[-1]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["0", "1", "2"]
    score = model[-1].silhouette_score_
    assert display.line_.get_xdata()[0] == pytest.approx(score)
    assert display.ax_.get_title() == f"Mean silhouette {score:.2f}"
    display.figure_.canvas.draw()


def test_of_genres_on_given_axes(blobs):
    E, numbers = blobs
    _, ax = plt.subplots()
    genres = np.array(["chanson", "fado", "Électronique"])[numbers]
    display = SilhouetteDisplay.from_predictions(E, genres, ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert ax.get_yticklabels()[1].get_text() == "fado"


def test_names_are_no_formulas():
    E, names = [[0.0], [1.0], [9.0]], ["$_$", "$_$", "R$B$"]
    SilhouetteDisplay.from_predictions(E, names).figure_.canvas.draw()


def test_a_cluster_of_one_clip_has_silhouette_0():
    display = SilhouetteDisplay.from_predictions([[0.0], [1.0], [9.0]], [0, 0, 1])
    np.testing.assert_array_equal(display.silhouettes[2], 0)
    assert len(display.ax_.patches) == 2


def test_many_clips_are_drawn_by_those_that_the_score_is_of(monkeypatch):
    monkeypatch.setattr(_embedding_kmeans, "_SILHOUETTE_CLIPS", 10)
    rng = np.random.default_rng(0)
    E, labels = rng.normal(size=(20, 1)), rng.integers(2, size=20)
    display = SilhouetteDisplay.from_predictions(E, labels)
    assert len(display.silhouettes) == 10
    score = silhouette_score(E, labels, sample_size=10, random_state=0)
    assert display.silhouettes.mean() == pytest.approx(score)

    labels[:] = 0
    labels[np.random.RandomState(0).permutation(20)[10]] = 1  # the first left out
    with pytest.raises(ValueError, match="Of 20 clips 10 are drawn.* one cluster"):
        SilhouetteDisplay.from_predictions(E, labels)


def test_refuses_what_it_can_not_draw(blobs):
    E, y = blobs
    with pytest.raises(ValueError, match="needs a clusterer with predict.*Got SVC"):
        SilhouetteDisplay.from_estimator(SVC().fit(E, y), E)
    with pytest.raises(ValueError, match="Got DBSCAN.*use from_predictions"):
        SilhouetteDisplay.from_estimator(DBSCAN().fit(E), E)
    with pytest.raises(ValueError, match="Number of labels is 1"):
        SilhouetteDisplay.from_predictions(E, np.zeros(90))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SilhouetteDisplay.from_predictions(E, y[1:])
    with pytest.raises(ValueError, match="E contains infinity"):
        SilhouetteDisplay.from_predictions([[np.inf], [0], [1]], [0, 0, 1])
