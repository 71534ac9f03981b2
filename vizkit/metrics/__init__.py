"""Numbers from arrays: curves, confusion matrices, histograms, calibration."""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
