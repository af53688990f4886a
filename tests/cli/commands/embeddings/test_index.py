import copy
import functools
import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest

from skgenre.cli._commands._embeddings import _index
from skgenre.cli._commands._embeddings._index import LibraryIndex, file_states


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    for name in ("a.mp3", "ü ñ.mp3", "c.mp3"):
        (folder / name).write_text(name)
    return folder


def listed(library):
    return sorted(str(path) for path in library.iterdir())


def filled(library, file, model="it"):
    index = LibraryIndex(library, model, file)
    wanted, counts = index.update(listed(library))
    states = file_states(wanted)
    for path in wanted:
        index.add(path, states[path], np.full(3, os.path.getsize(path), np.float32))
    index.write()
    return index, counts


def test_only_new_and_changed_files_are_wanted(library, tmp_path):
    file = tmp_path / "it.npz"
    assert filled(library, file)[1] == "3 new, 0 changed, 0 removed, 0 as they were"
    written = file.read_bytes()
    assert filled(library, file)[1] == "0 new, 0 changed, 0 removed, 3 as they were"
    assert file.read_bytes() == written

    (library / "a.mp3").unlink()
    os.utime(library / "c.mp3", ns=(5, 5))  # as long as it was
    (library / "d.mp3").write_text("new")
    index, counts = filled(library, file)
    assert counts == "1 new, 1 changed, 1 removed, 1 as they were"
    embeddings = LibraryIndex(library, "it", file).embeddings(listed(library))
    assert list(embeddings) == listed(library)
    for path, embedding in embeddings.items():
        assert embedding.tolist() == [os.path.getsize(path)] * 3
        np.testing.assert_array_equal(index.embeddings([path])[path], embedding)


def test_a_library_may_move(library, tmp_path):
    filled(library, tmp_path / "it.npz")
    moved = library.rename(tmp_path / "moved")
    counts = filled(moved, tmp_path / "it.npz")[1]
    assert counts == "0 new, 0 changed, 0 removed, 3 as they were"


def test_names_that_are_not_unicode(library, tmp_path):
    name = os.fsencode(library) + b"/no\xff utf-8.mp3"
    with open(name, "wb"):
        pass
    filled(library, tmp_path / "it.npz")
    assert "4 as they were" in filled(library, tmp_path / "it.npz")[1]


def test_another_folder_or_model_is_refused(library, tmp_path):
    file = tmp_path / "it.npz"
    filled(library, file)
    written = file.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    (other / "song.mp3").touch()
    with pytest.raises(ValueError, match="none of its 3 files is in"):
        LibraryIndex(other, "it", file).update(listed(other))
    with pytest.raises(ValueError, match="made with another model"):
        LibraryIndex(library, "other", file)
    assert file.read_bytes() == written


def changed(file, save=np.savez, **arrays):
    with np.load(file) as archive:
        arrays = dict(archive) | arrays
    save(file, **arrays)


def overlap(file):
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("many.npy", bytes(10**5))
        archive.filelist += [copy.copy(archive.filelist[-1]) for _ in range(99)]


def twice(file):
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="name"):
        archive.writestr("model.npy", archive.read("model.npy"))


def huge(file, name, descr):
    """Have the header of an array promise 12 GB, which the file does not hold."""
    with zipfile.ZipFile(file) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    header = io.BytesIO()
    facts = {"descr": descr, "fortran_order": False, "shape": (3, 10**9)}
    np.lib.format.write_array_header_1_0(header, facts)
    members[f"{name}.npy"] = header.getvalue()
    with zipfile.ZipFile(file, "w") as archive:
        for each, contents in members.items():
            archive.writestr(each, contents)


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"no index " * 50),
        lambda file: file.write_bytes(file.read_bytes()[:-300]),
        lambda file: file.write_bytes(
            file.read_bytes().replace(b"'descr'", b"'dascr'")
        ),
        lambda file: np.savez(file, other=np.zeros(3)),
        lambda file: np.save(file.open("wb"), np.zeros(3)),
        lambda file: changed(file, embeddings=np.array([{}] * 3)),
        lambda file: changed(file, embeddings=np.zeros((2, 3))),
        lambda file: changed(file, embeddings=np.zeros(3)),
        lambda file: changed(file, embeddings=np.full((3, 3), np.nan)),
        lambda file: changed(file, sizes=np.zeros(2, dtype=int)),
        lambda file: changed(file, sizes=np.array(5)),
        lambda file: changed(file, format=np.array(2)),
        lambda file: changed(file, np.savez_compressed, x=np.zeros(10**7)),
        lambda file: changed(file, other=np.zeros(3)),
        lambda file: changed(file, embeddings=np.zeros((3, 3))),  # float64
        lambda file: changed(file, embeddings=np.zeros((3, 0), np.float32)),
        lambda file: changed(file, names=np.frombuffer(b"a\0\0c", np.uint8)),
        lambda file: changed(file, names=np.frombuffer(b"a\0a\0c", np.uint8)),
        lambda file: changed(file, times=np.zeros(3)),
        lambda file: changed(file, times=np.array(["1", "2", "3"])),
        lambda file: changed(file, model=np.array(["it"])),
        lambda file: changed(file, model=np.array(3)),
        overlap,
        twice,
        *(
            functools.partial(huge, name=name, descr=descr)
            for name in ("names", "sizes", "model", "embeddings")
            for descr in ("<f4", "<U0", "|u1", "|V0")
        ),
    ],
)
def test_damaged_files_are_refused_and_left(library, tmp_path, damage):
    file = tmp_path / "it.npz"
    filled(library, file)
    damage(file)
    contents = file.read_bytes()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"it\.npz' is no index of skgenre, or is"):
            LibraryIndex(library, "it", file)
        assert tracemalloc.get_traced_memory()[1] < 100 * len(contents) + 10**6
    finally:
        tracemalloc.stop()
    assert file.read_bytes() == contents


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_is_no_index(library, tmp_path):
    os.mkfifo(tmp_path / "it.npz")
    with pytest.raises(ValueError, match=r"it\.npz' is no index.*no regular file"):
        LibraryIndex(library, "it", tmp_path / "it.npz")


def test_embeddings_are_of_one_width(library, tmp_path):
    filled(library, tmp_path / "it.npz")
    (library / "d.mp3").touch()
    index = LibraryIndex(library, "it", tmp_path / "it.npz")
    path, state = str(library / "d.mp3"), (0, 0)
    with pytest.raises(ValueError, match="holds embeddings of 3 numbers.* makes 4"):
        index.add(path, state, np.zeros(4, np.float32))


def test_nothing_is_kept_without_a_file(library, tmp_path):
    before = set(tmp_path.rglob("*"))
    index, counts = filled(library, None)
    assert counts.startswith("3 new")
    assert len(index.embeddings(listed(library))) == 3
    assert set(tmp_path.rglob("*")) == before


def test_what_is_there_is_written_from_time_to_time(library, tmp_path, monkeypatch):
    monkeypatch.setattr(_index, "_SECONDS_BETWEEN_WRITES", 0)
    index = LibraryIndex(library, "it", tmp_path / "it.npz")
    wanted, _ = index.update(listed(library))
    index.add(wanted[0], file_states(wanted)[wanted[0]], np.zeros(3))
    again = LibraryIndex(library, "it", tmp_path / "it.npz")
    assert again.update(listed(library))[0] == wanted[1:]


def test_a_file_that_cannot_be_written_is_told_first(library, tmp_path):
    for place in ("/no/such/folder/it.npz", "/proc/it.npz"):
        index = LibraryIndex(library, "it", tmp_path / place)
        with pytest.raises(OSError, match=r"no/such/folder|proc"):
            index.update(listed(library))


def test_an_index_that_is_up_to_date_is_only_read(library, tmp_path):
    file = tmp_path / "kept" / "it.npz"
    file.parent.mkdir()
    filled(library, file)
    file.parent.chmod(0o555)
    file.chmod(0o444)
    before = file.stat().st_mtime_ns, file.stat().st_ino
    try:
        assert "3 as they were" in filled_only_read(library, file)
    finally:
        file.parent.chmod(0o755)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


def filled_only_read(library, file):
    wanted, counts = LibraryIndex(library, "it", file).update(listed(library))
    assert not wanted
    return counts
