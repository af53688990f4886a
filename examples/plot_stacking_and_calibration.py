"""
Stacking and calibration
========================

A network on spectrograms and a linear model on MFCCs err differently.
`StackingClassifier` learns how much to believe each; `TemperatureScalingClassifier`
corrects probabilities that claim too much or too little. Both learn from clips that the
members were not trained on, and these have to be of other artists, too.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 4 s in
# six genres: short enough that both models err.

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import (
    CRNNClassifier,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    TemperatureScalingClassifier,
)
from skgenre.datasets import load_audio_folder, make_genre_clips

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    names = ["ambient", "folk", "hip-hop", "rock", "techno", "waltz"]
    tracks = make_genre_clips(
        192, genres=names, duration=4, random_state=0, folder=scratch.name
    )
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

splitter = StratifiedGroupKFold(n_splits=2, shuffle=True, random_state=0)
train, test = next(splitter.split(paths, genres, artists))

# %%
# Inner folds
# -----------
# `StackingClassifier` has no way to hand the artists to its inner folds, not even with
# metadata routing. It does take a list of splits, and so the folds are made beforehand,
# in rows of the training clips. The same list serves for the calibration.

inner = list(
    StratifiedGroupKFold(n_splits=3, shuffle=True, random_state=0).split(
        paths[train], genres[train], artists[train]
    )
)

# %%
# Stack two pipelines
# -------------------
# Both take paths, and so does the stack. The logistic regression on top takes their
# probabilities. Short clips, a small network and few epochs keep this under a minute.

crnn = make_pipeline(
    MelSpectrogramTransformer(n_frames=86, n_mels=32, n_jobs=2),
    CRNNClassifier(
        filters=(32, 32),
        lstm_units=32,
        dropout=0.2,
        learning_rate=0.004,
        batch_size=16,
        epochs=15,
        random_state=0,
    ),
)
mfcc = make_pipeline(
    MFCCStandardizer(statistics="correlations", duration=30, n_jobs=2),
    StandardScaler(),
    LogisticRegression(C=0.01, max_iter=1000),
)
stack = StackingClassifier(
    [("CRNN", crnn), ("MFCC", mfcc)], LogisticRegression(C=10, max_iter=1000), cv=inner
)
stack.fit(paths[train], genres[train])

# %%
# Each alone and both together
# ----------------------------
# The stack has trained its members on all training clips. It knows genres by their
# numbers, and so do they. On the synthetic clips both are right about equally often,
# and the stack more often. Where one is much better than the other, expect less.

predicted = {
    name: stack.classes_[member.predict(paths[test])]
    for name, member in stack.named_estimators_.items()
}
predicted["stack"] = stack.predict(paths[test])
accuracies = {
    name: accuracy_score(genres[test], values) for name, values in predicted.items()
}
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.bar(list(accuracies), accuracies.values(), color=["C0", "C0", "C1"])
ax.set(ylim=(0, 1), ylabel="Accuracy on held-out artists")
for name, accuracy in accuracies.items():
    print(f"{name:5} accuracy {accuracy:.2f}")

# %%
# Calibrate the network
# ---------------------
# The network is trained on two thirds of the training clips and predicts the last
# third, three times. From these predictions a temperature is learned: one number that
# makes all probabilities bolder or more cautious. It is applied to a network trained
# on all of the training clips, which the classifier keeps as ``estimator_``: before and
# after differ only in the temperature.

mel, network = crnn
calibrated = TemperatureScalingClassifier(network, cv=inner)
calibrated.fit(mel.transform(paths[train]), genres[train])
print(f"temperature {calibrated.temperature_:.1f}")

spectrograms = mel.transform(paths[test])
probabilities = {
    "CRNN": calibrated.estimator_.predict_proba(spectrograms),
    "calibrated": calibrated.predict_proba(spectrograms),
}

# %%
# Does it know how sure it may be?
# --------------------------------
# Clips are sorted by the probability of the genre that was predicted, and put into five
# equal parts. On the dotted line a network that is 70 % sure is right 70 % of the time;
# below the line it claims too much, above it too little. The log loss judges the
# probabilities of all genres in one number; lower is better. The accuracy stays as it
# is: a temperature changes no prediction.

figure, ax = plt.subplots(figsize=(5, 5), layout="constrained")
for name, values in probabilities.items():
    right = calibrated.classes_[values.argmax(axis=1)] == genres[test]
    loss = log_loss(genres[test], values, labels=calibrated.classes_)
    print(f"{name:10} accuracy {right.mean():.2f}, log loss {loss:.2f}")
    CalibrationDisplay.from_predictions(
        right, values.max(axis=1), n_bins=5, strategy="quantile", name=name, ax=ax
    )
ax.set(
    xlabel="Mean probability of the predicted genre",
    ylabel="Share of correct predictions",
)

plt.show()
scratch.cleanup()
