"""Answers are compressed, and sent once."""

from __future__ import annotations

import pytest

import vizkit
from tests.helpers import get
from vizkit.server.http import Answer, AnswerCache, json_answer


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


def test_the_cache_evicts_the_least_recently_used_and_takes_nothing_huge() -> None:
    def answer(size: int) -> Answer:
        return Answer.of(bytes(size), "application/octet-stream")

    cache = AnswerCache(capacity=16_000)
    for key in range(8):
        cache.put(key, answer(1_000))
    assert cache.get(0) is not None
    for key in range(8, 11):
        cache.put(key, answer(1_000))
    assert [key for key in range(11) if cache.get(key)] == [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    cache.put("huge", answer(3_000))
    assert cache.get("huge") is None
    cache.put(0, answer(100))
    assert (cached := cache.get(0)) and len(cached.body) == 100
