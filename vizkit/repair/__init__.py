"""Finds damage in logs, and repairs it."""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
