"""The FMA data set: its archives, its tables, its loaders."""
