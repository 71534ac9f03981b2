"""Check logs for damage, and repair them."""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
