"""Modules of the installed ``visualdl``, imported without the whole package.

The package itself takes long to import, and makes a directory in the user's home.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType

from vizkit.errors import MissingDependencyError

__all__ = ["find_package", "stock_module"]


def find_package() -> str:
    """The directory of the ``visualdl`` package.

    Raises:
        MissingDependencyError: it is not installed, or has no page.
    """
    spec = find_spec("visualdl")
    for place in (spec.submodule_search_locations if spec else None) or ():
        if os.path.isfile(os.path.join(place, "server", "dist", "index.html")):
            return place
    raise MissingDependencyError("VisualDL's page is not installed: pip install visualdl")


@cache
def stock_module(package: str, name: str) -> ModuleType:
    """Import a module of ``visualdl/component/graph`` or ``/profiler`` without the package's ``__init__``."""
    alias = f"_vizkit_visualdl_{package}"
    if alias not in sys.modules:
        spec = ModuleSpec(alias, None, is_package=True)
        spec.submodule_search_locations = [os.path.join(find_package(), "component", package)]
        sys.modules[alias] = module_from_spec(spec)
    return import_module(f"{alias}.{name}")
