import io

from music_library import write_track
from rich.console import Console

from skgenre.audio._clip import FileClip
from skgenre.cli._commands._library._missing import without_genre


def test_files_without_a_usable_genre(tmp_path):
    write_track(tmp_path / "jazz.flac", genre=["Jazz"])
    write_track(tmp_path / "junk.flac", genre=["Other"])
    write_track(tmp_path / "none.mp3")
    (tmp_path / "broken.mp3").write_text("no music")
    clip = FileClip(io.BytesIO((tmp_path / "jazz.flac").read_bytes()), "-")
    names = ["jazz.flac", "junk.flac", "none.mp3", "broken.mp3", "missing.mp3"]
    files = [*(str(tmp_path / name) for name in names), clip]
    text = io.StringIO()
    found = without_genre(files, n_jobs=2, console=Console(file=text))
    assert found == files[1:]
    assert "1 of 6 files have a genre" in text.getvalue()
    assert without_genre([], n_jobs=1, console=Console(quiet=True)) == []
