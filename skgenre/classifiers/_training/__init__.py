"""One training, from plain data to plain data."""
