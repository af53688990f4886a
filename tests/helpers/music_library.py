"""A music library as people have it: artists, albums, tags of all kinds, and litter.

`make_music_library` writes 168 tracks and returns what each file is, and what
`load_music_library` should make of it. `make_sounding_library` writes as many whose
genres can be heard.
"""

import shutil
import struct
import unicodedata
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

import numpy as np
import soundfile
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TALB, TCON, TDRC, TIT2, TPE1, TPE2, Encoding
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from sound_files import write_av

RATE = 44100
SECONDS = 0.5


class Track(NamedTuple):
    """A file of the library, and what its tags mean."""

    path: str
    genres: tuple[str, ...]
    artist: str | None


def _tone():
    t = np.arange(int(RATE * SECONDS)) / RATE
    return 0.3 * np.sin(2 * np.pi * 220 * t)


def _encode(path, sound):
    """Write a sound at 44.1 kHz as its suffix wants, without tags."""
    codecs = {".m4a": "aac", ".wma": "wmav2", ".wv": "wavpack", ".aac": "aac"}
    if path.suffix in codecs:
        stereo = np.stack([sound] * 2, axis=1).astype("f4")
        write_av(path, stereo, codecs[path.suffix], bit_rate=128_000)
    elif path.suffix == ".opus":
        soundfile.write(path, sound, 48000, format="OGG", subtype="OPUS")
    else:
        soundfile.write(path, sound, RATE)


@cache
def _plain_file(suffix):
    """Return a short tone without tags."""
    path = Path(mkdtemp(), f"tone{suffix}")
    _encode(path, _tone())
    return path


def write_track(path, sound=None, /, **tags):
    """Write a sound, or a tone, to a path, and tag it as its suffix wants.

    Keyword arguments are lists of str: genre, artist, albumartist, album, title, date.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if sound is None:
        shutil.copy(_plain_file(path.suffix.lower()), path)
    else:
        _encode(path, sound)
    if tags:
        _WRITERS[path.suffix.lower()](path, tags)


_FRAMES = {
    "genre": TCON,
    "artist": TPE1,
    "albumartist": TPE2,
    "album": TALB,
    "title": TIT2,
    "date": TDRC,
}


def _id3_frames(tags, encoding=Encoding.UTF8):
    return [_FRAMES[name](encoding=encoding, text=tags[name]) for name in tags]


def write_id3(path, tags, version=4, encoding=Encoding.UTF8, v1=0):
    """Write an ID3v2 tag, of version 3 with ``/`` between several values."""
    id3 = ID3()
    for frame in _id3_frames(tags, encoding):
        id3.add(frame)
    if version == 3:
        id3.update_to_v23()
    id3.save(path, v1=v1, v2_version=version)


def id3v1(genre, artist="", title="", album=""):
    """Return the 128 bytes of an ID3v1 tag."""
    texts = [text.encode("latin-1") for text in (title, artist, album)]
    return struct.pack("<3s30s30s30s4s30sB", b"TAG", *texts, b"1999", b"", genre)


def id3v2_frames(version, *frames, flags=0):
    """Return an ID3v2 tag of frames (name, content) as they are."""
    body = b""
    for name, content in frames:
        if version == 2:
            body += name + len(content).to_bytes(3) + content
        elif version == 3:
            body += name + len(content).to_bytes(4) + b"\0\0" + content
        else:
            if flags & 0x80:
                content = content.replace(b"\xff", b"\xff\0")
            body += name + _seven_bits(len(content)) + b"\0\0" + content
    if flags & 0x80 and version < 4:
        body = body.replace(b"\xff", b"\xff\0")
    return b"ID3" + bytes([version, 0, flags]) + _seven_bits(len(body)) + body


def _seven_bits(number):
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _write_chunk_of_id3(kind):
    def write(path, tags):
        file = kind(path)
        file.add_tags()
        for frame in _id3_frames(tags):
            file.tags.add(frame)
        file.save()

    return write


def _write_vorbis(kind):
    def write(path, tags):
        file = kind(path)
        for name, values in tags.items():
            file[name] = values
        file.save()

    return write


def write_ape(path, tags):
    """Write an APEv2 tag at the end of any file."""
    ape = APEv2()
    for name, values in tags.items():
        ape[{"albumartist": "Album Artist", "date": "Year"}.get(name, name)] = values
    ape.save(path)


_ATOMS = {
    "genre": "\xa9gen",
    "artist": "\xa9ART",
    "albumartist": "aART",
    "album": "\xa9alb",
    "title": "\xa9nam",
    "date": "\xa9day",
}
_ASF = {
    "genre": "WM/Genre",
    "artist": "Author",
    "albumartist": "WM/AlbumArtist",
    "album": "WM/AlbumTitle",
    "title": "Title",
    "date": "WM/Year",
}


def _write_mp4(path, tags):
    file = MP4(path)
    for name, values in tags.items():
        file[_ATOMS[name]] = values
    file.save()


def _write_asf(path, tags):
    file = ASF(path)
    for name, values in tags.items():
        file[_ASF[name]] = values
    file.save()


_WRITERS = {
    ".mp3": write_id3,
    ".flac": _write_vorbis(FLAC),
    ".ogg": _write_vorbis(OggVorbis),
    ".opus": _write_vorbis(OggOpus),
    ".wav": _write_chunk_of_id3(WAVE),
    ".aiff": _write_chunk_of_id3(AIFF),
    ".m4a": _write_mp4,
    ".wma": _write_asf,
    ".wv": write_ape,
}


def write_riff_info(path, **texts):
    """Write a WAV with a LIST of INFO, by libsndfile: genre, artist, album, title."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for name, text in texts.items():
            setattr(file, name, text)
        file.write(_tone())


# Artist, album, genre as the library should name it, spellings of its tracks.
_ALBUMS = [
    ("Ella Blue", "Night Songs", "Jazz", ["Jazz", "jazz", "JAZZ ", "8", "(8)"]),
    ("MC Zwölf", "Straße", "Hip-Hop", ["Hip Hop", "hip-hop", "HipHop", "(7)", "7"]),
    ("The Rolling Pebbles", "Gravel", "Rock", ["Rock", "rock", "17", "(17)Rock"]),
    ("Björk Jónsdóttir", "Ísland", "Electronic", ["Electronic", "52", "electronic"]),
    ("Aretha Grey", "Respectable", "R&B", ["R&B", "RnB", "Rhythm and Blues", "14"]),
    ("Roots Ras", "Island", "Reggae", ["Reggae", "REGGAE", "(16)", "reggae;Dub"]),
    ("Metalheadz Jr", "Break", "Drum & Bass", ["DnB", "Drum & Bass", "Drum n Bass"]),
    ("椎名 林檎", "東京", "J-Pop", ["J-Pop", "JPop", "jpop", "146"]),
    ("Chuck Bay", "Twist", "Rock & Roll", ["Rock & Roll", "Rock 'n' Roll", "78"]),
    ("Marlene", "Lieder", "Chanson", ["Chanson", "chanson", "102", "Chanson\0Pop"]),
]
SUFFIXES = [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wma", ".aiff", ".wav", ".wv"]
_N_OF_ALBUM = 14


def make_music_library(folder):
    """Write a library of 168 tracks, and return them, sorted by path."""
    folder = Path(folder)
    tracks = []
    for i, (artist, album, genre, spellings) in enumerate(_ALBUMS):
        for j in range(_N_OF_ALBUM):
            suffix = SUFFIXES[(i + j) % len(SUFFIXES)]
            path = folder / artist / album / f"{j + 1:02} Song {j}{suffix}"
            spelling = spellings[j % len(spellings)]
            write_track(
                path,
                genre=spelling.split("\0"),
                artist=[f"{artist} feat. Guest {j}" if j % 3 == 0 else artist],
                albumartist=[artist.upper() if j % 2 else f" {artist}  "],
                album=[album],
                title=[f"Song {j}"],
                date=["1999-05-01"],
            )
            second = {"reggae;Dub": ("Dub",), "Chanson\0Pop": ("Pop",)}
            genres = (genre, *second.get(spelling, ()))
            tracks.append(Track(str(path), genres, artist))
    tracks += _odd_tracks(folder / "Odds and ends")
    _litter(folder)
    return sorted(tracks)


def _odd_tracks(folder):
    """Write 28 files, each with something odd."""
    rows = []

    def add(name, genres, artist, write=write_track, /, *args, **kwargs):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, *args, **kwargs)
        rows.append(Track(str(path), tuple(genres), artist))

    def mp3(path, *, before=b"", after=b""):
        path.write_bytes(before + _plain_file(".mp3").read_bytes() + after)

    def ape_on_mp3(path, *, v1, **tags):
        write_track(path)
        write_ape(path, tags)
        path.write_bytes(path.read_bytes() + v1)

    def patched(path, old, new, /, **tags):
        write_track(path, **tags)
        contents = path.read_bytes()
        assert old in contents
        path.write_bytes(contents.replace(old, new))

    latin, utf16 = b"\0", b"\1\xff\xfe"
    add("v1.mp3", ["Crossover"], "Old One", mp3, after=id3v1(139, "Old One"))
    add(
        "v22.mp3",
        ["Folk"],
        "Older",
        mp3,
        before=id3v2_frames(2, (b"TP1", latin + b"Older"), (b"TCO", latin + b"(80)")),
    )
    refined = latin + b"(4)Eurodisco"
    add(
        "v23.mp3",
        ["Disco", "Eurodisco"],
        None,
        mp3,
        before=id3v2_frames(3, (b"TCON", refined)),
    )
    add(
        "several numbers.mp3",
        ["Rock", "Folk"],
        None,
        mp3,
        before=id3v2_frames(3, (b"TCON", latin + b"(17)(80)")),
    )
    add(
        "unsynchronised.mp3",
        ["Rock"],
        "Wiesław",
        mp3,
        before=id3v2_frames(
            3,
            (b"TPE1", utf16 + "Wiesław".encode("utf-16le")),
            (b"TCON", utf16 + "Rock".encode("utf-16le")),
            flags=0x80,
        ),
    )
    add(
        "utf16.mp3",
        ["Música Popular"],
        None,
        mp3,
        before=id3v2_frames(
            4, (b"TCON", utf16 + "Mu\u0301sica Popular".encode("utf-16le"))
        ),
    )
    add(
        "utf8 as latin1.mp3",
        ["Música Popular"],
        None,
        mp3,
        before=id3v2_frames(3, (b"TCON", latin + "Música popular".encode())),
    )
    add(
        "repeated frames.mp3",
        ["Rock", "Blues"],
        None,
        mp3,
        before=id3v2_frames(4, (b"TCON", b"\3Rock"), (b"TCON", b"\3Blues\0rock")),
    )
    techno = {"genre": ["Techno"], "artist": ["Robot"]}
    add("ape.mp3", ["Techno"], "Robot", ape_on_mp3, v1=id3v1(0, "Rob"), **techno)
    add("info.wav", ["Rock"], "Wave", write_riff_info, genre="17", artist="Wave")
    # MP4's number of a genre is one more than ID3's.
    text = b"\xa9gen\0\0\0\x12data\0\0\0\x01\0\0\0\0AA"
    number = b"gnre\0\0\0\x12data\0\0\0\0\0\0\0\0\0\x12"
    add("number.m4a", ["Rock"], None, patched, text, number, genre=["AA"])
    add("two.flac", ["Folk", "Rock"], None, genre=["Folk", "rock"])
    add("slash.ogg", ["Folk", "Rock"], None, genre=["Folk/Rock"])
    add("semicolons.m4a", ["Soul", "R&B"], None, genre=["Soul; R&B ; soul"])
    add("backslashes.wma", ["Pop", "Dance"], None, genre=["Pop\\\\Dance"])
    for i, junk in enumerate(["Other", "Unknown", "N/A", "255"]):
        add(f"junk{i}.flac", [], None, genre=[junk])
    # Planted: another genre than that of all her other tracks.
    ella = {"genre": ["Classical"], "artist": ["ella blue"]}
    add("wrong.flac", ["Classical"], "Ella Blue", **ella)
    guest = {"artist": ["Guest"], "albumartist": ["Various Artists"]}
    add("compilation.flac", ["Rock"], "Guest", genre=["Rock"], **guest)
    for name in ("untagged.wav", "untagged.mp3", "untagged.aac"):
        add(name, [], None)
    add(unicodedata.normalize("NFD", "Ünïcode ♫.flac"), ["Rock"], None, genre=["Rock"])
    for name, contents in DAMAGED.items():
        add(name, [], None, Path.write_bytes, contents)
    return rows


# What can't be read.
DAMAGED = {
    "empty.mp3": b"",
    "half a download.mp3": b"<html>404 not found</html>" * 30,
    "damaged.flac": b"fLaC\x04\0\0\x28\x20\0\0\0reference libFLAC 1.3.1",
}


def _litter(folder):
    """Put beside the music what isn't any."""
    song = _plain_file(".mp3").read_bytes()
    for name, contents in {
        "cover.jpg": b"\xff\xd8\xff\xe0",
        "Ella Blue/Night Songs/folder.jpg": b"\xff\xd8\xff\xe0",
        "Ella Blue/Night Songs/._01 Song 0.mp3": b"\0\x05\x16\x07\0\x02\0\0Mac OS X",
        "Ella Blue/Night Songs/album.cue": b'FILE "album.wav" WAVE',
        "Ella Blue/Night Songs/album.m3u8": b"01 Song 0.mp3",
        "Ella Blue/Night Songs/Thumbs.db": b"\xd0\xcf",
        "Ella Blue/.DS_Store": b"\0\0\0\x01Bud1",
        "Ella Blue/@eaDir/01 Song 0.mp3": song,
        "$RECYCLE.BIN/S-1-5-21/$RABC.mp3": song,
        "#recycle/gone.mp3": song,
        ".Trash-1000/files/gone.mp3": song,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)


class HeardTrack(NamedTuple):
    """A file of the library, the genre that is heard, and the one in its tags."""

    path: str
    heard: str
    tagged: str | None
    artist: str


# Genre, its spellings in tags, and the pitch by which it is heard.
_HEARD = {
    "Jazz": (["Jazz", "jazz", "8", "(8)"], 150),
    "Hip-Hop": (["Hip Hop", "hip-hop", "HipHop"], 450),
    "Rock": (["Rock", "17", "(17)Rock", "rock"], 1350),
    "Electronic": (["Electronic", "52", "ELECTRONIC"], 4050),
}
_JUNK = ["Other", None, "Unknown", "genre"]
_N_ARTISTS, _N_OF_ARTIST = 4, 10
# Tracks of each genre, by artist and number: with a wrong tag, and without a usable
# one. All suffixes are among the latter.
_WRONG = {(0, 2), (1, 6), (3, 4)}
_MISSING = {(0, 5), (1, 1), (2, 3), (2, 8), (3, 0), (3, 7)}


def make_sounding_library(folder, seconds=2.0):
    """Write a library of 168 tracks, 12 of them with a wrong genre, 24 without one.

    Returns the 160 of the four genres, sorted by path. The others are of a genre by a
    single artist, or damaged.
    """
    folder, rng, tracks = Path(folder), np.random.default_rng(0), []
    genres = list(_HEARD)
    for i, (genre, (spellings, pitch)) in enumerate(_HEARD.items()):
        for artist in range(_N_ARTISTS):
            name = f"{genre} Ünd {artist}"
            own_pitch = pitch * rng.uniform(0.85, 1.15)
            noise = rng.uniform(0.01, 0.05)
            for j in range(_N_OF_ARTIST):
                suffix = SUFFIXES[(3 * i + artist + j) % len(SUFFIXES)]
                path = folder / name / "First" / f"{j:02} Söng{suffix}"
                tag = spellings[j % len(spellings)]
                tagged = genre
                if (artist, j) in _WRONG:
                    tag = tagged = genres[(i + 1 + artist % 3) % len(genres)]
                elif (artist, j) in _MISSING:
                    tag, tagged = _JUNK[(artist + j) % len(_JUNK)], None
                texts = {"artist": [name], "album": ["First"], "title": [f"Söng {j}"]}
                if tag is not None:
                    texts["genre"] = [tag]
                write_track(path, music(rng, own_pitch, noise, seconds), **texts)
                tracks.append(HeardTrack(str(path), genre, tagged, name))
    for j in range(5):
        write_track(folder / f"Polka {j}.flac", genre=["Polka"], artist=["Only One"])
    for name, contents in DAMAGED.items():
        (folder / name).write_bytes(contents)
    (folder / "Jazz Ünd 0" / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    apple = folder / "Jazz Ünd 0" / "First" / "._00 Söng.mp3"
    apple.write_bytes(b"\0\x05\x16\x07\0\x02\0\0Mac OS X")
    return sorted(tracks)


def music(rng, pitch, noise=0.02, seconds=1.0):
    """Return notes around a pitch, four a second."""
    t = np.arange(int(RATE * seconds)) / RATE
    steps = rng.choice([1, 9 / 8, 5 / 4, 3 / 2], size=int(4 * seconds) + 1)
    phase = 2 * np.pi * np.cumsum(pitch * steps[(4 * t).astype(int)]) / RATE
    fade = np.exp(-rng.uniform(2, 5) * (t % 0.25))
    sound = np.sin(phase) + 0.3 * np.sin(2 * phase)
    return 0.3 * fade * sound + rng.normal(0, noise, len(t))
