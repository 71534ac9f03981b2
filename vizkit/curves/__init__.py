"""Curves of many runs for a view: points, smoothing, bands."""
