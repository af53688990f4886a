"""
What do the models listen to?
=============================

Permutation importance: shuffle one feature among clips that a model was not trained on,
and see how much worse it gets. Here for the MFCC statistics of an SVC and for the mel
bands of a network. (For a model that is little better than guessing, it means nothing.)
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.

import sys
import tempfile

import librosa
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
# Single statistics of MFCCs
# --------------------------
# As a pandas table the 140 features keep their names: seven statistics of each of 20
# coefficients.

mfcc = MFCCStandardizer(duration=30, n_jobs=2).set_output(transform="pandas")
known, new = mfcc.fit_transform(paths[train]), mfcc.transform(paths[test])
svc = SVC().fit(known, genres[train])
print(f"MFCC + SVC: accuracy on held-out artists {svc.score(new, genres[test]):.2f}")

result = permutation_importance(svc, new, genres[test], n_repeats=10, random_state=0)
importances = pd.Series(result.importances_mean, index=new.columns)

# %%
# Many statistics carry the same information. When one of them is shuffled, it is still
# in the others, so that each alone looks unimportant. Where the colour is blue, the SVC
# got better by chance.

names = importances.index.str.split("_", expand=True)  # such as mfcc, mean, 01
grid = importances.set_axis(names).droplevel(0).unstack()
limit = grid.abs().to_numpy().max()
figure, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
image = ax.imshow(grid, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
ax.set_xticks(range(len(grid.columns)), grid.columns.astype(int))
ax.set_yticks(range(len(grid.index)), grid.index)
ax.set(xlabel="Coefficient", ylabel="Statistic")
figure.colorbar(image, label="Loss of accuracy")
print(importances.nlargest(3).round(3).to_string())

# %%
# Groups of features
# ------------------
# `permutation_importance` takes tables and shuffles one column at a time. But a cell of
# a data frame can hold an array, and then all of it moves to another clip together. So
# a column can be a statistic with the values of 20 coefficients in each cell, or a
# coefficient with its seven statistics. The first step of the model makes an array of
# the frame again.


def to_frame(array, names):
    """Return a data frame with one column for each place on the last axis."""
    return pd.DataFrame({name: list(array[..., i]) for i, name in enumerate(names)})


def to_array(frame):
    """Return the array that the frame was made of."""
    return np.stack([np.stack(frame[name].to_list()) for name in frame], axis=-1)


def to_table(frame):
    """Return the array with all numbers of a clip in one row."""
    return to_array(frame).reshape(len(frame), -1)


cubes = [table.to_numpy().reshape(-1, *grid.shape) for table in (known, new)]
groupings = {
    "Coefficient": [to_frame(cube, grid.columns.astype(int)) for cube in cubes],
    "Statistic": [to_frame(cube.swapaxes(1, 2), grid.index) for cube in cubes],
}
figure, axes = plt.subplots(
    1, 2, figsize=(9, 3), sharey=True, layout="constrained", width_ratios=(20, 9)
)
for (name, frames), ax in zip(groupings.items(), axes, strict=True):
    svc = make_pipeline(FunctionTransformer(to_table), SVC())
    svc.fit(frames[0], genres[train])
    result = permutation_importance(
        svc, frames[1], genres[test], n_repeats=20, random_state=0
    )
    columns = frames[1].columns
    best = columns[result.importances_mean.argmax()]
    print(f"{name} that matters most: {best}")
    ax.bar(
        range(len(columns)),
        result.importances_mean,
        yerr=result.importances_std,
        capsize=2,
    )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_xlabel(name)
axes[0].set_ylabel("Loss of accuracy")
axes[1].tick_params(axis="x", rotation=45)

# %%
# Mel bands
# ---------
# A spectrogram has three axes and is no table at all. With one column a mel band, each
# cell is the course of that band over the frames of a clip.

n_mels = 32
bands = [f"band{i:02d}" for i in range(n_mels)]
mel = MelSpectrogramTransformer(n_frames=108, n_mels=n_mels, n_jobs=2)
known = to_frame(mel.transform(paths[train]), bands)
new = to_frame(mel.transform(paths[test]), bands)
crnn = make_pipeline(
    FunctionTransformer(to_array),
    CRNNClassifier(
        filters=(32, 32),
        lstm_units=32,
        dropout=0.2,
        learning_rate=0.004,
        batch_size=16,
        epochs=20,
        random_state=0,
    ),
)
crnn.fit(known, genres[train])
print(f"CRNN: accuracy on held-out artists {crnn.score(new, genres[test]):.2f}")

# %%
# One band of 32 changes few predictions. The log loss also shows when the network
# becomes less sure of them.

result = permutation_importance(
    crnn, new, genres[test], scoring="neg_log_loss", n_repeats=5, random_state=0
)
# 34 edges on the mel scale: the bands reach from one to the next but one.
centres = librosa.mel_frequencies(n_mels + 2, fmax=mel.sample_rate / 2)[1:-1]
best = result.importances_mean.argmax()
print(f"Mel band that matters most: around {centres[best]:.0f} Hz")

figure, ax = plt.subplots(figsize=(9, 3), layout="constrained")
ax.bar(range(n_mels), result.importances_mean, yerr=result.importances_std, capsize=2)
ax.set_xticks(range(0, n_mels, 3), [f"{centre:.0f}" for centre in centres[::3]])
ax.set(xlabel="Centre of the mel band (Hz)", ylabel="Rise of the log loss")

plt.show()
scratch.cleanup()
