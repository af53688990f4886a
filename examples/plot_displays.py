"""
Plots of models, clips and clusters
===================================

Displays work as scikit-learn's do: ``from_estimator`` draws what a fitted estimator
makes of clips, ``ax`` says where, and ``ax_`` and ``figure_`` are kept, to change the
plot or to save it.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.
# Half of the artists are kept for the plots.

import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    SegmentClassifier,
    load_audio,
)
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.inspection import (
    ClusterDisplay,
    EmbeddingDisplay,
    LearningCurvesDisplay,
    RiskCoverageDisplay,
    SilhouetteCurveDisplay,
    SilhouetteDisplay,
    SpectrogramDisplay,
    TimelineDisplay,
)

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
# A model
# -------
# Whole songs go in; a network learns from windows of 3 s, and those of a song vote.
# It is a small network, for speed.

model = make_pipeline(
    MelSpectrogramTransformer(n_frames=None, n_mels=32, n_jobs=2),
    SegmentClassifier(
        CRNNClassifier(
            filters=(32, 32, 32),
            lstm_units=32,
            dropout=0.2,
            embedding_units=32,
            learning_rate=0.003,
            batch_size=32,
            epochs=8,
            random_state=0,
        ),
        window=64,
        hop=32,
    ),
)
model.fit(paths[train], genres[train], segmentclassifier__groups=artists[train])
print(f"Accuracy, new artists: {model.score(paths[test], genres[test]):.2f}")

# %%
# What the network gets
# ---------------------
# :class:`~skgenre.inspection.SpectrogramDisplay` takes a mel step, alone or in a
# pipeline, and a path or a waveform.

display = SpectrogramDisplay.from_estimator(model, paths[test][0])
display.ax_.set_title(genres[test][0])

# %%
# How it learned
# --------------
# :class:`~skgenre.inspection.LearningCurvesDisplay` finds the network, here inside the
# classifier of windows.

LearningCurvesDisplay.from_estimator(model)

# %%
# Which genre when
# ----------------
# A medley of new artists' clips, one of each of three genres.
# :class:`~skgenre.inspection.TimelineDisplay` shows the probabilities of its
# windows.

names = np.unique(genres)
chosen = [paths[test][genres[test] == genre][0] for genre in names[:3]]
parts = [load_audio(path, duration=30.0) for path in chosen]
medley = Path(scratch.name) / "medley.wav"
soundfile.write(medley, np.concatenate(parts), 22050)

display = TimelineDisplay.from_estimator(model, medley)
for border in np.cumsum([len(part) for part in parts[:-1]]) / 22050:
    display.ax_.axvline(border, color="black", linestyle="--")
display.ax_.set_title(" – ".join(names[:3]))

# %%
# When to say nothing
# -------------------
# :class:`~skgenre.inspection.RiskCoverageDisplay` shows how many predictions are wrong
# if only the most probable ones are given, here for a classifier that should be right
# nine times out of ten, or else say that it doesn't know. MFCCs make it unsure enough.

mfcc = MFCCStandardizer(duration=30, n_jobs=2)
careful = make_pipeline(
    mfcc, AbstainingClassifier(LogisticRegression(max_iter=1000), target_precision=0.9)
)
careful.fit(paths[train], genres[train], abstainingclassifier__groups=artists[train])
RiskCoverageDisplay.from_estimator(careful, paths[test], genres[test])

# %%
# Where clips lie
# ---------------
# :class:`~skgenre.inspection.EmbeddingDisplay` maps embeddings: the network's, or any
# table, such as what the steps before the last one make. It draws by PCA;
# ``reduction="umap"`` draws by UMAP, if that is installed.

figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
display = EmbeddingDisplay.from_estimator(model, paths[test], genres[test], ax=axes[0])
display.legend_.remove()
EmbeddingDisplay.from_estimator(careful, paths[test], genres[test], ax=axes[1])
axes[0].set_title("network")
axes[1].set_title("MFCC")

# %%
# How many clusters
# -----------------
# :class:`~skgenre.inspection.SilhouetteCurveDisplay` shows the silhouette over the
# number of clusters, two to nine as in the paper.

spaces = {"network": model.transform(paths[test]), "MFCC": mfcc.transform(paths[test])}
figure, ax = plt.subplots(layout="constrained")
for name, E in spaces.items():
    SilhouetteCurveDisplay.from_embeddings(E, random_state=0, ax=ax, name=name)

# %%
# Which clips fit their cluster
# -----------------------------
# :class:`~skgenre.inspection.SilhouetteDisplay` shows the clips behind one score. Those
# left of 0 are nearer to another cluster. As many clusters as genres:

clusterings = {
    name: EmbeddingKMeans(len(names), random_state=0).fit(E)
    for name, E in spaces.items()
}
figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
for (name, E), ax in zip(spaces.items(), axes, strict=True):
    SilhouetteDisplay.from_estimator(clusterings[name], E, ax=ax)
    ax.set_title(f"{name}: {ax.get_title()}")

# %%
# Which clusters hold which genres
# --------------------------------
# :class:`~skgenre.inspection.ClusterDisplay` puts each cluster under the genre that it
# is matched with. A row says where the clips of a genre are.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for (name, E), ax in zip(spaces.items(), axes, strict=True):
    display = ClusterDisplay.from_estimator(clusterings[name], E, genres[test], ax=ax)
    ax.set_title(f"{name}: {ax.get_title()}")
    print(f"Adjusted Rand index, {name}: {display.adjusted_rand:.2f}")

plt.show()
scratch.cleanup()
