import os

import pytest

from skgenre.datasets._tracks_csv import quoted, read_tracks_csv


@pytest.fixture
def table(tmp_path):
    for name in ("a.mp3", "b, live.mp3", "ü.mp3"):
        (tmp_path / name).touch()

    def write(text, encoding="utf-8"):
        path = tmp_path / "list.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


def test_relative_and_absolute_paths_quotes_and_extra_columns(table, tmp_path):
    absolute = tmp_path / "a.mp3"
    tracks = read_tracks_csv(
        table(f'id,genre,path\r\n1,rock,ü.mp3\r\n2,pop,"b, live.mp3"\r\n3,x,{absolute}')
    )
    assert [os.path.basename(t.path) for t in tracks] == [
        "ü.mp3",
        "b, live.mp3",
        "a.mp3",
    ]
    assert [t.genre for t in tracks] == ["rock", "pop", "x"]
    assert {t.group for t in tracks} == {None}


@pytest.mark.parametrize("column", ["group", "artist", "artist_id", " Artist_ID "])
def test_columns_of_artists(table, column):
    (track,) = read_tracks_csv(table(f"Path, GENRE,{column}\na.mp3, rock ,7\n"))
    assert (track.genre, track.group) == ("rock", "7")


def test_blanks_after_commas_and_around_quotes(table):
    lines = [
        'path , genre, "artist"',
        '"b, live.mp3" ,  "hard, rock" , "A ""B""" ',
        "a.mp3, x ,y",
    ]
    first, second = read_tracks_csv(table("\n".join(lines)))
    assert os.path.basename(first.path) == "b, live.mp3"
    assert (first.genre, first.group) == ("hard, rock", 'A "B"')
    assert (second.genre, second.group) == ("x", "y")


def test_several_genres_of_a_track(table):
    text = "path,genre\na.mp3, rock | pop|rock |\nü.mp3,x\n"
    first, second = read_tracks_csv(table(text))
    assert (first.genres, first.genre) == (("rock", "pop"), "rock")
    assert second.genres == ("x",)
    with pytest.raises(ValueError, match=r"Line 2 of .* has no 'genre'"):
        read_tracks_csv(table("path,genre\na.mp3,|\n"))
    with pytest.raises(ValueError, match=r"as 'rock\|pop' and as 'rock'"):
        read_tracks_csv(table("path,genre\na.mp3,rock|pop\na.mp3,rock\n"))


def test_group_counts_before_artist(table):
    (track,) = read_tracks_csv(table("artist,group,path,genre\nA,B,a.mp3,rock\n"))
    assert track.group == "B"


def test_byte_order_mark_and_blank_lines(table):
    text = "path,genre\n\na.mp3,rock\n\n"
    assert len(read_tracks_csv(table(text, "utf-8-sig"))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"columns 'path' and 'genre'.*found \[\]"),
        ("file,genre\na.mp3,rock\n", r"found \['file', 'genre'\]"),
        ("path;genre\na.mp3;rock\n", r"separated by commas; found \['path;genre'\]"),
        ("path,genre\n", "lists no tracks"),
        ("path,genre\na.mp3,rock\nb.mp3, \n", r"Line 3 of .* has no 'genre'"),
        ("path,genre\na.mp3\n", r"Line 2 of .* has no 'genre'"),
        ("path,genre\n,rock\n", r"Line 2 of .* has no 'path'"),
        ("path,genre,artist\na.mp3,rock,\n", r"Line 2 of .* has no 'artist'"),
        ("path,genre\nb, live.mp3,rock\n", "Line 2 .*more cells.*double quotes"),
    ],
)
def test_refusals_say_where(table, text, message):
    with pytest.raises(ValueError, match=message):
        read_tracks_csv(table(text))


def test_other_encodings_are_refused(table):
    with pytest.raises(ValueError, match="not UTF-8"):
        read_tracks_csv(table("path,genre\nü.mp3,rock\n", "latin-1"))


def test_missing_files_are_named_and_counted(table):
    rows = "".join(f"no{i}.mp3,rock\n" for i in range(8))
    with pytest.raises(FileNotFoundError, match=r"8 files.*no0\.mp3.*and 3 more"):
        read_tracks_csv(table("path,genre\na.mp3,rock\n" + rows))


def test_a_file_listed_twice_is_warned_of(table):
    with pytest.warns(UserWarning, match=r"1 files more than once: '.*a\.mp3'"):
        read_tracks_csv(table("path,genre\na.mp3,rock\n./a.mp3,rock\n"))


def test_a_file_of_two_genres_is_refused(table):
    with pytest.raises(ValueError, match="as 'rock' and as 'pop'"):
        read_tracks_csv(table("path,genre\na.mp3,rock\n./a.mp3,pop\n"))


def test_named():
    assert quoted(["a", "b"]) == "'a', 'b'"
    assert quoted(list("abcdefg")) == "'a', 'b', 'c', 'd', 'e' and 2 more"


class TestUrls:
    @staticmethod
    def table(tmp_path, *cells):
        lines = ["path,genre", *(f"{cell},rock" for cell in cells)]
        path = tmp_path / "tracks.csv"
        path.write_text("\n".join(lines))
        return str(path)

    def test_of_stores_are_taken_as_they_are(self, tmp_path):
        urls = ["s3://bucket/a//b.mp3", "GS://bucket/c.mp3", "memory://d.mp3"]
        tracks = read_tracks_csv(self.table(tmp_path, *urls))
        assert [track.path for track in tracks] == urls
        with pytest.warns(UserWarning, match="'s3://bucket/a//b.mp3'"):
            read_tracks_csv(self.table(tmp_path, urls[0], urls[0]))

    @pytest.mark.parametrize(
        "url", ["https://10.0.0.1/a.mp3", "sftp://h/a", "simplecache::s3://b/a"]
    )
    def test_that_call_other_machines_are_refused(self, tmp_path, url):
        with pytest.raises(ValueError, match=f"lists '{url}', which would call"):
            read_tracks_csv(self.table(tmp_path, url))

    def test_below_the_table_s_own_url(self, tmp_path):
        fsspec = pytest.importorskip("fsspec")
        fs = fsspec.filesystem("memory")
        fs.put_file(self.table(tmp_path, "x/a.mp3", "s3://b/c.mp3"), "/music/t.csv")
        try:
            tracks = read_tracks_csv("memory://music/t.csv")
        finally:
            fs.store.clear()
        assert [track.path for track in tracks] == [
            "memory://music/x/a.mp3",
            "s3://b/c.mp3",
        ]


def test_columns_that_a_row_lacks_take_no_time(table):
    text = "path,genre" + "," * 300_000 + "\n" + "a.mp3,x\n" * 3_000
    with pytest.warns(UserWarning, match="more than once"):
        assert len(read_tracks_csv(table(text))) == 3_000  # not ten seconds
