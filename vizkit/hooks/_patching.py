"""Patches of other people's objects, modules and classes, which can be taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

__all__ = ["Patches", "overridden"]

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

    def replace_everywhere(self, before: object, value: object, *, but: str) -> None:
        """Replace a class or module in all modules that hold it by any name, except in package ``but``."""
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
