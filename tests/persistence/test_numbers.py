"""Numbers that scikit-learn's compiled code would follow out of its arrays."""

import io
import zipfile

import numpy as np
import pytest
from forge import array, estimator, items, mapping, node, value, write
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import skgenre
from skgenre import (
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    ModelFileError,
    SegmentClassifier,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.InconsistentVersionWarning"
)

X = np.random.default_rng(0).normal(size=(90, 3))
y = (X[:, 0] > X[:, 1]).astype(int) + (X[:, 2] > 0.5)
END = "one past the last node"


def forge_arrays(path, change):
    """Change the record arrays, which are the nodes of trees, in a saved model."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, contents in members.items():
        changed = np.load(io.BytesIO(contents)) if name.endswith(".npy") else None
        if changed is not None and changed.dtype.names:
            change(changed)
            file = io.BytesIO()
            np.save(file, changed)
            members[name] = file.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)


def refused(path):
    with pytest.raises(ModelFileError, match="in it is not as scikit-learn would make"):
        skgenre.load(path)


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("left_child", 0),  # would walk in circles
        ("right_child", 10**6),
        ("right_child", END),
        ("left_child", -5),
        ("feature", 3),
        ("feature", -1),
    ],
)
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        RandomForestClassifier(2, random_state=0),
        AdaBoostClassifier(n_estimators=2, random_state=0),
        make_pipeline(BaggingClassifier(n_estimators=2, random_state=0)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_nodes_of_trees(model, field, number, tmp_path):
    def change(nodes):
        nodes[field][0] = len(nodes) if number is END else number

    path = tmp_path / "it.model"
    skgenre.save(model.fit(X, y), path)
    forge_arrays(path, lambda nodes: None)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), model.predict(X))
    forge_arrays(path, change)
    refused(path)


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("feature_idx", 2 * 10**6),
        ("feature_idx", 3),
        ("left", 0),
        ("right", 10**6),
        ("right", END),
        ("is_categorical", 1),
    ],
)
def test_nodes_of_boosted_trees(field, number, tmp_path):
    def change(nodes):
        nodes[field][0] = len(nodes) if number is END else number

    path = tmp_path / "it.model"
    model = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    skgenre.save(model, path)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), model.predict(X))
    forge_arrays(path, change)
    refused(path)


def raw_tree(*, feature=10**12, node_count=3):
    """Return the description of a tree of three nodes, its root by a far feature."""
    nodes = np.zeros(
        3, DecisionTreeClassifier().fit(X, y).tree_.__getstate__()["nodes"].dtype
    )
    nodes["left_child"], nodes["right_child"] = [1, -1, -1], [2, -1, -1]
    nodes["feature"] = [feature, -2, -2]
    state = mapping(
        max_depth=value(1),
        node_count=value(node_count),
        nodes=array(nodes),
        values=array(np.zeros((3, 1, 2))),
    )
    arguments = items(value(3), array(np.array([2])), value(1), kind="tuple")
    return node(
        "TreeNode",
        "sklearn.tree._tree.Tree",
        content=state,
        __reduce__={"args": arguments},
    )


def owned_tree(tree):
    return estimator(
        DecisionTreeClassifier,
        tree_=tree,
        n_features_in_=value(3),
        n_outputs_=value(1),
        classes_=array(np.array([0, 1])),
        n_classes_=value(2),
    )


def test_number_of_nodes(tmp_path):
    path = tmp_path / "it.model"
    for node_count in (3, 4, 10**9):  # scikit-learn takes no more than there are
        write(path, owned_tree(raw_tree(feature=0, node_count=node_count)))
        loaded = skgenre.load(path)
        assert loaded.tree_.node_count == 3
        assert len(loaded.tree_.predict(np.asarray(X, np.float32))) == 90
    write(path, owned_tree(raw_tree(feature=0, node_count=0)))
    refused(path)


@pytest.mark.parametrize("kind", ["list", "set"])
@pytest.mark.parametrize("is_owned", [False, True])
def test_trees_are_found_wherever_they_are(is_owned, kind, tmp_path):
    tree = raw_tree()
    if is_owned:
        tree = owned_tree(tree)
    forged = estimator(
        VotingClassifier,
        estimators_=items(tree, kind=kind),
        estimators=items(items(value("a"), value(1), kind="tuple")),
        voting=value("hard"),
        weights=value(None),
        le_=estimator(LabelEncoder, classes_=array(np.array([0, 1]))),
    )
    write(tmp_path / "it.model", forged)
    refused(tmp_path / "it.model")


def test_a_tree_of_another_class(tmp_path):
    path = tmp_path / "it.model"
    write(path, owned_tree(raw_tree(feature=0) | {"__class__": "TreeBuilder"}))
    with pytest.raises(ModelFileError, match="refused: it holds .*TreeBuilder"):
        skgenre.load(path)


def test_several_outputs(tmp_path):
    tree = raw_tree()
    tree["__reduce__"]["args"]["content"][2] = value(10**9)
    write(tmp_path / "it.model", estimator(DecisionTreeClassifier, tree_=tree))
    with pytest.raises(ModelFileError, match="more outputs than the genre"):
        skgenre.load(tmp_path / "it.model")


def forged_models():
    tree = DecisionTreeClassifier(max_depth=1).fit(X, X[:, 0] > 0)
    tree.n_features_in_ = 2
    yield "tree", tree
    forest = RandomForestClassifier(2).fit(X, y)
    forest.n_features_in_ = 2
    yield "forest", forest
    boosting = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    boosting._preprocessor = LabelEncoder()
    yield "boosting with categories", boosting
    svc = SVC().fit(X, y)
    svc.tree_ = HistGradientBoostingClassifier(max_iter=1).fit(X, y)._predictors[0][0]
    yield "boosted tree without its owner", svc
    svc = SVC().fit(X, y)
    svc._n_support = np.array([10**9, len(svc.support_) - 10**9, 0], np.int32)
    yield "negative support", svc
    svc = SVC().fit(X, y)
    svc._n_support = svc._n_support + np.int32(10**8)
    yield "too much support", svc
    svc = SVC().fit(X, y)
    svc._dual_coef_ = svc._dual_coef_[:1, :1]
    yield "coefficients", svc
    svc = SVC().fit(X, y)
    svc.n_features_in_ = 30
    yield "width of support vectors", svc
    svc = SVC(kernel="precomputed").fit(X @ X.T, y)
    svc.support_ = svc.support_ + np.int32(10**8)
    yield "columns of a kernel", svc
    for column in (-1, 90):  # one before the first, one past the last
        svc = SVC(kernel="precomputed").fit(X @ X.T, y)
        svc.support_[0] = column
        yield f"column {column} of a kernel", svc
    svc = SVC().fit(X, y)
    svc.dual_coef_ = svc.dual_coef_[:, 1:]
    yield "public coefficients", svc
    svc = SVC().fit(X, y)
    svc._intercept_ = svc._intercept_[1:]
    yield "intercepts", svc
    svc = SVC().fit(X, y)
    svc._probA, svc._probB = np.zeros(3), np.zeros(2)
    yield "two sizes of probabilities", svc
    svc = SVC().fit(X, y)
    svc.classes_ = np.arange(4)
    yield "classes of support vectors", svc
    svc = SVC().fit(X, y)
    svc._sparse = True
    yield "sparse support vectors", svc
    svc = SVC().fit(X, y)
    svc._probA = svc._probB = np.zeros(1)
    yield "probabilities of support vectors", svc
    neighbors = KNeighborsClassifier(algorithm="brute").fit(X, y)
    neighbors._fit_X = np.ones((90, 1))
    yield "width of neighbours", neighbors
    neighbors = KNeighborsClassifier(algorithm="brute").fit(X, y)
    neighbors._y = np.full(90, 2**40)
    yield "classes of neighbours", neighbors
    for genre in (-1, 3):
        neighbors = KNeighborsClassifier(algorithm="brute").fit(X, y)
        neighbors._y = np.full(90, genre)
        yield f"class {genre} of neighbours", neighbors
    neighbors = KNeighborsClassifier(algorithm="brute").fit(X, y)
    neighbors._y = neighbors._y[1:]
    yield "number of neighbours", neighbors
    kmeans = KMeans(2).fit(X)
    kmeans.cluster_centers_ = np.zeros((2, 1))
    yield "clusters", kmeans
    kmeans = KMeans(2).fit(X)
    kmeans.n_clusters = 3
    yield "number of clusters", kmeans
    for n_threads in (0, -5, 10**6):  # which OpenMP would end the process for
        kmeans = KMeans(2).fit(X)
        kmeans._n_threads = n_threads
        yield f"{n_threads} threads", kmeans
    forest = RandomForestClassifier(2).fit(X, y)
    for n_jobs in (1025, -1025, -(10**6)):
        yield f"{n_jobs} jobs", make_pipeline(clone(forest).set_params(n_jobs=n_jobs))
    yield "frames", MelSpectrogramTransformer(n_frames=10**9)
    yield "spectra", MFCCStandardizer(n_fft=2**20, n_mels=2**10)
    yield "windows", SegmentClassifier(SVC(), window=10**9)
    parts = [("a", StandardScaler(), [0, 1])]
    verbose = {"verbose_feature_names_out": "{feature_name:>999999999}"}
    yield "format of names", ColumnTransformer(parts, **verbose).fit(X)
    clusters = EmbeddingKMeans(2).fit(X)
    clusters.kmeans_.cluster_centers_ = np.zeros((10**4, 1))
    yield "clusters of embeddings", clusters


@pytest.mark.parametrize(
    "model", [pytest.param(model, id=name) for name, model in forged_models()]
)
def test_parts_that_contradict_one_another(model, tmp_path):
    with pytest.raises(TypeError, match="in it is not as scikit-learn would make it"):
        skgenre.save(model, tmp_path / "it.model")


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (MelSpectrogramTransformer(cache_dir="folder"), "cache"),
        (CRNNClassifier(checkpoint_dir="folder"), "checkpoint"),
    ],
)
def test_no_folder_is_named(step, what, tmp_path):
    parameters = {k: value(v) for k, v in step.get_params().items()}
    write(tmp_path / "it.model", estimator(type(step), **parameters))
    with pytest.raises(ModelFileError, match=f"a {what} in it"):
        skgenre.load(tmp_path / "it.model")
