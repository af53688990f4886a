import os
from pathlib import Path

import av
import numpy as np
import pytest
from sound_files import write_av

from skgenre.audio import load_audio
from skgenre.audio._decoders._av import _CONTAINERS
from skgenre.datasets import find_audio_files
from skgenre.datasets._audio_files import AUDIO_SUFFIXES, audio_files_below, is_audio


def touch(folder, *names):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.mp3", True), ("A.FLAC", True), ("a.b.m4a", True), ("a.Opus", True)]
    + [("a.jpg", False), ("mp3", False), ("._a.mp3", False), (".mp3", False)],
)
def test_is_audio(name, expected):
    assert is_audio(name) is expected


# FFmpeg's container, its decoder, and the suffixes that need these.
FFMPEG = """
    aac aac .aac .adts
    ac3 ac3 .ac3
    amr amrnb .amr
    amr amrwb .awb
    ape ape .ape
    asf wmav2 .wma
    dsf dsd_lsbf_planar .dsf
    dts dca .dts
    eac3 eac3 .eac3 .ec3
    iff dsd_msbf .dff
    matroska,webm opus .mka .weba .webm
    mov,mp4,m4a,3gp,3g2,mj2 aac .3ga .f4a .m4a .m4b .m4r .mov .mp4
    mpc mpc7 .mpc .mp+
    ogg speex .spx
    oma atrac3 .aa3 .oma
    rm cook .ra
    shn shorten .shn
    tak tak .tak
    tta tta .tta
    wv wavpack .wv
    xwma wmav2 .xwma
""".strip().splitlines()
LIBSNDFILE = """
    .aif .aifc .aiff .au .bwf .caf .flac .m2a .mp1 .mp2 .mp3 .mpa .mpga .oga .ogg .opus
    .rf64 .snd .voc .w64 .wav .wave
""".split()


def test_every_suffix_has_a_decoder():
    suffixes = set(LIBSNDFILE)
    for line in FFMPEG:
        container, codec, *names = line.split()
        suffixes.update(names)
        assert container in _CONTAINERS.split()
        assert av.format.ContainerFormat(container.split(",")[0]).is_input
        assert av.Codec(codec, "r").type == "audio"
    assert suffixes == AUDIO_SUFFIXES


# What FFmpeg writes, and the file's name then.
WRITTEN = {
    ".3gp": (".3ga", "aac"),
    ".ac3": (".ac3", "ac3"),
    ".eac3": (".ec3", "eac3"),
    ".mka": (".mka", "libopus"),
    ".mp2": (".mpga", "mp2"),
    ".rm": (".ra", "ac3"),
    ".tta": (".tta", "tta"),
    ".webm": (".weba", "libopus"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_files_that_are_found_are_read(written, tmp_path):
    suffix, codec = WRITTEN[written]
    noise = np.random.default_rng(0).normal(scale=0.1, size=(48000, 2))
    write_av(tmp_path / f"it{written}", noise.astype(np.float32), codec, rate=48000)
    (tmp_path / f"it{written}").rename(tmp_path / f"it{suffix}")
    (found,) = find_audio_files(tmp_path)
    assert len(load_audio(found, sample_rate=48000)) == pytest.approx(48000, abs=2000)


@pytest.mark.parametrize(
    "folder",
    ["@eaDir", "$RECYCLE.BIN", "System Volume Information", ".Trash-1000", "__MACOSX"],
)
def test_folders_that_are_not_music(folder, tmp_path):
    touch(tmp_path, "song.mp3", f"{folder}/deleted.mp3", "._song.mp3")
    assert [Path(p).name for p in find_audio_files(tmp_path)] == ["song.mp3"]


def test_an_album_may_be_called_recycled(tmp_path):
    touch(tmp_path, "Nektar/Recycled/song.mp3")
    assert [Path(p).name for p in find_audio_files(tmp_path)] == ["song.mp3"]


def test_files_at_any_depth_sorted_without_hidden_ones(tmp_path):
    touch(tmp_path, "z.wav", "b/c/d.mp3", "b/.e.mp3", ".f/g.mp3", "b/cover.jpg")
    names = [os.path.relpath(p, tmp_path) for p in audio_files_below(str(tmp_path))]
    assert names == [os.path.join("b", "c", "d.mp3"), "z.wav"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path, "elsewhere/song.mp3", "music/own.mp3")
    (tmp_path / "music" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "self").symlink_to(tmp_path / "music")
    (tmp_path / "elsewhere" / "up").symlink_to(tmp_path)
    found = audio_files_below(str(tmp_path / "music"))
    assert {Path(p).name for p in found} == {"own.mp3", "song.mp3"}
    assert len(found) == 2
    inside = audio_files_below(str(tmp_path / "elsewhere"), root=str(tmp_path))
    assert [Path(p).name for p in inside] == ["song.mp3"]


def test_files_and_folders_together_each_file_once(tmp_path):
    touch(tmp_path, "b.mp3", "folder/a.wav", "odd.name")
    paths = [tmp_path / "odd.name", tmp_path / "folder", tmp_path / "folder/a.wav"]
    found = find_audio_files([*paths, str(tmp_path / "b.mp3")])
    assert found == sorted(str(tmp_path / n) for n in ("b.mp3", "folder/a.wav")) + [
        str(tmp_path / "odd.name")
    ]
    assert all(type(path) is str for path in found)


def test_one_path_instead_of_a_list(tmp_path):
    touch(tmp_path, "a.mp3")
    assert find_audio_files(tmp_path) == [str(tmp_path / "a.mp3")]
    assert find_audio_files(str(tmp_path / "a.mp3")) == [str(tmp_path / "a.mp3")]


def test_refusals(tmp_path):
    touch(tmp_path, "a.mp3", "empty/cover.jpg")
    with pytest.raises(FileNotFoundError, match=r"no file or folder '.*nothing'"):
        find_audio_files([tmp_path / "nothing"])
    with pytest.raises(ValueError, match=r"No audio files in '.*empty'.*\.mp3"):
        find_audio_files([tmp_path / "empty"])
    with pytest.raises(ValueError, match="an empty list"):
        find_audio_files([])
    with pytest.warns(UserWarning, match=r"No audio files in '.*empty'"):
        find_audio_files([tmp_path / "a.mp3", tmp_path / "empty"])


def test_urls_of_folders_and_songs():
    fs = pytest.importorskip("fsspec").filesystem("memory")
    for name in ("b.mp3", "x/a.FLAC", "x/.c.mp3", ".y/d.mp3", "e.txt"):
        fs.pipe_file(f"/music/{name}", b"x")
    try:
        files = find_audio_files(["memory://music", "memory://else/song.mp3"])
        with pytest.raises(FileNotFoundError, match="memory://none"):
            find_audio_files("memory://none")
    finally:
        fs.store.clear()
    assert files == [
        "memory://else/song.mp3",
        "memory://music/b.mp3",
        "memory://music/x/a.FLAC",
    ]
