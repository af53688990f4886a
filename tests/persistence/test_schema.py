"""Files that skops would load, and what they would do; `load` refuses them."""

import importlib
import io
import json
import time
import zipfile

import numpy as np
import pytest
import sklearn
import skops.io
from forge import array, estimator, items, mapping, node, value, write
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.fixes import parse_version

import skgenre
from skgenre import CRNNClassifier, ModelFileError
from skgenre.persistence._schema import _SKGENRE, _SKLEARN

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.InconsistentVersionWarning"
)


def refused(path, match):
    with pytest.raises(ModelFileError, match=match):
        skgenre.load(path)


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
    refused(tmp_path / "it.model", "refused: it holds .*FunctionTransformer")
    write(tmp_path / "it.model", last())
    refused(tmp_path / "it.model", "a method in it is not")
    assert not target.exists()


def test_attributes_that_python_or_numpy_would_follow(tmp_path):
    """NumPy would read from any address that `__array_interface__` names."""
    interface = mapping(
        data=items(value(16), value(False), kind="tuple"),
        shape=items(value(1000), kind="tuple"),
        typestr=value("<f8"),
        version=value(3),
    )
    evil = estimator(DummyClassifier, __array_interface__=interface)
    write(tmp_path / "it.model", evil)
    refused(tmp_path / "it.model", "may have no attribute '__array_interface__'")
    cells = node(
        "NdArrayNode",
        "numpy.ndarray",
        type="json",
        content=[value(1)],
        shape=items(value(1), value(1), kind="tuple"),
    )
    write(tmp_path / "it.model", estimator(DummyClassifier, x=cells))
    refused(tmp_path / "it.model", "refused: it holds .*several axes")


@pytest.mark.parametrize(
    "name", ["predict", "_validate_X_predict", "__doc_link_template", "set_fit_request"]
)
def test_attributes_in_place_of_methods(name, tmp_path):
    forged = estimator(DecisionTreeClassifier, **{name: value(1)})
    write(tmp_path / "it.model", forged)
    refused(tmp_path / "it.model", f"may have no attribute '{name}'")


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
    refused(tmp_path / "it.model", f"may have no attribute '{name}'")


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
        node("FunctionNode", "sklearn.pipeline.Pipeline"),
        value(1) | {"__module__": "os", "__class__": "system"},
        items(value(1)) | {"__class__": "bytearray"},
        mapping(a=value(1)) | {"__class__": "OrderedDict"},
    ],
    ids=lambda forged: f"{forged['__loader__']} {forged['__class__']}",
)
def test_kinds_of_nodes_and_types_that_no_model_needs(forged, tmp_path):
    forged.setdefault("content", None)
    write(tmp_path / "it.model", estimator(DummyClassifier, x=forged))
    with pytest.raises(ModelFileError):
        skgenre.load(tmp_path / "it.model")


@pytest.mark.parametrize(
    "root", [value([1, 2]), mapping(a=value(1)), node("TypeNode", "builtins.int")]
)
def test_what_is_no_estimator(root, tmp_path):
    write(tmp_path / "it.model", root)
    refused(tmp_path / "it.model", "not an estimator|refused")


def test_random_state_out_of_range(tmp_path):
    def state(position):
        return node(
            "RandomStateNode",
            "numpy.random.mtrand.RandomState",
            content=mapping(
                bit_generator=value("MT19937"),
                state=mapping(
                    key=array(np.arange(624, dtype=np.uint32)), pos=value(position)
                ),
                has_gauss=value(0),
                gauss=value(0.0),
            ),
        )

    write(tmp_path / "it.model", estimator(DummyClassifier, random_state=state(624)))
    loaded = skgenre.load(tmp_path / "it.model")
    assert isinstance(loaded.random_state, np.random.RandomState)
    for position in (-1, 625, 10**9):
        forged = estimator(DummyClassifier, random_state=state(position))
        write(tmp_path / "it.model", forged)
        refused(tmp_path / "it.model", "random state is out of range")


@pytest.mark.parametrize("kind", ["numpy.matrix", "numpy.void", "os.system"])
def test_kinds_of_arrays(kind, tmp_path):
    module, _, name = kind.rpartition(".")
    forged = array(np.zeros(3)) | {"__module__": module, "__class__": name}
    write(tmp_path / "it.model", estimator(DummyClassifier, x=forged))
    refused(tmp_path / "it.model", f"refused: it holds {kind}")


@pytest.mark.parametrize("protocol", [-1, 3, True, "2"])
def test_descriptions_of_other_protocols(protocol, tmp_path):
    path = tmp_path / "it.model"
    write(path, estimator(DummyClassifier))
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("skgenre.json", '{"format": 1}')
        archive.writestr("schema.json", json.dumps(schema | {"protocol": protocol}))
    refused(path, f"has the protocol {protocol!r}")


class TestSmallFilesThatGrow:
    def test_references_in_a_ladder(self, tmp_path):
        """Each rung names the one below twice; skops would visit 2**40 of them."""
        rung = value(1)
        for _ in range(40):
            rung = items(rung, {"__id__": rung["__id__"]})
        write(tmp_path / "it.model", estimator(DummyClassifier, x=rung))
        started = time.perf_counter()
        refused(tmp_path / "it.model", "is damaged")
        assert time.perf_counter() - started < 5

    def test_one_array_named_many_times(self, tmp_path):
        named = array(np.zeros(10**6))
        many = [dict(named, __id__=-i) for i in range(1, 150)]
        write(tmp_path / "it.model", estimator(DummyClassifier, x=items(*many)))
        refused(tmp_path / "it.model", "named more often")

    def test_deep_nesting(self, tmp_path):
        lists = value(1) | {"content": "[" * 100_000 + "]" * 100_000}
        write(tmp_path / "it.model", estimator(DummyClassifier, x=lists))
        refused(tmp_path / "it.model", "is damaged")

    def test_array_that_promises_more_than_there_is(self, tmp_path):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
        )
        named = node("NdArrayNode", "numpy.ndarray", type="numpy", file="x.npy")
        write(
            tmp_path / "it.model",
            estimator(DummyClassifier, x=named),
            members={"x.npy": header.getvalue() + bytes(100)},
        )
        refused(tmp_path / "it.model", "is damaged")


def test_every_public_estimator_can_be_saved_but_one():
    classes = [name for name in skgenre.__all__ if name[0].isupper()]
    estimators = {
        name for name in classes if issubclass(getattr(skgenre, name), BaseEstimator)
    }
    assert estimators - {"KerasEmbedding"} == set(_SKGENRE)
    for name, module in (_SKGENRE | _SKLEARN).items():
        assert hasattr(importlib.import_module(module), name)


class TestSaving:
    """What could not be loaded again is refused at once."""

    X, y = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 3

    @pytest.mark.parametrize(
        "model",
        [OneHotEncoder(), GradientBoostingClassifier(n_estimators=2)],
        ids=lambda model: type(model).__name__,
    )
    def test_foreign_parts(self, model, tmp_path):
        with pytest.raises(TypeError, match=f"{type(model).__name__} can't be saved"):
            skgenre.save(model.fit(self.X, self.y), tmp_path / "it.model")

    @pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
    def test_calibration(self, method, tmp_path):
        is_old = parse_version(sklearn.__version__) < parse_version("1.8")
        if method == "temperature" and is_old:
            pytest.skip("temperature scaling came with scikit-learn 1.8")
        model = CalibratedClassifierCV(LogisticRegression(), method=method, cv=2)
        skgenre.save(model.fit(self.X, self.y), tmp_path / "it.model")
        loaded = skgenre.load(tmp_path / "it.model")
        np.testing.assert_array_equal(
            loaded.predict_proba(self.X), model.predict_proba(self.X)
        )

    def test_masked_arrays_and_numbers_of_numpy(self, tmp_path):
        grid = [{"C": [np.float32(0.5)]}, {"C": [1.0], "tol": [0.1]}]
        model = GridSearchCV(LogisticRegression(), grid, cv=2).fit(self.X, self.y)
        skgenre.save(model, tmp_path / "it.model")
        loaded = skgenre.load(tmp_path / "it.model")
        tols = loaded.cv_results_["param_tol"]
        np.testing.assert_array_equal(np.ma.getmaskarray(tols), [True, False])
        assert type(loaded.param_grid[0]["C"][0]) is np.float32

    def test_boolean_keys(self, tmp_path):
        """The format would make both keys True."""
        model = CRNNClassifier(class_weight={True: 2, False: 1})
        with pytest.raises(TypeError, match="neither strings nor numbers: .*bool"):
            skgenre.save(model, tmp_path / "it.model")

    @pytest.mark.parametrize("keys", [[0, 1], ["a", "b"], [0.5, 1.5], np.arange(2)])
    def test_other_keys(self, keys, tmp_path):
        model = LogisticRegression(class_weight=dict.fromkeys(keys, 2))
        skgenre.save(model, tmp_path / "it.model")
        loaded = skgenre.load(tmp_path / "it.model").class_weight
        assert loaded == model.class_weight
        assert set(map(type, loaded)) == set(map(type, model.class_weight))


@pytest.mark.parametrize(
    "name", ["os.GaussianNB", "os.CRNNClassifier", "sklearn.svm.CRNNClassifier"]
)
def test_classes_of_other_packages_are_not_taken_for_ours(name, tmp_path):
    write(tmp_path / "it.model", node("ObjectNode", name, content=mapping()))
    refused(tmp_path / "it.model", f"refused: it holds {name}")


def test_only_losses_are_constructed_with_arguments(tmp_path):
    arguments = {"args": items(kind="tuple")}
    name = "sklearn.naive_bayes.GaussianNB"
    forged = node("LossNode", name, content=mapping(), __reduce__=arguments)
    write(tmp_path / "it.model", forged)
    refused(tmp_path / "it.model", f"refused: it holds {name}")


def test_classes_are_found_where_they_are_today(tmp_path):
    """A later scikit-learn, or skgenre, may define a class in another module."""
    model = GaussianNB().fit(TestSaving.X, TestSaving.y)
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
    np.testing.assert_array_equal(
        loaded.predict_proba(TestSaving.X), model.predict_proba(TestSaving.X)
    )
