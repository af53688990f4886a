import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.metrics import average_precision_score, pairwise_distances

from skgenre.clustering import mean_average_precision, precision_at_k

METRICS = precision_at_k, mean_average_precision


@pytest.fixture(scope="module")
def tracks():
    """Sixty tracks of three genres by fifteen artists."""
    rng = np.random.default_rng(0)
    genres = rng.integers(3, size=60)
    E = rng.normal(size=(60, 4)) + np.eye(4)[genres]
    return E, genres, rng.integers(5, size=60) + 5 * genres


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("filtered", [False, True])
def test_both_agree_with_a_loop_over_the_queries(tracks, metric, filtered):
    E, genres, artists = tracks
    groups = artists if filtered else np.arange(60)
    distances = pairwise_distances(E, metric=metric)
    precisions, averages = [], []
    for i in range(60):
        others = np.flatnonzero(groups != groups[i])
        relevant = genres[others] == genres[i]
        nearest = np.argsort(distances[i, others])[:7]
        precisions.append(relevant[nearest].mean())
        averages.append(average_precision_score(relevant, -distances[i, others]))
    given = {"groups": artists if filtered else None, "metric": metric}
    each = precision_at_k(E, genres, k=7, average=False, **given)
    np.testing.assert_allclose(each, precisions)
    assert precision_at_k(E, genres, k=7, **given) == pytest.approx(np.mean(each))
    each = mean_average_precision(E, genres, average=False, **given)
    np.testing.assert_allclose(each, averages)
    assert mean_average_precision(E, genres, **given) == pytest.approx(np.mean(each))


def test_the_artist_filter_takes_away_what_artists_give():
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(20), 5)
    genres = artists % 2  # which the embedding doesn't know
    E = rng.normal(size=(20, 8))[artists] + 0.01 * rng.normal(size=(100, 8))
    for metric in METRICS:
        assert metric(E, genres, groups=artists) < metric(E, genres) - 0.05
    assert precision_at_k(E, genres, k=4) == 1


def test_one_row_at_a_time_gives_the_same(tracks):
    E, genres, artists = tracks
    for metric in METRICS:
        whole = metric(E, genres, groups=artists, average=False)
        with sklearn.config_context(working_memory=1e-3):
            rows = metric(E, genres, groups=artists, average=False)
        np.testing.assert_array_equal(whole, rows)


def test_containers_and_names(tracks):
    E, genres, artists = tracks
    names = np.array(["jazz", "róck", "pop"])[genres]
    for metric in METRICS:
        assert metric(E, genres, groups=artists) == metric(
            pd.DataFrame(E), pd.Series(names), groups=pd.Series(artists).map(str)
        )


def test_genres_of_one_artist_have_no_average_precision():
    E, genres = [[0.0], [1.0], [5.0], [6.0]], ["a", "a", "b", "b"]
    given = {"groups": [0, 0, 1, 2], "metric": "euclidean"}
    each = mean_average_precision(E, genres, average=False, **given)
    np.testing.assert_array_equal(each, [np.nan, np.nan, 1, 1])
    assert mean_average_precision(E, genres, **given) == 1
    np.testing.assert_array_equal(
        precision_at_k(E, genres, k=1, average=False, **given), [0, 0, 1, 1]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"E": np.empty((0, 2))}, "Found array with"),
        ({"E": [[np.nan], [1], [2]]}, "E contains NaN"),
        ({"y": ["a", "b"]}, "inconsistent numbers of samples"),
        ({"y": ["a", None, "b"]}, "y contains NaN or None in row 1"),
        ({"groups": [np.nan] * 3}, "groups contains NaN or None in row 0"),
        ({"groups": ["a", "b"]}, "inconsistent numbers of samples"),
        ({"metric": "manhattan"}, "'metric' parameter"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    data = {"E": [[0.0], [1], [2]], "y": ["a", "b", "b"]} | change
    for metric in METRICS:
        with pytest.raises(ValueError, match=message):
            metric(**data)


def test_too_few_other_artists():
    E, genres = [[0.0], [1.0], [2.0]], ["a", "a", "a"]
    with pytest.raises(ValueError, match="k=3 neighbours are wanted, but 2 of 3"):
        precision_at_k(E, genres, k=3)
    with pytest.raises(ValueError, match="k=2 neighbours are wanted, but 1 of 3"):
        precision_at_k(E, genres, k=2, groups=[0, 0, 1])
    with pytest.raises(ValueError, match="nothing to find"):
        mean_average_precision(E, genres, groups=[0, 0, 0])
    with pytest.raises(ValueError, match="'k' parameter"):
        precision_at_k(E, genres, k=0)
