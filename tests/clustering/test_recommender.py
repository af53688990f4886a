import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import pairwise_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import EmbeddingKMeans, TrackRecommender, load, save
from skgenre.clustering._neighbors import exact_search
from skgenre.clustering._recommender import nearest_in_turn


@pytest.fixture(scope="module")
def library():
    """Ninety tracks of three styles by thirty artists, three tracks each."""
    E, styles = make_blobs(
        90, centers=10 * np.eye(3), cluster_std=1.0, shuffle=False, random_state=0
    )
    return E, styles, np.array([f"artist {i // 3}" for i in range(90)])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("algorithm", ["exact", "approximate"])
def test_the_nearest_of_other_artists(library, metric, algorithm):
    E, _, artists = library
    recommender = TrackRecommender(metric=metric, algorithm=algorithm)
    found = recommender.fit(E, groups=artists).recommend(4, k=5)
    distances = pairwise_distances(E[[4]], E, metric=metric)[0]
    distances[artists == artists[4]] = np.inf
    np.testing.assert_array_equal(found.rows, np.argsort(distances)[:5])
    np.testing.assert_allclose(found.distances, np.sort(distances)[:5])
    assert found.liked.tolist() == [4] * 5
    assert set(found) == {"rows", "liked", "distances"}


def test_two_styles_are_served_in_turn(library):
    E, styles, artists = library
    found = TrackRecommender().fit(E, groups=artists).recommend([2, 70], k=10)
    assert np.bincount(styles[found.rows]).tolist() == [5, 0, 5]
    np.testing.assert_array_equal(styles[found.liked], styles[found.rows])


def test_liked_tracks_and_their_artists_are_left_out(library):
    E, _, artists = library
    liked = [0, 1, 40, 0]
    recommender = TrackRecommender().fit(E, groups=artists)
    found = recommender.recommend(liked, k=84).rows
    assert len(set(found)) == 84
    assert not set(artists[found]) & set(artists[liked])
    found = recommender.recommend(liked, k=87, exclude_groups=False).rows
    assert sorted([*found, 0, 1, 40]) == list(range(90))
    without = TrackRecommender().fit(E).recommend(liked, k=87).rows
    np.testing.assert_array_equal(found, without)


def test_a_new_song(library):
    E, _, artists = library
    recommender = TrackRecommender().fit(E[3:], groups=artists[3:])
    of_song = recommender.recommend_by_embedding(E[:1], k=5)
    everything = TrackRecommender().fit(E, groups=artists).recommend(0, k=5)
    np.testing.assert_array_equal(of_song.rows + 3, everything.rows)
    assert of_song.liked.tolist() == [0] * 5
    same_artist = recommender.recommend_by_embedding(E[:1], 5, groups=[artists[9]])
    assert artists[9] not in artists[3:][same_artist.rows]


def test_copies_of_liked_tracks_are_not_recommended(library):
    E = np.vstack([library[0], library[0][:5] * (1 + 1e-6)])
    recommender = TrackRecommender().fit(E)
    assert not {0, 90} & set(recommender.recommend(0, k=20).rows)
    assert not {0, 90} & set(recommender.recommend_by_embedding(E[:1], k=20).rows)


@pytest.mark.parametrize(
    "clusterer",
    [EmbeddingKMeans(3, random_state=0), KMeans(3, random_state=0), "frozen"],
)
def test_shared_clusters(library, clusterer):
    E, styles, _ = library
    if clusterer == "frozen":
        clusterer = FrozenEstimator(EmbeddingKMeans(3, random_state=0).fit(E))
    recommender = TrackRecommender(clusterer=clusterer).fit(E)
    found = recommender.recommend([0, 89], k=80)
    same_style = styles[found.rows] == styles[found.liked]
    np.testing.assert_array_equal(found.shares_cluster, same_style)
    np.testing.assert_array_equal(found.clusters, recommender.labels_[found.rows])
    assert 0 < same_style.mean() < 1
    found = recommender.recommend_by_embedding(E[89:], k=3)
    assert found.shares_cluster.all()


def test_fewer_than_k_are_left(library):
    E, _, artists = library
    recommender = TrackRecommender().fit(E, groups=artists)
    with pytest.warns(UserWarning, match="Only 87 of the 100 tracks asked for"):
        assert len(recommender.recommend(0, k=100).rows) == 87
    with pytest.warns(UserWarning, match="Only 0 of the 1 tracks"):
        assert len(recommender.recommend(np.arange(90), k=1).rows) == 0
    with pytest.warns(UserWarning, match="Only 0 of the 10 tracks") as caught:
        TrackRecommender().fit([[1.0, 2.0]]).recommend(0)
    assert caught[0].filename == __file__


def test_disliked_tracks_keep_their_neighbours_away(library):
    E, styles, _ = library
    for metric in ("cosine", "euclidean"):
        recommender = TrackRecommender(metric=metric).fit(E)
        liked, disliked = [2, 70], [5, 40, 40]
        found = recommender.recommend(liked, 20, disliked=disliked)
        to_disliked = pairwise_distances(E[found.rows], E[disliked], metric=metric)
        assert (found.distances < to_disliked.min(axis=1)).all()
        all_near = recommender.recommend(2, 89)
        to_disliked = pairwise_distances(E[all_near.rows], E[disliked], metric=metric)
        expected = all_near.rows[all_near.distances < to_disliked.min(axis=1)]
        one = recommender.recommend(2, len(expected), disliked=disliked)
        np.testing.assert_array_equal(one.rows, expected)
        new = recommender.recommend_by_embedding(E[liked], 20, disliked=E[disliked])
        np.testing.assert_array_equal(new.rows, found.rows)
        # Where nothing is near a disliked track, nothing changes.
        far = recommender.recommend(2, 5, disliked=70)
        assert far.rows.tolist() == recommender.recommend(2, 5).rows.tolist()
    with pytest.warns(UserWarning, match="nearer to disliked ones, nor in excluded"):
        recommender.recommend(0, 80, disliked=1)


def test_a_copy_of_a_disliked_track_is_not_recommended():
    E = np.array([[0.0, 1], [1, 1], [1 + 1e-9, 1], [0.5, 1], [9, 1]])
    recommender = TrackRecommender(metric="euclidean").fit(E)
    with pytest.warns(UserWarning, match="Only 0 of the 1 tracks"):
        found = recommender.recommend([0], 1, disliked=[1])
    assert found.rows.tolist() == []  # the one in the middle is as near to both


@pytest.mark.filterwarnings("ignore:Only .* tracks asked for:UserWarning")
@given(
    E=arrays(
        float,
        st.tuples(st.integers(2, 30), st.integers(1, 3)),
        elements=st.floats(-100, 100, width=16),
    ),
    ends=st.tuples(st.integers(0, 29), st.integers(0, 29)),
    k=st.integers(2, 12),
    metric=st.sampled_from(["cosine", "euclidean"]),
)
@settings(max_examples=60, deadline=None)
def test_a_path_leads_from_one_track_to_the_other(E, ends, k, metric):
    start, end = (row % len(E) for row in ends)
    assume(start != end)
    found = TrackRecommender(metric=metric).fit(E).path(start, end, k)
    rows = found.rows
    assert (rows[0], rows[-1]) == (start, end)
    assert len({*rows.tolist()}) == len(rows) <= k
    steps = pairwise_distances(E, metric=metric)[rows[:-1], rows[1:]]
    np.testing.assert_allclose(found.distances, [0, *steps], atol=1e-7)
    direct = pairwise_distances(E, metric=metric)[start, end]
    assert (found.distances <= direct + 1e-7).all()


@pytest.mark.parametrize("k", [2, 3, 11])
def test_a_path_takes_what_lies_between(k):
    """Of tracks on a line, and others far from it."""
    line = np.column_stack([np.arange(101.0), np.zeros(101)])
    E = np.vstack([line + [0, 1000], line, line - [0, 1000]])
    found = TrackRecommender(metric="euclidean").fit(E).path(101, 201, k)
    assert found.rows.tolist() == np.linspace(101, 201, k).round().tolist()
    found = TrackRecommender(metric="euclidean").fit(E).path(201, 101, k)
    assert found.rows.tolist() == np.linspace(201, 101, k).round().tolist()


def test_paths_of_full_length(library):
    E, styles, _ = library
    recommender = TrackRecommender().fit(E)
    found = recommender.path(0, 89)
    assert len(found.rows) == 10
    assert found.distances[1:].max() < pairwise_distances(
        E[[0]], E[[89]], metric="cosine"
    )
    assert styles[found.rows[1]] == styles[0] and styles[found.rows[-2]] == styles[89]


def test_a_path_has_no_copies():
    E = np.array([[0.0, 1], [5, 1], [5 + 1e-9, 1], [10, 1], [10 + 1e-9, 1]])
    recommender = TrackRecommender(metric="euclidean").fit(E)
    with pytest.warns(UserWarning, match="Only 3 of the 5 tracks asked for: no other"):
        assert recommender.path(0, 3, 5).rows.tolist() in ([0, 1, 3], [0, 2, 3])
    with pytest.warns(UserWarning, match="Only 2 of the 3 tracks") as caught:
        assert recommender.path(1, 2, 3).rows.tolist() == [1, 2]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 0), ValueError, "must be two tracks, got 0 for both"),
        ((0, 90), ValueError, "start and end must hold rows .* got 90"),
        ((0, 1.5), ValueError, "start and end must hold rows"),
        ((0, None), ValueError, "start and end must hold rows"),
        ((0, 1, 1), ValueError, "k == 1, must be >= 2"),
        ((0, 1, "many"), TypeError, "k must be an instance"),
    ],
)
def test_what_is_no_path(library, arguments, error, message):
    with pytest.raises(error, match=message):
        TrackRecommender().fit(library[0]).path(*arguments)


@pytest.mark.parametrize(
    ("liked", "message"),
    [
        ([], "at least one"),
        ([0.5, 1.0], "recommend_by_embedding"),
        ([[0, 1]], "recommend_by_embedding"),
        ([[0], [1, 2]], "recommend_by_embedding"),
        ([True, False], "type bool"),
        (["song.mp3"], "recommend_by_embedding"),
        (None, "recommend_by_embedding"),
        ([0, 90], "from 0 to 89; got 90"),
        (-1, "got -1"),
    ],
)
def test_only_rows_are_liked(library, liked, message):
    recommender = TrackRecommender().fit(library[0])
    with pytest.raises(ValueError, match=f"^liked must hold .*{message}"):
        recommender.recommend(liked)
    if liked is not None:
        with pytest.raises(ValueError, match=f"^disliked must hold .*{message}"):
            recommender.recommend(5, disliked=liked)


def test_groups_are_compared_by_what_objects_are(library):
    E = library[0][:6]
    recommender = TrackRecommender().fit(E, groups=[1, 1, 2, 2, 3, 3])
    groups = np.array([2], dtype=object)
    rows = recommender.recommend_by_embedding(E[:1], 3, groups=groups).rows
    assert sorted(rows) == [1, 4, 5]  # 0 is the same song
    for names in (np.array(["2"], dtype=object), ["2"]):
        with pytest.raises(ValueError, match="none would match"):
            recommender.recommend_by_embedding(E[:1], groups=names)


def test_what_does_not_fit_is_refused(library):
    E, _, artists = library
    recommender = TrackRecommender().fit(E, groups=artists)
    for recommend, liked in (
        (recommender.recommend, 0),
        (recommender.recommend_by_embedding, E[:1]),
    ):
        with pytest.raises(ValueError, match="k == 0, must be >= 1"):
            recommend(liked, k=0)
        with pytest.raises(TypeError, match="k must be an instance"):
            recommend(liked, k="many")
    with pytest.raises(ValueError, match="expecting 3 features"):
        recommender.recommend_by_embedding(E[:1, :2])
    with pytest.raises(ValueError, match="NaN"):
        recommender.recommend_by_embedding([[0, 1, np.nan]])
    with pytest.raises(ValueError, match="inconsistent"):
        recommender.recommend_by_embedding(E[:1], groups=["a", "b"])
    with pytest.raises(ValueError, match="none would match"):
        recommender.recommend_by_embedding(E[:1], groups=[7])
    with pytest.raises(ValueError, match="Give fit its groups"):
        TrackRecommender().fit(E).recommend_by_embedding(E[:1], groups=["a"])
    with pytest.raises(ValueError, match="inconsistent"):
        TrackRecommender().fit(E, groups=artists[:5])
    with pytest.raises(ValueError, match="groups contains NaN or None in row 1"):
        TrackRecommender().fit(E[:3], groups=["a", None, "b"])
    with pytest.raises(ValueError, match="'clusterer' parameter"):
        TrackRecommender(clusterer=AgglomerativeClustering()).fit(E)
    with pytest.raises(ValueError, match="no row in common, got 1 in both"):
        recommender.recommend([0, 1], disliked=[1, 2])
    with pytest.raises(ValueError, match="expecting 3 features"):
        recommender.recommend_by_embedding(E[:1], disliked=E[:1, :2])
    for method in ("recommend", "recommend_by_embedding"):
        with pytest.raises(NotFittedError):
            getattr(TrackRecommender(), method)(0)
    with pytest.raises(NotFittedError):
        TrackRecommender().path(0, 1)


def test_a_refit_forgets_artists_and_clusters(library):
    E, _, artists = library
    recommender = TrackRecommender(clusterer=KMeans(2)).fit(E, groups=artists)
    recommender.set_params(clusterer=None).fit(E)
    for name in ("groups_", "labels_", "clusterer_"):
        assert not hasattr(recommender, name)
    assert "clusters" not in recommender.recommend(0)


def test_containers(library):
    E, _, artists = library
    rows = TrackRecommender().fit(E, groups=artists).recommend([0, 50]).rows
    for frame, series in ((pd.DataFrame, pd.Series), (pl.DataFrame, pl.Series)):
        table = frame(dict(zip("abc", E.T, strict=True)))
        recommender = TrackRecommender().fit(table, groups=series(artists))
        found = recommender.recommend(series([0, 50]))
        np.testing.assert_array_equal(found.rows, rows)
        # scikit-learn 1.6 does not see the names of today's polars.
        sees_names = hasattr(StandardScaler().fit(table), "feature_names_in_")
        assert sees_names or frame is pl.DataFrame
        names = getattr(recommender, "feature_names_in_", np.array([]))
        assert names.tolist() == ["a", "b", "c"] * sees_names
        assert frame(dict(found)).shape == (10, 3)


def test_in_a_pipeline(library):
    E, _, artists = library
    pipeline = make_pipeline(StandardScaler(), TrackRecommender())
    pipeline = clone(pipeline).fit(E, trackrecommender__groups=artists)
    rows = pipeline[-1].recommend_by_embedding(pipeline[:-1].transform(E[:1])).rows
    assert 0 not in rows
    assert set(pipeline[-1].recommend(0).rows) & set(rows)


@pytest.mark.parametrize("algorithm", ["exact", "approximate"])
@pytest.mark.parametrize("containers", [np.array, pd.Series])
def test_copied_and_saved(library, algorithm, containers, tmp_path):
    E, _, artists = library
    recommender = TrackRecommender(
        algorithm=algorithm, clusterer=EmbeddingKMeans(3, random_state=0)
    ).fit(E, groups=containers(artists))
    expected = recommender.recommend([1, 50])
    save(recommender, tmp_path / "it.model")
    for copied in (
        copy.deepcopy(recommender),
        pickle.loads(pickle.dumps(recommender)),
        load(tmp_path / "it.model"),
    ):
        found = copied.recommend([1, 50])
        assert set(found) == set(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)


def turns(E, liked, k, excluded=(), metric="euclidean", search=None):
    E, liked = (np.array(values, dtype=np.float32)[:, None] for values in (E, liked))
    is_excluded = np.isin(np.arange(len(E)), excluded)
    search = search or exact_search(E, metric)
    found = nearest_in_turn(search, E, liked, k, excluded=is_excluded, metric=metric)
    return [values.tolist() for values in found]


def test_each_liked_track_has_its_turn():
    """A dense style takes no places from a sparse one."""
    rows, by, distances = turns([1, 1.1, 1.2, 1.3, 50, 60], [0.99, 45], k=4)
    assert rows == [0, 4, 1, 5]
    assert by == [0, 1, 0, 1]
    np.testing.assert_allclose(distances, [0.01, 5, 0.11, 15], rtol=1e-4)


def test_a_track_near_two_liked_ones_is_named_once():
    rows, by, _ = turns([10, 20, 30], [9, 11.5], k=3)
    assert rows == [0, 1, 2]
    assert by[0] == 0  # its nearer one


def test_excluded_tracks_and_copies_give_way():
    E = [10, 10, 10.0000001, 10.1, 10.2, 30]
    rows, _, _ = turns(E, [10], k=2, excluded=[3])
    assert rows == [4, 5]


def test_a_near_neighbour_is_no_copy():
    assert turns([10, 10.05, 30], [10], k=1)[0] == [1]


def test_a_copy_of_one_liked_track_is_not_named_by_another():
    rows, _, _ = turns([10, 11, 12], [10, 10.5], k=3)
    assert rows == [1, 2]


def test_the_search_goes_on_where_copies_took_the_places():
    asked = []
    E = np.array([5.0] * 40 + [6, 7])

    def search(Q, n):
        asked.append(n)
        return exact_search(E[:, None], "euclidean")(Q, n)

    assert turns(E, [5], k=2, search=search)[0] == [40, 41]
    assert asked == [2, 4, 8, 16, 32, 42]


def test_what_a_search_does_not_find_is_passed_over():
    rows, _, _ = turns(
        [1, 2, 3], [0.9], k=3, search=lambda Q, n: np.array([[2, 0, -1]])
    )
    assert rows == [0, 2]


@pytest.mark.parametrize("k", [1, 5])
def test_nothing_is_left(k):
    assert turns([1, 2], [3], k=k, excluded=[0, 1]) == [[], [], []]
