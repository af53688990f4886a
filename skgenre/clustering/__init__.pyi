from ._embedding_kmeans import EmbeddingKMeans
from ._recommender import TrackRecommender
from ._retrieval_metrics import (
    mean_average_precision,
    precision_at_k,
)

__all__ = [
    "EmbeddingKMeans",
    "TrackRecommender",
    "mean_average_precision",
    "precision_at_k",
]
