import os
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from skgenre.audio import AudioError
from skgenre.audio._map_clips import map_clips


def blas_threads():
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


def double(clip):
    return 2 * clip


def report(clip):
    return os.getpid(), blas_threads()


def refuse_third(clip):
    if clip == "c":
        raise AudioError(clip, "it is broken")
    return clip


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_order(n_jobs):
    clips = [np.full(3, i) for i in range(40)]
    results = list(map_clips(double, clips, n_jobs=n_jobs))
    np.testing.assert_array_equal(results, [double(clip) for clip in clips])


def test_threads_by_default():
    pids = {pid for pid, _ in map_clips(report, list("abcd"), n_jobs=2)}
    assert pids == {os.getpid()}
    threads = set(map_clips(lambda clip: threading.get_ident(), list("abcd"), n_jobs=2))
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_processes(backend):
    with joblib.parallel_config(backend=backend):
        results = list(map_clips(report, list("abcd"), n_jobs=2))
    assert os.getpid() not in {pid for pid, _ in results}
    assert all(blas <= {1} for _, blas in results)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_blas_is_limited_and_restored(n_jobs):
    before = blas_threads()
    results = list(map_clips(report, list("abcd"), n_jobs=n_jobs))
    assert all(blas <= {1} for _, blas in results)
    assert blas_threads() == before


@pytest.mark.parametrize(
    ("backend", "n_jobs"), [("threading", 1), ("threading", 2), ("loky", 2)]
)
def test_error(backend, n_jobs):
    before = blas_threads()
    with joblib.parallel_config(backend=backend):
        with pytest.raises(AudioError, match="Cannot read 'c': it is broken") as caught:
            list(map_clips(refuse_third, list("abcdef"), n_jobs=n_jobs))
    assert "clip 2 of X" in "".join(caught.value.__notes__)
    assert blas_threads() == before


def test_progress_bar(capsys):
    list(map_clips(double, [1, 2, 3], verbose=True, desc="Doubling"))
    assert "Doubling: 100%" in capsys.readouterr().err
    list(map_clips(double, [1, 2, 3]))
    assert capsys.readouterr().err == ""


def test_blas_is_limited_from_any_thread():
    """Threadpoolctl lets the first thread alone limit it, unless told otherwise."""
    before = blas_threads()
    list(map_clips(report, list("ab")))  # this thread is the first
    with ThreadPoolExecutor(1) as other:
        results = other.submit(lambda: list(map_clips(report, list("ab")))).result()
        assert all(blas <= {1} for _, blas in results)
        assert blas_threads() == before
    assert all(blas <= {1} for _, blas in map_clips(report, list("ab")))
    assert blas_threads() == before


def test_blas_is_restored_after_overlapping_runs():
    def threads():
        return [
            pool["num_threads"]
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        ]

    before = threads()
    first, second = (map_clips(len, ["a", "b"]) for _ in range(2))
    next(first), next(second)
    assert set(threads()) == {1}
    list(first)
    assert set(threads()) == {1}
    list(second)
    assert threads() == before
