"""Numbers from arrays: curves, histograms, confusion, calibration."""
