"""
Clusters of embeddings
======================

The layer before the genres places each clip in a space. Do clips of one genre lie
together there? K-means, which doesn't know the genres, finds out; so does the same on
MFCCs, for comparison.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 5 s in
# six genres, which are not easily told apart.

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skgenre import (
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
)
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.inspection import ClusterDisplay, SilhouetteCurveDisplay

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    names = ["ambient", "folk", "hip-hop", "rock", "techno", "waltz"]
    tracks = make_genre_clips(
        160, genres=names, duration=5, random_state=0, folder=scratch.name
    )
paths, genres = tracks.paths, tracks.target
# Where the artists are not known, each clip counts as an artist of its own.
artists = np.arange(len(paths)) if tracks.groups is None else tracks.groups

splitter = StratifiedGroupKFold(n_splits=2, shuffle=True, random_state=0)
train, test = next(splitter.split(paths, genres, artists))

# %%
# Sound files to clusters in one pipeline
# ---------------------------------------
# The genres train the network and score the clusters; k-means doesn't see them. A small
# network and short clips keep this under a minute.

n_genres = len(np.unique(genres))
model = make_pipeline(
    MelSpectrogramTransformer(n_frames=108, n_mels=32, n_jobs=2),
    CRNNClassifier(
        filters=(32, 32, 32),
        lstm_units=32,
        dropout=0.2,
        embedding_units=32,
        learning_rate=0.003,
        batch_size=16,
        epochs=30,
        random_state=0,
    ),
    EmbeddingKMeans(n_genres, random_state=0),
)
model.fit(paths[train], genres[train], crnnclassifier__groups=artists[train])
print(f"Adjusted Rand index, training clips: {model[-1].adjusted_rand_score_:.2f}")
print(f"Adjusted Rand index, new artists: {model.score(paths[test], genres[test]):.2f}")

# %%
# The first figure is too good: the network was trained on the genres of those clips.
# The second is the one to believe.
#
# How many clusters?
# ------------------
# The clips of new artists are clustered again, by their embeddings and by their MFCCs,
# with the number of clusters of the best silhouette.

spaces = {
    "CRNN embedding": model[:-1].transform(paths[test]),
    "MFCC": MFCCStandardizer(duration=30, n_jobs=2).fit_transform(paths[test]),
}
figure, ax = plt.subplots(layout="constrained")
for name, E in spaces.items():
    kmeans = EmbeddingKMeans("auto", random_state=0).fit(E, genres[test])
    SilhouetteCurveDisplay.from_estimator(kmeans, ax=ax, name=name)
    print(
        f"{name}: {kmeans.n_clusters_} clusters, "
        f"silhouette {kmeans.silhouette_score_:.2f}, "
        f"adjusted Rand {kmeans.adjusted_rand_score_:.2f}"
    )
ax.axvline(n_genres, color="grey", linestyle=":", label="number of genres")
ax.legend()

# %%
# Which clusters hold which genres
# --------------------------------
# As many clusters as genres. A row with one dark field is a genre that found itself.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for (name, E), ax in zip(spaces.items(), axes, strict=True):
    kmeans = EmbeddingKMeans(n_genres, random_state=0).fit(E)
    ClusterDisplay.from_estimator(kmeans, E, genres[test], ax=ax)
    ax.set_title(f"{name}: {ax.get_title()}")

plt.show()
scratch.cleanup()
