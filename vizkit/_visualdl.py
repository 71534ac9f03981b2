"""VisualDL's package, imported only where it is needed, and without writing to the user's home.

``import visualdl`` takes half a second and makes ``~/.visualdl``. Where that cannot be made it raises, as in
a container that runs under another user.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType

from vizkit._after_import import AfterImport

__all__ = ["after_import", "import_visualdl", "tolerate_home"]

_MAKES_DIRECTORY = "visualdl.utils.dir"


def import_visualdl() -> ModuleType:
    """Import VisualDL; nothing is written to the user's home."""
    if "visualdl" in sys.modules:
        return sys.modules["visualdl"]
    waiting = AfterImport(_MAKES_DIRECTORY, lambda: _replace_init(lambda init: None))
    try:
        return importlib.import_module("visualdl")
    finally:
        waiting.cancel()


def tolerate_home() -> None:
    """Have an import of VisualDL by others succeed, too, where the user's home cannot be written."""

    def tolerant(init: Callable[[], None]) -> None:
        with suppress(OSError):
            init()

    if _MAKES_DIRECTORY not in sys.modules:
        AfterImport(_MAKES_DIRECTORY, lambda: _replace_init(tolerant))


def _replace_init(run: Callable[[Callable[[], None]], None]) -> None:
    """Have the package call ``run`` with its function that makes the directory, instead of the function."""
    module = sys.modules[_MAKES_DIRECTORY]
    init = getattr(module, "init_vdl_config", None)
    if init is not None:  # another version of VisualDL
        module.init_vdl_config = lambda: run(init)  # type: ignore[attr-defined]


def after_import(then: Callable[[], None]) -> AfterImport | None:
    """Call a function now if VisualDL is imported, else after its import by whomever.

    Returns:
        The waiting call, which can be cancelled.
    """
    if hasattr(sys.modules.get("visualdl"), "LogWriter"):
        then()
        return None
    return AfterImport("visualdl", then)
