import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.naive_bayes import GaussianNB

import skgenre
from skgenre import CRNNClassifier, SegmentClassifier
from skgenre.classifiers._checks import (
    check_all_genres_count,
    check_classes,
    check_extra_label,
    check_finite,
    check_groups,
    check_integers,
    check_pair,
    check_spectrograms,
    check_target,
    check_two_genres,
    check_validation_data,
    check_weights,
    genre_codes,
    put_label,
)
from skgenre.features._lazy_rows import LazyRows

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


def passed_files(function, *args, **kwargs):
    """Return the modules of this package that a call passes through."""
    folder = str(Path(skgenre.__file__).parent)
    files = set()

    def watch(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(folder):
            files.add(Path(frame.f_code.co_filename).name)

    sys.setprofile(watch)
    try:
        function(*args, **kwargs)
    finally:
        sys.setprofile(None)
    return files


def test_good_spectrograms_pass_through_one_module():
    X, _ = clips()
    files = passed_files(check_spectrograms, CRNNClassifier(), X, reset=True)
    assert files - {"_base.py"} == {"_checks.py"}  # its tags are in _base.py


class Unreadable(LazyRows):
    def _read(self, rows):
        raise AssertionError("read")


class TestFinite:
    def test_the_index_of_the_first_bad_clip(self, monkeypatch):
        X = np.zeros((7, 3, 2))
        X[5, 1, 1] = np.inf
        X[6] = np.inf
        for per_chunk in (1, 2, 4, 100):
            limit = "skgenre.classifiers._checks.CHUNK_BYTES"
            monkeypatch.setattr(limit, per_chunk * 3 * 2 * 8)
            for first in (0, 40):
                with pytest.raises(ValueError, match="infinity") as caught:
                    check_finite(GaussianNB(), X, first=first)
                note = f"The first such clip has index {first + 5}."
                assert caught.value.__notes__ == [note]

    def test_missing_clips_have_the_indices_of_the_user(self):
        X = np.zeros((30, 3, 2))
        X[2:25] = NAN
        message = r"clips 42, 43, 44, .* 51 and 13 more of X\."
        with pytest.raises(ValueError, match=message):
            check_finite(GaussianNB(), X, first=40)

    def test_half_precision_of_large_sums(self):
        check_finite(GaussianNB(), np.full((4, 9, 9), 60000, np.float16))
        with pytest.raises(ValueError, match="infinity"):
            check_finite(GaussianNB(), np.full((4, 9, 9), np.inf, np.float16))

    def test_nothing_is_read_where_finite_values_are_assumed(self):
        rows = Unreadable((4, 3, 2), np.float32)
        with sklearn.config_context(assume_finite=True):
            check_finite(GaussianNB(), rows)
        with pytest.raises(AssertionError, match="read"):
            check_finite(GaussianNB(), rows)


class TestWeights:
    codes = np.array([0, 0, 0, 1, 1, 2])

    @staticmethod
    def estimator(class_weight=None, classes=("folk", "jazz", "rock")):
        network = CRNNClassifier(class_weight=class_weight)
        network.classes_ = np.array(classes)
        return network

    def check(self, class_weight, sample_weight, expected):
        weights = check_weights(
            self.estimator(class_weight), np.zeros(6), self.codes, sample_weight
        )
        assert weights.dtype == np.float32
        assert_allclose(weights, expected, rtol=1e-6)

    def test_of_clips(self):
        self.check(None, None, np.ones(6))
        self.check(None, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5])

    def test_of_genres(self):
        self.check({"jazz": 3, "rock": 0}, None, [1, 1, 1, 3, 3, 0])
        self.check({"jazz": 3}, [0, 1, 2, 3, 4, 5], [0, 1, 2, 9, 12, 5])

    def test_balanced(self):
        """As scikit-learn's: n_clips / (n_genres * n_clips_of_genre)."""
        self.check("balanced", None, [2 / 3, 2 / 3, 2 / 3, 1, 1, 2])
        # Clips of weight 0 are absent.
        self.check("balanced", [1, 0, 0, 1, 1, 0], [3 / 2, 0, 0, 3 / 4, 3 / 4, 0])

    def test_refusals(self):
        for class_weight, sample_weight, message in [
            ({"ska": 1}, None, r"weights of \['ska'\], which are not among"),
            ({"folk": -1}, None, "must be numbers >= 0, got 'folk': -1"),
            ({"folk": np.inf}, None, "must be numbers >= 0, got 'folk': inf"),
            ({"folk": "1"}, None, "must be numbers >= 0, got 'folk': '1'"),
            ({"folk": 0}, [1, 1, 1, 0, 0, 0], "All clips have weight 0"),
            (None, [1, 1, 1, 1, 1, -1], "(?i)negative"),
        ]:
            with pytest.raises(ValueError, match=message):
                self.check(class_weight, sample_weight, None)

    def test_genres_that_are_left(self):
        estimator = self.estimator()
        check_all_genres_count(estimator, self.codes, np.array([1, 0, 0, 0, 0, 1]))
        with pytest.raises(ValueError, match=r"fewer than 2 classes: \['jazz'\]"):
            check_all_genres_count(estimator, self.codes, np.array([0, 0, 0, 1, 1, 0]))


class TestGenres:
    def test_numbers_are_places_in_classes(self):
        estimator = TestWeights.estimator()
        target = check_target(estimator, range(3), ["rock", "folk", "rock"])
        assert genre_codes(estimator, target, "y").tolist() == [2, 0, 2]
        target = check_target(estimator, range(2), np.array(["ska", "folk"]))
        with pytest.raises(ValueError, match=r"y of it has genres .*: \['ska'\]"):
            genre_codes(estimator, target, "y of it")

    def test_what_is_refused(self):
        for y, message in [
            (None, "GaussianNB requires y to be passed"),
            (["a", None, "b"], "y contains NaN or None in row 1"),
            ([0.5, 1.5, 2.5], "Unknown label type"),
            (["a", "b"], "inconsistent numbers"),
        ]:
            with pytest.raises(ValueError, match=message):
                check_target(GaussianNB(), np.zeros(3), y)
        with pytest.raises(ValueError, match=r"at least 2 genres.*: \['a'\]"):
            check_two_genres(GaussianNB(), np.array(["a"]))

    def test_classes_of_partial_fit(self):
        known = np.array([1, 2])
        assert check_classes(GaussianNB(), [3, 1, 3], None).tolist() == [1, 3]
        assert check_classes(GaussianNB(), None, known) is known
        assert check_classes(GaussianNB(), [2, 1], known).tolist() == [1, 2]
        with pytest.raises(ValueError, match="differ from those of the first call"):
            check_classes(GaussianNB(), [1, 3], known)
        with pytest.raises(ValueError, match="must be passed on the first call"):
            check_classes(GaussianNB(), None, None)

    def test_groups(self):
        assert check_groups([1, 2], None) is None
        assert check_groups([1, 2], ["a", "b"]).tolist() == ["a", "b"]
        with pytest.raises(ValueError, match="inconsistent numbers"):
            check_groups([1, 2], ["a"])
        with pytest.raises(ValueError, match="groups contains NaN or None in row 1"):
            check_groups([1, 2], [1.0, NAN])

    @pytest.mark.parametrize(
        ("genres", "label", "kind"),
        [
            (["a", "b"], "a long label", "U"),
            (["a", "b"], None, "O"),
            ([1, 2], -1, "i"),
            ([1, 2], 0.5, "f"),
            ([True, False], 2, "i"),
        ],
    )
    def test_a_label_beside_the_genres(self, genres, label, kind):
        genres = np.array(genres)
        check_extra_label("label", label if label is not None else "x", genres)
        result = put_label(genres, np.array([False, True]), label)
        assert result.dtype.kind == kind
        assert result.tolist() == [genres[0], label]
        assert put_label(genres, np.zeros(2, bool), label) is genres

    def test_labels_that_are_refused(self):
        with pytest.raises(ValueError, match="x='a' is one of the genres"):
            check_extra_label("x", "a", np.array(["a", "b"]))
        with pytest.raises(ValueError, match="x=1 must be a string"):
            check_extra_label("x", 1, np.array(["a", "b"]))
        with pytest.raises(ValueError, match="x='a' must be a number"):
            check_extra_label("x", "a", np.array([1, 2]))


class TestValidationData:
    def test_what_is_returned(self, crnn):
        X, y = clips()
        X_val, codes = check_validation_data(crnn, [X[:5], y[8:13]])
        assert_array_equal(X_val, X[:5])
        assert codes.tolist() == [0, 0, 1, 1, 1]

    @pytest.mark.parametrize(
        ("given", "got"),
        [
            (3, "int: 3"),
            ((), "tuple of length 0"),
            ([1, 2, 3], "list of length 3"),
            (np.array(5), r"ndarray: array\(5\)"),
            ("no data", "str: 'no data'"),
            (np.zeros((50, 2)), r"ndarray: array\(.*\)"),
        ],
        ids=str,
    )
    def test_what_is_no_pair(self, given, got):
        X, y = clips()
        message = rf"validation_data must be a tuple \(X, y\), got {got}\.$"
        with pytest.raises(ValueError, match=message):
            check_pair(given)
        with pytest.raises(ValueError, match=message):
            CRNNClassifier().fit(X, y, validation_data=given)

    def test_what_does_not_fit(self, crnn):
        X, y = clips()
        for X_val, y_val, message in [
            (X[:, :5], y, "X has clips of 5 frames x 4 mel bands"),
            (X, y[1:], "inconsistent numbers"),
            (X, None, "requires y of validation_data to be passed"),
            (X, [NAN] * 20, "y of validation_data contains NaN"),
            (X, ["ska"] * 20, "y of validation_data has genres that are not among"),
        ]:
            with pytest.raises(ValueError, match=message):
                check_validation_data(crnn, (X_val, y_val))


class TestIntegers:
    def test_what_is_returned(self):
        assert check_integers("n", (1, 2), shape=(None,)).tolist() == [1, 2]
        assert check_integers("n", [[1, 2]], shape=(None, 2)).shape == (1, 2)

    @pytest.mark.parametrize(
        "value", [(), (0,), (-1, 2), (1.5,), 3, ((1,), (2,)), ((1, 2), (3,)), "ab"]
    )
    def test_what_is_refused(self, value):
        with pytest.raises(ValueError, match="'n' parameter must be a sequence of n"):
            check_integers("n", value, shape=(None,))

    def test_another_length(self):
        with pytest.raises(ValueError, match="a sequence of n x 2 integers"):
            check_integers("n", [(1, 2, 3)], shape=(None, 2))
