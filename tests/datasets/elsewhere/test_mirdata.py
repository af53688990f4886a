"""Against mirdata itself, with a miniature of its GTZAN, and without any network."""

import json
from types import SimpleNamespace

import mirdata
import pytest

from skgenre.datasets import from_mirdata, make_genre_clips


@pytest.fixture
def dataset(tmp_path):
    """mirdata's GTZAN with four tracks, one of which has no audio in the index."""
    ids = ["blues.00000", "hiphop.00001", "rock.00002", "rock.00003"]
    clips = make_genre_clips(4, duration=1, random_state=0, folder=tmp_path / "clips")
    tracks = {}
    for track_id, path in zip(ids, clips.paths, strict=True):
        name = None if track_id == "rock.00003" else str(path)
        tracks[track_id] = {
            "audio": [name, ""],
            "beats": [None, ""],
            "tempo": [None, ""],
        }
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"version": "mini", "tracks": tracks}))
    dataset = mirdata.initialize("gtzan_genre", data_home=str(tmp_path), version="mini")
    dataset.index_path = index
    return dataset


def test_tracks_of_mirdata(dataset):
    tracks = from_mirdata(dataset)
    assert tracks.track_ids.tolist() == ["blues.00000", "hiphop.00001", "rock.00002"]
    assert tracks.target.tolist() == ["blues", "hip-hop", "rock"]
    assert all(path.endswith(".flac") for path in tracks.paths)
    assert tracks.groups is None and "mirdata's gtzan_genre" in tracks.DESCR
    X, y = from_mirdata(dataset, return_X_y=True, as_frame=True)
    assert X.tolist() == tracks.paths.tolist() and y.name == "genre"


def test_genres_and_groups_by_functions(dataset):
    tracks = from_mirdata(
        dataset,
        genre=lambda track: [track.genre, "music"],
        group=lambda track: track.track_id[:4],
    )
    assert tracks.target[1] == ("hip-hop", "music")
    assert tracks.groups.tolist() == ["blue", "hiph", "rock"]


def test_refusals(dataset, tmp_path):
    with pytest.raises(ValueError, match="group='artist' is no attribute .* genre, "):
        from_mirdata(dataset, group="artist")
    sheets = SimpleNamespace(load_tracks=lambda: {"1": SimpleNamespace(genre="rock")})
    with pytest.raises(ValueError, match="has no clips with audio"):
        from_mirdata(sheets)  # some data sets have none
    with pytest.raises(ValueError, match="'dataset' parameter"):
        from_mirdata(str(tmp_path))
    for path in (tmp_path / "clips").rglob("*.flac"):
        path.unlink()
    with pytest.raises(
        FileNotFoundError, match=r"3 of 3 files .* dataset.download\(\)"
    ):
        from_mirdata(dataset)
