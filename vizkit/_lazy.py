"""Lazy exports of a package, listed once: in the stub (``__init__.pyi``) beside its ``__init__.py``.

Type checkers and editors read the stub. At run time `exports` reads the same imports from it, and performs
each when its name is first used (PEP 562).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

__all__ = ["exports"]


def exports(package: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    In the stub a line ``from a.b import c as c`` makes ``c`` of module ``a.b`` an attribute of the package,
    and ``from package import d as d`` its submodule ``d``.

    Args:
        package: the package's ``__name__``.
    """
    sources: dict[str, str] = {}
    with open(str(sys.modules[package].__file__) + "i", encoding="utf-8") as stub:
        for line in stub:
            if line.startswith("from "):  # not parsed by `ast`, whose import would take half of VizKit's
                _, module, _, name, *_ = line.split()
                sources[name] = module

    def get(name: str) -> object:
        source = sources.get(name)
        if source is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if source == package:
            return importlib.import_module(f"{package}.{name}")
        value: object = getattr(importlib.import_module(source), name)
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *sources})

    return get, listed, sorted(name for name in sources if not name.startswith("_"))
