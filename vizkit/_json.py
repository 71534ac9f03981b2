"""JSON from files that anybody may have written: bounded in depth and in the number of its values."""

from __future__ import annotations

import json

import numpy as np

from vizkit._language import tr

__all__ = ["DEEPEST", "parse_json"]

DEEPEST = 100
"""Levels of nesting; deeper values would exhaust the stack of all that walks through them."""

_MOST_VALUES = 500_000


def parse_json(data: bytes) -> object:
    """Parse JSON in UTF-8.

    Args:
        data: the text.

    Raises:
        ValueError: no JSON, or more than 100 levels or 500,000 values of it.
    """
    if data.count(b"[") + data.count(b"{") > DEEPEST or len(data) > _MOST_VALUES:
        _check(data)
    try:
        found: object = json.loads(data.decode("utf-8-sig"))
    except RecursionError:  # `_check` reads broken JSON in another way
        raise ValueError(tr("it is nested too deeply")) from None
    return found


def _check(data: bytes) -> None:
    unescaped = np.frombuffer(data.replace(rb"\\", b"").replace(rb"\"", b""), np.uint8)
    bare = unescaped[np.cumsum(unescaped == ord('"')) % 2 == 0]  # outside of texts
    opens = (bare == ord("[")) | (bare == ord("{"))
    closes = (bare == ord("]")) | (bare == ord("}"))
    depth = np.cumsum(opens.astype(np.int32) - closes).max(initial=0)
    if depth > DEEPEST:
        raise ValueError(
            tr("it is nested {depth:,} levels deep, which is more than {most}", depth=depth, most=DEEPEST)
        )
    values = int(opens.sum() + (bare == ord(",")).sum())
    if values > _MOST_VALUES:
        raise ValueError(
            tr("it holds {values:,} values, which is more than {most:,}", values=values, most=_MOST_VALUES)
        )
