"""Pixels and sound from arrays, with no plotting library."""
