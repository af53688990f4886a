"""
Stacking and calibration
========================

A network on spectrograms and an SVC on MFCCs err differently. `StackingClassifier`
learns how much to believe each; `CalibratedClassifierCV` corrects probabilities that
claim too much or too little. Both learn from clips that the members were not trained
on, and these have to be of other artists, too.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
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
# Both take paths, and so does the stack. The SVC needs no probabilities: the logistic
# regression on top takes the values of its decision function. Short clips, a small
# network and few epochs keep this under a minute.

crnn = make_pipeline(
    MelSpectrogramTransformer(n_frames=108, n_mels=32, n_jobs=2),
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
svc = make_pipeline(MFCCStandardizer(duration=30, n_jobs=2), SVC())
stack = StackingClassifier(
    [("CRNN", crnn), ("SVC", svc)], LogisticRegression(), cv=inner
)
stack.fit(paths[train], genres[train])

# %%
# Each alone and both together
# ----------------------------
# The stack has trained its members on all training clips. It knows genres by their
# numbers, and so do they.

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
# on all of the training clips. That is the stack's member once more, with the same seed
# and the same clips: before and after differ only in the temperature.

version = tuple(map(int, sklearn.__version__.split(".")[:2]))
calibrated = CalibratedClassifierCV(
    crnn,
    # Before scikit-learn 1.8: a curve for each genre.
    method="temperature" if version >= (1, 8) else "sigmoid",
    cv=inner,
    ensemble=False,
)
calibrated.fit(paths[train], genres[train])
probabilities = {
    "CRNN": stack.named_estimators_["CRNN"].predict_proba(paths[test]),
    "calibrated": calibrated.predict_proba(paths[test]),
}

# %%
# Does it know how sure it may be?
# --------------------------------
# Clips are sorted by the probability of the genre that was predicted, and put into five
# equal parts. On the dotted line a network that is 70 % sure is right 70 % of the time;
# below the line it claims too much, above it too little. The log loss judges the
# probabilities of all genres in one number; lower is better. With few clips to learn
# from, a calibration may also do harm.

figure, ax = plt.subplots(figsize=(5, 5), layout="constrained")
for name, values in probabilities.items():
    right = stack.classes_[values.argmax(axis=1)] == genres[test]
    loss = log_loss(genres[test], values, labels=stack.classes_)
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
