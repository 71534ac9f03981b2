"""Figures of runs, with matplotlib: each function is a data step and a draw step.

All take ``ax=`` and return a `Plot`, which a notebook shows. matplotlib's styles, settings and current
figure are unchanged; it is imported when the first plot is drawn.
"""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
