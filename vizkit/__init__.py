"""Experiment tracking and visualization for PaddlePaddle, built on VisualDL.

Nothing heavy is imported before it is used: ``import vizkit`` is cheap. ``__init__.pyi`` lists what
the package exports.
"""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
