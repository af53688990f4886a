"""The model of the page: why it decides, what its network has learned, and new ones."""
