import hashlib
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgenre.audio._array_store import ArrayStore, clear, size_limit, usage

KIND = f"Mel-{'0' * 16}"
NAME, OTHER = "a" * 32, "b" * 32
ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def store(tmp_path):
    return ArrayStore(str(tmp_path / "cache"), KIND)


def file_of(store, name=NAME):
    return store._folder / KIND / f"{name}.npy"


def names(folder):
    return {path.stem for path in Path(folder).rglob("*.npy")}


@pytest.mark.parametrize(
    "array", [ARRAY, np.float64(2.5), np.zeros((0, 3)), ARRAY[:, ::2], ARRAY.T]
)
def test_what_is_put_is_got(store, array):
    assert store.is_empty
    assert store.get(NAME) is None
    store.put(NAME, array)
    assert not store.is_empty
    got = store.get(NAME)
    assert_array_equal(got, array)
    assert got.dtype == array.dtype
    assert got.flags.writeable
    assert_array_equal(np.load(file_of(store), allow_pickle=False), array)


def test_it_goes_to_other_processes(store):
    store.put(NAME, ARRAY)
    assert_array_equal(pickle.loads(pickle.dumps(store)).get(NAME), ARRAY)


def test_damaged_files_are_none(store):
    store.put(NAME, ARRAY)
    contents = file_of(store).read_bytes()
    for n in range(len(contents)):
        file_of(store).write_bytes(contents[:n])
        assert store.get(NAME) is None
        changed = bytearray(contents)
        changed[n] ^= 0x41
        file_of(store).write_bytes(changed)
        assert store.get(NAME) is None
    store.put(NAME, ARRAY)
    assert_array_equal(store.get(NAME), ARRAY)


def test_an_array_under_another_name_is_none(store):
    store.put(NAME, ARRAY)
    file_of(store).rename(file_of(store, OTHER))
    assert store.get(OTHER) is None


class Evil:
    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (self.proof,)


@pytest.mark.parametrize("kind", ["objects", "pickle", "huge", "no array"])
def test_forged_files_are_none_and_run_nothing(store, kind, tmp_path):
    """Anybody can make the digest; it is no seal."""
    proof = tmp_path / "executed"
    store.put(NAME, ARRAY)
    source = tmp_path / "forged.npy"
    if kind == "objects":
        np.save(source, np.array([Evil(str(proof))], dtype=object), allow_pickle=True)
        body = source.read_bytes()
    elif kind == "huge":
        header = {"descr": "<f4", "fortran_order": False, "shape": (2**60,)}
        with open(source, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
        body = source.read_bytes()
    else:
        body = pickle.dumps(Evil(str(proof))) if kind == "pickle" else b"nothing"
    digest = hashlib.blake2b(f"{KIND}/{NAME}".encode() + body, digest_size=16)
    file_of(store).write_bytes(body + digest.digest())
    assert store.get(NAME) is None
    assert not proof.exists()


def test_the_least_recently_used_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setenv("SKGENRE_CACHE_SIZE", "0.00004")  # 40 kB
    store = ArrayStore(str(tmp_path), KIND)
    big = np.zeros(1000)  # 8 kB
    for i in range(4):
        store.put(f"{i:032}", big)
        os.utime(file_of(store, f"{i:032}"), (i, i))
    assert store.get(f"{0:032}") is not None  # used now
    with pytest.warns(UserWarning, match=r"limit of 4e-05 GB: 1 of its 5 results"):
        store.put(f"{4:032}", big)
    assert names(tmp_path) == {f"{i:032}" for i in (0, 2, 3, 4)}
    # What others have written counts as well.
    other = ArrayStore(str(tmp_path), f"Other-{'1' * 16}")
    with pytest.warns(UserWarning, match="not used for longest"):
        other.put(NAME, big)
        other.put(OTHER, big)
    assert sum(kind.n_bytes for kind in usage(tmp_path)) < 40_000


def test_what_there_is_is_not_looked_at_each_time(tmp_path, monkeypatch):
    from skgenre.audio import _array_store

    looks = []
    evict = _array_store.evict
    monkeypatch.setattr(_array_store, "evict", lambda *a: looks.append(a) or evict(*a))
    for _ in range(3):
        store = ArrayStore(str(tmp_path), KIND)
        for i in range(5):
            store.put(f"{i:032}", ARRAY)
    assert len(looks) == 1


@pytest.mark.parametrize("text", ["0", "-1", "many", "nan", "inf"])
def test_refused_limits(text, tmp_path, monkeypatch):
    monkeypatch.setenv("SKGENRE_CACHE_SIZE", text)
    with pytest.raises(ValueError, match="SKGENRE_CACHE_SIZE must be a number"):
        ArrayStore(str(tmp_path), KIND)


def test_limits(monkeypatch):
    monkeypatch.delenv("SKGENRE_CACHE_SIZE", raising=False)
    assert size_limit() == 50_000_000_000
    monkeypatch.setenv("SKGENRE_CACHE_SIZE", "0.5")
    assert size_limit() == 500_000_000


def test_a_folder_that_can_not_be_made(tmp_path):
    (tmp_path / "file").write_text("mine")
    for name in ("file", "file/below"):
        with pytest.raises(OSError, match=r"none can be made .*Choose another one"):
            ArrayStore(str(tmp_path / name), KIND)


def test_usage_and_clear_touch_nothing_else(tmp_path, tmp_path_factory):
    assert usage(tmp_path / "nowhere") == []
    clear(tmp_path / "nowhere")
    store = ArrayStore(str(tmp_path), KIND)
    other = ArrayStore(str(tmp_path), f"Other-{'1' * 16}")
    store.put(NAME, ARRAY)
    store.put(OTHER, ARRAY)
    other.put(NAME, ARRAY)
    for name in (NAME, OTHER):
        os.utime(file_of(store, name), (5, 5))
    mine = [tmp_path / "mine.npy", tmp_path / KIND / "mine.npy"]
    mine += [tmp_path / "folder" / f"{NAME}.npy"]
    outside = tmp_path_factory.mktemp("outside")
    (outside / f"{NAME}.npy").write_text("mine")
    os.symlink(outside, tmp_path / f"Link-{'2' * 16}")
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    used = usage(tmp_path)
    assert [(each.kind, each.n_arrays) for each in used] == [
        (f"Other-{'1' * 16}", 1),
        (KIND, 2),
    ]
    assert used[1].n_bytes == 2 * file_of(store).stat().st_size
    assert used[1].last_used == 5
    clear(tmp_path)
    assert usage(tmp_path) == []
    assert all(path.read_text() == "mine" for path in mine)
    assert (outside / f"{NAME}.npy").exists()
    assert not (tmp_path / f"Other-{'1' * 16}").exists()


def test_what_killed_processes_left_is_deleted(tmp_path):
    store = ArrayStore(str(tmp_path), KIND)
    (tmp_path / KIND).mkdir()
    old, new = (tmp_path / KIND / f".skgenre-{digit * 16}" for digit in "01")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    store.put(NAME, ARRAY)
    assert not old.exists()
    assert new.exists()  # its process may be at it
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing(store, tmp_path):
    """A limit of the kernel's stands for a full disk."""
    code = (
        "import resource, sys, numpy as np\n"
        "from skgenre.audio._array_store import ArrayStore\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        f"    ArrayStore(sys.argv[1], {KIND!r}).put({NAME!r}, np.zeros(1000))\n"
        "except OSError:\n"
        "    print('failed')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "cache"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert result.stdout == "failed\n"
    assert list((tmp_path / "cache" / KIND).iterdir()) == []
