"""Against Hugging Face's own `datasets`, without any network."""

import io
from pathlib import Path

import datasets
import numpy as np
import pytest
import soundfile

from skgenre import MelSpectrogramTransformer
from skgenre.datasets import from_hugging_face, make_genre_clips

GENRES = ["ambient", "rock", "techno", "waltz"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return make_genre_clips(4, duration=1, random_state=0, folder=folder)


def rows(sounds, kind=None):
    """Return a data set, whose sounds are cast, as encoding them would need PyTorch."""
    several = datasets.Sequence(datasets.ClassLabel(names=GENRES))
    dataset = datasets.Dataset.from_dict(
        {
            "audio": sounds,
            "genre": [3, 1, -1, 0],
            "tags": [[0, 1], [], [2], [1]],
            "artist": ["Ann", None, "Bob", "Ann"],
        }
    )
    dataset = dataset.cast_column("genre", datasets.ClassLabel(names=GENRES))
    dataset = dataset.cast_column("tags", several)
    return dataset if kind is None else dataset.cast_column("audio", kind)


DECODED, UNDECODED = datasets.Audio(), datasets.Audio(decode=False)


@pytest.mark.parametrize(
    ("make", "kind", "type_"),
    [
        (str, None, str),
        (str, DECODED, str),
        (str, UNDECODED, str),
        (lambda path: {"bytes": path.read_bytes(), "path": "a"}, DECODED, io.BytesIO),
        (lambda path: {"bytes": path.read_bytes(), "path": "a"}, UNDECODED, io.BytesIO),
        (lambda path: as_array(path), None, dict),
    ],
    ids="paths files undecoded-files memory undecoded-memory arrays".split(),
)
def test_sounds_give_what_their_files_give(clips, make, kind, type_):
    dataset = rows([make(Path(path)) for path in clips.paths], kind)
    X, y = from_hugging_face(dataset, return_X_y=True)
    assert {type(clip) for clip in X} == {type_}
    mel = MelSpectrogramTransformer(n_frames=8)
    np.testing.assert_array_equal(mel.transform(X), mel.transform(clips.paths))
    assert y.tolist() == ["waltz", "rock", None, "ambient"]


def as_array(path):
    samples, sample_rate = soundfile.read(path, dtype="float32")
    return {"array": samples, "sampling_rate": sample_rate}


@pytest.mark.parametrize("form", [None, "numpy", "pandas"])
def test_columns(clips, form):
    dataset = rows([str(path) for path in clips.paths], DECODED).with_format(form)
    tracks = from_hugging_face(dataset, genre="tags", group="artist", as_frame=True)
    assert tracks.target.tolist() == [("ambient", "rock"), (), ("techno",), ("rock",)]
    assert tracks.groups.tolist() == ["Ann", "clip 1", "Bob", "Ann"]
    assert tracks.frame.columns.tolist() == ["path", "genre", "group"]
    assert from_hugging_face(dataset, genre="artist").target[0] == "Ann"
    with pytest.raises(ValueError, match="genre='style' is no column .* audio, genre"):
        from_hugging_face(dataset, genre="style")
    with pytest.raises(ValueError, match="has no clips"):
        from_hugging_face(dataset.select([]))


def test_what_is_no_split_is_refused(clips):
    dataset = rows([str(path) for path in clips.paths], DECODED)
    with pytest.raises(TypeError, match="got DatasetDict. Choose one .*: train"):
        from_hugging_face(datasets.DatasetDict(train=dataset))
    with pytest.raises(TypeError, match="IterableDataset. Load it without streaming"):
        from_hugging_face(dataset.to_iterable_dataset())
    with pytest.raises(TypeError, match="got str"):
        from_hugging_face("lewtun/music_genres")
