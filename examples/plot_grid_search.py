"""
Search over spectrograms and networks together
==============================================

The mel step's settings and the network's are parameters of one pipeline, and so one
`GridSearchCV` searches both. `Pipeline(memory=...)` keeps the spectrograms, so that
networks that share them don't compute them again.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.

import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder, make_genre_clips

scratch = tempfile.TemporaryDirectory()
music, cache = Path(scratch.name) / "music", Path(scratch.name) / "cache"
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(120, random_state=0, folder=music)
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

# %%
# Search
# ------
# Two spectrograms times two learning rates, each on two folds of artists, and the best
# of them once more on everything: nine fits. Short clips, a small network and few
# epochs keep this under a minute.

pipeline = Pipeline(
    [
        ("mel", MelSpectrogramTransformer(n_frames=215, n_jobs=2)),
        (
            "crnn",
            CRNNClassifier(
                filters=(32, 32),
                lstm_units=32,
                dropout=0.2,
                batch_size=16,
                epochs=10,
                random_state=0,
            ),
        ),
    ],
    memory=str(cache),
)
search = GridSearchCV(
    pipeline,
    {"mel__n_mels": [32, 64], "crnn__learning_rate": [0.001, 0.003]},
    cv=StratifiedGroupKFold(n_splits=2, shuffle=True, random_state=0),
)
started = time.perf_counter()
search.fit(paths, genres, groups=artists)
print(f"Search: {time.perf_counter() - started:.0f} s")

results = search.cv_results_
for params, mean, std in zip(
    results["params"],
    results["mean_test_score"],
    results["std_test_score"],
    strict=True,
):
    print(f"{mean:.2f} +- {std:.2f}  {params}")
print("Best:", search.best_params_)

# %%
# Spectrograms were computed once
# -------------------------------
# The cache holds one entry for each mel setting and fold, and one for the last fit.
# Without it every fit would have computed its own. (The clips that a fold holds out are
# not fitted on, and `Pipeline` doesn't cache those.)
#
# Entries are found by the names of the files, not by their contents: empty the cache
# when you replace a file.

n_fits = len(results["params"]) * search.n_splits_ + 1
n_computed = len(list(cache.glob("**/output.pkl")))
print(f"{n_fits} fits, spectrograms of the training clips computed {n_computed} times")

# %%
# Scores of the grid
# ------------------

figure, ax = plt.subplots(layout="constrained")
for n_mels in (32, 64):
    rows = np.flatnonzero(results["param_mel__n_mels"] == n_mels)
    ax.errorbar(
        results["param_crnn__learning_rate"][rows].astype(float),
        results["mean_test_score"][rows],
        results["std_test_score"][rows],
        marker="o",
        capsize=4,
        label=f"{n_mels} mel bands",
    )
ax.set(xscale="log", xlabel="Learning rate", ylabel="Accuracy on held-out artists")
ax.legend()

plt.show()
scratch.cleanup()
