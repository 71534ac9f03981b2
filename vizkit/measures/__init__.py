"""Numbers and pixels from arrays, with no input or output: curves, histograms, images, sounds."""
