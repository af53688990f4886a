"""
Recommend tracks
================

Who likes these songs may like those that lie near them in the space of an embedding. Do
the neighbours of a track share its genre? Its own artist doesn't count: two songs of a
band are near for the band's sound, and the listener knows that band.
"""

# %%
# Music
# -----
# A folder or a CSV that is named on the command line, or else synthetic clips of 10 s.

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skgenre import (
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    SecondOrderClassifier,
    TrackRecommender,
)
from skgenre.clustering import mean_average_precision, precision_at_k
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
train, library = next(splitter.split(paths, genres, artists))

# %%
# Embeddings
# ----------
# A network is trained on one half of the artists. The clips of the other half, which it
# has not heard, are the library to recommend from. MFCCs, which learn nothing of
# genres, and noise are there to compare with.

network = make_pipeline(
    MelSpectrogramTransformer(n_frames=215, n_jobs=2),
    SecondOrderClassifier(random_state=0),
)
network.fit(paths[train], genres[train])
mfcc = MFCCStandardizer(duration=30, n_jobs=2).fit(paths[train])
embeddings = {
    "network": network.transform(paths[library]),
    "MFCC": mfcc.transform(paths[library]),
    "noise": np.random.default_rng(0).normal(size=(len(library), 50)),
}

# %%
# How good are the neighbours?
# ----------------------------
# Precision at 5 is the share of the five nearest tracks of other artists that have the
# query's genre; mean average precision looks at the whole ranking.

measures = {"precision@5": precision_at_k, "mAP": mean_average_precision}
scores = {
    name: [
        measure(E, genres[library], groups=artists[library])
        for measure in measures.values()
    ]
    for name, E in embeddings.items()
}
for name, (precision, average) in scores.items():
    print(f"{name:8} precision@5 {precision:.2f}  mAP {average:.2f}")

figure, ax = plt.subplots(layout="constrained")
for i, (name, values) in enumerate(scores.items()):
    bars = ax.bar(np.arange(2) + (i - 1) * 0.27, values, width=0.25, label=name)
    ax.bar_label(bars, fmt="%.2f")
ax.set(xticks=[0, 1], xticklabels=list(measures), ylim=(0, 1.1), ylabel="Score")
ax.legend()

# %%
# Recommendations, and why
# ------------------------
# Two liked tracks of different genres: each in turn gives its nearest neighbour, so
# neither style is forgotten. The clusters are those of k-means, which knows no genres.

recommender = TrackRecommender(
    clusterer=EmbeddingKMeans(len(np.unique(genres)), random_state=0)
)
recommender.fit(embeddings["network"], groups=artists[library])
of_library = genres[library]
liked = [np.flatnonzero(of_library == genre)[0] for genre in np.unique(genres)[:2]]
found = recommender.recommend(liked, k=8)
for i, row in enumerate(found.rows):
    print(
        f"Recommended: {of_library[row]} by {artists[library][row]}, at distance "
        f"{found.distances[i]:.3f} of the liked {of_library[found.liked[i]]} track, "
        f"{'the same' if found.shares_cluster[i] else 'another'} cluster"
    )

# %%
# A song that is not in the library is recommended for by its embedding.

song = paths[train][0]
found = recommender.recommend_by_embedding(network.transform([song]), k=5)
print(f"Near a new {genres[train][0]} song: {', '.join(of_library[found.rows])}")

plt.show()
scratch.cleanup()
