"""`vizkit.Tracker`, and the system metrics that it samples."""
