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
        cache.put(key, 0, answer(1_000))
    assert cache.get(0, 0) is not None
    for key in range(8, 11):
        cache.put(key, 0, answer(1_000))
    kept = [key for key in range(11) if cache.get(key, 0)]
    assert kept == [0, *range(11 - len(kept) + 1, 11)] and 8 <= len(kept) <= 10
    cache.put("huge", 0, answer(3_000))
    assert cache.get("huge", 0) is None
    cache.put(0, 0, answer(100))
    assert (cached := cache.get(0, 0)) and len(cached.body) == 100


def test_the_cache_holds_one_version_and_counts_its_keys() -> None:
    cache = AnswerCache(capacity=1 << 20)
    for version in range(100):
        cache.put("key", version, Answer.of(bytes(50_000), "application/octet-stream"))
    assert len(cache) == 1 and 50_000 < cache.size < 52_000
    assert cache.get("key", 98) is None and cache.get("key", 99) is not None
    for number in range(1000):
        cache.put((f"{number:05}" * 1_000,), 0, Answer.of(b"", "text/plain"))
    assert len(cache) < 210 and cache.size <= 1 << 20
    for number in range(1000):
        cache.put(number, ("version" * number,), Answer.of(b"", "text/plain"))
    assert cache.size <= 1 << 20
