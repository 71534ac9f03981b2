"""Addresses of the pages that were there before the workspace: links to them lead to its views."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["EARLIER_VIEWS", "query_of_earlier"]

EARLIER_VIEWS = ("table", "run", "compare", "groups", "problems")

_HPARAM = re.compile(r"hparams\.`((?:[^`]|``)+)`")


def query_of_earlier(view: str, given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The workspace's query for a view of ``/vizkit/table?...`` and the like."""
    values: dict[str, list[str]] = {}
    for name, value in given:
        values.setdefault(name, []).append(value)
    query: list[tuple[str, str]] = []

    def take(name: str, *, to: str = "", every: bool = False) -> None:
        query.extend((to or name, value) for value in values.get(name, [])[0 if every else -1 :] if value)

    if view == "run":
        take("run")
    else:
        query.append(("tab", "compare" if view == "groups" else view))
        take("filter")
    if view == "table" and values.get("columns") == ["own"]:
        query += [("columns", f"hparam:{name}") for name in values.get("hparam", [])]
        query += [("columns", f"{kind}:{tag}") for tag in values.get("metric", []) for kind in _KINDS]
    elif view == "compare":
        take("run", to="only", every=True)
    elif view == "groups":
        take("tag", to="metric")
        query += _groups(values.get("group", []))
    if values.get("x") == ["time"]:
        query.append(("x", "time"))
    if values.get("scale") == ["log"]:
        query.append(("ylog", "1"))
    take("lang")
    return query


_KINDS = ("spark", "last", "best")


def _groups(keys: Sequence[str]) -> list[tuple[str, str]]:
    """The hyper-parameter of an expression that named one."""
    (key,) = keys[-1:] or ("",)
    named = _HPARAM.fullmatch(key)
    name = named[1].replace("``", "`") if named else key
    return [("group", name)] if name else []
