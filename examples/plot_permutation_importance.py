"""
What a model listens to
=======================

`permutation_importance` gives each held-out clip the values of another clip in one
column, and tells how much accuracy is lost. A column may hold more than a number: here
it is a statistic of all MFCCs for an SVC, and a mel band over all frames for a network.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import CRNNClassifier, MelSpectrogramTransformer, MFCCStandardizer
from skgenre.datasets import load_audio_folder, make_genre_clips

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(160, random_state=0, folder=scratch.name)
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

splitter = StratifiedGroupKFold(n_splits=3, shuffle=True, random_state=0)
train, test = next(splitter.split(paths, genres, artists))

# %%
# Columns of series
# -----------------
# scikit-learn's function takes tables of two axes, but the cells of a data frame may be
# arrays. A step in front of the model joins them again.


def to_table(X, names):
    """Return a data frame of the last axis, whose cells are arrays over the middle."""
    return pd.DataFrame({name: list(X[:, :, i]) for i, name in enumerate(names)})


def from_table(table):
    """Undo `to_table`."""
    return np.stack([np.stack(column) for _, column in table.items()], axis=-1)


def from_table_flat(table):
    """Undo `to_table`, for a model that takes rows of numbers."""
    return from_table(table).reshape(len(table), -1)


def importances(model, X, y):
    """Return the accuracy lost by shuffling each column, in several repeats."""
    return permutation_importance(model, X, y, n_repeats=5, random_state=0).importances


# %%
# Statistics of MFCCs
# -------------------
# `MFCCStandardizer` gives seven statistics of each of 20 coefficients, one statistic
# after the other. A single one of the 140 matters little, as its neighbours say nearly
# the same; so a column is a statistic of all coefficients.

mfcc = MFCCStandardizer(duration=30, n_jobs=2)
statistics = ["kurtosis", "max", "mean", "median", "min", "skew", "std"]


def mfcc_table(features):
    """Return a data frame of one column a statistic."""
    return to_table(features.reshape(len(features), 7, 20).swapaxes(1, 2), statistics)


svc = make_pipeline(FunctionTransformer(from_table_flat), SVC())
svc.fit(mfcc_table(mfcc.fit_transform(paths[train])), genres[train])
heard = mfcc_table(mfcc.transform(paths[test]))
print(f"MFCC + SVC: accuracy on held-out artists {svc.score(heard, genres[test]):.2f}")
of_statistics = importances(svc, heard, genres[test])

# %%
# Mel bands
# ---------

bands = [f"{number}" for number in range(1, 25)]
mel = MelSpectrogramTransformer(n_frames=108, n_mels=24, n_jobs=2)
crnn = CRNNClassifier(
    filters=(32, 32),
    lstm_units=32,
    dropout=0.2,
    learning_rate=0.003,
    batch_size=16,
    epochs=15,
    random_state=0,
)
network = make_pipeline(FunctionTransformer(from_table), crnn)
network.fit(
    to_table(mel.transform(paths[train]), bands),
    genres[train],
    crnnclassifier__groups=artists[train],
)
heard = to_table(mel.transform(paths[test]), bands)
print(f"CRNN: accuracy on held-out artists {network.score(heard, genres[test]):.2f}")
of_bands = importances(network, heard, genres[test])

# %%
# Both in pictures
# ----------------
# Bars end at the mean over five shuffles, lines at the least and the most. Around zero
# the model does as well without.

figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
titles = ("SVC: statistics of MFCCs", "CRNN: mel bands, from low to high")
for ax, title, names, lost in zip(
    axes, titles, (statistics, bands), (of_statistics, of_bands), strict=True
):
    mean = lost.mean(axis=1)
    reach = [mean - lost.min(axis=1), lost.max(axis=1) - mean]
    ax.barh(names, mean, xerr=reach, color="C0", ecolor="C7")
    ax.set(title=title, xlabel="Accuracy lost on held-out artists")

plt.show()
scratch.cleanup()
