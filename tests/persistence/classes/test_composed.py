"""Estimators made of others: what is called by a name, and what a part may be."""

import copy

import numpy as np
import pytest
import sklearn
from forge import forged, objects
from savable_models import TABLE, fitted, unfitted
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.fixes import parse_version

import skgenre
from skgenre import AbstainingClassifier, MissingClipClassifier, ModelFileError

X = np.random.default_rng(0).normal(size=(30, 6))
y = np.repeat(["folk", "jazz", "rock"], 10)
SCALER = {"object": "StandardScaler", "parameters": {}, "fitted": {}}


def refused(path, match):
    with pytest.raises(ModelFileError, match=match):
        skgenre.load(path)


def reloaded(model, tmp_path):
    skgenre.save(model, tmp_path / "it.model")
    return skgenre.load(tmp_path / "it.model")


@pytest.fixture
def forge(tmp_path):
    """Return what changes the node of a class in a saved model."""

    def changed(model, name, change):
        path = tmp_path / "it.model"
        skgenre.save(model, path)
        with forged(path) as (description, parts):
            change(next(objects(description, name)), parts)
        return path

    return changed


NAMES = [
    *("__array_interface__", "__array_struct__", "__array__", "__class__", "__dict__"),
    *("__getattr__", "__reduce__", "a__b"),
]


class TestNames:
    """A name becomes a key of a `Bunch`, which shows its keys as attributes."""

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        ("cls", "parameter"),
        [
            ("Pipeline", "steps"),
            ("FeatureUnion", "transformer_list"),
            ("ColumnTransformer", "transformers"),
            ("VotingClassifier", "estimators"),
            ("StackingClassifier", "estimators"),
        ],
    )
    def test_that_python_or_numpy_would_follow(self, cls, parameter, name, forge):
        def change(node, parts):
            node["parameters"][parameter][0]["tuple"][0] = name

        refused(forge(fitted(cls), cls, change), f"{parameter}: a name of .*has '__'")

    @pytest.mark.parametrize("cls", ["ColumnTransformer"])
    @pytest.mark.parametrize("name", NAMES)
    def test_of_fitted_parts(self, cls, name, forge):
        def change(node, parts):
            node["fitted"]["transformers_"][0]["tuple"][0] = name

        refused(forge(fitted(cls), cls, change), "transformers_: a name of .*has '__'")

    @pytest.mark.parametrize(
        ("cls", "parameter"),
        [
            ("Pipeline", "steps"),
            ("FeatureUnion", "transformer_list"),
            ("ColumnTransformer", "transformers"),
            ("VotingClassifier", "estimators"),
            ("StackingClassifier", "estimators"),
        ],
    )
    @pytest.mark.parametrize("name", [1, None, ["a"], {"tuple": ["a"]}, SCALER])
    def test_that_are_none(self, cls, parameter, name, forge):
        def change(node, parts):
            node["parameters"][parameter][0]["tuple"][0] = name

        refused(forge(fitted(cls), cls, change), f"{cls}: {parameter}: expected a text")

    def test_twice(self, forge):
        def change(node, parts):
            for pair in node["parameters"]["estimators"]:
                pair["tuple"][0] = "a"

        for cls in ("VotingClassifier", "StackingClassifier"):
            refused(forge(fitted(cls), cls, change), "a name twice")

    @pytest.mark.parametrize(
        ("cls", "parameter"),
        [
            ("Pipeline", "steps"),
            ("FeatureUnion", "transformer_list"),
            ("VotingClassifier", "estimators"),
            ("StackingClassifier", "estimators"),
        ],
    )
    def test_of_nothing(self, cls, parameter, forge):
        def change(node, parts):
            node["parameters"][parameter] = []

        refused(forge(fitted(cls), cls, change), f"{parameter}: expected a list of")

    def test_the_same_estimators_are_found_by_their_names(self, tmp_path):
        for cls in ("VotingClassifier", "StackingClassifier"):
            loaded = reloaded(fitted(cls), tmp_path)
            for name, member in zip("ab", loaded.estimators_, strict=True):
                assert loaded.named_estimators_[name] is member


@pytest.mark.parametrize("method", ["tofile", "fit", "__class__", "get_params", 1])
def test_methods_of_a_stack(method, forge):
    def change(node, parts):
        node["fitted"]["stack_method_"][0] = method

    path = forge(fitted("StackingClassifier"), "StackingClassifier", change)
    refused(path, "stack_method_: expected")


@pytest.mark.parametrize(
    "wrapped",
    [
        AbstainingClassifier(LogisticRegression(), unknown=-1, cv=2),
        MissingClipClassifier(LogisticRegression(), missing_label=-1),
    ],
    ids=["unknown", "missing"],
)
def test_labels_that_a_vote_would_count_up_to(wrapped, forge):
    """Hard votes make an array of as many numbers as the largest label says."""
    model = VotingClassifier([("a", wrapped)]).fit(X, y)
    name = type(wrapped).__name__

    def change(node, parts):
        for each in (node["parameters"], node["fitted"]):
            for attribute in {"unknown_", "missing_label"} & each.keys():
                each[attribute] = 10**9

    path = forge(model, name, change)
    with forged(path) as (description, parts):
        for node in objects(description, name):
            change(node, parts)
    refused(path, "expected -1000000 to 1000000, got 1000000000")


def test_names_of_a_stack(forge):
    """Pairs of many classes would have billions."""
    n = 3_000

    def change(node, parts):
        labels = np.arange(n)
        final = forge_dummy(parts, labels)
        for old in objects(node["fitted"]["final_estimator_"]):
            for value in [*old["fitted"].values()]:
                if isinstance(value, dict) and "array" in value:
                    parts.pop(value["array"], None)
        parts.replace(node["fitted"]["classes_"], labels)
        parts.replace(node["fitted"]["_label_encoder"]["fitted"]["classes_"], labels)
        node["fitted"] |= {
            "final_estimator_": final,
            "_n_feature_outs": [n**2 // 3] * 2,
        }

    path = forge(fitted("StackingClassifier"), "StackingClassifier", change)
    refused(path, "6000000 columns are too many")


def forge_dummy(parts, labels):
    """Return the node of a classifier of many classes."""
    return {
        "object": "DummyClassifier",
        "parameters": {},
        "fitted": {
            **{"n_outputs_": 1, "n_classes_": len(labels), "sparse_output_": False},
            **{"classes_": parts.add(labels), "_strategy": "prior"},
            "class_prior_": parts.add(np.ones(len(labels))),
        },
    }


@pytest.mark.parametrize(
    ("cls", "attribute", "change"),
    [
        ("StackingClassifier", "stack_method_", lambda it: it.pop()),
        ("StackingClassifier", "estimators_", lambda it: it.append(SCALER)),
        ("VotingClassifier", "estimators_", lambda it: it.pop()),
        ("VotingClassifier", "estimators_", lambda it: it.append(SCALER)),
        ("BaggingClassifier", "estimators_", lambda it: it.pop()),
        ("BaggingClassifier", "estimators_", lambda it: it.clear()),
        ("BaggingClassifier", "estimators_features_", lambda it: it.pop()),
        ("CalibratedClassifierCV", "calibrated_classifiers_", lambda it: it.append(1)),
    ],
)
def test_other_numbers_of_parts(cls, attribute, change, forge):
    path = forge(fitted(cls), cls, lambda node, _: change(node["fitted"][attribute]))
    refused(path, f"{cls}: ")


@pytest.mark.parametrize(
    "cls",
    [
        *("AdaBoostClassifier", "BaggingClassifier", "CalibratedClassifierCV"),
        *("OneVsRestClassifier", "StackingClassifier", "VotingClassifier"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda each: each, FrozenEstimator, make_pipeline])
def test_members_that_predict_several_genres(cls, wrap, tmp_path):
    """The ensemble would predict as many rows as it has classes."""
    model = copy.deepcopy(fitted(cls))
    several = np.eye(2 if cls == "OneVsRestClassifier" else 3, dtype=int).repeat(9, 0)
    inner = unfitted("OneVsRestClassifier").fit(TABLE[: len(several)], several)
    member = wrap(inner)
    if cls == "CalibratedClassifierCV":
        model.calibrated_classifiers_[0].estimator = member
    else:
        model.estimators_[0] = member
    with pytest.raises(TypeError, match=f"{cls}.*predicts several genres a clip"):
        skgenre.save(model, tmp_path / "it.model")


@pytest.mark.parametrize(
    ("cls", "attribute"),
    [
        ("BaggingClassifier", "estimators_"),
        ("VotingClassifier", "estimators_"),
        ("StackingClassifier", "estimators_"),
        ("RandomForestClassifier", "estimators_"),
        ("CalibratedClassifierCV", "calibrated_classifiers_"),
        ("ColumnTransformer", "transformers_"),
    ],
)
@pytest.mark.parametrize("other", [None, "drop", 1, {"function": "chi2"}])
def test_parts_that_are_no_estimators(cls, attribute, other, forge):
    def change(node, parts):
        node["fitted"][attribute][0] = other

    refused(forge(fitted(cls), cls, change), f"{cls}: {attribute}: expected")


@pytest.mark.parametrize("columns", [[0, 6], [10**6, 0]])
def test_columns_of_a_bag(columns, forge):
    def change(node, parts):
        parts.replace(node["fitted"]["estimators_features_"][0], np.array(columns))

    path = forge(fitted("BaggingClassifier"), "BaggingClassifier", change)
    refused(path, "takes other features")


@pytest.mark.parametrize("verbose", ["{feature_name:>999999999}", {"function": "chi2"}])
@pytest.mark.parametrize("cls", ["ColumnTransformer", "FeatureUnion"])
def test_formats_of_names(cls, verbose, forge):
    """A text would be used as a format."""

    def change(node, parts):
        node["parameters"]["verbose_feature_names_out"] = verbose

    refused(forge(fitted(cls), cls, change), "verbose_feature_names_out")


@pytest.mark.parametrize(
    "columns",
    [
        {"slice": ["a", None, None]},
        {"slice": [0, 1.5, None]},
        {"slice": [SCALER, None, None]},
        {"function": "chi2"},
        {"dict": [["__array_interface__", 1]]},
        [[0]],
        [None],
    ],
    ids=str,
)
def test_columns_of_other_kinds(columns, forge):
    def change(node, parts):
        node["parameters"]["transformers"][0]["tuple"][2] = columns

    path = forge(fitted("ColumnTransformer"), "ColumnTransformer", change)
    refused(path, "ColumnTransformer: transformers: |function|slice")


@pytest.mark.parametrize(
    "columns",
    [
        [0, 2],
        slice(0, 2),
        slice(np.int64(0), 2),
        np.array([1, 3]),
        np.arange(6) < 2,
        [True, False, True, False, False, True],
    ],
    ids=str,
)
def test_columns_come_back(columns, tmp_path):
    parts = [("a", StandardScaler(), columns), ("b", MinMaxScaler(), [3, 5])]
    model = ColumnTransformer(parts, transformer_weights={"a": 0.5, "b": 2})
    model = make_pipeline(model, SVC()).fit(X, y)
    loaded = reloaded(model, tmp_path)
    np.testing.assert_array_equal(
        loaded.decision_function(X), model.decision_function(X)
    )


@pytest.mark.parametrize("remainder", ["drop", "passthrough", MinMaxScaler()], ids=str)
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_columns_by_name(output, remainder, tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcdef"))
    model = ColumnTransformer(
        [("x", StandardScaler(), ["a", "d"])], remainder=remainder
    )
    model.set_output(transform=output).fit(table)
    found, expected = reloaded(model, tmp_path).transform(table), model.transform(table)
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)
    if output == "pandas":
        assert list(found.columns) == list(expected.columns)


@pytest.mark.parametrize("columns", [lambda table: [0], ["a"], "a"], ids=range(3))
def test_columns_that_are_chosen_by_a_function_are_not_saved(columns, tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcdef"))
    model = ColumnTransformer([("x", StandardScaler(), columns)])
    if callable(columns):
        with pytest.raises(TypeError, match="can't be saved: it holds .*function"):
            skgenre.save(model.fit(table), tmp_path / "it.model")
    elif columns != "a":
        assert len(reloaded(model.fit(table), tmp_path).transform(table)) == 30


@pytest.mark.parametrize(
    "parameter", ["func", "inverse_func", "kw_args", "inv_kw_args", "feature_names_out"]
)
@pytest.mark.parametrize("value", [{"function": "chi2"}, {"dict": []}, "builtins.str"])
def test_a_transformer_of_functions_has_none(parameter, value, forge):
    def change(node, parts):
        node["parameters"][parameter] = value

    model = FunctionTransformer().fit(X)
    refused(forge(model, None, change), f"FunctionTransformer: {parameter}")


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("ensemble", [True, False])
def test_calibration(ensemble, method, tmp_path):
    is_old = parse_version(sklearn.__version__) < parse_version("1.8")
    if method == "temperature" and is_old:
        pytest.skip("temperature scaling came with scikit-learn 1.8")
    for labels in (y, y == "folk"):
        model = CalibratedClassifierCV(
            LogisticRegression(), method=method, cv=2, ensemble=ensemble
        )
        loaded = reloaded(model.fit(X, labels), tmp_path)
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    "change",
    [
        lambda node, parts: node["parameters"]["calibrators"].pop(),
        lambda node, parts: node["parameters"]["calibrators"].append(SCALER),
        lambda node, parts: node["parameters"].update(calibrators=[]),
        lambda node, parts: node["parameters"].update(method="x"),
        lambda node, parts: node["parameters"].update(classes=[1, 2, 3]),
        lambda node, parts: node["parameters"].update(estimator="x"),
        lambda node, parts: node["parameters"].update(
            classes=parts.add(np.array(["folk", "jazz", "soul"]))
        ),
    ],
    ids=range(7),
)
def test_calibrated_classifiers_that_are_forged(change, forge):
    def changed(node, parts):
        node["parameters"]["classes"] = parts.add(np.array(["folk", "jazz", "rock"]))
        del parts[old]
        change(node, parts)

    model = CalibratedClassifierCV(LogisticRegression(), cv=2).fit(X, y)
    path = forge(model, "_CalibratedClassifier", lambda *_: None)
    with forged(path) as (description, _):
        node = next(objects(description, "_CalibratedClassifier"))
        old = node["parameters"]["classes"]["array"]
    refused(forge(model, "_CalibratedClassifier", changed), "alibrated")


@pytest.mark.parametrize(
    "thresholds", [[], [1.0, 0.5], [np.nan, 1], [[0.0, 1]], ["a", "b"]], ids=str
)
def test_thresholds_of_isotonic_regression(thresholds, forge):
    def change(node, parts):
        for name in ("X_thresholds_", "y_thresholds_"):
            parts.replace(node["fitted"][name], np.array(thresholds))

    refused(
        forge(fitted("IsotonicRegression"), "IsotonicRegression", change),
        "IsotonicRegression: ",
    )


class TestSearches:
    GRID = {"C": [0.1, 1]}

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [
            ("scoring", {"function": "chi2"}),
            ("scoring", ["accuracy"]),
            ("scoring", {"dict": [["a", "accuracy"]]}),
            ("refit", "accuracy"),
            ("refit", {"function": "chi2"}),
            ("error_score", {"function": "chi2"}),
        ],
    )
    def test_parameters_of_other_kinds(self, parameter, value, forge):
        def change(node, parts):
            node["parameters"][parameter] = value

        for cls in ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV"):
            refused(forge(fitted(cls), cls, change), f"{cls}: {parameter}")

    def test_a_scoring_that_there_is_not(self, forge):
        def change(node, parts):
            node["parameters"]["scoring"] = "os.system"

        model = fitted("GridSearchCV")
        refused(forge(model, "GridSearchCV", change), "scoring")

    def test_scores_are_as_before(self, tmp_path):
        model = GridSearchCV(LogisticRegression(), self.GRID, scoring="f1_macro", cv=3)
        model.fit(X, y)
        loaded = reloaded(model, tmp_path)
        assert loaded.score(X, y) == model.score(X, y)
        assert loaded.best_params_ == model.best_params_
        assert loaded.best_score_ == model.best_score_

    def test_numbers_of_numpy_keep_their_types(self, tmp_path):
        grid = [{"C": [np.float32(0.5)]}, {"C": [1.0], "tol": [0.1]}]
        model = GridSearchCV(LogisticRegression(), grid, cv=KFold(2, shuffle=True))
        loaded = reloaded(model.fit(X, y), tmp_path)
        assert type(loaded.param_grid[0]["C"][0]) is np.float32
        assert type(loaded.cv) is KFold and loaded.cv.shuffle is True

    @pytest.mark.parametrize("scoring", [lambda *_: 1, ["accuracy", "f1_macro"]])
    def test_scorers_of_others_are_not_saved(self, scoring, tmp_path):
        refit = "accuracy" if isinstance(scoring, list) else True
        model = GridSearchCV(
            LogisticRegression(), self.GRID, scoring=scoring, refit=refit, cv=2
        )
        with pytest.raises(TypeError, match="save its best_estimator_"):
            skgenre.save(model.fit(X, y), tmp_path / "it.model")
        skgenre.save(model.best_estimator_, tmp_path / "it.model")


@pytest.mark.parametrize("weights", [[1, 2], (1, 2), np.array([1.0, 2])], ids=type)
def test_weights_of_a_vote(weights, tmp_path):
    members = [("a", LogisticRegression()), ("b", SVC())]
    model = VotingClassifier(members, weights=weights).fit(X, y)
    loaded = reloaded(model, tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_members_that_are_dropped(tmp_path):
    members = [("a", LogisticRegression()), ("b", "drop"), ("c", SVC())]
    for model in (VotingClassifier(members), StackingClassifier(members, cv=2)):
        loaded = reloaded(model.fit(X, y), tmp_path)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        assert loaded.named_estimators_.keys() == model.named_estimators_.keys()


def test_a_bag_of_other_estimators(tmp_path):
    for inner in (SVC(), make_pipeline(StandardScaler(), LogisticRegression())):
        model = BaggingClassifier(inner, n_estimators=2, max_features=3, random_state=0)
        loaded = reloaded(model.fit(X, y), tmp_path)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_union_of_scaled_parts(tmp_path):
    parts = [("a", make_pipeline(StandardScaler())), ("b", MinMaxScaler())]
    union = FeatureUnion(parts, transformer_weights={"a": 0.5, "b": 2})
    model = make_pipeline(union, SVC()).fit(X, y)
    np.testing.assert_array_equal(
        reloaded(model, tmp_path).decision_function(X), model.decision_function(X)
    )


def test_steps_that_do_nothing(tmp_path):
    steps = [("a", "passthrough"), ("b", None), ("c", SVC())]
    model = Pipeline(steps).fit(X, y)
    loaded = reloaded(model, tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert [step for _, step in loaded.steps[:2]] == ["passthrough", None]
