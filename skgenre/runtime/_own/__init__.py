"""Networks of the user's own: the closed list of layers that are described as data."""
