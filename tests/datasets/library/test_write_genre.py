"""A genre is written into the tags of a file, and nothing else is changed."""

import _thread
import hashlib
import io
import os
import shutil
import zlib

import mutagen
import numpy as np
import pytest
import soundfile
from music_library import (
    DAMAGED,
    SUFFIXES,
    id3v1,
    id3v2_frames,
    write_ape,
    write_riff_info,
    write_track,
)
from mutagen.id3 import ID3

from skgenre import load_audio
from skgenre.audio._decoders._av import stream_digest
from skgenre.datasets._library._tags import read_tags
from skgenre.datasets._library._write_genre import change_genres, restore_genres

TEXTS = {"artist": ["Ünd, Die"], "album": ["Wör"], "title": ["T/t"], "date": ["1999"]}


def written(path, *genres):
    """Write genres, and check that the sound and all other tags stay."""
    genres = list(genres or ["Jazz"])
    before, sound = read_tags(str(path)), load_audio(path, 44100)
    contents = path.read_bytes()
    change = change_genres(str(path), genres)
    assert path.read_bytes() == contents  # as long as nothing is written
    change.write()
    after = read_tags(str(path))
    # Each is a value of its own; ASF has the first one apart, behind the others.
    assert sorted(after.genres) == sorted(genres)
    assert after.genres[0] == genres[0] or path.suffix == ".wma"
    # NaNs are not equal.
    assert repr(after._replace(genres=())) == repr(before._replace(genres=()))
    np.testing.assert_array_equal(load_audio(path, 44100), sound)
    return change


@pytest.mark.filterwarnings("ignore:.*is damaged")  # a WMA of half a second
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("genres", [["rock", "Folk"], ["Other"], None])
def test_written_and_restored(tmp_path, suffix, genres):
    path = tmp_path / f"Söng{suffix}"
    write_track(path, **TEXTS, **({} if genres is None else {"genre": genres}))
    before = read_tags(str(path))
    path.chmod(0o640)
    change = written(path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert (change.old, change.new) == (genres, ["Jazz"])
    assert change_genres(str(path), ["jazz"]) is None
    restored = restore_genres(str(path), genres, digest=change.digest)
    restored.write()
    assert repr(read_tags(str(path))) == repr(before)
    assert restore_genres(str(path), genres, digest="anything") is None
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("version", [2, 3, 4])
def test_other_frames_of_id3_stay_as_they_are(tmp_path, version):
    path = tmp_path / "song.mp3"
    write_track(path)
    names = (b"TCO", b"TP1") if version == 2 else (b"TCON", b"TPE1")
    frames = [(names[0], b"\0(17)"), (names[1], b"\0AC/DC\0Guest")]
    path.write_bytes(id3v2_frames(version, *frames) + path.read_bytes())
    written(path, "Jazz", "Pop")
    tags = ID3(path, translate=False)
    assert tags.version[:2] == (2, max(3, version))
    assert tags["TPE1"].text == ["AC/DC", "Guest"]


def test_older_tags_behind_the_sound_stay(tmp_path):
    path = tmp_path / "song.mp3"
    write_track(path)
    path.write_bytes(path.read_bytes() + id3v1(9, "Rob", "Title"))
    written(path)
    assert path.read_bytes().endswith(id3v1(9, "Rob", "Title"))
    # Where there is an APEv2 tag and no ID3v2, it has the genre.
    write_track(path)
    write_ape(path, {"genre": ["Techno"], "artist": ["Robot"]})
    path.write_bytes(path.read_bytes() + id3v1(9, "Rob"))
    written(path)
    assert path.read_bytes().endswith(id3v1(9, "Rob"))
    write_riff_info(tmp_path / "info.wav", genre="17", artist="Wave")
    written(tmp_path / "info.wav")


@pytest.mark.filterwarnings("ignore:.*is damaged")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_several_genres_are_written_and_restored(tmp_path, suffix):
    path = tmp_path / f"song{suffix}"
    write_track(path, **TEXTS, genre=["Blues"])
    change = written(path, "Hip-Hop", "Jazz", "Fölk")
    assert (change.old, change.new) == (["Blues"], ["Hip-Hop", "Jazz", "Fölk"])
    # In whatever order and spelling, and fewer of them if these come first.
    assert change_genres(str(path), ["Jazz", "fölk", "hip hop"]) is None
    assert change_genres(str(path), ["Jazz", "Rock"]).new == ["Jazz", "Rock"]
    first = read_tags(str(path)).genres[0]
    assert change_genres(str(path), [first]) is None
    restore_genres(str(path), ["Blues"], digest=change.digest).write()
    assert read_tags(str(path)).genres == ("Blues",)


def test_names_that_are_several_genres_or_none(tmp_path):
    path = tmp_path / "song.mp3"
    write_track(path, **TEXTS)
    change_genres(str(path), ["Pop/Rock"]).write()
    assert read_tags(str(path)).genre_names == ["Pop", "Rock"]
    assert change_genres(str(path), ["pop / rock"]) is None
    for odd in ("Other", "17", "(4)", " ", "2019"):
        with pytest.raises(ValueError, match="it is no genre"):
            change_genres(str(path), ["Rock", odd])


def test_a_link_stays_a_link(tmp_path):
    write_track(tmp_path / "song.flac", **TEXTS)
    (tmp_path / "link.flac").symlink_to(tmp_path / "song.flac")
    change_genres(str(tmp_path / "link.flac"), ["Rock"]).write()
    assert (tmp_path / "link.flac").is_symlink()
    assert read_tags(str(tmp_path / "song.flac")).genre_names == ["Rock"]


def test_files_changed_meanwhile_are_left_as_they_are(tmp_path):
    path = tmp_path / "song.flac"
    write_track(path, **TEXTS)
    change = change_genres(str(path), ["Rock"])
    os.utime(path, ns=(1, 1))
    with pytest.raises(OSError, match="was changed meanwhile"):
        change.write()
    change = written(path)
    shutil.copy(path, tmp_path / "other.flac")
    second = change_genres(str(path), ["Rock"])
    second.write()
    with pytest.raises(ValueError, match="was changed since its genre was written"):
        restore_genres(str(path), None, digest=change.digest)
    assert path.read_bytes() == second.contents


def test_what_can_not_be_written(tmp_path):
    for name, contents in DAMAGED.items():
        (tmp_path / name).write_bytes(contents)
        with pytest.raises(ValueError, match="Can't write the genre into"):
            change_genres(str(tmp_path / name), ["Rock"])
    write_track(tmp_path / "song.aac")
    write_track(tmp_path / "song.flac")
    (tmp_path / "song.flac").chmod(0o444)
    # Behind an ID3 tag that mutagen leaves alone in a FLAC file.
    write_track(tmp_path / "mixed.flac")
    tag = id3v2_frames(3, (b"TCON", b"\0Polka"))
    mixed = tag + (tmp_path / "mixed.flac").read_bytes()
    (tmp_path / "mixed.flac").write_bytes(mixed)
    for name, match in (
        ("song.aac", "doesn't support tags"),
        ("song.flac", "read-only"),
        ("mixed.flac", "which mutagen doesn't write, name 'Polka'"),
    ):
        before = (tmp_path / name).read_bytes()
        with pytest.raises((OSError, ValueError), match=match):
            change_genres(str(tmp_path / name), ["Rock"])
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(ValueError, match="which is a URL"):
        change_genres("https://localhost/song.mp3", ["Rock"])


def test_a_digest_is_that_of_the_sound(tmp_path):
    digests = []
    for genre, value in [("Rock", 0.1), ("Pop", 0.1), ("Pop", 0.2)]:
        path = tmp_path / f"{len(digests)}.flac"
        soundfile.write(path, np.full(2000, value), 8000)
        change_genres(str(path), [genre]).write()
        digests.append(stream_digest(io.BytesIO(path.read_bytes())))
    assert digests[0] == digests[1] != digests[2]


class Interrupted(io.BytesIO):
    """A file during whose first seek by FFmpeg somebody presses Ctrl-C."""

    is_open = False

    def seek(self, *arguments):
        if self.is_open:
            _thread.interrupt_main()
        self.is_open = False
        return super().seek(*arguments)

    def read(self, *arguments):
        self.is_open = True
        return super().read(*arguments)


def test_an_interrupt_while_the_sound_is_compared_is_not_lost(tmp_path, ctrl_c):
    write_track(tmp_path / "a.mp3", **TEXTS)
    file = Interrupted((tmp_path / "a.mp3").read_bytes())
    with pytest.raises(KeyboardInterrupt):
        stream_digest(file)


@pytest.mark.parametrize(("version", "flags"), [(3, b"\0\x80"), (4, b"\0\x09")])
def test_compressed_tags_are_not_decompressed(tmp_path, version, flags):
    path = tmp_path / "a.mp3"
    write_track(path)
    text = zlib.compress(b"\3" + bytes(1 << 20))
    frame = b"TXXX" + bytes([0, 0, *divmod(len(text) + 4, 128)])
    if version == 3:
        frame = b"TXXX" + (len(text) + 4).to_bytes(4)
    frame += flags + (1 << 20).to_bytes(4) + text
    header = b"ID3" + bytes([version, 0, 0, 0, 0, *divmod(len(frame), 128)])
    path.write_bytes(header + frame + path.read_bytes())
    with pytest.raises(ValueError, match="is compressed"):
        change_genres(str(path), ["Jazz"])
    mutagen.File(path)  # other users of mutagen still read it


def test_genres_longer_than_any_are_not_written(tmp_path):
    path = tmp_path / "a.mp3"
    write_track(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for values in (["x" * 100_000], ["x"] * 50_000):
        with pytest.raises(ValueError, match="more than 65536 characters"):
            restore_genres(str(path), values, digest=digest)
