"""Mends of VisualDL's scripts, made as they are served; a script of another version is left as it is."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["REVISION", "mended"]

REVISION = 1
"""Part of the scripts' address, which browsers cache for good: to be raised with every change of a mend."""


class _Mend(NamedTuple):
    path: str
    broken: str
    right: str


_MENDS = [
    # The table of hyper-parameters took a name as a path of properties: `optimizer.lr` was empty.
    _Mend(
        "_dist_/components/HyperParameterPage/TableView/Table.js",
        "accessor:`${t}.${e}`,id:e",
        "accessor:row=>row[t][e],id:e",
    ),
]


def mended(path: str, content: bytes) -> bytes:
    """The content of a file of the page with its mends, each where its text occurs once."""
    for mend in _MENDS:
        broken = mend.broken.encode()
        if path == mend.path and content.count(broken) == 1:
            content = content.replace(broken, mend.right.encode())
    return content
