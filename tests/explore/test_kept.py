"""Arrays that are kept of a collection and a model."""

import numpy as np

from skgenre.explore._kept import Kept

ARRAY = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_an_array_is_found_under_its_state_name_and_model_only(tmp_path):
    file = tmp_path / "song.flac"
    file.write_bytes(b"music")
    kept = Kept(tmp_path / "cache", {"C": 1}, [str(file)])
    state = kept.state()
    kept.put(state, "proba", ARRAY)
    again = Kept(tmp_path / "cache", {"C": 1}, [str(file)])
    assert again.state() == state
    np.testing.assert_array_equal(again.get(state, "proba"), ARRAY)
    assert again.get(state, "tags") is None
    assert Kept(tmp_path / "cache", {"C": 2}, []).get(state, "proba") is None
    file.write_bytes(b"other music")
    assert kept.state() != state
    file.unlink()
    assert len({kept.state(), state, Kept(None, None, []).state()}) == 3


def test_an_array_of_another_decoder_is_not_taken(tmp_path, monkeypatch):
    Kept(tmp_path, "model", []).put("state", "proba", ARRAY)
    monkeypatch.setattr("av.library_versions", {"libavcodec": (99, 0, 0)})
    assert Kept(tmp_path, "model", []).get("state", "proba") is None


def test_where_nothing_can_be_kept_nothing_fails(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for folder, model in [
        *((None, 1), (tmp_path / "file", 1)),
        (tmp_path, lambda: None),  # which can't be hashed
    ]:
        kept = Kept(folder, model, [])
        kept.put("state", "proba", ARRAY)
        assert kept.get("state", "proba") is None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
