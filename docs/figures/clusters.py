"""A map of synthetic clips, and the clusters that k-means finds in it."""

import matplotlib.pyplot as plt

from skgenre import EmbeddingKMeans, MFCCStandardizer
from skgenre.datasets import make_genre_clips
from skgenre.inspection import ClusterDisplay, EmbeddingDisplay

clips = make_genre_clips(80, duration=4, random_state=0)
mfcc = MFCCStandardizer(statistics="correlations", n_mfcc=8)
E = mfcc.fit_transform([*clips.waveforms])
kmeans = EmbeddingKMeans(4, random_state=0).fit(E)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
EmbeddingDisplay.from_embeddings(E, clips.target, ax=left)
left.set_title("Where clips lie")
ClusterDisplay.from_estimator(kmeans, E, clips.target, ax=right)
