"""
Extraction, search and prediction on a Dask cluster
===================================================

joblib runs the fits of a scikit-learn search, and the clips of an audio step, on the
backend that is chosen. With Dask that is in processes on this machine or on others;
what is called and what comes out stay the same. Dask comes with an extra::

    python -m pip install "skgenre[dask]"
"""

# %%
# A search
# --------
# Two learning rates times two spectrograms, each on two folds of artists. Short clips,
# a small network and few epochs keep this under a minute.

import logging
import sys
import tempfile
import time
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

import skgenre
from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder, make_genre_clips

pipeline = Pipeline(
    [
        ("mel", MelSpectrogramTransformer(n_frames=108, n_mels=32)),
        (
            "crnn",
            CRNNClassifier(
                filters=(32, 32),
                lstm_units=32,
                dropout=0.2,
                batch_size=16,
                epochs=6,
                random_state=0,
            ),
        ),
    ]
)
search = GridSearchCV(
    pipeline,
    {"mel__fmax": [5000, 11025], "crnn__learning_rate": [0.002, 0.005]},
    cv=StratifiedGroupKFold(n_splits=2, shuffle=True, random_state=0),
)

# %%
# Large corpora
# -------------
# What an audio step returns is gathered in the process that called it, and so is what
# it returns inside of ``predict``. Where that is too much for one machine, the parts of
# the corpus are the tasks: a worker takes some hundred files, writes their spectrograms
# to where all can read them, or returns nothing but their genres. Models travel as
# files, not with each task.


def write_part(paths, file):
    """Write the spectrograms of some files, at half the size."""
    with joblib.parallel_config("threading", n_jobs=1):  # here, not on the cluster
        X = pipeline["mel"].transform(paths)
    np.save(file, X.astype(np.float16))
    return len(X)


def predict_part(model_file, paths):
    """Return the genres of some files."""
    with joblib.parallel_config("threading", n_jobs=1):
        return skgenre.load(model_file).predict(paths)


# %%
# Without and with a cluster
# --------------------------
# Each worker process of a `LocalCluster` imports the script that starts it. The rest of
# the script stands below ``if __name__ == "__main__":``, which is false there; without
# this line the workers would try to start workers of their own. (A notebook does
# without it.)
#
# The music is a folder or a CSV that is named on the command line, or else synthetic
# clips of 10 s. Workers get the names of the files and read them themselves. Workers on
# other machines need the same files at the same paths, for instance on a shared disk,
# or the files' URLs (``s3://bucket/song.mp3``), and the same versions of Python and of
# the packages; `Client` then takes the address of their scheduler instead of a
# `LocalCluster`.
#
# If a worker is lost, Dask repeats its tasks elsewhere. What only that worker held is
# lost, though: ``scatter`` puts the names and genres of a search on all of them.

if __name__ == "__main__":
    scratch = tempfile.TemporaryDirectory()
    if len(sys.argv) > 1:
        tracks = load_audio_folder(sys.argv[1])
    else:
        music = Path(scratch.name) / "music"
        tracks = make_genre_clips(64, random_state=0, folder=music)
    paths, genres = tracks.paths, tracks.target
    # Where the artists are not known, each clip counts as an artist of its own.
    artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

    started = time.perf_counter()
    alone = clone(search).fit(paths, genres, groups=artists)
    print(f"Without a cluster: {time.perf_counter() - started:.0f} s")

    started = time.perf_counter()
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",  # any free port
            local_directory=scratch.name,
            # A process that has loaded TensorFlow takes seconds to end: no warning.
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster),
    ):
        with joblib.parallel_config("dask", scatter=[paths, genres]):
            spread = clone(search).fit(paths, genres, groups=artists)
        seconds = time.perf_counter() - started
        print(f"On a cluster of two workers, with its start: {seconds:.0f} s")

        model_file = str(Path(scratch.name) / "genres.model")
        skgenre.save(spread.best_estimator_, model_file)
        parts = np.array_split(paths, 4)
        files = [str(Path(scratch.name) / f"part-{i}.npy") for i in range(len(parts))]
        with joblib.parallel_config("dask"):
            X = pipeline["mel"].transform(paths)
            spread_probabilities = spread.predict_proba(paths)
            run = joblib.Parallel()
            run(
                joblib.delayed(write_part)(part, file)
                for part, file in zip(parts, files, strict=True)
            )
            predicted = run(
                joblib.delayed(predict_part)(model_file, part) for part in parts
            )

    scores = [each.cv_results_["mean_test_score"] for each in (alone, spread)]
    print("Same scores:", np.array_equal(*scores))
    print("Same best setting:", alone.best_params_ == spread.best_params_)
    probabilities = alone.predict_proba(paths)
    print(
        "Same probabilities of the best model:",
        np.array_equal(probabilities, spread_probabilities),
    )
    print("Same spectrograms:", np.array_equal(X, pipeline["mel"].transform(paths)))
    written = np.concatenate([np.load(file, allow_pickle=False) for file in files])
    print("Written by workers, to 0.04 dB:", np.allclose(written, X, rtol=0, atol=0.04))
    spread_genres = np.concatenate(predicted)
    print("Same genres:", np.array_equal(spread_genres, alone.predict(paths)))

# %%
# To start workers and to load TensorFlow in each takes longer than these few small
# fits. A cluster is for fits that take minutes, and for more processors than one
# machine has.
#
# Scores of the grid
# ------------------
# Each point is one setting on one fold; those on the line are equal with and without
# the cluster.

if __name__ == "__main__":
    figure, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
    ax.axline((0, 0), slope=1, color="grey", linestyle=":")
    for fold in range(search.cv.n_splits):
        ax.plot(
            *(each.cv_results_[f"split{fold}_test_score"] for each in (alone, spread)),
            "o^"[fold],
            label=f"fold {fold + 1}",
        )
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
        xlabel="Accuracy without a cluster",
        ylabel="Accuracy on the cluster",
    )
    ax.legend()

    plt.show()
    scratch.cleanup()
