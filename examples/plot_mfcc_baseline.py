"""
The baseline: MFCC statistics and an SVC
========================================

A support vector machine on 140 numbers per clip trains in seconds. Run it first: what a
network is worth on your music is how far it gets beyond this one. (The synthetic genres
share their instruments and studios, and so are harder for it than real ones.)
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skgenre import MFCCStandardizer
from skgenre.datasets import load_audio_folder, make_genre_clips

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(160, random_state=0, folder=scratch.name)
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

# %%
# Cross-validate by artist
# ------------------------
# Each clip is predicted by a model that has heard none of its artist's clips.
# `duration` takes 30 s from the middle of longer songs. The majority baseline shows
# what guessing is worth.

models = {
    "majority": DummyClassifier(strategy="most_frequent"),
    "MFCC + SVC": make_pipeline(MFCCStandardizer(duration=30, n_jobs=2), SVC()),
}
splitter = StratifiedGroupKFold(n_splits=5, shuffle=True, random_state=0)
predictions = {
    name: cross_val_predict(model, paths, genres, groups=artists, cv=splitter)
    for name, model in models.items()
}

# %%
# Accuracy and its interval
# -------------------------
# Clips of one artist are alike, so that the interval comes from drawing artists, not
# clips, again and again.


def artist_interval(correct, artists, n_draws=2000, random_state=0):
    """Return the 95 % interval of the accuracy, from resampled artists."""
    rng = np.random.default_rng(random_state)
    codes = np.unique(artists, return_inverse=True)[1]
    n_clips, n_correct = np.bincount(codes), np.bincount(codes, weights=correct)
    drawn = rng.integers(len(n_clips), size=(n_draws, len(n_clips)))
    accuracies = n_correct[drawn].sum(axis=1) / n_clips[drawn].sum(axis=1)
    return np.percentile(accuracies, [2.5, 97.5])


figure, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
for name, predicted in predictions.items():
    accuracy = accuracy_score(genres, predicted)
    low, high = artist_interval(predicted == genres, artists)
    print(f"{name}: accuracy {accuracy:.2f}, 95 % interval {low:.2f} to {high:.2f}")
    ax.errorbar(
        accuracy,
        name,
        xerr=[[accuracy - low], [high - accuracy]],
        marker="o",
        capsize=4,
    )
ax.set(xlim=(0, 1), ylim=(-0.5, 1.5), xlabel="Accuracy on held-out artists")

# %%
# Which genres are taken for which
# --------------------------------

figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    genres, predictions["MFCC + SVC"], cmap="Blues", xticks_rotation=45, ax=ax
)

plt.show()
scratch.cleanup()
