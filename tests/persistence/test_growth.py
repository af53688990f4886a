"""Models whose steps multiply what they are given: small files that ask for much."""

import numpy as np
import pytest
from forge import forged, objects
from savable_models import LABELS, TABLE, fitted
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

import skgenre
from skgenre import ModelFileError, SegmentClassifier


def union(n):
    return FeatureUnion([(f"{i}", "passthrough") for i in range(n)])


def columns(n):
    return ColumnTransformer([(f"{i}", "passthrough", slice(0, 5)) for i in range(n)])


def listed(n):
    return ColumnTransformer([("a", "passthrough", [0, 1, 2, 3, 4] * n)])


GROWING = {
    "unions in a row": lambda: make_pipeline(*(union(10) for _ in range(3))),
    "unions in one another": lambda: FeatureUnion(
        [(f"{i}", make_pipeline(union(15), union(15))) for i in range(2)]
    ),
    "columns": lambda: make_pipeline(columns(20).fit(TABLE), union(20)),
    "a column many times": lambda: make_pipeline(listed(300).fit(TABLE)),
    "windows": lambda: make_pipeline(
        union(4), SegmentClassifier(LogisticRegression(), window=100, hop=1)
    ),
    "windows of windows": lambda: SegmentClassifier(
        SegmentClassifier(LogisticRegression(), window=4, hop=4), window=8, hop=8
    ),
    "windows of columns of windows": lambda: SegmentClassifier(
        make_pipeline(
            StandardScaler(), SegmentClassifier(LogisticRegression(), window=2, hop=2)
        ),
        window=8,
        hop=8,
    ),
}


@pytest.mark.parametrize("name", GROWING)
def test_what_grows_is_refused(name, tmp_path):
    with pytest.raises(TypeError, match=r"repeat values|in another one"):
        skgenre.save(GROWING[name](), tmp_path / "it.model")


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(union(3), union(3), LogisticRegression()),
        make_pipeline(
            ColumnTransformer([(f"{i}", StandardScaler(), [i]) for i in range(5)]),
            union(50),
            LogisticRegression(),
        ),
        Pipeline([("a", FeatureUnion([("b", "drop"), ("c", StandardScaler())]))]),
    ],
    ids=["unions", "columns", "dropped"],
)
def test_what_grows_a_little_is_loaded(model, tmp_path):
    skgenre.save(model.fit(TABLE, LABELS["texts"]), tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    method = "predict" if hasattr(model, "predict") else "transform"
    found, expected = getattr(loaded, method)(TABLE), getattr(model, method)(TABLE)
    np.testing.assert_array_equal(found, expected)


def test_names_of_many_columns(tmp_path):
    """They would be made of a number alone, as soon as a notebook shows the model."""
    path = tmp_path / "it.model"
    skgenre.save(FeatureUnion([(f"{i}", Normalizer()) for i in range(100)]), path)
    with forged(path) as (description, _):
        for node in objects(description, "Normalizer"):
            node["fitted"]["n_features_in_"] = 2**22
    with pytest.raises(ModelFileError, match="repeat 4194304 columns 100 times"):
        skgenre.load(path)


@pytest.mark.parametrize("is_nested", [False, True])
def test_long_names_of_many_columns(is_nested, tmp_path):
    """Each column's name has those of the steps in front."""
    name = "a" * (2_000 if is_nested else 10_000)
    model = FeatureUnion([(name, Normalizer())])
    for _ in range(5 * is_nested):
        model = FeatureUnion([(name, model)])
    path = tmp_path / "it.model"
    skgenre.save(model, path)
    with forged(path) as (description, _):
        node = next(objects(description, "Normalizer"))
        node["fitted"]["n_features_in_"] = 2**15
    with pytest.raises(ModelFileError, match=r"put 1\d000 letters before 32768 col"):
        skgenre.load(path)


def test_samples_are_no_columns(tmp_path):
    """An hour of samples in two audio steps is no more than it is in one."""
    path = tmp_path / "it.model"
    step = fitted("MFCCStandardizer")
    skgenre.save(FeatureUnion([("a", step), ("b", step)]), path)
    with forged(path) as (description, _):
        for node in objects(description, "MFCCStandardizer"):
            node["fitted"]["n_features_in_"] = 3600 * 22050
    skgenre.load(path)
