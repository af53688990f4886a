import os
import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgenre.audio._clip_cache import ClipCache, content_key


def cache_in(folder, name="Double", shape=(None,), **parameters):
    return ClipCache(folder, name, parameters, shape=shape)


class Counting:
    """A task that counts its calls: the numbers in a file, or in a waveform."""

    def __init__(self, also=id):
        self.n = 0
        self.also = also

    def __call__(self, clip):
        self.n += 1
        self.also(clip)
        return np.fromfile(clip, np.uint8) if not isinstance(clip, np.ndarray) else clip


def double(result):
    return 2.0 * result


def through(cache, task, clip):
    return cache.keep(cache.look_up(task)(clip), double)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.bin"
    path.write_bytes(bytes(range(100)) * 5000)  # more than the parts that are looked at
    return path


def test_the_second_time_nothing_is_run(clip, tmp_path):
    task = Counting()
    for _ in range(3):
        result = through(cache_in(tmp_path / "cache"), task, clip)
        assert_array_equal(result, 2.0 * np.fromfile(clip, np.uint8))
        assert result.dtype == np.float32
    assert task.n == 1


def test_look_up_goes_to_other_processes(clip, tmp_path):
    cache = cache_in(tmp_path / "cache")
    expected = through(cache, Counting(), clip)
    looked = pickle.loads(pickle.dumps(cache.look_up(Counting())))(clip)
    assert_array_equal(cache.keep(pickle.loads(pickle.dumps(looked)), None), expected)


def test_a_path_below_the_current_folder_or_home(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    task = Counting()
    for folder in ("cache", tmp_path / "cache", "~/cache"):
        through(cache_in(folder), task, clip)
    assert task.n == 1


def test_parameters_and_names_are_told_apart(clip, tmp_path):
    task = Counting()
    caches = [
        {"n": 1},
        {"n": 2},
        {"n": 1, "name": "Other"},
        {"m": 1},
        {"n": "1"},
        {"n": None},
        {"n": [1]},
    ]
    for parameters in caches:
        through(cache_in(tmp_path / "cache", **parameters), task, clip)
    assert task.n == len(caches)
    through(cache_in(tmp_path / "cache", n=np.int64(1)), task, clip)
    assert task.n == len(caches)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("skgenre.audio._clip_cache.__version__", "99"),
        ("soundfile.__libsndfile_version__", "99"),
        ("av.library_versions", {"libavcodec": (99, 0, 0)}),
    ],
)
def test_results_of_other_versions_are_not_taken(
    clip, tmp_path, monkeypatch, name, version
):
    task = Counting()
    through(cache_in(tmp_path / "cache"), task, clip)
    monkeypatch.setattr(name, version)
    through(cache_in(tmp_path / "cache"), task, clip)
    assert task.n == 2


def test_a_file_is_known_by_what_it_holds(clip, tmp_path):
    key = content_key(clip)
    assert len(key) == 32
    assert content_key(str(clip)) == content_key(os.fsencode(clip)) == key
    renamed = clip.rename(tmp_path / "other.bin")
    assert content_key(renamed) == key
    time = os.stat(renamed).st_mtime_ns
    contents = renamed.read_bytes()
    for place in (0, len(contents) // 2, len(contents) - 1):
        changed = bytearray(contents)
        changed[place] ^= 1
        renamed.write_bytes(changed)
        os.utime(renamed, ns=(time, time))
        assert content_key(renamed) != key
    renamed.write_bytes(contents)
    os.utime(renamed, ns=(time, time))
    assert content_key(renamed) == key
    os.utime(renamed, ns=(time, time + 1_000_000))
    assert content_key(renamed) != key
    renamed.write_bytes(contents + b"\0")
    os.utime(renamed, ns=(time, time))
    assert content_key(renamed) != key


@pytest.mark.parametrize("size", [1, 100, 1 << 16, (1 << 16) + 1, 3 << 16])
def test_all_of_a_small_file_is_looked_at(size, tmp_path):
    path = tmp_path / "clip.bin"
    keys = set()
    for place in (0, size // 3, size // 2, size - 1):
        contents = bytearray(size)
        contents[place] = 1
        path.write_bytes(contents)
        os.utime(path, (1, 1))
        keys.add(content_key(path))
    assert len(keys) == len({0, size // 3, size // 2, size - 1})


def test_waveforms():
    wave = np.linspace(-1, 1, 1000, dtype=np.float32)
    key = content_key(wave)
    assert content_key(wave.copy()) == key
    assert content_key(wave[::2]) == content_key(wave[::2].copy()) != key
    assert content_key(np.append(wave, 0)) != key
    assert content_key(np.where(wave == 1, 0, wave)) != key


def test_what_is_no_file_has_no_key(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "no", "a\0b", "/dev/zero"):
        assert content_key(path) is None


def test_errors_are_raised_and_not_kept(clip, tmp_path):
    def refuse(_):
        raise ValueError("no")

    cache = cache_in(tmp_path / "cache")
    for path in (clip, tmp_path / "missing"):
        with pytest.raises(ValueError, match="no"):
            through(cache, refuse, path)
    looked = cache.look_up(Counting())(clip)
    with pytest.raises(ValueError, match="no"):
        cache.keep(looked, refuse)
    assert cache.is_empty


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_file_that_changes_meanwhile_is_not_kept(clip, tmp_path, keeps_time):
    before = os.stat(clip)

    def write(path):
        contents = path.read_bytes()
        path.write_bytes(b"other" + contents[5:])
        if keeps_time:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        else:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))

    cache = cache_in(tmp_path / "cache")
    through(cache, Counting(also=write), clip)
    assert cache.is_empty


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 2), np.float32),
        np.zeros(0, np.float32),
        np.zeros(3, np.float64),
        np.zeros(3, "S4"),
        np.float32(0),
    ],
)
def test_entries_of_another_shape_or_type_are_made_anew(clip, tmp_path, wrong):
    cache = cache_in(tmp_path / "cache")
    expected = through(cache, Counting(), clip)
    cache._store.put(content_key(clip), wrong)
    task = Counting()
    assert_array_equal(through(cache, task, clip), expected)
    assert_array_equal(through(cache, task, clip), expected)
    assert task.n == 1


def test_shapes_are_as_told(tmp_path, clip):
    cache = cache_in(tmp_path / "cache", shape=(None, 3))
    for shape, is_taken in (
        ((7, 3), True),
        ((1, 3), True),
        ((7, 4), False),
        ((3,), False),
    ):
        cache._store.put(content_key(clip), np.zeros(shape, np.float32))
        assert cache.look_up(Counting())(clip).is_kept == is_taken


def test_a_cache_that_can_not_be_written_is_said_once(tmp_path):
    folder = tmp_path / "cache"
    cache = cache_in(folder)
    # A file where a folder is needed: no user may write here, not even root.
    cache._store._path("x").parent.write_text("")
    waves = [np.full(3, i, np.float32) for i in range(3)]
    with pytest.warns(UserWarning, match="can't be kept.*computed all the same") as w:
        results = [through(cache, Counting(), wave) for wave in waves]
    assert len(w) == 1
    assert_array_equal(results, 2 * np.array(waves))


def test_a_read_only_cache_is_read(clip, tmp_path, monkeypatch):
    cache = cache_in(tmp_path / "cache")
    expected = through(cache, Counting(), clip)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr("os.utime", refuse)
    task = Counting()
    with warnings.catch_warnings(action="error"):
        assert_array_equal(through(cache, task, clip), expected)
    assert task.n == 0
