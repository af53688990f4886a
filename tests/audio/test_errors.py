import pickle
from pathlib import Path

import pytest

from skgenre.audio import AudioError, load_audio


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


def test_no_message_is_long():
    error = AudioError("/music/" + "x" * 1_700_000 + ".mp3", "y" * 1_700_000, "Leave.")
    assert len(str(error)) < 600
    assert str(error).startswith("Cannot read '/music/xxx")
    assert "xxx.mp3'" in str(error) and str(error).endswith("yyy. Leave.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(AudioError) as caught:
        load_audio("\x1b" * 1_700_000)
    assert len(str(caught.value)) < 600
