"""
Genres of a folder of music
===========================

Train a network on labelled music, judge it on artists that it has never heard, look at
what it learned from, and keep it in a file.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.
# Both give paths, genres and artists.

import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

import skgenre
from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.inspection import LearningCurvesDisplay, SpectrogramDisplay

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(160, random_state=0, folder=scratch.name)
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups
print(f"{len(paths)} clips of {len(set(artists))} artists")

# %%
# Hold out whole artists
# ----------------------
# A network that has heard an artist before recognises the artist, and so looks better
# than it is.

splitter = StratifiedGroupKFold(n_splits=4, shuffle=True, random_state=0)
train, test = next(splitter.split(paths, genres, artists))

# %%
# One spectrogram of each genre
# -----------------------------
# 215 frames of 1,024 samples at 22,050 Hz are 10 s, from the middle of a clip. The
# default, 640 frames, takes 30 s and three times as long to train.

mel = MelSpectrogramTransformer(n_frames=215, n_mels=32, n_jobs=2)
names = np.unique(genres)
figure, axes = plt.subplots(
    len(names), 1, figsize=(7, 2 * len(names)), sharex=True, layout="constrained"
)
for genre, ax in zip(names, axes, strict=True):
    SpectrogramDisplay.from_estimator(mel, paths[genres == genre][0], ax=ax)
    ax.set(title=genre, xlabel="")

# %%
# Train
# -----
# ``groups`` keeps an artist's clips on one side of the network's own validation split,
# which chooses the epoch to keep. The network has fewer filters, units
# and mel bands than the default, for speed.

model = make_pipeline(
    mel,
    CRNNClassifier(
        filters=(32, 32, 32),
        lstm_units=32,
        dropout=0.2,
        learning_rate=0.003,
        batch_size=16,
        epochs=30,
        random_state=0,
    ),
)
model.fit(paths[train], genres[train], crnnclassifier__groups=artists[train])
LearningCurvesDisplay.from_estimator(model)

# %%
# Predict
# -------
# The accuracy is over the artists that were held out.

predicted = model.predict(paths[test])
print(classification_report(genres[test], predicted, zero_division=0))
figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    genres[test],
    predicted,
    labels=model.classes_,
    cmap="Blues",
    xticks_rotation=45,
    ax=ax,
)

# %%
# Probabilities say how sure the network is of one clip.

for path, row in zip(
    paths[test][:3], model.predict_proba(paths[test][:3]), strict=True
):
    best = np.argsort(row)[::-1][:2]
    shares = ", ".join(f"{model.classes_[i]} {row[i]:.0%}" for i in best)
    print(f"{Path(path).parent.name}/{Path(path).name}: {shares}")

# %%
# Keep the model
# --------------
# The file holds plain values and arrays: loading it runs no code of its own.

file = Path(scratch.name) / "genres.model"
skgenre.save(model, file)
loaded = skgenre.load(file)
agree = (loaded.predict(paths[test]) == predicted).all()
print(f"Loaded model agrees on all clips: {agree}")

plt.show()
scratch.cleanup()
