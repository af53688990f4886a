"""The commands, one module for each, and what only they need."""
