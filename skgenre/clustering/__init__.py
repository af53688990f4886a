"""Clustering: embeddings in, clusters out."""

from skgenre.clustering._embedding_kmeans import EmbeddingKMeans

__all__ = ["EmbeddingKMeans"]
