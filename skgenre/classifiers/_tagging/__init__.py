"""Genres without training: by the tags of a pretrained network."""
