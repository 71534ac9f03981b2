"""Binary answers: a JSON head, and arrays behind it."""

from __future__ import annotations

__all__ = ["Body"]


class Body:
    """The arrays of an answer."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def append(self, data: bytes) -> int:
        """Append the bytes of an array; return their place behind the head."""
        place = self._size
        data += bytes(-len(data) % 8)
        self._parts.append(data)
        self._size += len(data)
        return place

    def behind(self, head: bytes) -> bytes:
        """The whole answer: the head's length, the head, and the arrays, at a multiple of 8 bytes."""
        head += b" " * (-(len(head) + 4) % 8)
        return b"".join([len(head).to_bytes(4, "little"), head, *self._parts])
