"""
Would more music help?
======================

A learning curve shows it: the same model is trained on a part of the music, on more and
on all of it. Where the accuracy on artists that it hasn't heard still rises at the end,
more music is worth the trouble. Where it doesn't, another model is.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import LearningCurveDisplay, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skgenre import CRNNClassifier, MelSpectrogramTransformer, MFCCStandardizer
from skgenre.datasets import load_audio_folder, make_genre_clips

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(144, random_state=0, folder=scratch.name)
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

# %%
# More artists, not more of each
# ------------------------------
# `learning_curve` takes the first clips of each fold's training rows. Sorted by genre,
# as files of a folder are, these would be of one genre. Shuffled clip by clip, as
# ``shuffle=True`` does it, a quarter of the music would hold a clip or two of nearly
# every artist. More music usually is music of more artists, and so the rows are put in
# order artist by artist.

rng = np.random.default_rng(0)


def artist_by_artist(rows):
    """Return the rows with the clips of an artist together, artists at random."""
    order = rng.permutation(np.unique(artists[rows]))
    return np.concatenate([rows[artists[rows] == artist] for artist in order])


splitter = StratifiedGroupKFold(n_splits=3, shuffle=True, random_state=0)
folds = [
    (artist_by_artist(train), test)
    for train, test in splitter.split(paths, genres, artists)
]

# %%
# Two models
# ----------
# An epoch of fewer clips has fewer training steps. A network needs enough epochs for
# the fewest clips, or else its curve shows how long it was trained. Short clips and a
# small network keep this under a minute.

models = {
    "MFCC + SVC": make_pipeline(MFCCStandardizer(duration=30, n_jobs=2), SVC()),
    "CRNN": make_pipeline(
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
    ),
}

# %%
# The curves
# ----------
# `LearningCurveDisplay` trains and draws. The shaded width is one standard deviation
# over the folds. The curve of the training clips shows how far a model fits what it
# has heard; a wide gap between the two is what more music can narrow.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for (name, model), ax in zip(models.items(), axes, strict=True):
    display = LearningCurveDisplay.from_estimator(
        model,
        paths,
        genres,
        train_sizes=[0.25, 0.5, 1.0],
        cv=folds,
        score_type="both",
        line_kw={"marker": "o"},
        ax=ax,
    )
    ax.set(title=name, xlabel="Training clips", ylabel="Accuracy", ylim=(0, 1.05))
    display.lines_[0].set_label("training clips")
    display.lines_[1].set_label("new artists")
    ax.legend(loc="lower right")
    for n_clips, known, new in zip(
        display.train_sizes,
        display.train_scores.mean(axis=1),
        display.test_scores.mean(axis=1),
        strict=True,
    ):
        print(
            f"{name}, {n_clips} training clips: accuracy on them {known:.2f}, "
            f"on new artists {new:.2f}"
        )

plt.show()
scratch.cleanup()
