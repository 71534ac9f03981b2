"""Caches that are bounded by bytes."""

from __future__ import annotations

from vizkit.server.sized_cache import SizedCache


def test_the_least_recently_used_is_dropped_and_nothing_huge_is_kept() -> None:
    cache: SizedCache[bytes] = SizedCache(16_000)
    for key in range(8):
        cache.put(key, 0, b"", 1_500)
    assert cache.get(0, 0) is not None
    for key in range(8, 11):
        cache.put(key, 0, b"", 1_500)
    kept = [key for key in range(11) if cache.get(key, 0) is not None]
    assert kept == [0, *range(11 - len(kept) + 1, 11)] and 8 <= len(kept) <= 10
    cache.put("huge", 0, b"", 3_000)
    assert cache.get("huge", 0) is None
    cache.put(0, 0, b"new", 100)
    assert cache.get(0, 0) == b"new"


def test_one_version_is_held_and_keys_are_counted() -> None:
    cache: SizedCache[int] = SizedCache(1 << 20)
    for version in range(100):
        cache.put("key", version, version, 50_000)
    assert len(cache) == 1 and 50_000 < cache.size < 52_000
    assert cache.get("key", 98) is None and cache.get("key", 99) == 99
    for number in range(1000):
        cache.put((f"{number:05}" * 1_000,), 0, number, 0)
    assert len(cache) < 210 and cache.size <= 1 << 20
    for number in range(1000):
        cache.put(number, ("version" * number,), number, 0)
    assert cache.size <= 1 << 20


def test_the_newest_can_be_kept_however_large_it_is() -> None:
    cache: SizedCache[str] = SizedCache(1_000, keep_newest=True)
    cache.put("a", 0, "large", 10_000)
    assert cache.get("a", 0) == "large" and len(cache) == 1
    cache.put("b", 0, "larger", 20_000)
    assert cache.get("a", 0) is None and cache.get("b", 0) == "larger" and cache.size < 21_000
