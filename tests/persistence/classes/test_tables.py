"""Tables that NumPy computes with: their sizes fit one another."""

import numpy as np
import pytest
from forge import forged
from savable_models import TABLE, fitted
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_selection import SelectKBest, chi2, mutual_info_classif
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import (
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import skgenre
from skgenre import ModelFileError

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
X = abs(TABLE)
y = np.array(["folk", "jazz", "rock"])[np.arange(len(X)) % 3]
METHODS = ("predict", "predict_proba", "decision_function", "transform")
NUMBERS = {"random_state": 0}
STACK = [("a", LogisticRegression()), ("b", DecisionTreeClassifier())]
WAYS = [
    BaggingClassifier(bootstrap_features=True, max_samples=0.5, **NUMBERS),
    BaggingClassifier(n_estimators=20, oob_score=True, **NUMBERS),
    BaggingClassifier(n_estimators=2, warm_start=True, **NUMBERS),
    DummyClassifier(strategy="constant", constant="jazz"),
    DummyClassifier(strategy="most_frequent"),
    DummyClassifier(strategy="uniform", **NUMBERS),
    ExtraTreesClassifier(2, class_weight="balanced", max_features=None, **NUMBERS),
    GaussianNB(priors=[0.2, 0.3, 0.5]),
    HistGradientBoostingClassifier(max_iter=3, early_stopping=True, **NUMBERS),
    HistGradientBoostingClassifier(max_iter=2, warm_start=True, **NUMBERS),
    LinearDiscriminantAnalysis(n_components=1),
    LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto"),
    LinearDiscriminantAnalysis(store_covariance=True, priors=[0.2, 0.3, 0.5]),
    LinearSVC(fit_intercept=False, dual=True, loss="hinge", **NUMBERS),
    LogisticRegression(C=1e30, class_weight={"folk": 2, "jazz": 1, "rock": 1e-9}),
    LogisticRegression(solver="saga", l1_ratio=0.5, max_iter=5),
    LogisticRegression(solver="newton-cg", fit_intercept=False),
    MLPClassifier((3,), solver="lbfgs", activation="tanh", max_iter=5, **NUMBERS),
    MLPClassifier((3,), solver="sgd", max_iter=5, **NUMBERS),
    MinMaxScaler((-1, 2), clip=True),
    PCA(0.9),
    PCA(2, whiten=True, svd_solver="full"),
    PowerTransformer(standardize=False),
    QuantileTransformer(n_quantiles=7, output_distribution="normal"),
    RandomForestClassifier(2, bootstrap=False, warm_start=True, **NUMBERS),
    RobustScaler(with_centering=False, quantile_range=(10.0, 90.0), unit_variance=True),
    RobustScaler(with_scaling=False),
    SGDClassifier(average=True, loss="log_loss", **NUMBERS),
    SGDClassifier(early_stopping=True, loss="modified_huber", **NUMBERS),
    SVC(kernel="poly", degree=2, class_weight="balanced", gamma=0.1),
    SVC(kernel="linear", decision_function_shape="ovo"),
    SVC(probability=True, **NUMBERS),
    SelectKBest(chi2, k="all"),
    SelectKBest(mutual_info_classif, k=2),
    StackingClassifier(STACK, passthrough=True, stack_method="predict", cv=2),
    StackingClassifier([(n, e.fit(X, y)) for n, e in STACK], cv="prefit"),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
]


TWO_WAYS = [
    HistGradientBoostingClassifier(max_iter=2, monotonic_cst=[1, 0, -1, 0, 0]),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1),
    LogisticRegression(solver="liblinear"),
    MLPClassifier((3, 2), early_stopping=True, max_iter=5, **NUMBERS),
    RandomForestClassifier(2, monotonic_cst=[1, 0, 0, 0, 0], **NUMBERS),
    SVC(probability=True, **NUMBERS),
]


def same(model, loaded, X):
    for name in METHODS:
        if name == "transform" and getattr(model, "solver", None) == "lsqr":
            continue  # which has none
        if hasattr(model, name):
            found, expected = (getattr(each, name)(X) for each in (loaded, model))
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("model", WAYS, ids=lambda model: type(model).__name__)
def test_estimators_that_are_fitted_in_other_ways(model, tmp_path):
    skgenre.save(model.fit(X, y), tmp_path / "it.model")
    same(model, skgenre.load(tmp_path / "it.model"), X)


@pytest.mark.parametrize("model", TWO_WAYS, ids=str)
def test_estimators_of_two_classes(model, tmp_path):
    skgenre.save(model.fit(X, y == "folk"), tmp_path / "it.model")
    same(model, skgenre.load(tmp_path / "it.model"), X)


def test_an_array_with_gaps_comes_back_without_them(tmp_path):
    """BLAS may round otherwise then, as after pickling."""
    model = PCA(2, whiten=True, svd_solver="randomized", **NUMBERS).fit(X)
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.components_, model.components_)
    np.testing.assert_allclose(loaded.transform(X), model.transform(X), atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_features_of_other_types(dtype, tmp_path):
    table = (10 * X).astype(dtype)
    for model in (StandardScaler(), SVC(), LogisticRegression(), GaussianNB()):
        skgenre.save(model.fit(table, y), tmp_path / "it.model")
        same(model, skgenre.load(tmp_path / "it.model"), table)


def test_missing_values(tmp_path):
    table = np.where(X < 0.1, np.nan, X)
    for model in (
        *(StandardScaler(), MinMaxScaler(), RobustScaler(), DecisionTreeClassifier()),
        *(HistGradientBoostingClassifier(max_iter=2), RandomForestClassifier(2)),
    ):
        skgenre.save(model.fit(table, y), tmp_path / "it.model")
        same(model, skgenre.load(tmp_path / "it.model"), table)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("StandardScaler", "mean_"),
        ("StandardScaler", "scale_"),
        ("MinMaxScaler", "min_"),
        ("MaxAbsScaler", "scale_"),
        ("RobustScaler", "center_"),
        ("PowerTransformer", "lambdas_"),
        ("QuantileTransformer", "references_"),
        ("QuantileTransformer", "quantiles_"),
        ("PCA", "components_"),
        ("PCA", "explained_variance_"),
        ("SelectKBest", "scores_"),
        ("VarianceThreshold", "variances_"),
        ("LogisticRegression", "coef_"),
        ("LogisticRegression", "intercept_"),
        ("RidgeClassifier", "coef_"),
        ("SGDClassifier", "coef_"),
        ("LinearSVC", "coef_"),
        ("LinearDiscriminantAnalysis", "means_"),
        ("LinearDiscriminantAnalysis", "scalings_"),
        ("GaussianNB", "theta_"),
        ("GaussianNB", "class_prior_"),
        ("DummyClassifier", "class_prior_"),
    ],
)
@pytest.mark.parametrize("n", [0, 1, 1000])
def test_tables_of_other_sizes(name, attribute, n, tmp_path):
    path = tmp_path / "it.model"
    skgenre.save(fitted(name), path)
    with forged(path) as (description, parts):
        old = parts.of(description["fitted"][attribute])
        shape = (n, *old.shape[1:])
        parts.replace(description["fitted"][attribute], np.ones(shape, old.dtype))
    with pytest.raises(ModelFileError, match=f"{name}: "):
        skgenre.load(path)


@pytest.mark.parametrize("attribute", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("change", ["cut", "copy", "lose"])
def test_layers_of_a_perceptron(change, layer, attribute, tmp_path):
    path = tmp_path / "it.model"
    skgenre.save(fitted("MLPClassifier"), path)
    with forged(path) as (description, parts):
        layers = description["fitted"][attribute]
        if change == "cut":
            parts.replace(layers[layer], parts.of(layers[layer])[1:])
        elif change == "copy":
            layers.append(parts.add(parts.of(layers[layer])))
        else:
            del parts[layers.pop(layer)["array"]]
    with pytest.raises(ModelFileError, match="a network"):
        skgenre.load(path)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("n_layers_", 10**9), ("n_outputs_", 0), ("out_activation_", "exec")],
)
def test_what_a_perceptron_says_of_its_layers(attribute, value, tmp_path):
    path = tmp_path / "it.model"
    skgenre.save(fitted("MLPClassifier"), path)
    with forged(path) as (description, _):
        description["fitted"][attribute] = value
    with pytest.raises(ModelFileError, match="MLPClassifier: "):
        skgenre.load(path)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("classes_", np.array(["a", "b", "c"])), ("sparse_input_", True)],
    ids=["classes", "sparse"],
)
def test_labels_of_a_perceptron(attribute, value, tmp_path):
    """They are those of the part that turns outputs into labels."""
    path = tmp_path / "it.model"
    skgenre.save(fitted("MLPClassifier"), path)
    with forged(path) as (description, parts):
        of_part = description["fitted"]["_label_binarizer"]["fitted"]
        if attribute == "classes_":
            parts.replace(of_part["classes_"], value)
        else:
            of_part[attribute] = value
    with pytest.raises(ModelFileError, match="MLPClassifier: a label binarizer"):
        skgenre.load(path)


@pytest.mark.parametrize("name", ["LogisticRegression", "SGDClassifier", "LinearSVC"])
def test_one_row_for_several_classes(name, tmp_path):
    """Of a single clip, it would predict as many genres as there are classes."""
    path = tmp_path / "it.model"
    skgenre.save(fitted(name), path)
    with forged(path) as (description, parts):
        node = description["fitted"]["coef_"]
        parts.replace(node, parts.of(node)[0])
    with pytest.raises(ModelFileError, match="several classes share one row"):
        skgenre.load(path)


@pytest.mark.parametrize("constant", ["another", 7, 10**9, None])
def test_a_constant_that_is_no_class(constant, tmp_path):
    path = tmp_path / "it.model"
    y = np.repeat(["a", "b"], 24)
    skgenre.save(DummyClassifier(strategy="constant", constant="a").fit(X, y), path)
    with forged(path) as (description, _):
        description["parameters"]["constant"] = constant
    with pytest.raises(ModelFileError, match="DummyClassifier: .*constant"):
        skgenre.load(path)


@pytest.mark.parametrize(
    ("name", "lost", "parameters"),
    [
        ("RidgeClassifier", "classes_", {}),
        ("SGDClassifier", None, {"eta0": 0.0}),
        ("LogisticRegression", None, {"multi_class": "deprecated"}),
        ("ColumnTransformer", None, {"force_int_remainder_cols": True}),
        ("MLPClassifier", "t_", {}),
    ],
)
def test_files_of_older_versions_of_scikit_learn(name, lost, parameters, tmp_path):
    path = tmp_path / "it.model"
    model = fitted(name)
    skgenre.save(model, path)
    with forged(path) as (description, parts):
        node = description["fitted"].pop(lost, None)
        if isinstance(node, dict):
            del parts[node["array"]]
        description["parameters"].update(parameters)
    same(model, skgenre.load(path), X)
    skgenre.save(skgenre.load(path), path)
    same(model, skgenre.load(path), X)
