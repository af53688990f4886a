"""Trees of genres, and the files that they are read from."""
