"""Extraction, search and prediction on a Dask cluster that loses a worker.

The scheduler and its workers are real processes; files are reached by URLs alone.
"""

import os
import signal
import threading
import time
from contextlib import contextmanager
from operator import methodcaller

import bucket_filesystem
import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import MelSpectrogramTransformer
from skgenre.datasets import make_genre_clips

pytestmark = pytest.mark.slow

N_CLIPS = 120


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """The folder behind bucket://, with clips of 2 s, and their genres."""
    folder = tmp_path_factory.mktemp("bucket")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKGENRE_TEST_BUCKET", str(folder))  # workers inherit it
        tracks = make_genre_clips(N_CLIPS, duration=2, random_state=0, folder=folder)
        tracks.urls = np.array(
            [f"bucket://{os.path.relpath(path, folder)}" for path in tracks.paths],
            dtype=object,
        )
        tracks.log = folder / "opened.log"
        yield tracks


@pytest.fixture(scope="module")
def cluster(bucket):
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=50,
            preload=[bucket_filesystem.__file__],
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def one_worker_killed(client, bucket, *, after):
    """Kill the worker that opened the first file, after some files were opened."""
    client.wait_for_workers(2)
    bucket.log.write_text("")
    workers = set(client.run(os.getpid).values())
    killed = []

    def opened():
        return [int(pid) for pid in bucket.log.read_text().split("\n")[:-1]]

    def kill():
        while len(opened()) < after:
            time.sleep(0.002)
        (first,) = [pid for pid in opened() if pid in workers][:1]
        os.kill(first, signal.SIGKILL)
        killed.extend([first, len(opened())])

    thread = threading.Thread(target=kill)
    thread.start()
    yield
    thread.join()
    pid, n_before = killed
    assert len(opened()) > n_before, "the worker died when all was done"
    assert pid in opened()[:n_before]
    assert pid not in client.run(os.getpid).values()


def test_extraction(cluster, bucket):
    mel = MelSpectrogramTransformer(n_frames=40)
    alone = mel.fit_transform(bucket.paths)
    with (
        one_worker_killed(cluster, bucket, after=20),
        joblib.parallel_config("dask"),
    ):
        spread = mel.fit_transform(bucket.urls)
    assert_array_equal(spread, alone)


def test_search_and_prediction(cluster, bucket):
    search = GridSearchCV(
        make_pipeline(
            MelSpectrogramTransformer(n_frames=40, n_mels=16),
            FunctionTransformer(methodcaller("reshape", -1, 40 * 16)),
            SVC(),
        ),
        {"svc__C": [0.1, 10]},
        cv=2,
        error_score="raise",
    )
    alone = clone(search).fit(bucket.paths, bucket.target)
    urls, genres = bucket.urls, bucket.target
    with (
        one_worker_killed(cluster, bucket, after=20),
        # On every worker, as what one alone holds is lost with it.
        joblib.parallel_config("dask", scatter=[urls, genres]),
    ):
        spread = clone(search).fit(urls, genres)
    assert_array_equal(
        spread.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    with joblib.parallel_config("dask"):
        predicted = spread.decision_function(urls)
    assert_array_equal(predicted, alone.decision_function(bucket.paths))
