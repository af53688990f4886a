"""Clustering: embeddings in, clusters and neighbours out."""

from skgenre.clustering._embedding_kmeans import EmbeddingKMeans
from skgenre.clustering._recommender import TrackRecommender
from skgenre.clustering._retrieval_metrics import (
    mean_average_precision,
    precision_at_k,
)

__all__ = [
    "EmbeddingKMeans",
    "TrackRecommender",
    "mean_average_precision",
    "precision_at_k",
]
