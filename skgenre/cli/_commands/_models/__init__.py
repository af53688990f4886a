"""Commands that train, describe and evaluate models."""
