"""A cache that is bounded by bytes of memory, its keys among them."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

__all__ = ["SizedCache"]

_Value = TypeVar("_Value")


class _Cached(NamedTuple, Generic[_Value]):
    version: Hashable
    value: _Value
    size: int


class SizedCache(Generic[_Value]):
    """The newest value of each key; the least recently used are dropped.

    Args:
        capacity: bytes of memory of keys, versions and values.
        keep_newest: keep the value that was put last, however large it is; else one that takes more than an
            eighth of the capacity is not kept.
    """

    def __init__(self, capacity: int, *, keep_newest: bool = False) -> None:
        self._capacity = capacity
        self._keep_newest = keep_newest
        self._size = 0
        self._values: OrderedDict[Hashable, _Cached[_Value]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Approximate bytes of memory that are used."""
        return self._size

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, version: Hashable) -> _Value | None:
        """The value of a key; None if it is not cached, or is of another version."""
        with self._lock:
            found = self._values.get(key)
            if found is None or found.version != version:
                return None
            self._values.move_to_end(key)
            return found.value

    def put(self, key: Hashable, version: Hashable, value: _Value, size: int) -> None:
        """Cache a value of ``size`` bytes instead of that of another version."""
        size += _size_of(key) + _size_of(version)
        with self._lock:
            old = self._values.pop(key, None)
            self._size -= old.size if old else 0
            if size > self._capacity // 8 and not self._keep_newest:
                return
            self._size += size
            self._values[key] = _Cached(version, value, size)
            while self._size > self._capacity and len(self._values) > self._keep_newest:
                self._size -= self._values.popitem(last=False)[1].size


def _size_of(key: object) -> int:
    """Approximate bytes of memory of a key of nested tuples."""
    return sys.getsizeof(key) + (sum(map(_size_of, key)) if isinstance(key, tuple) else 0)
