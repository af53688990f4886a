import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import EmbeddingKMeans
from skgenre.clustering import _embedding_kmeans


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(
        120, centers=[[0, 0], [8, 0], [0, 8], [8, 8]], cluster_std=1.5, random_state=0
    )


def test_scores_are_those_of_scikit_learn(blobs):
    E, y = blobs
    kmeans = EmbeddingKMeans(4, random_state=0).fit(E, y)
    assert kmeans.adjusted_rand_score_ == adjusted_rand_score(y, kmeans.labels_)
    assert kmeans.silhouette_score_ == silhouette_score(E, kmeans.labels_)
    assert kmeans.score(E, y) == kmeans.adjusted_rand_score_
    assert kmeans.score(E) == kmeans.silhouette_score_
    np.testing.assert_array_equal(kmeans.predict(E), kmeans.labels_)
    assert kmeans.transform(E).shape == (120, 4)
    np.testing.assert_array_equal(kmeans.transform(E).argmin(axis=1), kmeans.labels_)


def test_scores_of_new_clips_are_their_own(blobs):
    E, y = blobs
    kmeans = EmbeddingKMeans(3, random_state=0).fit(E, y)  # two genres share a cluster
    assert 0 < kmeans.adjusted_rand_score_ < 0.9
    assert kmeans.adjusted_rand_score_ == adjusted_rand_score(y, kmeans.labels_)
    new, genres = E[::3] + 1, y[::3]
    labels = kmeans.predict(new)
    assert kmeans.score(new) == silhouette_score(new, labels)
    assert kmeans.score(new) != kmeans.silhouette_score_
    assert kmeans.score(new, genres) == adjusted_rand_score(genres, labels)


def test_the_starts_are_as_many_as_asked_for_and_seeded(blobs):
    fits = [EmbeddingKMeans(4, n_init=3, random_state=i).fit(blobs[0]) for i in (0, 1)]
    assert [kmeans.kmeans_.n_init for kmeans in fits] == [3, 3]
    assert fits[0].kmeans_.random_state != fits[1].kmeans_.random_state
    assert EmbeddingKMeans().n_init == 10


def test_fit_predict_scores_the_genres_too(blobs):
    kmeans = EmbeddingKMeans(4, random_state=0)
    np.testing.assert_array_equal(kmeans.fit_predict(*blobs), kmeans.labels_)
    assert kmeans.adjusted_rand_score_ > 0


def test_auto_takes_the_best_silhouette_and_keeps_all(blobs):
    kmeans = EmbeddingKMeans("auto", k_range=(2, 6), random_state=0).fit(blobs[0])
    assert kmeans.n_clusters_ == 4
    assert list(kmeans.silhouette_by_k_) == [2, 3, 4, 5, 6]
    assert kmeans.silhouette_score_ == max(kmeans.silhouette_by_k_.values())


def test_genres_are_not_learned_from(blobs):
    E, y = blobs
    with_genres = EmbeddingKMeans(4, random_state=0).fit(E, np.array(list("abcd"))[y])
    np.testing.assert_array_equal(
        with_genres.labels_, EmbeddingKMeans(4, random_state=0).fit(E).labels_
    )
    assert 0 < with_genres.adjusted_rand_score_ <= 1


def test_refit_without_genres_forgets_their_score(blobs):
    kmeans = EmbeddingKMeans(4, random_state=0).fit(*blobs)
    assert not hasattr(kmeans.fit(blobs[0]), "adjusted_rand_score_")


@pytest.mark.parametrize("k", [1, 5])
def test_undefined_silhouette_is_nan(k):
    E = np.arange(10.0).reshape(5, 2)
    assert np.isnan(EmbeddingKMeans(k, random_state=0).fit(E).silhouette_score_)


def test_silhouette_of_a_sample_without_a_cluster_is_nan(monkeypatch):
    monkeypatch.setattr(_embedding_kmeans, "_SILHOUETTE_CLIPS", 100)
    E = np.random.default_rng(0).normal(size=(200, 2))
    E[np.random.RandomState(0).permutation(200)[100]] = 1e4  # the first left out
    kmeans = EmbeddingKMeans("auto", k_range=(2, 3), random_state=0).fit(E)
    assert np.isnan(kmeans.silhouette_by_k_[2])
    assert kmeans.n_clusters_ == 3
    assert np.isnan(EmbeddingKMeans(2, random_state=0).fit(E).score(E.tolist()))


def test_feature_names_and_pandas(blobs):
    pipeline = make_pipeline(StandardScaler(), EmbeddingKMeans(3, random_state=0))
    frame = pipeline.set_output(transform="pandas").fit(*blobs).transform(blobs[0])
    assert list(frame) == [f"embeddingkmeans{i}" for i in range(3)]


@pytest.mark.parametrize("k_range", [(1, 4), (4, 2), (2,), (2.5, 4)])
def test_bad_k_range_is_named(blobs, k_range):
    with pytest.raises(ValueError, match="'k_range' parameter must be two integers"):
        EmbeddingKMeans("auto", k_range=k_range).fit(blobs[0])


def test_auto_with_too_few_clips():
    with pytest.raises(ValueError, match="needs more than 2 clips"):
        EmbeddingKMeans("auto").fit([[0.0], [1.0]])


def test_genres_of_another_length(blobs):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        EmbeddingKMeans(4).fit(blobs[0], blobs[1][:5])
