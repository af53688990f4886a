import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    EmbeddingKMeans,
    SegmentClassifier,
)
from skgenre.inspection import EmbeddingDisplay

pytestmark = pytest.mark.usefixtures("no_figures_left")


@pytest.fixture
def blobs():
    centers = 9 * np.eye(5)[:3]
    E, numbers = make_blobs(90, centers=centers, random_state=0)
    return E, np.array(["chanson", "fado", "Électronique"])[numbers]


def test_pca_is_the_default(blobs):
    E, y = blobs
    display = EmbeddingDisplay.from_embeddings(E, y)
    pca = PCA(2).fit(E)
    np.testing.assert_allclose(np.abs(display.points), np.abs(pca.transform(E)))
    first, second = (f"{share:.0%}" for share in pca.explained_variance_ratio_)
    assert display.ax_.get_xlabel() == f"Component 1 ({first} of the variance)"
    assert display.ax_.get_ylabel() == f"Component 2 ({second} of the variance)"
    legend = [text.get_text() for text in display.legend_.get_texts()]
    assert legend == ["chanson", "fado", "Électronique"]
    assert display.ax_.get_aspect() == 1  # distances are comparable
    for genre, points in zip(np.unique(y), display.ax_.collections, strict=True):
        np.testing.assert_array_equal(points.get_offsets(), display.points[y == genre])


def test_embeddings_that_are_all_the_same_have_no_variance(recwarn):
    display = EmbeddingDisplay.from_embeddings(np.ones((6, 3)), ["a", "b"] * 3)
    np.testing.assert_array_equal(display.points, 0)
    assert display.ax_.get_xlabel() == "Component 1 (0% of the variance)"
    assert not recwarn


def test_unlabelled_music_has_a_map_without_a_legend(blobs):
    E, y = blobs
    model = make_pipeline(StandardScaler(), EmbeddingKMeans(3, random_state=0)).fit(E)
    for display, expected in (
        (EmbeddingDisplay.from_embeddings(E), EmbeddingDisplay.from_embeddings(E, y)),
        (
            EmbeddingDisplay.from_estimator(model, E, random_state=0, s=7),
            EmbeddingDisplay.from_estimator(model, E, y, random_state=0),
        ),
    ):
        np.testing.assert_array_equal(display.points, expected.points)
        (points,) = display.ax_.collections
        np.testing.assert_array_equal(points.get_offsets(), expected.points)
        assert display.y is None and display.legend_ is None
        assert display.ax_.get_legend() is None
        assert display.ax_.get_xlabel() == expected.ax_.get_xlabel()
        display.figure_.canvas.draw()
    assert points.get_sizes() == 7


def test_thousands_of_points_are_smaller():
    rng = np.random.default_rng(0)
    sizes = {}
    for n in (100, 4000):
        display = EmbeddingDisplay(rng.normal(size=(n, 2)), ["a"] * n).plot()
        sizes[n] = display.ax_.collections[0].get_sizes()[0]
    assert sizes == {100: 35, 4000: 5}
    assert display.legend_.legend_handles[0].get_sizes()[0] == pytest.approx(35)


def test_the_legend_of_many_long_names_is_inside_the_figure():
    E = np.random.default_rng(0).normal(size=(400, 3))
    y = np.array([f"genre {i} with a rather long name" for i in range(20)] * 20)
    display = EmbeddingDisplay.from_embeddings(E, y)
    display.figure_.canvas.draw()
    box, figure = display.legend_.get_window_extent(), display.figure_.bbox
    assert box.x1 <= figure.x1 and box.y0 >= figure.y0
    assert box.x0 >= display.ax_.get_window_extent().x1


@pytest.mark.parametrize(
    "last", [SVC(), KMeans(3, n_init=1), EmbeddingKMeans(3), "abstaining"]
)
def test_what_the_last_step_is_given_are_the_embeddings(last, blobs):
    E, y = blobs
    if last == "abstaining":
        last = AbstainingClassifier(LogisticRegression(), target_precision=0)
    model = make_pipeline(StandardScaler(), last).fit(E, y)
    display = EmbeddingDisplay.from_estimator(model, E, y)
    expected = EmbeddingDisplay.from_embeddings(model[0].transform(E), y)
    np.testing.assert_allclose(display.points, expected.points)


def test_a_last_step_that_transforms_makes_the_embeddings(blobs):
    E, y = blobs
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()).fit(E, y)
    display = EmbeddingDisplay.from_estimator(model, E, y)
    expected = EmbeddingDisplay.from_embeddings(model.transform(E), y)
    np.testing.assert_allclose(display.points, expected.points)


def test_of_networks():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 8, 2)), np.array(["a", "b"] * 10)
    crnn = CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)
    segments = SegmentClassifier(crnn, window=4, hop=4)
    careful = AbstainingClassifier(segments, target_precision=0, cv=2)
    model = make_pipeline(FunctionTransformer(), careful).fit(X, y)
    expected = EmbeddingDisplay.from_embeddings(model[-1].estimator_.transform(X), y)
    for estimator in (model, model[-1], model[-1].estimator_):
        display = EmbeddingDisplay.from_estimator(estimator, X, y)
        np.testing.assert_allclose(display.points, expected.points)


@pytest.mark.slow
def test_umap_when_it_is_installed(blobs, recwarn):
    pytest.importorskip("umap")
    E, y = blobs
    first, second = (
        EmbeddingDisplay.from_embeddings(
            E.astype(np.float32), y, reduction="umap", random_state=0
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.points, second.points)
    assert first.ax_.get_xlabel() == "UMAP 1"
    # Genres that are well parted stay so.
    genres = np.unique(y)
    centers = np.array([first.points[y == genre].mean(axis=0) for genre in genres])
    distances = np.linalg.norm(first.points[:, np.newaxis] - centers, axis=2)
    assert (genres[distances.argmin(axis=1)] == y).all()
    assert not [w for w in recwarn if "n_jobs" in str(w.message)]


def test_umap_says_how_to_install_it(blobs, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)  # as if it were not there
    with pytest.raises(ImportError, match=r'pip install "skgenre\[umap\]"'):
        EmbeddingDisplay.from_embeddings(*blobs, reduction="umap")


def test_any_transformer_to_two_dimensions(blobs):
    E, y = blobs
    pick = FunctionTransformer(lambda E: E[:, 3:])
    display = EmbeddingDisplay.from_embeddings(E, y, reduction=pick)
    np.testing.assert_array_equal(display.points, E[:, 3:])
    assert display.ax_.get_ylabel() == "FunctionTransformer 2"
    with pytest.raises(ValueError, match=r"PCA made an array of shape \(90, 3\)"):
        EmbeddingDisplay.from_embeddings(E, y, reduction=PCA(3))


def test_on_given_axes_with_another_look(blobs):
    _, ax = plt.subplots()
    display = EmbeddingDisplay([[0, 1], [2, 3]], ["a", "b"]).plot(ax=ax, s=99)
    assert display.ax_ is ax and ax.collections[0].get_sizes() == 99
    display = EmbeddingDisplay.from_embeddings(*blobs, ax=ax, s=7)
    assert display.figure_ is ax.figure and ax.collections[-1].get_sizes() == 7
    pca = PCA(3).fit(blobs[0])
    display = EmbeddingDisplay.from_estimator(pca, *blobs, alpha=0.5)
    assert display.ax_.collections[0].get_alpha() == 0.5


def test_refuses_what_it_can_not_draw(blobs):
    E, y = blobs
    with pytest.raises(ValueError, match="SVC makes no embedding"):
        EmbeddingDisplay.from_estimator(SVC().fit(E, y), E, y)
    model = make_pipeline(StandardScaler(), SVC()).fit(E, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        EmbeddingDisplay.from_estimator(model, E, y[1:])
    with pytest.raises(ValueError, match="E contains NaN"):
        EmbeddingDisplay.from_embeddings(np.where(E == E[0, 0], np.nan, E), y)
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        EmbeddingDisplay.from_embeddings(E[:1], y[:1])
    with pytest.raises(ValueError, match=r"got one of shape \(90, 5, 1\)"):
        EmbeddingDisplay.from_embeddings(E[:, :, np.newaxis], y)
    with pytest.raises(ValueError, match="needs at least 4 clips, got 3"):
        EmbeddingDisplay.from_embeddings(E[:3], y[:3], reduction="umap")
    with pytest.raises(ValueError, match="'reduction' parameter.*Got 'tsne'"):
        EmbeddingDisplay.from_embeddings(E, y, reduction="tsne")
