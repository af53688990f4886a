"""Files of format 1 that skops would load, and what they would do; `load` doesn't."""

import functools
import importlib
import io
import json
import pickle
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from forge import (
    array,
    estimator,
    items,
    mapping,
    node,
    npy,
    npy_header,
    value,
    write,
    write_by_skops,
)
from savable_models import fitted, inputs
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, StandardScaler
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
from skgenre.persistence._classes import CLASSES, find_class

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning"),
    pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores"),
]
X = np.random.default_rng(0).normal(size=(90, 3))
y = (X[:, 0] > X[:, 1]).astype(int) + (X[:, 2] > 0.5)


def refused(path, match="is damaged or refused"):
    with pytest.raises(ModelFileError, match=match):
        skgenre.load(path)


def dummy(**attributes):
    """Return a good description of a classifier, with more attributes."""
    good = {
        "n_features_in_": value(3),
        "n_outputs_": value(1),
        "classes_": array(np.array([0, 1])),
        "n_classes_": value(2),
        "class_prior_": array(np.array([0.5, 0.5])),
        "sparse_output_": value(False),
        "_strategy": value("prior"),
        "strategy": value("prior"),
    }
    return estimator(DummyClassifier, **good | attributes)


def test_the_description_that_is_forged_is_good(tmp_path):
    write(tmp_path / "it.model", dummy())
    assert list(skgenre.load(tmp_path / "it.model").predict(X[:2])) == [0, 0]


def test_writing_a_file_by_functions_with_arguments(tmp_path):
    """A chain of harmless functions that would make an array write itself to disk."""
    target = tmp_path / "written.py"

    def step(function, **arguments):
        return estimator(
            FunctionTransformer, func=function, kw_args=mapping(**arguments)
        )

    def text(contents):
        return array(np.frombuffer(contents, np.uint8))

    def last():
        return estimator(
            StackingClassifier,
            estimators_=items(estimator(FrozenEstimator, estimator=text(b"evil"))),
            stack_method_=items(value("tofile")),
            final_estimator_=estimator(DummyClassifier),
            passthrough=value(False),
        )

    steps = [
        step(node("TypeNode", "builtins.str")),
        step(node("TypeNode", "builtins.bool")),
        step(
            node("FunctionNode", "numpy.logical_not"),
            out=items(text(bytes(target)), kind="tuple"),
            where=value(False),
            casting=value("unsafe"),
        ),
        step(node("TypeNode", "builtins.str"), encoding=value("utf-8")),
        last(),
    ]
    named = [items(value(str(i)), s, kind="tuple") for i, s in enumerate(steps)]
    write(tmp_path / "it.model", estimator(Pipeline, steps=items(*named)))
    refused(tmp_path / "it.model", "refused: it holds builtins.str")
    write(tmp_path / "it.model", last())
    refused(tmp_path / "it.model", "StackingClassifier")
    assert not target.exists()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_attributes_that_python_or_numpy_would_follow(name, tmp_path):
    """NumPy would read from any address that `__array_interface__` names."""
    interface = mapping(
        data=items(value(16), value(False), kind="tuple"),
        shape=items(value(1000), kind="tuple"),
        typestr=value("<f8"),
        version=value(3),
    )
    try:
        cls = find_class(name)
    except ValueError as error:
        pytest.skip(str(error))
    for attribute in ("__array_interface__", "__class__", "__setstate__", "predict"):
        write(tmp_path / "it.model", estimator(cls, **{attribute: interface}))
        refused(tmp_path / "it.model")


def test_objects_that_numpy_would_ask_for_numbers(tmp_path):
    cells = node(
        "NdArrayNode",
        "numpy.ndarray",
        type="json",
        content=[value(1)],
        shape=items(value(1), value(1), kind="tuple"),
    )
    write(tmp_path / "it.model", dummy(constant=cells))
    refused(tmp_path / "it.model", "refused: it holds .*several axes")


@pytest.mark.parametrize(
    "name", ["predict", "_validate_X_predict", "__doc_link_template", "set_fit_request"]
)
def test_attributes_in_place_of_methods(name, tmp_path):
    write(tmp_path / "it.model", dummy(**{name: value(1)}))
    refused(tmp_path / "it.model", f"it has no attribute '{name}'")


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (CRNNClassifier, "_network"),  # would name what is called with parameters
        (CRNNClassifier, "_network_parameters"),
        (SVC, "_impl"),
        (SVC, "_parameter_constraints"),
    ],
)
def test_attributes_in_place_of_those_of_the_class(cls, name, tmp_path):
    write(tmp_path / "it.model", estimator(cls, **{name: value("RandomTimeCrop")}))
    refused(tmp_path / "it.model", f"it has no attribute '{name}'")


@pytest.mark.parametrize("place", ["constant", "x", "classes_", "_strategy"])
@pytest.mark.parametrize(
    "forged",
    [
        node("TypeNode", "builtins.str"),
        node("FunctionNode", "numpy.log"),
        node("FunctionNode", "os.system"),
        node("MethodNode", "builtins.str", content={"func": "x", "obj": value(1)}),
        node("OperatorFuncNode", "operator.attrgetter", attrs=items(value("x"))),
        node("ConstructorFromReduceNode", "datetime.timezone", content=items()),
        node("SparseMatrixNode", "scipy.sparse._matrix.spmatrix", file="x.npz"),
        node("ObjectNode", "sklearn.utils._testing.TempMemmap"),
        node("ListNode", "sklearn.dummy.DummyClassifier", content=[]),
        node("CachedNode", "builtins.str"),
        node(
            "SliceNode",
            "builtins.slice",
            content={"start": "x", "stop": None, "step": None},
        ),
        node(
            "SliceNode",
            "os.system",
            content={"start": 0, "stop": None, "step": None},
        ),
        node("LossNode", "sklearn.tree._tree.Tree", __reduce__={"args": items()}),
        node("SetNode", "builtins.set", content=[]),
        node("MaskedArrayNode", "numpy.ma.MaskedArray", content={}),
        node("FunctionNode", "sklearn.pipeline.Pipeline"),
        value(1) | {"__module__": "os", "__class__": "system"},
        items(value(1)) | {"__class__": "bytearray"},
        mapping(a=value(1)) | {"__class__": "OrderedDict"},
        mapping(a=value(1)) | {"__module__": "os"},
    ],
    ids=lambda forged: f"{forged['__loader__']} {forged['__class__']}",
)
def test_kinds_of_nodes_and_types_that_no_model_needs(forged, place, tmp_path):
    forged = {"content": None, **forged}
    write(tmp_path / "it.model", dummy(**{place: forged}))
    refused(tmp_path / "it.model")


@pytest.mark.parametrize(
    "root",
    [
        value([1, 2]),
        mapping(a=value(1)),
        node("TypeNode", "builtins.int"),
        items(dummy()),
        estimator(FunctionTransformer) | {"__loader__": "DictNode"},
        estimator(skgenre.features.KerasEmbedding),
    ],
    ids=range(6),
)
def test_what_is_no_estimator(root, tmp_path):
    write(tmp_path / "it.model", root)
    refused(tmp_path / "it.model")


@pytest.mark.parametrize("position", [624, -1, 625, 10**9])
def test_a_generator_of_random_numbers_is_left_out(position, tmp_path):
    """NumPy would read wherever its position points."""
    state = mapping(
        key=array(np.arange(624, dtype=np.uint32)),
        pos=value(position),
    )
    content = mapping(
        bit_generator=value("MT19937"),
        state=state,
        has_gauss=value(0),
        gauss=value(0.0),
    )
    kind = "numpy.random.mtrand.RandomState"
    write(
        tmp_path / "it.model",
        dummy(random_state=node("RandomStateNode", kind, content=content)),
    )
    assert skgenre.load(tmp_path / "it.model").random_state is None


@pytest.mark.parametrize("kind", ["numpy.matrix", "numpy.void", "os.system", "numpy.f"])
def test_kinds_of_arrays(kind, tmp_path):
    module, _, name = kind.rpartition(".")
    forged = array(np.zeros(3)) | {"__module__": module, "__class__": name}
    write(tmp_path / "it.model", dummy(constant=forged))
    refused(tmp_path / "it.model", f"refused: it holds {kind}")


@pytest.mark.parametrize("protocol", [-1, 3, True, "2"])
def test_descriptions_of_other_protocols(protocol, tmp_path):
    path = tmp_path / "it.model"
    write(path, dummy())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members["schema.json"]) | {"protocol": protocol}
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            is_schema = name == "schema.json"
            archive.writestr(name, json.dumps(schema) if is_schema else contents)
    refused(path, f"has the protocol {protocol!r}")


class TestKeys:
    """The keys of a dict in a file have types by name, which the file says."""

    def with_key(self, path, kind, key):
        weights = node(
            "DictNode",
            "builtins.dict",
            content={key: value(1)},
            key_types=items(node("TypeNode", kind)),
        )
        write(path, estimator(LogisticRegression, class_weight=weights))
        return path

    @pytest.mark.parametrize("kind", ["str", "int", "float"])
    @pytest.mark.parametrize("key", ["1", "2"])
    def test_of_python(self, kind, key, tmp_path):
        path = self.with_key(tmp_path / "it.model", f"builtins.{kind}", key)
        (found,) = skgenre.load(path).class_weight
        assert repr(found) == {"str": repr(key), "int": key, "float": f"{key}.0"}[kind]

    @pytest.mark.parametrize("kind", ["int64", "uint8", "float32", "str_"])
    def test_of_numpy(self, kind, tmp_path):
        path = self.with_key(tmp_path / "it.model", f"numpy.{kind}", "1")
        (found,) = skgenre.load(path).class_weight
        assert found == getattr(np, kind)("1")

    @pytest.mark.parametrize(
        "kind",
        [
            "U1000000000",  # would be one key of 4 GB
            *("V1000000000", "bool", "bool_", "object", "datetime64", "complex128"),
        ],
    )
    def test_that_no_model_has(self, kind, tmp_path):
        for name in (f"numpy.{kind}", f"builtins.{kind}", "os.system"):
            path = self.with_key(tmp_path / "it.model", name, "1")
            refused(path, "keys that are neither texts nor numbers")

    @pytest.mark.parametrize("key", ["x", "300", "1" * 5000, "nan"])
    def test_that_are_of_no_such_type(self, key, tmp_path):
        refused(self.with_key(tmp_path / "it.model", "numpy.uint8", key))

    def test_that_numpy_would_follow(self, tmp_path):
        path = self.with_key(
            tmp_path / "it.model", "builtins.str", "__array_interface__"
        )
        assert type(skgenre.load(path).class_weight) is dict


class TestSmallFilesThatGrow:
    def test_references_in_a_ladder(self, tmp_path):
        """Each rung names the one below twice; skops would visit 2**40 of them."""
        rung = value(1)
        for i in range(40):
            rung = items(dict(rung, __id__=i), {"__id__": i})
        write(tmp_path / "it.model", dummy(constant=rung))
        started = time.perf_counter()
        refused(tmp_path / "it.model", "is damaged")
        assert time.perf_counter() - started < 5

    def test_one_array_named_many_times(self, tmp_path):
        named = array(np.zeros(10**6))
        many = [dict(named, __id__=-i) for i in range(1, 150)]
        write(tmp_path / "it.model", dummy(constant=items(*many)))
        refused(tmp_path / "it.model", "named more often")

    def test_deep_nesting(self, tmp_path):
        lists = value(1) | {"content": "[" * 100_000 + "]" * 100_000}
        write(tmp_path / "it.model", dummy(constant=lists))
        refused(tmp_path / "it.model", "is damaged")

    @pytest.mark.parametrize(
        "contents",
        [
            npy_header("<f8", (10**12,)) + bytes(100),
            npy_header("<U0", (10**12,)),
            npy_header("<f8", (-1, -8)) + bytes(64),
            npy_header("<f8", (0, 10**12)),
            npy(np.array([print], object), allow_pickle=True),
            npy(np.zeros(3, "M8[D]")),
            npy(np.zeros(3, complex)),
            pickle.dumps(print),
            b"",
        ],
        ids=range(9),
    )
    def test_arrays_that_are_not_what_they_say(self, contents, tmp_path):
        named = node("NdArrayNode", "numpy.ndarray", type="numpy", file="x.npy")
        write(
            tmp_path / "it.model",
            dummy(class_prior_=named),
            members={"x.npy": contents},
        )
        refused(tmp_path / "it.model", "an array")

    @pytest.mark.parametrize("file", ["none.npy", "/etc/passwd", "schema.json", None])
    def test_arrays_that_are_elsewhere(self, file, tmp_path):
        named = node("NdArrayNode", "numpy.ndarray", type="numpy", file=file)
        write(tmp_path / "it.model", dummy(class_prior_=named))
        refused(tmp_path / "it.model")


@pytest.mark.parametrize(
    "name",
    ["os.GaussianNB", "os.CRNNClassifier", "sklearn.svm.CRNNClassifier"]
    + ["skgenre.features.SVC", "sklearn_of_another.SVC", "sklearn"],
)
def test_classes_of_other_packages_are_not_taken_for_ours(name, tmp_path):
    write(tmp_path / "it.model", node("ObjectNode", name, content=mapping()))
    refused(tmp_path / "it.model", f"refused: it holds .*{name}")


def test_nothing_is_constructed_with_arguments(tmp_path):
    arguments = {"args": items(kind="tuple")}
    name = "sklearn.naive_bayes.GaussianNB"
    forged = node("LossNode", name, content=mapping(), __reduce__=arguments)
    write(tmp_path / "it.model", forged)
    refused(tmp_path / "it.model")


def test_classes_are_found_where_they_are_today(tmp_path):
    """A later scikit-learn, or skgenre, may define a class in another module."""
    model = GaussianNB().fit(X, y)
    contents = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
    schema = json.loads(contents.read("schema.json"))
    schema["__module__"] = "sklearn.elsewhere"
    arrays = [name for name in contents.namelist() if name.endswith(".npy")]
    write(
        tmp_path / "it.model",
        schema,
        members={name: contents.read(name) for name in arrays},
    )
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_every_class_of_the_list_is_where_it_says():
    for name, known in CLASSES.items():
        if name != "_TemperatureScaling":  # from scikit-learn 1.8
            assert hasattr(importlib.import_module(known.module), name)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (MelSpectrogramTransformer(cache_dir="folder"), "cache_dir"),
        (MFCCStandardizer(cache_dir="folder"), "cache_dir"),
        (CRNNClassifier(checkpoint_dir="folder"), "checkpoint_dir"),
    ],
)
def test_no_folder_is_named(step, name, tmp_path):
    parameters = {k: value(v) for k, v in step.get_params().items()}
    write(tmp_path / "it.model", estimator(type(step), **parameters))
    refused(tmp_path / "it.model", f"{name} names a folder")


def test_no_folder_of_a_pipeline_is_named(tmp_path):
    steps = items(items(value("a"), dummy(), kind="tuple"))
    forged = estimator(Pipeline, steps=steps, memory=value(str(tmp_path / "x")))
    write(tmp_path / "it.model", forged)
    refused(tmp_path / "it.model", "memory names a folder")
    assert not (tmp_path / "x").exists()


# Trees.


def raw_tree(*, feature=0, node_count=3, n_outputs=1):
    """Return the description of a tree of three nodes, its root by a feature."""
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
    arguments = items(value(3), array(np.array([2])), value(n_outputs), kind="tuple")
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
        max_features_=value(3),
    )


@pytest.mark.parametrize("node_count", [3, 4, 0, -1, 10**9])
@pytest.mark.parametrize("n_outputs", [1, 0, 10**9])
def test_numbers_that_a_tree_says_of_itself_are_not_believed(
    n_outputs, node_count, tmp_path
):
    path = tmp_path / "it.model"
    write(path, owned_tree(raw_tree(node_count=node_count, n_outputs=n_outputs)))
    loaded = skgenre.load(path)
    assert loaded.tree_.node_count == 3 and loaded.tree_.n_outputs == 1
    assert len(loaded.tree_.predict(np.asarray(X, np.float32))) == 90


@pytest.mark.parametrize("kind", ["list", "set"])
@pytest.mark.parametrize("is_owned", [False, True])
def test_trees_are_found_wherever_they_are(is_owned, kind, tmp_path):
    tree = raw_tree(feature=10**12)
    if is_owned:
        tree = owned_tree(tree)
    forged = estimator(
        VotingClassifier,
        estimators_=items(tree, kind=kind),
        estimators=items(items(value("a"), value(None), kind="tuple")),
        voting=value("hard"),
        weights=value(None),
        classes_=array(np.array([0, 1])),
        le_=estimator(LabelEncoder, classes_=array(np.array([0, 1]))),
    )
    write(tmp_path / "it.model", forged)
    refused(tmp_path / "it.model", "a feature that there is not|only training|expected")


def test_a_tree_of_another_class(tmp_path):
    path = tmp_path / "it.model"
    write(path, owned_tree(raw_tree() | {"__class__": "TreeBuilder"}))
    refused(path, "refused: it holds .*TreeBuilder")


def forge_records(path, change):
    """Change the record arrays, which are the nodes of trees, in a file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            if name.endswith(".npy"):
                changed = np.load(io.BytesIO(contents))
                if changed.dtype.names:
                    change(changed)
                    contents = npy(changed)
            archive.writestr(name, contents)


END = "one past the last node"


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
        make_pipeline(BaggingClassifier(n_estimators=2, random_state=0)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_nodes_of_trees(model, field, number, tmp_path):
    def change(nodes):
        nodes[field][0] = len(nodes) if number is END else number

    path = tmp_path / "it.model"
    write_by_skops(path, model.fit(X, y))
    forge_records(path, lambda nodes: None)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), model.predict(X))
    forge_records(path, change)
    refused(path, "a decision tree|expected values")


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
        ("is_categorical", 1),
    ],
)
def test_nodes_of_boosted_trees(field, number, tmp_path):
    def change(nodes):
        nodes[field][0] = len(nodes) if number is END else number

    path = tmp_path / "it.model"
    model = boosting()
    write_by_skops(path, model)
    np.testing.assert_array_equal(skgenre.load(path).predict(X), model.predict(X))
    forge_records(path, change)
    refused(path, "a decision tree|categorical")


def forged_models():
    """Give models that contradict themselves."""
    tree = DecisionTreeClassifier(max_depth=1).fit(X, X[:, 0] > 0)
    tree.n_features_in_ = 0
    yield "tree", tree
    forest = RandomForestClassifier(2).fit(X, y)
    forest.n_features_in_ = 2
    yield "forest", forest
    boosting = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    boosting._preprocessor = LabelEncoder()
    yield "boosting with categories", boosting
    boosting = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    boosting._predictors = []
    yield "boosting without trees", boosting
    boosting = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    boosting._predictors = [[1, 2, 3]]
    yield "boosting of numbers", boosting
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
    yield "coefficients", svc
    svc = SVC().fit(X, y)
    svc.intercept_ = svc.intercept_[1:]
    yield "intercepts", svc
    svc = SVC().fit(X, y)
    svc._probA, svc._probB = np.zeros(3), np.zeros(2)
    yield "two sizes of probabilities", svc
    svc = SVC().fit(X, y)
    svc.classes_ = np.arange(4)
    yield "classes of support vectors", svc
    svc = SVC().fit(X, y)
    svc._probA = svc._probB = np.zeros(1)
    yield "probabilities of support vectors", svc
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
    # Every clip would have a row, or a text, of its own.
    for classes, dtype in (
        (np.zeros((3, 1_000_000), bool), np.int64),
        (np.array(["a", "b", "c" * 1_000]), np.uint8),
    ):
        neighbors = KNeighborsClassifier(algorithm="brute").fit(X, y)
        neighbors.classes_, neighbors._y = classes, neighbors._y.astype(dtype)
        yield f"{classes.dtype} of neighbours", neighbors
    kmeans = KMeans(2).fit(X)
    kmeans.cluster_centers_ = np.zeros((2, 1))
    yield "clusters", kmeans
    kmeans = KMeans(2).fit(X)
    kmeans.n_clusters = 3
    yield "number of clusters", kmeans
    yield "frames", MelSpectrogramTransformer(n_frames=10**9)
    yield "spectra", MFCCStandardizer(n_fft=2**20, n_mels=2**10)
    yield "windows", SegmentClassifier(SVC(), window=10**9)
    parts = [("a", StandardScaler(), [0, 1])]
    columns = ColumnTransformer(parts).fit(X)
    columns.verbose_feature_names_out = "{feature_name:>999999999}"
    yield "format of names", columns
    clusters = EmbeddingKMeans(2).fit(X)
    clusters.kmeans_.cluster_centers_ = np.zeros((10**4, 1))
    yield "clusters of embeddings", clusters


@pytest.mark.parametrize(
    "model", [pytest.param(model, id=name) for name, model in forged_models()]
)
def test_parts_that_contradict_one_another(model, tmp_path):
    write_by_skops(tmp_path / "it.model", model)
    refused(tmp_path / "it.model")


def ignored_attributes():
    """Give models with false attributes that are made anew, and a true one of each."""
    svc = SVC().fit(X, y)
    for name, attribute in (
        ("_dual_coef_", svc._dual_coef_[:1, :1]),
        ("_intercept_", svc._intercept_[1:]),
        ("_sparse", True),
    ):
        forged = SVC().fit(X, y)
        setattr(forged, name, attribute)
        yield name, forged, svc
    kmeans = KMeans(2, random_state=0).fit(X)
    for n_threads in (0, -5, 10**6):  # which OpenMP would end the process for
        forged = KMeans(2, random_state=0).fit(X)
        forged._n_threads = n_threads
        yield f"{n_threads} threads", forged, kmeans
    forest = RandomForestClassifier(2, random_state=0).fit(X, y)
    for n_jobs in (1025, -1025, -(10**6)):
        forged = RandomForestClassifier(2, random_state=0).fit(X, y)
        forged.n_jobs = n_jobs
        yield f"{n_jobs} jobs", forged, forest
    neighbors = KNeighborsClassifier(algorithm="brute").fit(X, y)
    forged = KNeighborsClassifier(algorithm="brute").fit(X, y)
    forged.effective_metric_ = "x"
    yield "metric", forged, neighbors


@pytest.mark.parametrize(
    ("model", "true"),
    [pytest.param(*models, id=name) for name, *models in ignored_attributes()],
)
def test_what_is_made_anew_is_not_read(model, true, tmp_path):
    write_by_skops(tmp_path / "it.model", model)
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.predict(X), true.predict(X))
    assert loaded.get_params().get("n_jobs") is None


class TestFilesThatWereWritten:
    """What skgenre wrote as format 1 before is read."""

    @pytest.mark.parametrize(
        "name",
        [
            *("AbstainingClassifier", "BaggingClassifier", "CalibratedClassifierCV"),
            *("ColumnTransformer", "DecisionTreeClassifier", "DummyClassifier"),
            *("EmbeddingKMeans", "ExtraTreesClassifier", "FeatureUnion", "GaussianNB"),
            *("HistGradientBoostingClassifier", "KMeans", "KNeighborsClassifier"),
            *("LinearDiscriminantAnalysis", "LinearSVC", "LogisticRegression"),
            *("MLPClassifier", "MaxAbsScaler", "MinMaxScaler", "PCA", "Pipeline"),
            *("MissingClipClassifier", "QuantileTransformer", "RandomForestClassifier"),
            *("RidgeClassifier", "RobustScaler", "SGDClassifier", "SVC", "SelectKBest"),
            *("SecondOrderClassifier", "StackingClassifier", "StandardScaler"),
            *("VarianceThreshold", "MFCCStandardizer", "TrackRecommender"),
            *("VotingClassifier", "PowerTransformer", "FrozenEstimator"),
        ],
    )
    @pytest.mark.parametrize("labels", ["texts", "booleans"])
    def test_classes(self, labels, name, tmp_path):
        model = fitted(name, labels)
        # What format 1 has no word for.
        without = {
            "AbstainingClassifier": {"genre_tree": None},
            "KNeighborsClassifier": {"algorithm": "brute"},  # in no tree
        }
        if name in without:
            model = clone(model).set_params(**without[name])
            model.fit(*inputs(name, labels)[0])
        write_by_skops(tmp_path / "it.model", model)
        loaded = skgenre.load(tmp_path / "it.model")
        assert type(loaded) is type(model)
        _, rows = inputs(name, labels)
        for method in ("predict", "predict_proba", "transform"):
            if hasattr(model, method):
                found, expected = (getattr(it, method)(rows) for it in (loaded, model))
                np.testing.assert_array_equal(found, expected)

    def test_a_search_is_its_best_estimator(self, tmp_path):
        grid = [{"C": [np.float32(0.5)]}, {"C": [1.0], "tol": [0.1]}]
        model = GridSearchCV(LogisticRegression(), grid, cv=2).fit(X, y)
        write_by_skops(tmp_path / "it.model", model)
        loaded = skgenre.load(tmp_path / "it.model")
        assert type(loaded) is LogisticRegression
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))

    def test_metadata_requests_are_left_out(self, tmp_path):
        steps = [("a", LogisticRegression())]
        model = CalibratedClassifierCV(VotingClassifier(steps, voting="soft"), cv=2)
        write_by_skops(tmp_path / "it.model", model.fit(X, y))
        loaded = skgenre.load(tmp_path / "it.model")
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_a_function_that_would_make_a_folder_is_not_called(tmp_path):
    proof = tmp_path / "executed"
    model = FunctionTransformer(Path.mkdir)
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        schema = json.loads(archive.read("schema.json"))
    write(tmp_path / "it.model", schema)
    refused(tmp_path / "it.model", "refused: it holds .*mkdir")
    assert not proof.exists()
