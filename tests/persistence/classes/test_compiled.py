"""Numbers that compiled code would follow out of its arrays."""

import functools

import numpy as np
import pytest
from forge import forged, objects
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

import skgenre
from skgenre import ModelFileError

X = np.random.default_rng(0).normal(size=(90, 3))
y = (X[:, 0] > X[:, 1]).astype(int) + (X[:, 2] > 0.5)
END = "one past the last node"


def refused(path, match="is damaged or refused"):
    with pytest.raises(ModelFileError, match=match):
        skgenre.load(path)


@pytest.fixture
def forge(tmp_path):
    """Return what changes a node of a saved model, by its class, and loads the file."""

    def changed(model, name, change):
        path = tmp_path / "it.model"
        skgenre.save(model, path)
        with forged(path) as (description, parts):
            node = next(objects(description, name))
            change(node["fitted"], parts, node["parameters"])
        return path

    return changed


def replaced(field, new):
    """Return what replaces an array by one of its items, of its type."""

    def change(fitted, parts, parameters):
        old = parts.of(fitted[field])
        parts.replace(fitted[field], np.asarray(new(old)))

    return change


def first(number):
    def new(old):
        changed = old.astype(np.int64)
        changed[0] = len(old) if number is END else number
        return changed

    return new


TREES = [
    DecisionTreeClassifier(random_state=0),
    ExtraTreeClassifier(random_state=0),
    RandomForestClassifier(2, random_state=0),
    ExtraTreesClassifier(2, random_state=0),
    make_pipeline(BaggingClassifier(n_estimators=2, random_state=0)),
]


def is_tree(node):
    return "left_child" in node["fitted"]


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("left_child", 0),  # would walk in circles
        ("right_child", 10**6),
        ("right_child", END),
        ("left_child", -5),
        ("left_child", 2),  # is the child of another node, too
        ("feature", 3),
        ("feature", -1),
    ],
)
@pytest.mark.parametrize("model", TREES, ids=lambda model: type(model).__name__)
def test_nodes_of_trees(model, field, number, tmp_path):
    path = tmp_path / "it.model"
    skgenre.save(model.fit(X, y), path)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), model.predict(X))
    with forged(path) as (description, parts):
        fitted = next(filter(is_tree, objects(description)))["fitted"]
        replaced(field, first(number))(fitted, parts, {})
    refused(path, "a decision tree|expected values")


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_leaf_nodes=5, random_state=0),
        DecisionTreeClassifier(ccp_alpha=0.02, random_state=0),
        DecisionTreeClassifier(max_depth=1),
        DecisionTreeClassifier(min_samples_split=100),  # its root alone
    ],
    ids=["best first", "pruned", "stump", "root"],
)
def test_trees_that_are_grown_in_other_ways(model, tmp_path):
    skgenre.save(model.fit(X, y), tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    paths, expected = (each.decision_path(X) for each in (loaded, model))
    assert (paths != expected).nnz == 0
    np.testing.assert_array_equal(
        loaded.feature_importances_, model.feature_importances_
    )


@pytest.mark.parametrize("depth", [0, 1, 10**9, -1])
def test_depth_of_trees(depth, forge):
    """Room for as long a path is made, and the path is written there unchecked."""
    model = DecisionTreeClassifier(random_state=0).fit(X, y)
    refused(
        forge(model, None, lambda fitted, *_: fitted.update(max_depth=depth)),
        "another depth|expected 0",
    )


def without_nodes(field):
    """Return what empties an array, and all others of as many items."""

    def change(fitted, parts, parameters):
        arrays = [node for node in fitted.values() if "array" in str(node)]
        n_nodes = len(parts.of(fitted[field]))
        for node in arrays:
            if len(parts.of(node)) == n_nodes:
                parts.replace(node, parts.of(node)[:0])

    return change


def test_a_tree_without_nodes(forge):
    model = DecisionTreeClassifier().fit(X, y)
    refused(forge(model, None, without_nodes("left_child")), "has no nodes")


@pytest.mark.parametrize(
    ("field", "new"),
    [
        ("left_child", lambda old: old[:-1]),
        ("values", lambda old: old[:, :, :-1]),
        ("values", lambda old: np.repeat(old, 2, axis=1)),
        ("classes_", lambda old: old[:-1]),
        ("impurity", lambda old: old * np.nan),
        ("feature", lambda old: old + 0.5),
        ("missing_go_to_left", lambda old: old + 7),
    ],
)
def test_arrays_of_trees_of_other_sizes_and_kinds(field, new, forge):
    model = DecisionTreeClassifier(random_state=0).fit(X, y)
    refused(forge(model, None, replaced(field, new)), "DecisionTreeClassifier: ")


@pytest.mark.parametrize("n_outputs", [0, 2, 10**9])
def test_several_outputs(n_outputs, forge):
    model = DecisionTreeClassifier().fit(X, y)
    change = {"n_outputs_": n_outputs}
    path = forge(model, None, lambda fitted, *_: fitted.update(change))
    refused(path, "n_outputs_: expected 1 to 1")


@pytest.mark.parametrize(
    "inner",
    [
        DecisionTreeClassifier(max_depth=2).fit(X[:, :2], y),
        DecisionTreeClassifier(max_depth=2).fit(X, y == 0),
    ],
    ids=["features", "classes"],
)
def test_a_tree_that_is_not_of_its_forest(inner, tmp_path):
    forest = RandomForestClassifier(2).fit(X, y)
    forest.estimators_[1] = inner
    with pytest.raises(TypeError, match="can't be saved: .*a size is"):
        skgenre.save(forest, tmp_path / "it.model")


@functools.cache
def boosting():
    return HistGradientBoostingClassifier(max_iter=2).fit(X, y)


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("feature_idx", 2 * 10**6),
        ("feature_idx", 3),
        ("left", 0),
        ("right", 10**6),
        ("right", END),
        ("left", 2),
        ("is_leaf", 1),  # and so nothing leads to the others
        ("is_leaf", 2),
    ],
)
def test_nodes_of_boosted_trees(field, number, forge):
    path = forge(boosting(), None, lambda *_: None)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), boosting().predict(X))
    path = forge(boosting(), None, replaced(field, first(number)))
    refused(path, "a decision tree|expected values")


@pytest.mark.parametrize(
    "new",
    [
        lambda old: old[:0],
        lambda old: old * 0,
        lambda old: old[:-1],
        lambda old: np.append(old, 0),
        lambda old: np.array([old.sum()]),
        lambda old: np.array([2**62] * 4 + [old.sum(), 1]),  # whose sum overflows
        lambda old: np.full(6, 2**63, np.uint64),
        lambda old: -old,
        lambda old: old[::-1],
    ],
    ids="none zero fewer more one overflow large negative reversed".split(),
)
def test_numbers_of_nodes_of_boosted_trees(new, forge):
    path = forge(boosting(), None, replaced("n_nodes", new))
    refused(path, "tree|boosting|expected values")


@pytest.mark.parametrize("is_empty", [True, False])
def test_boosting_without_trees(is_empty, forge):
    def change(fitted, parts, parameters):
        without_nodes("left")(fitted, parts, parameters)
        none = np.zeros(0 if is_empty else 3, int)
        parts.replace(fitted["n_nodes"], none)

    path = forge(boosting(), None, change)
    refused(path, "not as many trees|expected values")


def test_boosting_of_categories_is_not_saved(tmp_path):
    table = np.column_stack([X, np.arange(90) % 4])
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=[3])
    with pytest.raises(TypeError, match="can't be saved: it has categorical features"):
        skgenre.save(model.fit(table, y), tmp_path / "it.model")


def set_to(**attributes):
    return lambda fitted, *_: fitted.update(attributes)


def array_of(field, new):
    return lambda fitted, parts, _: fitted.update({field: parts.add(np.asarray(new))})


@pytest.mark.parametrize(
    "change",
    [
        replaced("_n_support", lambda old: [10**9, old.sum() - 10**9, 0]),
        replaced("_n_support", lambda old: [-1, old.sum() + 1, 0]),
        replaced("_n_support", lambda old: old + 10**8),
        replaced("_n_support", lambda old: [*old, 0]),
        replaced("dual_coef_", lambda old: old[:, 1:]),
        replaced("dual_coef_", lambda old: old[:1]),
        replaced("intercept_", lambda old: old[1:]),
        replaced("support_vectors_", lambda old: old[:, 1:]),
        replaced("support_vectors_", lambda old: old[1:]),
        replaced("classes_", lambda old: np.arange(4)),
        replaced("classes_", lambda old: old[:1]),
        replaced("support_", lambda old: -old),
        array_of("_probA", np.zeros(3)),
        array_of("_probA", np.zeros(1)),
        set_to(n_features_in_=30),
        set_to(_sparse=True),
        set_to(_intercept_=None),
        set_to(_dual_coef_=None),
        set_to(_impl="one_class"),
        set_to(tree_=None),
        lambda *parts: parts[2].update(kernel="precomputed"),
        lambda *parts: parts[2].update(kernel={"function": "chi2"}),
    ],
    ids=range(22),
)
def test_support_vectors(change, forge):
    model = SVC().fit(X, y)
    path = forge(model, None, lambda *_: None)
    np.testing.assert_array_equal(
        skgenre.load(path).decision_function(X), model.decision_function(X)
    )
    refused(forge(model, None, change), "SVC: ")


def test_what_support_vectors_are_multiplied_with_is_not_in_the_file(tmp_path):
    """A file can't give other numbers than the public ones to compiled code."""
    for labels in (y, y > 0):
        model = SVC().fit(X, labels)
        expected = model.decision_function(X)
        model._dual_coef_ = model._intercept_ = np.zeros(1)
        model._sparse, model._num_iter = True, None
        skgenre.save(model, tmp_path / "it.model")
        loaded = skgenre.load(tmp_path / "it.model")
        np.testing.assert_array_equal(loaded.decision_function(X), expected)


def test_many_neighbors(tmp_path):
    """All of them are given for each clip, at the same time."""
    n = 1_001
    model = KNeighborsClassifier(n, weights=None)  # as "uniform"
    model.fit(np.zeros((n, 1)), np.arange(n) % 2)
    with pytest.raises(TypeError, match="n_neighbors: expected 1 to 1000, got 1001"):
        skgenre.save(model, tmp_path / "it.model")
    skgenre.save(model.set_params(n_neighbors=n - 1), tmp_path / "it.model")
    assert skgenre.load(tmp_path / "it.model").weights is None


@pytest.mark.parametrize(
    "change",
    [
        replaced("fit_X", lambda old: old[1:]),
        replaced("fit_X", lambda old: old[:3]),
        replaced("fit_X", lambda old: old[0]),
        replaced("fit_X", lambda old: old * np.nan),
        replaced("fit_y", lambda old: old[1:]),
        replaced("fit_y", lambda old: old * np.nan),
        replaced("fit_y", lambda old: np.zeros((90, 2))),
        set_to(_fit_X=[]),
        set_to(_y=[]),
        set_to(_tree=None),
        set_to(_fit_method="kd_tree"),
        set_to(classes_=None),
        set_to(effective_metric_="x"),
        lambda *parts: parts[2].update(n_neighbors=91),
        lambda *parts: parts[2].update(n_neighbors=0),
        lambda *parts: parts[2].update(n_neighbors=10**12),
        lambda *parts: parts[2].update(n_neighbors=2.5),
        lambda *parts: parts[2].update(leaf_size=10**9),
        lambda *parts: parts[2].update(leaf_size=0),
        lambda *parts: parts[2].update(p=1e9),
        lambda *parts: parts[2].update(metric="precomputed"),
        lambda *parts: parts[2].update(metric={"function": "chi2"}),
        lambda *parts: parts[2].update(metric="mahalanobis"),
        lambda *parts: parts[2].update(metric_params={"dict": [["w", 1]]}),
        lambda *parts: parts[2].update(weights={"function": "chi2"}),
    ],
    ids=range(25),
)
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_neighbors(algorithm, change, forge):
    model = KNeighborsClassifier(algorithm=algorithm).fit(X, y)
    path = forge(model, None, lambda *_: None)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), model.predict(X))
    refused(forge(model, None, change), "KNeighborsClassifier: ")


@pytest.mark.parametrize(
    "change",
    [
        replaced("cluster_centers_", lambda old: old[:, 1:]),
        replaced("cluster_centers_", lambda old: old[1:]),
        replaced("cluster_centers_", lambda old: old * np.inf),
        replaced("labels_", lambda old: old + 2),
        replaced("labels_", lambda old: old - 1),
        set_to(_n_features_out=3),
        set_to(n_features_in_=4),
        lambda *parts: parts[2].update(n_clusters=3),
        # OpenMP would end the process for some of these.
        *(set_to(_n_threads=n_threads) for n_threads in (0, -5, 10**6)),
    ],
    ids=range(11),
)
def test_clusters(change, forge):
    model = KMeans(2, random_state=0).fit(X)
    path = forge(model, None, lambda *_: None)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), model.predict(X))
    refused(forge(model, None, change), "KMeans: ")
