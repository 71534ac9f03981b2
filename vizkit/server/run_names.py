"""Names that runs are listed by: unique, printable, and safe for VisualDL's page."""

from __future__ import annotations

import os
from collections import Counter

from vizkit.reading import LogRoot

__all__ = ["page_name", "printable", "unique_names"]

_PROPERTIES = {"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"}
_PROPERTIES |= {"toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__"}
_PROPERTIES |= {"__lookupGetter__", "__lookupSetter__"}


def unique_names(root: LogRoot) -> dict[str, str]:
    """The name of every run by its path: its display name, or else its path; no two are the same."""
    own = {path: _own_name(root, path) for path in root.runs}
    taken = set(own.values())
    wanted = {path: page_name(logs.display_name or own[path]) for path, logs in root.runs.items()}
    count = Counter(wanted.values())
    names = {}
    for path, name in wanted.items():
        is_unique = count[name] == 1 and name not in taken
        names[path] = own[path] if name == own[path] else name if is_unique else f"{name} ({own[path]})"
    return names


def page_name(name: str) -> str:
    """A name that VisualDL's page can look up: a property of every JavaScript object blanks it."""
    return f"{name}/" if name in _PROPERTIES else name


def printable(name: str) -> str:
    """A file name as text that JSON can hold: bytes that are not UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _own_name(root: LogRoot, path: str) -> str:
    if path != ".":
        return printable(path)
    full = root.root.rstrip("/") if "://" in root.root else os.path.abspath(root.root)
    return printable(os.path.basename(os.path.dirname(full) if os.path.isfile(full) else full)) or "run"
