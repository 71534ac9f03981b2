"""A cache of the columns of many short logs, in the user's cache directory: a file for each log directory.

An entry counts if the log is unchanged: the same file, length, time and last bytes. A log that has changed is
read anew, which takes a millisecond.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vizkit._files import open_regular
from vizkit.columns.column_builder import ColumnBuilder
from vizkit.columns.frame_scan import Readable, read_bytes
from vizkit.columns.series import Series, Stretch
from vizkit.columns.series_table import SeriesKey
from vizkit.format.types import HParams, SessionMark
from vizkit.metrics.arrays import AnyArray
from vizkit.reading.cache_files import cache_path, opened_own, replaced
from vizkit.reading.filesystem import LogStat

__all__ = ["LOGS_ENDING", "Outline", "ShortLogs"]

LOGS_ENDING = ".logs"
"""Of the names of files."""

_MAGIC = b"VizKit short logs 2\n"
_LONGEST = 256 << 10  # bytes of a log
_MOST = 256 << 20  # bytes of a file
_WORTH = 100  # new logs that a file is written for, or a tenth of those in it
_LAST = 4096  # bytes of a log that are compared: of most, all of them
_YOUNG = 2_000_000_000  # nanoseconds: a file that was changed so lately may change without another time
_BROKEN = OSError, ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError
_TYPES = frozenset(("<i8", "<f8"))


class _Entry(NamedTuple):
    """A log as it was read: what `LogStat` said, a digest of its last bytes, and its columns."""

    size: int
    changed: int
    identity: list[int]
    last: str
    content: bytes | memoryview


class Outline(NamedTuple):
    """Tags and hyper-parameters of a log, without its columns.

    Attributes:
        kinds: tag -> kind, in the order of the first records.
        name: the run's name on VisualDL's page.
        created: the walltime of the log's beginning.
        hparams: the last hyper-parameters.
    """

    kinds: dict[str, str]
    name: str
    created: int
    hparams: HParams


class ShortLogs:
    """The columns of the short logs of a directory.

    Args:
        directory: the directory of caches; None for none.
        root: the log directory.
    """

    def __init__(self, directory: Path | None, root: str) -> None:
        self._path = None if directory is None or "://" in root else cache_path(directory, root, LOGS_ENDING)
        self._known: Mapping[str, _Entry] | None = None
        self._used: dict[str, _Entry] = {}
        self._new: dict[str, _Entry] = {}

    def load(self, log: Readable, stat: LogStat) -> tuple[ColumnBuilder, int] | None:
        """The columns of a log, and the position behind their last frame; None if they are not known."""
        entry = self._entry(stat)
        if entry is None:
            return None
        try:
            if _last(log, stat.size) != entry.last:
                return None
            found = _restored(entry.content)
        except _BROKEN:
            return None
        self._used[stat.path] = entry
        return found, stat.size

    def outline(self, stat: LogStat) -> Outline | None:
        """Tags and hyper-parameters of a log; None if it is not known, no run on its own, or has problems."""
        entry = self._entry(stat)
        if entry is None:
            return None
        try:
            with os.fdopen(open_regular(stat.path), "rb", buffering=0) as file:
                file.seek(max(stat.size - _LAST, 0))
                if _digest(file.read(min(stat.size, _LAST))) != entry.last:
                    return None
            found = _outline(_head(entry.content)[0])
        except _BROKEN:
            return None
        if found is not None:
            self._used[stat.path] = entry
        return found

    def _entry(self, stat: LogStat) -> _Entry | None:
        if self._path is None or stat.size > _LONGEST or not isinstance(stat.identity, tuple):
            return None
        if self._known is None:
            self._known = _read(self._path)
        entry = self._known.get(stat.path)
        same = entry is not None and entry[:3] == (stat.size, stat.changed, list(stat.identity))
        return entry if same else None

    def note(self, log: Readable, stat: LogStat, records: ColumnBuilder) -> None:
        """Remember the columns of a log that was read to its end, until `save` writes them."""
        if self._path is None or stat.size > _LONGEST or records.broken:
            return
        if not isinstance(stat.identity, tuple) or not isinstance(stat.changed, int):
            return
        if stat.changed > time.time_ns() - _YOUNG:
            return
        content = _described(records)
        if content is not None:
            self._new[stat.path] = _Entry(
                stat.size, stat.changed, list(stat.identity), _last(log, stat.size), content
            )

    def save(self) -> threading.Thread | None:
        """Write the columns of all logs that were read, on a thread, if many are new."""
        new, self._new = self._new, {}
        if self._path is None or len(new) < max(_WORTH, len(self._used) // 10):
            return None
        thread = threading.Thread(target=_write, args=(self._path, {**self._used, **new}), daemon=True)
        thread.start()
        return thread


def _last(log: Readable, size: int) -> str:
    return _digest(read_bytes(log, max(size - _LAST, 0), size))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _described(records: ColumnBuilder) -> bytes | None:
    """The state of a log's records; None if JSON lacks a type of its hyper-parameters."""
    series, arrays = [], []
    for key, one in records.series.items():
        columns = one.columns()
        series.append(
            [
                list(key),
                one.first,
                one.end,
                one.count,
                [stretch.as_list() for stretch in one.sessions],
                [column.dtype.str for column in columns],
            ]
        )
        arrays += columns
    if not {array.dtype.str for array in arrays} <= _TYPES:
        return None
    head = {
        "series": series,
        "name": records.display_name,
        "created": records.created,
        "lost": [[*key, *lost] for key, lost in records.lost.items()],
        "sessions": records.sessions,
        "hparams": [[session, asdict(one)] for session, one in records.hparams_of.items()],
    }
    try:
        text = json.dumps(head).encode()
        if json.loads(text)["hparams"] != head["hparams"]:
            return None
    except (ValueError, TypeError, RecursionError):
        return None
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in arrays)


def _head(content: bytes | memoryview) -> tuple[dict[str, Any], int]:
    """The description of a log's columns, and the place where they begin."""
    behind = 8 + int.from_bytes(content[:8], "little")
    head: dict[str, Any] = json.loads(bytes(content[8:behind]))
    return head, behind


def _outline(head: dict[str, Any]) -> Outline | None:
    kinds: dict[str, str] = {}
    for key, *_ in sorted(head["series"], key=lambda one: _whole(one[1])):
        tag, kind, _ = map(_text, key)
        if kind == "scalars" or tag in kinds:  # groups, and kinds that are mixed, need their columns
            return None
        kinds[tag] = kind
    marks = [SessionMark(mark) for mark in head["sessions"]]
    if head["lost"] or any(mark != SessionMark.RESUMES for mark in marks[1:]):
        return None
    created = _whole(head["created"] or 0)
    hparams = HParams(**head["hparams"][-1][1]) if head["hparams"] else HParams({})
    return Outline(kinds, _text(head["name"]), created, hparams)


def _restored(content: bytes | memoryview) -> ColumnBuilder:
    head, at = _head(content)
    every = []
    for key, first, end, count, sessions, types in head["series"]:
        tag, kind, member = map(_text, key)
        columns: list[AnyArray] = []
        if min(map(_whole, (count - 1, first, end))) < 0 or len(types) < 3:
            raise ValueError("it is broken")
        for dtype in types:
            if dtype not in _TYPES:
                raise ValueError("it is broken")
            columns.append(np.frombuffer(content, dtype, count, at))
            at += 8 * count
        every.append(
            (SeriesKey(tag, kind, member), Series.of(first, end, [*map(_stretch, sessions)], columns))
        )
    hparams = {int(session): HParams(**one) for session, one in head["hparams"]}
    lost = {(_text(tag), _whole(n)): (_whole(count), _text(why)) for tag, n, count, why in head["lost"]}
    sessions = [SessionMark(mark) for mark in head["sessions"]]
    created = None if head["created"] is None else _whole(head["created"])
    return ColumnBuilder.of(every, _text(head["name"]), hparams, sessions, created, lost)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("it is broken")
    return value


def _stretch(one: list[object]) -> Stretch:
    session, row, step, walltime, last = one
    return Stretch(_whole(session), _whole(row), _step(step), _whole(walltime), _step(last))


def _step(value: object) -> int | float:
    return value if isinstance(value, float) else _whole(value)


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError("it is broken")
    return value


def _read(path: Path) -> dict[str, _Entry]:
    """The entries of a file by the paths of their logs; none if it is not whole, or not this user's."""
    try:
        with opened_own(path) as file:
            data = memoryview(file.read(2 * _MOST + 1))
        start = len(_MAGIC) + 24
        length = int.from_bytes(data[start - 8 : start], "little")
        if data[: len(_MAGIC)] != _MAGIC or len(data) > 2 * _MOST:
            return {}
        if hashlib.blake2b(data[start:], digest_size=16).digest() != data[len(_MAGIC) : start - 8]:
            return {}
        found, at = {}, start + length
        for name, size, changed, identity, last, count in json.loads(bytes(data[start:at])):
            found[name] = _Entry(size, changed, identity, last, data[at : at + count])
            at += count
        with contextlib.suppress(OSError):  # a directory that can only be read
            os.utime(path)
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return found


def _write(path: Path, entries: dict[str, _Entry]) -> None:
    """Write a file, as far as entries fit into it."""
    heads, contents, total = [], [], 0
    for name, entry in entries.items():
        if total + len(entry.content) > _MOST:
            break
        total += len(entry.content)
        heads.append([name, *entry[:4], len(entry.content)])
        contents.append(entry.content)
    try:
        text = json.dumps(heads).encode()
        text += b" " * (-(len(_MAGIC) + 24 + len(text)) % 8)
        digest = hashlib.blake2b(text, digest_size=16)
        for content in contents:
            digest.update(content)
        with replaced(path) as file:
            file.write(_MAGIC + digest.digest() + len(text).to_bytes(8, "little") + text)
            file.writelines(contents)
    except (OSError, ValueError):
        pass
