"""Each class of the closed list, as it is written, read, and forged."""

import copy
import json
from collections.abc import Mapping

import numpy as np
import pytest
from forge import Parts, npy, npy_header, objects
from savable_models import (
    LABELS,
    NAMES,
    NETWORKS,
    ROOTS,
    TABLE,
    fitted,
    inputs,
    unfitted,
)
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import Bunch

import skgenre
from skgenre.persistence._classes import CLASSES, find_class
from skgenre.persistence._classes._savable import NOT_SAVED
from skgenre.persistence._contents import build_model
from skgenre.persistence._description import Description

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores"),
]
PLAIN = (str, bool, int, float, np.generic, slice, type(None))
METHODS = "predict predict_proba decision_function transform get_feature_names_out"
INTERFACE = {
    "dict": [
        ["data", {"tuple": [16, False]}],
        ["shape", {"tuple": [1000]}],
        ["typestr", "<f8"],
        ["version", 3],
    ]
}
DUNDERS = ("__array_interface__", "__array_struct__", "__array__", "__class__")


def rebuilt(model):
    """Return a model after it was written as text and read."""
    description = Description(model)
    text = json.dumps(description.value, allow_nan=False)
    return build_model(Description.of(json.loads(text), description.arrays))


def outputs(model, X):
    """Return what a model makes of X, by the name of the method."""
    found = {}
    for name in METHODS.split():
        method = getattr(model, name, None)
        if method is not None:
            try:
                found[name] = method() if name == "get_feature_names_out" else method(X)
            except ImportError as error:  # of the weights of a pretrained network
                pytest.skip(str(error))
            except AttributeError:  # of a pipeline whose last step has no such names
                assert name == "get_feature_names_out"
    return found


def check_same(one, other):
    """Compare values that an estimator may have, to the bit."""
    assert type(one) is (int if isinstance(other, np.integer) else type(other))
    if isinstance(one, BaseEstimator):
        check_same(kept_parameters(one), kept_parameters(other))
    elif isinstance(one, np.ndarray):
        assert one.dtype.kind == other.dtype.kind
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, Mapping):
        assert list(one) == list(other)
        check_same(list(one.values()), list(other.values()))
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            check_same(*pair)
    elif isinstance(one, BaseCrossValidator):
        check_same(vars(one), vars(other))
    elif isinstance(one, PLAIN):
        np.testing.assert_equal(other, one)


def kept_parameters(estimator):
    return {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in NOT_SAVED
    }


def marks(name, labels):
    is_slow = name in NETWORKS and labels != "texts"
    return [pytest.mark.slow] if is_slow else []


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param(name, labels, id=f"{name}-{labels}", marks=marks(name, labels))
        for name in ROOTS
        for labels in LABELS
    ],
)
def test_a_fitted_estimator_comes_back_to_the_bit(name, labels):
    model = fitted(name, labels)
    loaded = rebuilt(model)
    as_saved = copy.copy(model)
    vars(as_saved).update(CLASSES[type(model).__name__].stand_ins(model))
    check_same(loaded, as_saved)
    X = inputs(name, labels)[1]
    found, expected = outputs(loaded, X), outputs(model, X)
    assert expected or name in ("FunctionTransformer", "TrackRecommender")
    check_same(found, expected)
    for attribute, value in vars(model).items():
        if attribute.endswith("_") and not attribute.startswith("_"):
            if attribute in vars(loaded):
                check_same(vars(loaded)[attribute], value)
            else:
                assert attribute in CLASSES[name].not_saved
    check_same(clone(loaded), clone(as_saved))
    check_same(rebuilt(loaded), loaded)
    assert repr(loaded)


@pytest.mark.parametrize("name", ROOTS)
def test_an_estimator_that_is_not_fitted_comes_back(name):
    model = unfitted(name)
    if name == "KerasGenreClassifier":  # not of a function, but of layers as data
        model.set_params(network=fitted(name).network_parameters_["network"])
    check_same(rebuilt(model), model)
    assert vars(rebuilt(model)).keys() == vars(model).keys()


def test_every_public_estimator_is_in_the_list_but_one():
    classes = [name for name in skgenre.__all__ if name[0].isupper()]
    estimators = {
        name for name in classes if issubclass(getattr(skgenre, name), BaseEstimator)
    }
    ours = {
        name for name, known in CLASSES.items() if known.module.startswith("skgenre")
    }
    assert estimators - {"KerasEmbedding"} == ours


class TestValues:
    """Parameters of all kinds that are plain."""

    def kept(self, **parameters):
        model = find_class("LogisticRegression")(**parameters)
        check_same(rebuilt(model), model)
        return rebuilt(model)

    @pytest.mark.parametrize(
        "keys",
        [[0, 1], ["a", "b"], [0.5, 1.5], np.arange(2), np.array([0.5, 1], np.float32)]
        + [
            [True, False],
            np.array([True, False]),
            ["__array_interface__", "__class__"],
        ],
        ids=str,
    )
    def test_keys(self, keys):
        weights = dict.fromkeys(keys, 2)
        loaded = self.kept(class_weight=weights).class_weight
        assert loaded == weights and type(loaded) is dict
        for key, given in zip(loaded, weights, strict=True):
            check_same(key, given.item() if isinstance(given, np.bool_) else given)

    @pytest.mark.parametrize(
        "number",
        [1e-320, 0.1, 1e300, np.inf, np.float64(0.1), 2, 2**62]
        + [
            np.float32(0.1),
            np.float16(3),
            np.float32(np.inf),
            np.int8(3),
            np.uint64(5),
        ],
        ids=repr,
    )
    def test_numbers(self, number):
        check_same(self.kept(C=number).C, number)

    @pytest.mark.parametrize(
        "value",
        [2**63, -(2**63), 1j, np.longdouble(1), {1, 2}, b"a", range(3), print, Bunch()]
        + [np.ma.MaskedArray([1.0], [True]), np.array([print]), np.zeros(2, complex)]
        + [
            np.zeros(2, "M8[D]"),
            np.zeros(2, "S2"),
            np.zeros(2, [("a", "f8")]),
            object(),
        ]
        + [np.array([[1, "a"]], object), "a" * 10_001, np.random.default_rng(0), int],
        ids=lambda value: f"{type(value).__name__}",
    )
    def test_what_no_file_holds(self, value, tmp_path):
        for parameters in ({"class_weight": {"a": value}}, {"class_weight": value}):
            model = find_class("LogisticRegression")(**parameters)
            with pytest.raises(TypeError, match="LogisticRegression can't be saved"):
                skgenre.save(model, tmp_path / "it.model")

    def test_a_generator_has_no_seed_to_keep(self):
        for seed, expected in (
            *((None, None), (3, 3), (np.int64(3), np.int64(3))),
            (np.random.RandomState(0), None),
        ):
            model = find_class("SGDClassifier")(random_state=seed)
            assert rebuilt(model).random_state == expected

    def test_classes_of_others_that_are_named_like_ours(self, tmp_path):
        class SVC(find_class("SVC")):
            pass

        class LogisticRegression(BaseEstimator):
            pass

        for model in (SVC(), LogisticRegression()):
            with pytest.raises(TypeError, match="which is not among the classes"):
                skgenre.save(model, tmp_path / "it.model")

    def test_what_says_where_and_how_work_goes_on_is_left_out(self):
        given = {
            "CRNNClassifier": {"checkpoint_dir": "folder", "verbose": 1},
            "MFCCStandardizer": {"cache_dir": "folder", "time_limit": 3, "n_jobs": 2},
            "Pipeline": {"memory": "folder", "verbose": True},
            "RandomForestClassifier": {"n_jobs": -1, "verbose": 2},
            "SVC": {"verbose": True},
        }
        for name, parameters in given.items():
            default = unfitted(name)
            model = clone(default).set_params(**parameters)
            text = json.dumps(Description(model).value)
            assert not any(f'"{parameter}"' in text for parameter in parameters)
            for parameter in parameters:
                found = getattr(rebuilt(model), parameter)
                assert found == getattr(default, parameter)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_narrow_integers_do_not_wrap(dtype):
    """Products of them would pass any bound: 65,535 times 2,048 is 63,488 in 'u2'."""
    model = find_class("MelSpectrogramTransformer")(n_mels=np.array(120, dtype)[()])
    n_mels = rebuilt(model).n_mels
    assert type(n_mels) is int and n_mels * 2**70 > 2**70


@pytest.mark.parametrize("n", [10, 2_001])
def test_many_estimators(n):
    """Each takes milliseconds to show; trees of a forest are not shown."""
    steps = [(f"{i}", unfitted("GaussianNB")) for i in range(n - 1)]
    described = Description(find_class("Pipeline")(steps))
    if n > 2_000:
        with pytest.raises(ValueError, match="it holds more than 2000 estimators"):
            build_model(described)
    else:
        assert len(build_model(described).steps) == n - 1


@pytest.mark.parametrize("n", [10, 40])
def test_many_estimators_in_one_another(n):
    """Each takes scikit-learn's repr twice as long as the one it is in."""
    pipeline, deep = find_class("Pipeline"), unfitted("GaussianNB")
    for _ in range(8):
        deep = pipeline([("a", deep)])
    described = Description(pipeline([(f"{i}", deep) for i in range(n)]))
    if n > 32:
        with pytest.raises(ValueError, match="too many estimators that are in one"):
            build_model(described)
    else:
        assert len(build_model(described).steps) == n


def test_a_large_forest_has_more_trees_than_other_models_have_parts():
    forest = copy.copy(fitted("RandomForestClassifier"))
    forest.estimators_ = forest.estimators_ * 1_100
    assert len(rebuilt(forest).estimators_) == 2_200


@pytest.mark.parametrize("method", ["append", "twice", "strange name"])
def test_arrays_are_named_once(method):
    """Otherwise a small file could name one array any number of times."""
    described = Description(fitted("StandardScaler"))
    value, parts = copy.deepcopy(described.value), Parts(described.arrays)
    if method == "append":
        parts.add(np.zeros(3))
    elif method == "twice":
        del parts[value["fitted"]["var_"]["array"]]
        value["fitted"]["var_"] = value["fitted"]["mean_"]
    else:
        value["fitted"]["var_"] = {"array": ["0.npy"]}
    with pytest.raises(ValueError, match="belong to nothing|names it twice"):
        build_model(Description.of(value, parts))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ROOTS
        if CLASSES[name].package == "sklearn"
        and name not in ("IsotonicRegression", "LabelBinarizer", "LabelEncoder")
    ],
)
def test_columns_by_name_and_their_output(name):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(TABLE, columns=list("abcde"))
    model = find_class(name)(**fitted(name).get_params(deep=False))
    if hasattr(type(model), "set_output"):
        model.set_output(transform="pandas")
    loaded = rebuilt(model.fit(table, LABELS["texts"]))
    found, expected = outputs(loaded, table[:5]), outputs(model, table[:5])
    for method, value in expected.items():
        np.testing.assert_array_equal(found[method], value)
        assert type(found[method]) is type(value)
    names = getattr(model, "feature_names_in_", None)
    np.testing.assert_array_equal(getattr(loaded, "feature_names_in_", None), names)


@pytest.mark.parametrize("name", NAMES)
class TestForgedClass:
    """A node of each class is changed in the description of a model that is good."""

    @pytest.fixture
    def forge(self, name):
        """Return what changes the class's node, and whether the result is refused."""
        described = Description(fitted(name))
        written = json.dumps(described.value)

        def refused(change):
            value, parts = json.loads(written), Parts(described.arrays)
            node = next(objects(value, name))
            change(node, parts)
            # What is replaced is not there any more.
            named = json.dumps(value)
            used = {n: part for n, part in parts.items() if f'"{n}"' in named}
            try:
                build_model(Description.of(value, used))
            except Exception:
                return True
            return False

        return refused

    def test_the_node_is_good_as_it_is(self, name, forge):
        assert not forge(lambda node, parts: None)

    def test_attributes_that_the_class_does_not_have(self, name, forge):
        cls = find_class(name)
        of_others = {
            attribute for each in CLASSES.values() for attribute in each.fitted
        }
        unknown = {*DUNDERS, "_x", "x_", "tree_", "_predictors", "_runtime", "_impl"}
        of_class = {each for each in dir(cls) if each not in CLASSES[name].fitted}
        shared = {"feature_names_in_", "_sklearn_output_config"}
        own = CLASSES[name].fitted.keys()
        for attribute in (of_others | unknown | of_class | NOT_SAVED) - own - shared:
            for value in (None, []) if attribute not in DUNDERS else (INTERFACE,):
                change = {attribute: value}
                assert forge(
                    lambda node, _, change=change: node["fitted"].update(change)
                )

    def test_parameters_that_the_class_does_not_have(self, name, forge):
        for parameter in NOT_SAVED | {*DUNDERS, "x", "fit", "base_estimator"}:
            for value in (None, 1, "folder", INTERFACE):
                change = {parameter: value}
                assert forge(
                    lambda node, _, change=change: node["parameters"].update(change)
                )

    def test_attributes_that_are_lacking(self, name, forge):
        known = CLASSES[name]
        for attribute in known.fitted.keys() - known.may_lack:
            if len(known.fitted.keys()) > 1:
                assert forge(lambda node, _, each=attribute: node["fitted"].pop(each))

    def test_attributes_of_other_kinds(self, name, forge):
        for attribute in CLASSES[name].fitted:
            for what, make in STRANGE.items():

                def change(node, parts, attribute=attribute, make=make):
                    node["fitted"][attribute] = make(parts)

                def change_first(node, parts, attribute=attribute, make=make):
                    items = node["fitted"].get(attribute)
                    items = items if isinstance(items, list) else node["fitted"]
                    items[0] = make(parts)

                if (attribute, what) not in FREE:
                    assert forge(change), (attribute, what)
                if (f"{attribute}[0]", what) not in FREE:
                    assert forge(change_first), (attribute, what)

    def test_parameters_of_other_kinds(self, name, forge):
        """What has the right kind may still be nonsense, which `fit` would refuse."""
        given = next(objects(Description(fitted(name)).value, name))["parameters"]
        for parameter in given:
            for what in STRANGE.keys() - SENSIBLE:

                def change(node, parts, parameter=parameter, make=STRANGE[what]):
                    node["parameters"][parameter] = make(parts)

                if (parameter, what) not in FREE:
                    assert forge(change), (parameter, what)


STRANGE = {
    "dict": lambda parts: {"dict": [["__array_interface__", INTERFACE]]},
    "interface": lambda parts: INTERFACE,
    "function": lambda parts: {"function": "chi2"},
    "other function": lambda parts: {"function": "system"},
    "genre tree": lambda parts: {"genre tree": [["folk", None]]},
    "slice": lambda parts: {"slice": [0, 1, None]},
    "object": lambda parts: {"object": "KFold", "parameters": {}, "fitted": {}},
    "class": lambda parts: {"object": "Bunch", "parameters": {}, "fitted": {}},
    "objects": lambda parts: {"objects": [1, "a", None]},
    "texts of 4 axes": lambda parts: parts.add(np.full((1, 1, 1, 1), "a")),
    "numbers of 4 axes": lambda parts: parts.add(np.zeros((1, 1, 1, 1), bool)),
    "complex": lambda parts: parts.add(np.zeros(2, complex)),
    "bytes": lambda parts: parts.add(np.zeros(2, "S3")),
    "date": lambda parts: parts.add(np.zeros(2, "M8[D]")),
    "record": lambda parts: parts.add(np.zeros(2, [("a", "f8")])),
    "pickle": lambda parts: parts.add(
        npy(np.array([print, None], dtype=object), allow_pickle=True)
    ),
    "no text": lambda parts: parts.add(npy_header("<U0", (10**9,))),
    "huge": lambda parts: parts.add(npy_header("<f8", (10**12,)) + bytes(800)),
    "negative": lambda parts: parts.add(npy_header("<f8", (-1, -8)) + bytes(64)),
    "no array": lambda parts: {"array": "none.npy"},
    "path": lambda parts: {"array": "/etc/passwd"},
    "two": lambda parts: {"array": "a.npy", "tuple": []},
    "unknown": lambda parts: {"type": "str"},
}
# Kinds that parameters may be of, such as class weights and priors.
SENSIBLE = {"dict", "interface", "objects", "texts of 4 axes", "numbers of 4 axes"}
FREE = {
    ("best_params_", "dict"),
    ("best_params_", "interface"),
    ("best_params_", "genre tree"),
    ("genre_tree", "genre tree"),
    ("_columns[0]", "slice"),
    ("cv", "object"),
    ("score_func", "function"),
}
