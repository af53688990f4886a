"""Commands that compare songs by their embeddings."""
