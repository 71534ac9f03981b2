"""Patches of other people's objects, modules and classes, which can be taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["AfterImport", "Patches", "overridden"]

_GONE = object()


def overridden(holder: object, name: str, value: object) -> Callable[[], None]:
    """Set an attribute of an object.

    Returns:
        A function that puts the former one back, unless somebody else has set it since.
    """
    former = vars(holder).get(name, _GONE)
    setattr(holder, name, value)

    def put_back() -> None:
        if vars(holder).get(name) is not value:
            return
        if former is _GONE:
            delattr(holder, name)
        else:
            setattr(holder, name, former)

    return put_back


@dataclass(frozen=True)
class _Patch:
    holder: type | ModuleType
    name: str
    before: object
    value: object


class Patches:
    """Attributes that were replaced, with their former values."""

    def __init__(self) -> None:
        self._made: list[_Patch] = []

    def replace(self, holder: type | ModuleType, name: str, value: object) -> None:
        """Replace an attribute that a class or module itself defines."""
        self._made.append(_Patch(holder, name, vars(holder)[name], value))
        setattr(holder, name, value)

    def replace_everywhere(self, before: type, value: type, *, but: str) -> None:
        """Replace a class in all modules that hold it, under any name.

        Args:
            before: the class.
            value: the class in its place.
            but: the package whose modules are left alone.
        """
        for module, name in _holders(before, but):
            self.replace(module, name, value)

    def undo(self) -> list[str]:
        """Put the former values back.

        Returns:
            The attributes that somebody else has replaced since; they are left as they are.
        """
        left = []
        while self._made:
            patch = self._made.pop()
            now = vars(patch.holder).get(patch.name, _GONE)
            if now is patch.value:
                setattr(patch.holder, patch.name, patch.before)
            elif now is not patch.before and now is not _GONE:
                left.append(f"{patch.holder.__name__}.{patch.name}")
        return left

    @staticmethod
    def undo_everywhere(before: type, value: type, *, but: str) -> None:
        """Put a class back also in modules that were imported after `replace_everywhere`."""
        for module, name in _holders(value, but):
            setattr(module, name, before)


def _holders(value: object, but: str) -> list[tuple[ModuleType, str]]:
    """Return the modules, and the names in them, that hold the very object ``value``."""
    return [
        (module, name)
        for module in list(sys.modules.values())
        if type(module) is ModuleType  # one that loads lazily is of another type: it is not woken
        and str(vars(module).get("__name__")).partition(".")[0] != but
        for name, held in list(vars(module).items())
        if held is value
    ]


class AfterImport:
    """A call of a function once a module that is not imported yet has been.

    Args:
        module: its full name.
        then: the function; the ``import`` raises its errors.
    """

    def __init__(self, module: str, then: Callable[[], None]) -> None:
        self._module = module
        self._then = then
        sys.meta_path.insert(0, self)

    def cancel(self) -> None:
        """Do not call it any more; the import system is as before."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the other finders' spec, with a loader that calls the function after the import."""
        if name != self._module:
            return None
        for finder in list(sys.meta_path):
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    self._follow(spec.loader)
                    return spec
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
