import numpy as np
import pytest

from skgenre.inspection._scores._out_of_fold import predict_other_artists


def predict_anything(training, test):
    return np.array(["folk", "rock"]), np.full((len(test), 2), 0.5)


def test_genres_of_three_tracks_are_predicted_in_three_folds():
    target = np.repeat(["folk", "rock"], 3)
    folds = []

    def fit_predict(training, test):
        folds.append(test)
        return predict_anything(training, test)

    rows, _ = predict_other_artists(fit_predict, target, np.arange(6), seed=0)
    assert rows.tolist() == list(range(6))
    assert [len(test) for test in folds] == [2, 2, 2]


@pytest.mark.parametrize(
    ("target", "artists", "message"),
    [
        (["folk", "rock"], [0, 1], "Each genre needs three tracks or more, by"),
        (["folk", "folk", "rock", "rock"], [0] * 4, "there is only one"),
    ],
    ids=["track", "artist"],
)
def test_one_track_or_one_artist_is_refused(target, artists, message):
    with pytest.raises(ValueError, match=message):
        predict_other_artists(
            predict_anything, np.array(target), np.array(artists), seed=0
        )
