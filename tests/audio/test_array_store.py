import hashlib
import io
import os
import pickle
import stat
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgenre.audio._array_store import ArrayStore, clear, evict, size_limit, usage

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


def forge(store, body):
    digest = hashlib.blake2b(f"{KIND}/{NAME}".encode() + body, digest_size=16)
    file_of(store).write_bytes(body + digest.digest())


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
    forge(store, body)
    assert store.get(NAME) is None
    assert not proof.exists()


@pytest.mark.parametrize("descr", ["<f4", "<U0", "|V0"])
def test_an_array_is_no_larger_than_its_file(store, descr):
    store.put(NAME, ARRAY)
    header = io.BytesIO()
    facts = {"descr": descr, "fortran_order": False, "shape": (3, 10**9)}
    np.lib.format.write_array_header_1_0(header, facts)
    forge(store, header.getvalue())
    tracemalloc.start()
    assert store.get(NAME) is None
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_large_files_are_neither_read_nor_written(store, monkeypatch):
    store.put(NAME, ARRAY)
    with open(file_of(store, OTHER), "wb") as file:
        file.truncate(1 << 40)  # without blocks on the disk
    assert store.get(OTHER) is None
    size = file_of(store).stat().st_size
    monkeypatch.setattr("skgenre.audio._array_store._LARGEST", size)
    store.put(NAME, np.zeros(ARRAY.size + 1, np.float32))
    assert_array_equal(store.get(NAME), ARRAY)


POSIX = pytest.mark.skipif(os.name != "posix", reason="files and modes of POSIX")


@POSIX
@pytest.mark.parametrize("kind", ["pipe", "device", "link", "loop", "folder"])
def test_what_is_no_regular_file_is_not_opened_and_replaced(store, kind, tmp_path):
    store.put(NAME, ARRAY)
    path = file_of(store)
    contents = path.read_bytes()
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "mine").write_bytes(contents)
        targets = {"device": "/dev/zero", "link": tmp_path / "mine", "loop": path}
        path.symlink_to(targets[kind])
    assert store.get(NAME) is None
    if kind == "folder":
        with pytest.raises(OSError, match=NAME):
            store.put(NAME, ARRAY)
        return
    store.put(NAME, 2 * ARRAY)
    assert_array_equal(store.get(NAME), 2 * ARRAY)
    if kind != "pipe":
        assert (tmp_path / "mine").read_bytes() == contents


@POSIX
def test_a_link_in_place_of_a_folder_is_not_written_to(store, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "cache" / KIND).symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match="It holds a link"):
        store.put(NAME, ARRAY)
    assert list((tmp_path / "mine").iterdir()) == []


@POSIX
def test_what_everybody_may_write_to_is_not_used(store):
    store.put(NAME, ARRAY)
    file_of(store).chmod(0o666)
    assert store.get(NAME) is None
    store.put(NAME, ARRAY)
    assert_array_equal(store.get(NAME), ARRAY)
    file_of(store).chmod(0o660)
    assert_array_equal(store.get(NAME), ARRAY)


@POSIX
def test_files_are_not_for_everybody_whatever_the_umask_is(tmp_path):
    before = os.umask(0)
    try:
        store = ArrayStore(str(tmp_path / "new"), KIND)
        store.put(NAME, ARRAY)
    finally:
        os.umask(before)
    assert_array_equal(store.get(NAME), ARRAY)
    for path in (tmp_path / "new", file_of(store).parent, file_of(store)):
        assert not path.stat().st_mode & stat.S_IWOTH


@POSIX
def test_a_disk_on_which_everybody_may_write_is_not_used(store, monkeypatch):
    stat_before = os.stat

    def for_all(path, **options):
        facts = list(stat_before(path, **options))
        return os.stat_result([facts[0] | 0o777, *facts[1:]])

    with monkeypatch.context() as patched:
        # Stands for a file system of Windows, whose files have one mode.
        patched.setattr(os, "stat", for_all)
        with pytest.raises(OSError, match="Others may write to its files"):
            store.put(NAME, ARRAY)
    assert store.get(NAME) is None
    assert names(store._folder) == set()


@pytest.fixture
def shared():
    """A store below folders to which not everybody may write, as /tmp is."""
    home = Path.home()
    if any(folder.stat().st_mode & stat.S_IWOTH for folder in (home, *home.parents)):
        pytest.skip("everybody may write to a folder above the home folder")
    with tempfile.TemporaryDirectory(dir=home) as folder:
        yield ArrayStore(os.path.join(folder, "cache"), KIND)


def give_to_another(store, monkeypatch):
    """Have another user own what the store has written."""
    if os.geteuid() == 0:
        for path in (store._folder, file_of(store).parent, file_of(store)):
            os.chown(path, 12345, -1)
    else:
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)


@POSIX
def test_files_of_others_count_where_not_everybody_may_write(shared, monkeypatch):
    shared.put(NAME, ARRAY)
    give_to_another(shared, monkeypatch)
    assert_array_equal(shared.get(NAME), ARRAY)
    file_of(shared).parent.chmod(0o2775)  # of a group
    assert_array_equal(shared.get(NAME), ARRAY)
    for folder in (file_of(shared).parent, shared._folder, shared._folder.parent):
        for mode in (0o777, 0o1777):
            before = folder.stat().st_mode
            folder.chmod(mode)
            assert shared.get(NAME) is None
            folder.chmod(before)
    assert_array_equal(shared.get(NAME), ARRAY)


@POSIX
def test_a_link_of_a_stranger_leads_to_no_files_of_others(
    shared, tmp_path, monkeypatch
):
    shared.put(NAME, ARRAY)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    (tmp_path / "open" / "cache").symlink_to(shared._folder)
    linked = ArrayStore(str(tmp_path / "open" / "cache"), KIND)
    assert_array_equal(linked.get(NAME), ARRAY)
    give_to_another(shared, monkeypatch)
    assert linked.get(NAME) is None


@POSIX
def test_a_forged_file_of_a_stranger_is_computed_again(store, monkeypatch):
    """As in /tmp, where somebody else may have made the folder first."""
    store.put(NAME, ARRAY)
    store._folder.parent.chmod(0o1777)
    give_to_another(store, monkeypatch)
    assert store.get(NAME) is None


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


def test_files_of_others_that_can_not_be_deleted_count(tmp_path, monkeypatch):
    monkeypatch.setenv("SKGENRE_CACHE_SIZE", "0.00004")  # 40 kB
    store = ArrayStore(str(tmp_path), KIND)
    for i in range(4):
        store.put(f"{i:032}", np.zeros(1000))  # 8 kB
        os.utime(file_of(store, f"{i:032}"), (i, i))
    unlink = os.unlink

    def refuse(path, **options):  # as a shared folder whose mode has the sticky bit
        if path == os.fspath(file_of(store, f"{0:032}")):
            raise PermissionError
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.warns(UserWarning, match=r": 2 of its 4 results, .*were deleted\. Set"):
        assert evict(tmp_path, 20_000) == 2 * file_of(store, f"{0:032}").stat().st_size
    assert names(tmp_path) == {f"{0:032}", f"{3:032}"}
    with pytest.warns(UserWarning, match=r": 1 of .*The others can't be deleted"):
        evict(tmp_path, 1000)


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
