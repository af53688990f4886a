"""Data sets that other packages have loaded."""
