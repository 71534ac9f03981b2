"""Sweeps: search for the hyper-parameters of a training, on one machine or many, each trial an ordinary run.

`vizkit.sweep` runs one; the values that it searches are `log`, `uniform`, `integers`, `choice` and `when`.
"""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
