import pytest

from skgenre.datasets._library._signs import sign_of_artists

pytest.importorskip("mutagen")
from music_library import write_track


def tree(root, names, **tags):
    """Write files, and return (path, first folder) of each."""
    tracks = []
    for name in names:
        path = root / name
        if tags:
            genre = name.split("/")[0]
            write_track(path, **{key: [text or genre] for key, text in tags.items()})
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        tracks.append((str(path), name.split("/")[0]))
    return tracks


def names(n_folders, n_files, below=""):
    return [
        f"folder{i}/{below}{j}.flac" for i in range(n_folders) for j in range(n_files)
    ]


def test_tags_that_name_the_folder_as_the_artist(tmp_path):
    tracks = tree(tmp_path, names(3, 4), artist="", genre="Rock")
    sign = sign_of_artists(str(tmp_path), tracks)
    assert sign == (
        "the tags of 12 of 12 files have the folder's name for the artist, such as "
        "'folder0'"
    )


def test_many_albums(tmp_path):
    tracks = tree(tmp_path, names(25, 6, "album/"))
    sign = sign_of_artists(str(tmp_path), tracks)
    assert "25, with a median of 6 files, which lie in folders as albums do" in sign


def test_many_folders_and_tags_of_other_genres(tmp_path):
    tracks = tree(tmp_path, names(25, 2), genre="Rock", artist="Ann")
    assert "tags that name other genres" in sign_of_artists(str(tmp_path), tracks)


def test_very_many_folders(tmp_path):
    tracks = tree(tmp_path, names(70, 2))
    assert "they are 70, with a median of 2 files" in sign_of_artists(
        str(tmp_path), tracks
    )


@pytest.mark.parametrize(
    ("files", "tags"),
    [
        (names(4, 5, "artist/"), {}),
        (names(4, 5, "artist/album/"), {}),
        (names(25, 3, "artist/album/"), {}),
        (names(25, 3), {}),
        (names(4, 5), {"genre": "Ambient", "artist": "Ann"}),
        (names(25, 2, "album/"), {"genre": "", "artist": "Ann"}),
        (names(1, 1), {"artist": ""}),
    ],
)
def test_genres(tmp_path, files, tags):
    assert sign_of_artists(str(tmp_path), tree(tmp_path, files, **tags)) == ""


def test_urls_are_not_fetched():
    tracks = [(f"nosuch://bucket/rock/{i}.mp3", "rock") for i in range(5)]
    assert sign_of_artists("nosuch://bucket", tracks) == ""
    tracks = [
        (f"nosuch://b/{i}/album/{j}.mp3", str(i)) for i in range(30) for j in "ab"
    ]
    assert "which lie in folders" in sign_of_artists("nosuch://b", tracks)
