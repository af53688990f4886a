"""
Grid search on a Dask cluster
=============================

joblib runs the fits of a scikit-learn search where it is told to. With Dask that is in
processes on this machine or on others; the search and its result stay the same. Dask
comes with an extra::

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
# and the same versions of Python and of the packages; `Client` then takes the address
# of their scheduler instead of a `LocalCluster`.

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
        joblib.parallel_config("dask"),
    ):
        spread = clone(search).fit(paths, genres, groups=artists)
    seconds = time.perf_counter() - started
    print(f"On a cluster of two workers, with its start and end: {seconds:.0f} s")

    scores = [each.cv_results_["mean_test_score"] for each in (alone, spread)]
    print("Same scores:", np.array_equal(*scores))
    print("Same best setting:", alone.best_params_ == spread.best_params_)
    answers = [each.predict_proba(paths) for each in (alone, spread)]
    print("Same probabilities of the best model:", np.array_equal(*answers))

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
