"""Links to the pages that were there before the workspace lead to its views."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from vizkit.server.workspace.earlier_addresses import query_of_earlier

ADDRESSES = [
    ("run", "run=a%2Fb&tag=loss&lang=zh", [("run", "a/b"), ("lang", "zh")]),
    ("problems", "", [("tab", "problems")]),
    ("table", "filter=lr+>+1&page=3&sort=status", [("tab", "table"), ("filter", "lr > 1")]),
    (
        "table",
        "columns=own&hparam=lr&metric=loss",
        [
            ("tab", "table"),
            ("columns", "hparam:lr"),
            ("columns", "spark:loss"),
            ("columns", "last:loss"),
            ("columns", "best:loss"),
        ],
    ),
    (
        "compare",
        "run=a&run=b&x=time&scale=log",
        [("tab", "compare"), ("only", "a"), ("only", "b"), ("x", "time"), ("ylog", "1")],
    ),
    (
        "groups",
        "group=hparams.`a``b`&tag=loss&filter=x",
        [("tab", "compare"), ("filter", "x"), ("metric", "loss"), ("group", "a`b")],
    ),
    ("groups", "group=batch+size", [("tab", "compare"), ("group", "batch size")]),
]


@pytest.mark.parametrize(("view", "query", "expected"), ADDRESSES)
def test_an_earlier_address_has_a_view(view: str, query: str, expected: list[tuple[str, str]]) -> None:
    assert query_of_earlier(view, parse_qsl(query)) == expected
