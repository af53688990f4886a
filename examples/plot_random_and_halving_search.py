"""
Random search and successive halving
====================================

Two searches that train fewer networks than a grid does, over the mel step's settings
and the network's together: one draws settings at random, the other drops the losers
after a few epochs. Both spread over worker processes.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 5 s.

import sys
import tempfile
import time

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedGroupKFold,
)
from sklearn.pipeline import Pipeline

from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder, make_genre_clips

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(64, duration=5, random_state=0, folder=scratch.name)
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

pipeline = Pipeline(
    [
        ("mel", MelSpectrogramTransformer(n_frames=108, n_mels=32)),
        (
            "crnn",
            CRNNClassifier(
                filters=(32, 32),
                lstm_units=32,
                dropout=0.2,
                batch_size=24,
                epochs=6,
                random_state=0,
            ),
        ),
    ]
)
folds = StratifiedGroupKFold(n_splits=2, shuffle=True, random_state=0)


def timed_fit(search):
    """Fit a search on folds of artists and return the seconds that it took."""
    started = time.perf_counter()
    search.fit(paths, genres, groups=artists)
    return time.perf_counter() - started


def described(params):
    """Return the setting in a few words."""
    rate, fmax = params["crnn__learning_rate"], params["mel__fmax"]
    return f"learning rate {rate:.4f}, bands up to {fmax:.0f} Hz"


# %%
# Random search
# -------------
# Four draws, not from a few values, but from ranges: the upper edge of the mel bands
# between 3 and 11 kHz, and the learning rate, evenly on its logarithmic scale.
# `n_jobs=2` trains two networks at a time, each in a process of its own.

random_search = RandomizedSearchCV(
    pipeline,
    {
        "mel__fmax": uniform(3000, 8000),  # from 3000, 8000 wide
        "crnn__learning_rate": loguniform(5e-4, 2e-2),
    },
    n_iter=4,
    cv=folds,
    n_jobs=2,
    random_state=0,
)
print(f"Random search: {timed_fit(random_search):.0f} s")
results = random_search.cv_results_
for score, params in zip(results["mean_test_score"], results["params"], strict=True):
    print(f"{score:.2f}  {described(params)}")
print(
    f"Random search, best: {described(random_search.best_params_)}; "
    f"accuracy on held-out artists {random_search.best_score_:.2f}"
)

# %%
# Once more
# ---------
# The worker processes outlive the search. The next one finds them started and with
# TensorFlow loaded, which saves most of the time, and with up to four compiled networks
# each. (Another size of the input or of a layer, or another dropout, makes another
# network; the settings searched here don't.)

again = clone(random_search)
print(f"The same search again: {timed_fit(again):.0f} s")
equal = np.array_equal(again.cv_results_["mean_test_score"], results["mean_test_score"])
print("Same scores:", equal)

# %%
# Successive halving
# ------------------
# Nine settings are trained for 2 epochs, the best three of them for 6 and the best of
# these for 18; each round begins anew. That is 54 epochs in each fold, where 18 for
# every setting would be 162. The price: a setting that learns slowly is dropped even
# if it would have won in the end. Epochs are a good resource where the first few show
# which networks will do well.

halving = HalvingGridSearchCV(
    pipeline,
    {
        "mel__fmax": [4000, 8000, 11025],
        "crnn__learning_rate": [0.001, 0.004, 0.016],
    },
    resource="crnn__epochs",
    min_resources=2,
    max_resources=18,
    factor=3,
    cv=folds,
    n_jobs=2,
    random_state=0,
)
print(f"Halving: {timed_fit(halving):.0f} s")
for n_settings, n_epochs in zip(
    halving.n_candidates_, halving.n_resources_, strict=True
):
    print(f"Epochs: {n_epochs}, settings: {n_settings}")
print(
    f"Halving, best: {described(halving.best_params_)}; "
    f"accuracy on held-out artists {halving.best_score_:.2f}"
)

# %%
# The rounds of halving
# ---------------------
# Each line is a setting, and ends where it was dropped.

results = halving.cv_results_
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for fmax, marker in ((4000, "o"), (8000, "^"), (11025, "s")):
    for rate, color in ((0.001, "C0"), (0.004, "C1"), (0.016, "C2")):
        rows = np.flatnonzero(
            (results["param_mel__fmax"] == fmax)
            & (results["param_crnn__learning_rate"] == rate)
        )
        ax.plot(
            results["n_resources"][rows],
            results["mean_test_score"][rows],
            marker=marker,
            color=color,
            label=f"{rate:g}, up to {fmax} Hz",
        )
ax.set(xscale="log", xlabel="Epochs", ylabel="Accuracy on held-out artists")
ax.set_xticks(halving.n_resources_, halving.n_resources_)
ax.minorticks_off()
figure.legend(loc="outside right upper", title="Learning rate")

plt.show()
scratch.cleanup()
