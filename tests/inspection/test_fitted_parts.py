import copy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    MelSpectrogramTransformer,
    MissingClipClassifier,
    SegmentClassifier,
)
from skgenre.inspection._fitted_parts import find_network, mel_step, split_model


def test_what_clips_go_through_is_split_from_what_they_end_in():
    scaler, svc = StandardScaler(), SVC()
    inner = make_pipeline(scaler, MissingClipClassifier(svc))
    assert split_model(AbstainingClassifier(inner)) == ([scaler], svc)
    segments = SegmentClassifier(svc)  # it gives windows to the other one
    assert split_model(segments) == ([], segments)


def test_the_mel_step_of_a_search():
    mel = MelSpectrogramTransformer(n_frames=4, n_mels=8)
    X, y = np.random.default_rng(0).normal(size=(12, 4096)), ["a", "b"] * 6
    flat = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 32)})
    model = make_pipeline(mel, flat, LogisticRegression())
    search = GridSearchCV(model, {"logisticregression__C": [1]}, cv=2).fit(X, y)
    found = mel_step(search)
    assert found.n_mels == 8 and mel_step(mel) is mel
    assert mel_step(LogisticRegression()) is None


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 8, 2)), np.array(["a", "b"] * 10)


@pytest.fixture
def crnn():
    return CRNNClassifier(filters=(4,), lstm_units=4, epochs=1, random_state=0)


def test_a_network_is_found_where_it_is(crnn, clips):
    crnn.fit(*clips)
    assert find_network(crnn) is crnn
    pipeline = Pipeline(
        [("same", "passthrough"), ("crnn", crnn), ("lr", LogisticRegression())]
    )
    pipeline[-1].fit(crnn.transform(clips[0]), clips[1])
    assert find_network(pipeline) is crnn
    last = copy.deepcopy(crnn)
    outer = make_pipeline(crnn, make_pipeline(FunctionTransformer(), last))
    assert find_network(outer) is last


def test_a_network_is_found_inside_others(crnn, clips):
    segments = SegmentClassifier(crnn, window=4, hop=4)
    careful = AbstainingClassifier(segments, target_precision=0, cv=2)
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), careful),
        {"functiontransformer__kw_args": [None]},
        cv=2,
    )
    search.fit(*clips)
    careful = search.best_estimator_[-1]
    assert find_network(search) is careful.estimator_.estimator_
    assert find_network(careful.estimator_) is careful.estimator_.estimator_


def test_the_error_names_what_came(clips):
    X, y = clips[0].reshape(20, 16), clips[1]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="Got Pipeline of StandardScaler, Logistic"):
        find_network(model)
    segments = SegmentClassifier(LogisticRegression(), window=4).fit(*clips)
    with pytest.raises(ValueError, match="SegmentClassifier of LogisticRegression"):
        find_network(segments)


def test_refuses_what_is_not_fitted(crnn):
    with pytest.raises(NotFittedError):
        find_network(crnn)
    with pytest.raises(NotFittedError):
        find_network(make_pipeline(FunctionTransformer(), crnn))
