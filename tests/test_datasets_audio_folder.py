import os

import numpy as np
import pytest

from skgenre.datasets import find_audio_files, load_audio_folder


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def relative(tracks, folder):
    return [os.path.relpath(path, folder) for path in tracks.paths]


def test_folders_are_genres_at_any_depth(tmp_path):
    touch(tmp_path, "rock/b.mp3", "rock/live/a.FLAC", "folk/ü ñ.ogg")
    touch(tmp_path, "folk/cover.jpg", "folk/.hidden.mp3", ".git/x.mp3", "folk/.d/y.mp3")
    tracks = load_audio_folder(tmp_path)
    assert relative(tracks, tmp_path) == [
        "folk/ü ñ.ogg",
        "rock/b.mp3",
        "rock/live/a.FLAC",
    ]
    assert tracks.target.tolist() == ["folk", "rock", "rock"]
    assert tracks.target_names == ["folk", "rock"]
    assert tracks.groups is None
    assert tracks.paths[np.array([2, 0])].shape == (2,)


@pytest.mark.parametrize("column", ["group", "artist", "artist_id"])
def test_csv_with_artists(tmp_path, column):
    touch(tmp_path, "a.mp3", "b/c.mp3", "d.mp3")
    (tmp_path / "list.csv").write_text(
        f"\ufeffpath, genre, year, {column}\na.mp3,folk,1999,Ann\n"
        'b/c.mp3,"rock, hard",2001,Ann\nd.mp3,folk,,\n',
        encoding="utf-8",
    )
    tracks = load_audio_folder(tmp_path / "list.csv")
    assert relative(tracks, tmp_path) == ["a.mp3", "b/c.mp3", "d.mp3"]
    assert tracks.target.tolist() == ["folk", "rock, hard", "folk"]
    assert tracks.groups[:2].tolist() == ["Ann", "Ann"]
    assert tracks.groups[2] not in ("", "Ann")


def test_tracks_csv_in_the_folder_counts(tmp_path):
    touch(tmp_path, "folk/a.mp3", "rock/b.mp3", "rock/c.mp3")
    (tmp_path / "tracks.csv").write_text(
        "path,genre,artist_id\nfolk/a.mp3,folk,x\nrock/b.mp3,rock,y\n"
    )
    tracks = load_audio_folder(str(tmp_path))
    assert tracks.target.tolist() == ["folk", "rock"]
    assert tracks.groups.tolist() == ["x", "y"]


def test_real_folder(music, music_tracks):
    tracks = load_audio_folder(music)
    assert tracks.paths.tolist() == [str(path) for path, _, _ in music_tracks]
    assert tracks.target.tolist() == [genre for _, genre, _ in music_tracks]
    assert tracks.groups.tolist() == [artist for _, _, artist in music_tracks]


def test_link_loop_ends(tmp_path):
    touch(tmp_path, "rock/a.mp3", "folk/b.mp3")
    os.symlink(tmp_path, tmp_path / "rock" / "loop")
    assert len(load_audio_folder(tmp_path).paths) == 2


def test_empty_genre_and_loose_files_are_told(tmp_path):
    touch(tmp_path, "rock/a.mp3", "loose.mp3")
    (tmp_path / "jazz").mkdir()
    with pytest.warns(UserWarning) as warnings:
        load_audio_folder(tmp_path)
    told = " ".join(str(warning.message) for warning in warnings)
    assert "['jazz']" in told
    assert "loose.mp3" in told


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "path,label\na.mp3,x\n",
            ValueError,
            r"no column 'genre'.*\['path', 'label'\]",
        ),
        ("", ValueError, "no column 'path'"),
        ("path,genre\n", ValueError, "lists no files"),
        ("path,genre\na.mp3,\n", ValueError, "no genre in line 2"),
        ("path,genre\na.mp3\n", ValueError, "no genre in line 2"),
        ("path,genre\n,x\n", ValueError, "no path in line 2"),
        (
            "path,genre\nno.mp3,x\na.mp3,y\n",
            FileNotFoundError,
            "1 of the 2 files.*no.mp3",
        ),
        (b"path,genre\n\xff\xfe,x\n", ValueError, "CSV in UTF-8"),
    ],
)
def test_bad_csv(tmp_path, text, error, message):
    touch(tmp_path, "a.mp3")
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(error, match=message):
        load_audio_folder(path)


def test_bad_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder or CSV.*nowhere"):
        load_audio_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has no sub-folders"):
        load_audio_folder(tmp_path)
    touch(tmp_path, "rock/notes.txt")
    with pytest.raises(ValueError, match="no audio file in the sub-folders"):
        load_audio_folder(tmp_path)


def test_find_audio_files(tmp_path):
    touch(tmp_path, "z.mp3", "in/b.wav", "in/a.m4a", "in/notes.txt", "odd.xyz")
    found = find_audio_files([tmp_path / "odd.xyz", tmp_path, tmp_path / "z.mp3"])
    assert [os.path.relpath(path, tmp_path) for path in found] == [
        "odd.xyz",
        "z.mp3",
        "in/a.m4a",
        "in/b.wav",
    ]
    with pytest.raises(ValueError, match="no audio file in"):
        (tmp_path / "empty").mkdir()
        find_audio_files([tmp_path / "empty"])
