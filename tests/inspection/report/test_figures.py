import numpy as np

from skgenre.inspection._report._figures import coverage
from skgenre.inspection._report._predictions import Predictions


def test_what_one_artist_says_has_no_interval():
    predictions = Predictions(
        np.array(["folk", "rock"]),
        true=np.array([0, 1, 1]),
        predicted=np.array([0, 0, -1]),
        unknown="unknown",
        groups=np.array(["x", "x", "y"]),
    )
    found = coverage(predictions)
    assert found["precision"] == 0.5
    assert np.isnan(found["precision_interval"]).all()  # only x has predictions
    assert found["coverage_interval"].tolist() == [0, 1]
    predictions.groups = np.array(["x", "x", "x"])
    assert np.isnan(coverage(predictions)["coverage_interval"]).all()
