import pandas as pd
import pytest
from sklearn.utils import Bunch

from skgenre import MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder, make_genre_clips


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    make_genre_clips(4, duration=1, random_state=0, folder=folder)
    return folder


def test_a_pair_is_what_the_bunch_holds(music):
    tracks = load_audio_folder(music)
    X, y = load_audio_folder(music, return_X_y=True)
    assert isinstance(tracks, Bunch) and "frame" not in tracks
    assert X.tolist() == tracks.paths.tolist() and y.tolist() == tracks.target.tolist()


def test_series_are_columns_of_a_frame_and_go_into_a_pipeline(music):
    plain = load_audio_folder(music)
    tracks = load_audio_folder(music, as_frame=True)
    assert tracks.frame.columns.tolist() == ["path", "genre", "group"]
    members = (tracks.paths, tracks.target, tracks.groups)
    expected = (plain.paths, plain.target, plain.groups)
    for member, name, values in zip(members, tracks.frame, expected, strict=True):
        pd.testing.assert_series_equal(member, tracks.frame[name])
        assert member.tolist() == values.tolist()
    X, y = load_audio_folder(music, return_X_y=True, as_frame=True)
    pd.testing.assert_series_equal(X, tracks.paths)
    pd.testing.assert_series_equal(y, tracks.target)
    assert MelSpectrogramTransformer(n_frames=8).fit_transform(X).shape == (4, 8, 128)


def test_form_is_a_flag(music):
    with pytest.raises(ValueError, match="'as_frame' parameter"):
        load_audio_folder(music, as_frame="pandas")
