"""The classifiers that are networks, one module for each."""
