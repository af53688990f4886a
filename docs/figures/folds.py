"""Folds at random and folds by artist, clip by clip."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

N_FOLDS = 4
artists = np.repeat(np.arange(12), 3)
genres = np.repeat(["folk", "rock", "techno"], 12)
splitters = {
    "At random": (StratifiedKFold, None),
    "By artist": (StratifiedGroupKFold, artists),
}

figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True, layout="constrained")
for ax, (title, (kind, groups)) in zip(axes, splitters.items(), strict=True):
    splitter = kind(N_FOLDS, shuffle=True, random_state=0)
    is_test = np.zeros((N_FOLDS, len(artists)))
    for fold, (_, test) in enumerate(splitter.split(artists, genres, groups)):
        is_test[fold, test] = 1
    colours = plt.get_cmap("tab20")(artists % 20)
    for fold, clip in np.argwhere(is_test):
        ax.add_patch(plt.Rectangle((clip, fold), 1, 1, color=colours[clip]))
    for border in range(0, len(artists) + 1, 3):
        ax.axvline(border, color="lightgrey", linewidth=0.8, zorder=0)
    ax.set(
        title=title,
        xlim=(0, len(artists)),
        ylim=(N_FOLDS, 0),
        xlabel="Clips, artist by artist",
        xticks=[],
        yticks=np.arange(N_FOLDS) + 0.5,
        yticklabels=range(1, N_FOLDS + 1),
    )
axes[0].set_ylabel("Test clips of fold")
