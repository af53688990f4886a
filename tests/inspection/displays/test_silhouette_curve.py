import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import EmbeddingKMeans
from skgenre.inspection import SilhouetteCurveDisplay

pytestmark = pytest.mark.usefixtures("no_figures_left")


@pytest.fixture
def E():
    return make_blobs(90, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)[0]


def test_of_a_clustering_that_chose_its_number(E):
    kmeans = EmbeddingKMeans("auto", k_range=(2, 6), random_state=0)
    model = make_pipeline(StandardScaler(), kmeans).fit(E)
    display = SilhouetteCurveDisplay.from_estimator(model, name="blobs")
    numbers, scores = display.line_.get_data()
    assert dict(zip(numbers, scores, strict=True)) == kmeans.silhouette_by_k_
    best = display.ax_.lines[1]
    assert best.get_xdata()[0] == kmeans.n_clusters_ == 3
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["blobs", "best: 3 clusters"]
    display.figure_.canvas.draw()
    assert all(float(tick).is_integer() for tick in display.ax_.get_xticks())


def test_of_embeddings_on_given_axes(E):
    _, ax = plt.subplots()
    first = SilhouetteCurveDisplay.from_embeddings(E, random_state=0, ax=ax, name="a")
    assert list(first.silhouette_by_k) == [2, 3, 4, 5, 6, 7, 8, 9]  # the report's
    second = SilhouetteCurveDisplay.from_embeddings(
        E[:, :1], k_range=(3, 4), random_state=0, ax=ax, name="b"
    )
    assert first.figure_ is second.figure_ is ax.figure
    expected = EmbeddingKMeans("auto", k_range=(3, 4), random_state=0).fit(E[:, :1])
    assert second.silhouette_by_k == expected.silhouette_by_k_


def test_scores_that_are_not_defined_are_left_out():
    display = SilhouetteCurveDisplay({4: np.nan, 2: 0.1, 3: 0.4}).plot()
    assert display.line_.get_xdata().tolist() == [2, 3, 4]
    assert display.ax_.lines[1].get_xdata()[0] == 3
    display = SilhouetteCurveDisplay({2: np.nan, 3: np.nan}).plot()
    assert len(display.ax_.lines) == 1 and display.ax_.get_legend() is None


def test_refuses_what_tried_one_number_only(E):
    with pytest.raises(NotFittedError):
        SilhouetteCurveDisplay.from_estimator(EmbeddingKMeans("auto"))
    for one in (EmbeddingKMeans(3), KMeans(3)):
        with pytest.raises(ValueError, match=r"Got \w*KMeans\(.*from_embeddings tries"):
            SilhouetteCurveDisplay.from_estimator(make_pipeline(one).fit(E))
    with pytest.raises(ValueError, match="k_range"):
        SilhouetteCurveDisplay.from_embeddings(E, k_range=(5, 3))
    with pytest.raises(ValueError, match="more than 2 clips"):
        SilhouetteCurveDisplay.from_embeddings(E[:2])
