"""Answers are compressed, and sent once."""

from __future__ import annotations

import pytest

import vizkit
from tests.helpers import get
from vizkit.server.http import json_answer


def test_answers_are_packed_and_not_sent_twice(server: vizkit.Server) -> None:
    url = f"http://127.0.0.1:{server.port}/app/api/histogram/list"
    query = {"run": "run2", "tag": "weights/fc"}
    first = get(url, params=query)
    assert first.headers["content-encoding"] == "gzip"
    again = get(url, params=query, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_sets_are_sorted_lists_and_nothing_else_is_made_up() -> None:
    assert json_answer({"views": {"b", "a"}, "nan": float("nan")}).body == (
        b'{"status":0,"msg":"","data":{"views":["a","b"],"nan":null}}'
    )
    with pytest.raises(TypeError, match="JSON serializable"):
        json_answer(object())
