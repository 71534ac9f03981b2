"""A call of a function after a module's import, by whomever it is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["AfterImport"]


class AfterImport:
    """A call of a function once a module that is not imported yet has been.

    Args:
        module: its full name.
        then: the function; the ``import`` raises its errors.
    """

    def __init__(self, module: str, then: Callable[[], None]) -> None:
        self._module = module
        self._then = then
        self._looks = False
        sys.meta_path.insert(0, self)

    def cancel(self) -> None:
        """Do not call it any more; the import system is as before."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the other finders' spec, with a loader that calls the function after the import."""
        if name != self._module or self._looks:  # another one that waits for the module asks
            return None
        self._looks = True
        try:
            for finder in list(sys.meta_path):
                if finder is not self and hasattr(finder, "find_spec"):
                    spec = finder.find_spec(name, path, target)
                    if spec is not None:
                        self._follow(spec.loader)
                        return spec
        finally:
            self._looks = False
        return None

    def _follow(self, loader: object) -> None:
        run = getattr(loader, "exec_module", None)
        if run is None:
            return

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)  # the class's own shows again
            run(module)
            if self in sys.meta_path:
                self.cancel()
                self._then()

        with suppress(AttributeError, TypeError):  # a loader in C; the import must not suffer
            loader.exec_module = exec_module  # type: ignore[attr-defined]
