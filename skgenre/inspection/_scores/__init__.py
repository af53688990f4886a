"""Scores of predictions, with intervals."""
