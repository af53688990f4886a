import pickle
from pathlib import Path

import pytest

from skgenre.audio import AudioError


def test_names_file_cause_and_advice():
    error = AudioError(Path("a") / "b.mp3", "it is broken", "Replace it.")
    assert isinstance(error, ValueError)
    assert (
        str(error) == f"Cannot read {str(Path('a/b.mp3'))!r}: it is broken. Replace it."
    )
    assert (error.path, error.cause) == (str(Path("a/b.mp3")), "it is broken")


@pytest.mark.parametrize("path", ["song.mp3", b"caf\xe9.mp3", "new\nline.mp3"])
def test_pickles(path):
    error = AudioError(path, "it is broken")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is AudioError
    assert str(copy) == str(error)
    assert "\n" not in str(error)
