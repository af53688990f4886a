import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.naive_bayes import GaussianNB

from skgenre import CRNNClassifier, SegmentClassifier
from skgenre.classifiers._missing_rows import listed, missing_clips

NAN = np.nan
TABLE = np.array([[1.0, 2.0], [NAN, NAN], [NAN, 1.0], [1.0, NAN]])
SPECTROGRAMS = np.stack([np.full((3, 2), value) for value in (1.0, NAN, 5.0, 2.0)])
SPECTROGRAMS[2, 0] = NAN
RAGGED = [np.ones((3, 2)), np.full((1, 2), NAN), np.ones((4, 2)), np.ones((1, 2))]


@pytest.mark.parametrize(
    "X",
    [
        TABLE,
        TABLE.astype(np.float16),
        TABLE.astype(object),
        TABLE.tolist(),
        np.asfortranarray(TABLE),
        pd.DataFrame(TABLE),
        pl.DataFrame(TABLE),
        SPECTROGRAMS,
        RAGGED,
        np.array([*RAGGED, None], dtype=object)[:-1],
        [clip.tolist() for clip in RAGGED],
    ],
    ids=lambda X: type(X).__name__,
)
def test_which_are_missing(X):
    assert missing_clips(X).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "X", [np.arange(4).reshape(2, 2), ["a", "b"], [[{}], [1]], np.empty((2, 0))]
)
def test_what_is_never_missing(X):
    assert missing_clips(X).tolist() == [False, False]


def test_what_has_no_clips():
    assert not missing_clips(5).any()
    assert not missing_clips(csr_array(TABLE)).any()


def test_long_lists_are_cut():
    assert listed(np.arange(3)) == "0, 1, 2"
    assert listed(np.arange(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"


def clips(n_frames=8):
    rng = np.random.default_rng(0)
    y = np.repeat(["folk", "techno"], 10)
    return rng.normal(-40, 10, size=(20, n_frames, 4)).astype(np.float32), y


@pytest.fixture(scope="module")
def crnn():
    small = {"filters": (4,), "lstm_units": 4, "embedding_units": 4, "epochs": 1}
    return CRNNClassifier(**small, random_state=0).fit(*clips())


class TestRefusals:
    """Our own classifiers name the clips, and say what to do."""

    message = (
        r"Clips of {} are NaN throughout.* {} can't take them: 3, 7\..*"
        r"MissingClipClassifier\({}\(\.\.\.\)\).*check_audio"
    )

    def check(self, name, kind, function, *args, **kwargs):
        message = self.message.format(name, kind, kind)
        with pytest.raises(ValueError, match=message):
            function(*args, **kwargs)

    def test_networks(self, crnn):
        X, y = clips()
        bad = X.copy()
        bad[[3, 7]] = NAN
        self.check("X", "CRNNClassifier", CRNNClassifier().fit, bad, y)
        for method in (crnn.predict, crnn.predict_proba, crnn.transform):
            self.check("X", "CRNNClassifier", method, bad)
        self.check("X", "CRNNClassifier", crnn.partial_fit, bad, y)
        self.check(
            "X of validation_data",
            "CRNNClassifier",
            CRNNClassifier().fit,
            *(X, y),
            validation_data=(bad, y),
        )

    @pytest.mark.parametrize("kind", [list, np.array])
    def test_segments(self, kind):
        X, y = clips()
        segments = SegmentClassifier(GaussianNB(), window=4, hop=4).fit(X, y)
        bad = X.copy()
        bad[[3, 7]] = NAN
        for method, *rest in ((segments.predict,), (segments.fit, y)):
            self.check("X", "SegmentClassifier", method, kind(bad), *rest)

    def test_clips_that_are_nan_in_part(self, crnn):
        X, y = clips()
        X[3, 0, 0] = NAN
        with pytest.raises(ValueError, match="Input X contains NaN"):
            crnn.predict(X)
