import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skgenre import CRNNClassifier, SegmentClassifier

NAN = np.nan


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
        r"{} can't take clips that are NaN throughout.*: clips 3, 7 of {}\..*"
        r"MissingClipClassifier\({}\(\.\.\.\)\).*check_audio"
    )

    def check(self, name, kind, function, *args, **kwargs):
        message = self.message.format(kind, name, kind)
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
