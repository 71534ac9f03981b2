"""Answers of the HTTP API as bytes: encoded once, packed once, known by a hash of what they hold."""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["Answer", "AnswerCache", "failure", "json_answer"]

JSON = "application/json"
_WORTHWHILE = 1024  # bytes: shorter ones are not packed
_PACKABLE = ("application/json", "text/", "application/javascript", "image/svg", "application/wasm")


@dataclass(frozen=True)
class Answer:
    """What is sent to a client.

    Attributes:
        body: the content.
        media_type: its type.
        packed: the content in gzip's format, None where that is not worthwhile.
        etag: names the content.
        status: of HTTP.
        headers: more headers.
    """

    body: bytes
    media_type: str
    packed: bytes | None
    etag: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        body: bytes,
        media_type: str,
        *,
        status: int = 200,
        headers: tuple[tuple[str, str], ...] = (),
        level: int = 1,
    ) -> Answer:
        """An answer of some content, packed if that is worthwhile."""
        packed = None
        if len(body) > _WORTHWHILE and media_type.startswith(_PACKABLE):
            packer = zlib.compressobj(level, wbits=31)
            packed = packer.compress(body) + packer.flush()
        etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        return cls(body, media_type, packed, etag, status, headers)

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return len(self.body) + len(self.packed or b"") + 500


def json_answer(data: Any) -> Answer:
    """VisualDL's envelope around some data; numbers that JSON lacks become null."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    body = orjson.dumps({"status": 0, "msg": "", "data": data}, _as_list, options)
    return Answer.of(body, JSON)


def _as_list(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} in an answer")


def failure(message: str, *, code: int = 1) -> Answer:
    """VisualDL's envelope around a message, which the page shows."""
    return Answer.of(orjson.dumps({"status": code, "msg": message, "data": None}), JSON)


class AnswerCache:
    """The answers that were asked for last, up to some bytes."""

    def __init__(self, most: int = 32 << 20) -> None:
        self._most = most
        self._size = 0
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Answer | None:
        """The answer of a key, if it is kept."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keeps an answer, and lets go of those that nobody asked for."""
        if answer.size > self._most // 8:
            return
        with self._lock:
            old = self._answers.pop(key, None)
            self._size += answer.size - (old.size if old else 0)
            self._answers[key] = answer
            while self._size > self._most:
                self._size -= self._answers.popitem(last=False)[1].size
