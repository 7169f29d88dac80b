"""A model and songs: tags."""
