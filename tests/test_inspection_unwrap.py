import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    StandardScaler,
)

from skgenre import AbstainingClassifier, MelSpectrogramTransformer
from skgenre.inspection._unwrap import mel_step, run, unwrap


def test_pipelines_searches_and_abstaining_classifiers_are_taken_apart():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.array(["a", "b"] * 20)
    inner = make_pipeline(MinMaxScaler(), LogisticRegression())
    careful = AbstainingClassifier(inner, target_precision=0)
    model = Pipeline(
        [
            ("inner", Pipeline([("same", "passthrough"), ("scale", StandardScaler())])),
            ("same", "passthrough"),
            ("careful", careful),
        ]
    )
    search = GridSearchCV(model, {"careful__cv": [2]}, cv=2).fit(X, y)
    front, last = unwrap(search)
    assert [type(step) for step in front] == [StandardScaler, MinMaxScaler]
    np.testing.assert_allclose(
        last.predict_proba(run(front, X)), search.best_estimator_.predict_proba(X)
    )


def test_other_estimators_are_left_whole():
    model = LogisticRegression()
    nothing = Pipeline([("same", "passthrough")])
    assert unwrap(nothing) == ([], nothing)
    assert unwrap(model) == ([], model)
    assert unwrap(Pipeline([("only", model), ("same", "passthrough")])) == ([], model)


def test_the_mel_step_of_a_search():
    mel = MelSpectrogramTransformer(n_frames=4, n_mels=8)
    X, y = np.random.default_rng(0).normal(size=(12, 4096)), ["a", "b"] * 6
    flat = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 32)})
    model = make_pipeline(mel, flat, LogisticRegression())
    search = GridSearchCV(model, {"logisticregression__C": [1]}, cv=2).fit(X, y)
    found = mel_step(search)
    assert found.n_mels == 8 and mel_step(mel) is mel
    assert mel_step(LogisticRegression()) is None
