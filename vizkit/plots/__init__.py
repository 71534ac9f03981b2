"""Figures of runs, with matplotlib: each function is a data step, which is tested, and a draw step.

All take ``ax=`` and give back what they drew as a `Plot`, which a notebook shows. matplotlib's styles,
settings and current figure stay as they are; it is imported when the first plot is drawn.
"""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
