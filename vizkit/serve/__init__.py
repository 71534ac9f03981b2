"""VisualDL's page over VizKit's reader: ``vizkit.serve("log")``, ``vizkit serve log``."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from vizkit.serve.server import Server, serve

__all__ = ["Server", "serve"]


class _Callable(ModuleType):
    """``vizkit.serve`` names this package, once it is imported, and the function that it is about."""

    def __call__(self, *args: Any, **options: Any) -> Server:
        return serve(*args, **options)


sys.modules[__name__].__class__ = _Callable
_Callable.__call__.__doc__ = serve.__doc__
