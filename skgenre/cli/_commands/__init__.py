"""The work of the commands, and what only they need."""
