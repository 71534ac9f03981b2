"""A cache of logs' columns in the user's cache directory; `short_logs` keeps those of short ones.

A file of it is the state of one `ColumnBuilder`, its columns packed, with the pyramids of its scalars: a log
is opened again without being read. A file counts if the log is the same file as then, begins with the same
bytes (the first and last ones, and blocks between them, are compared), and is unchanged or longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import mmap
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from vizkit.columns.column_builder import ColumnBuilder
from vizkit.columns.frame_scan import Readable, read_bytes
from vizkit.columns.packed import Packed
from vizkit.columns.pyramid import Pyramid
from vizkit.columns.series import Series, Stretch
from vizkit.columns.series_table import SeriesKey
from vizkit.format.types import HParams, SessionMark
from vizkit.metrics.arrays import AnyArray
from vizkit.reading.cache_files import cache_path, opened_own, replaced
from vizkit.reading.filesystem import LogStat
from vizkit.reading.short_logs import LOGS_ENDING, Outline, ShortLogs

__all__ = ["ColumnCache", "cache_directory"]

_MAGIC = b"VizKit columns 4\n"
_ENDING = ".columns"
_ALIGN = 64
_MOST = 4 << 30  # bytes of all files
_LEAST = 4 << 20  # bytes of a log that is worth it
_BLOCKS, _BLOCK = 32, 2048  # of a log that are compared
_MAX_HEAD = 64 << 20
_MOST_MAPPED = 96 << 20  # bytes of files in memory that are not released yet
_MOST_EXPLORED = 1 << 30  # the same while curves are explored, but at most an eighth of the machine's memory
_EXPLORED = 60.0  # seconds since the last zoom


def cache_directory() -> Path | None:
    """The user's directory for VizKit's caches, or that of ``VIZKIT_CACHE_DIR``; None if there is none."""
    own = os.environ.get("VIZKIT_CACHE_DIR")
    if own is not None:
        return Path(own) if own else None
    try:
        if os.name == "nt":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "vizkit" / "cache"
        if sys.platform == "darwin":
            return Path.home() / "Library/Caches/vizkit"
        given = os.environ.get("XDG_CACHE_HOME", "")
        return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "vizkit"
    except (OSError, RuntimeError):
        return None


class ColumnCache:
    """The columns of long logs, kept in files, and packed in memory where they cannot be written.

    Args:
        directory: the directory of the files; None for none.
        most: bytes of all files; those used least recently are deleted beyond that.
        root: the log directory, whose short logs are kept together in a file; empty: they are not kept.
    """

    def __init__(self, directory: Path | None, most: int = _MOST, root: str = "") -> None:
        self._short = ShortLogs(directory if root else None, root)
        self._directory = directory
        self._most = most
        self._lock = threading.Lock()
        self._mapped: WeakSet[mmap.mmap] = WeakSet()
        self._explored_until = -math.inf

    def load(self, log: Readable, stat: LogStat) -> tuple[ColumnBuilder, int] | None:
        """The columns of a log, and the position behind their last frame; None if they are not known."""
        if stat.size < _LEAST:
            return self._short.load(log, stat)
        path = self._path(stat)
        if path is None:
            return None
        try:
            head, arrays, mapped = _opened(path)
            position: int = head["position"]
            longer = stat.size > head["size"]
            if not longer and (stat.size, stat.changed) != (head["size"], head["changed"]):
                return None
            if _identity(stat) != head["identity"] or _digest(log, position) != head["digest"]:
                return None
            found = _restored(head, iter(arrays))
            self._mapped.add(mapped)
            with contextlib.suppress(OSError):  # a directory that can only be read
                os.utime(path)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None
        return found, position

    def save(
        self, log: Readable, stat: LogStat, records: ColumnBuilder, position: int
    ) -> ColumnBuilder | None:
        """Write the columns of a log that was read up to a position.

        Returns:
            The same columns, read from the file as they are needed; None if they were not written.
        """
        path = self._path(stat)
        if path is None or position < _LEAST or records.broken:
            return None
        head, arrays = _described(records)
        head |= {
            "position": position,
            "size": stat.size,
            "changed": stat.changed,
            "identity": _identity(stat),
            "digest": _digest(log, position),
        }
        try:
            text = json.dumps(head).encode()
            if json.loads(text)["hparams"] != head["hparams"]:
                return None  # of types that JSON lacks
            with replaced(path) as file:
                with self._lock:
                    _make_room(path.parent, self._most - sum(array.nbytes for array in arrays))
                file.write(
                    _MAGIC + hashlib.blake2b(text, digest_size=16).digest() + len(text).to_bytes(8, "little")
                )
                file.write(text)
                for array in arrays:
                    file.write(bytes(-file.tell() % _ALIGN))
                    array.tofile(file)
            head, arrays, mapped = _opened(path)
            self._mapped.add(mapped)
            return _restored(head, iter(arrays))
        except (OSError, ValueError, TypeError):
            return None

    def note_short(self, log: Readable, stat: LogStat, records: ColumnBuilder) -> None:
        """Remember the columns of a log that was read to its end for `save_short`, if it is short."""
        if stat.size < _LEAST:
            self._short.note(log, stat, records)

    def outline(self, stat: LogStat) -> Outline | None:
        """Tags and hyper-parameters of a short log; None if it is not known."""
        return self._short.outline(stat)

    def save_short(self) -> threading.Thread | None:
        """Write the columns of short logs, on a thread, if there are many new ones."""
        thread = self._short.save()
        if thread and self._directory:
            with contextlib.suppress(OSError), self._lock:
                _make_room(self._directory, self._most)
        return thread

    def explore(self) -> None:
        """Keep what is read from now on, as the same parts of files will be asked for again and again."""
        self._explored_until = time.monotonic() + _EXPLORED

    def release(self) -> None:
        """Give the memory of the parts of files that were read back to the system, if it is much.

        The system may keep them; what is asked for again has to be mapped again, which takes time: up to half
        of that of an answer. While they are mapped, the system may take them back, too, as they are files.
        """
        most = _most_explored() if time.monotonic() < self._explored_until else _MOST_MAPPED
        if hasattr(mmap, "MADV_DONTNEED") and _mapped_bytes() > most:
            for mapped in list(self._mapped):
                mapped.madvise(mmap.MADV_DONTNEED)

    def _path(self, stat: LogStat) -> Path | None:
        if self._directory is None or not isinstance(stat.identity, tuple) or "://" in stat.path:
            return None
        return cache_path(self._directory, stat.path, _ENDING)


def _mapped_bytes() -> float:
    """Bytes of all files that are mapped and in this process's memory; infinite where nothing tells of it."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[2]) * mmap.PAGESIZE
    except (OSError, ValueError, IndexError):
        return math.inf


def _most_explored() -> int:
    try:
        return min(_MOST_EXPLORED, os.sysconf("SC_PHYS_PAGES") * mmap.PAGESIZE // 8)
    except (AttributeError, OSError, ValueError):  # a system that does not tell
        return _MOST_MAPPED


def _identity(stat: LogStat) -> list[object]:
    return list(stat.identity) if isinstance(stat.identity, tuple) else []


def _digest(log: Readable, position: int) -> str:
    """A digest of the first and the last bytes before a position, and of blocks between them."""
    found = hashlib.blake2b(digest_size=16)
    for start in np.linspace(0, max(position - _BLOCK, 0), _BLOCKS).astype(np.int64).tolist():
        found.update(read_bytes(log, start, min(start + _BLOCK, position)))
    return found.hexdigest()


def _make_room(directory: Path, most: int) -> None:
    """Delete the files used least recently until all take at most so many bytes."""
    files = []
    for path in directory.iterdir():
        if _ENDING not in path.name and LOGS_ENDING not in path.name:
            continue
        with contextlib.suppress(OSError):
            stat = path.stat()
            files.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= most:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size


def _opened(path: Path) -> tuple[dict[str, Any], list[AnyArray], mmap.mmap]:
    """Open a file: its head and its arrays, which are mapped, as nobody shortens these files.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not whole, or not this user's.
    """
    with opened_own(path) as file:
        start = file.read(len(_MAGIC) + 24)
        length = int.from_bytes(start[-8:], "little")
        if not start.startswith(_MAGIC) or length > _MAX_HEAD:
            raise ValueError("it is another file")
        text = file.read(length)
        if hashlib.blake2b(text, digest_size=16).digest() != start[len(_MAGIC) : -8]:
            raise ValueError("it is broken")
        head: dict[str, Any] = json.loads(text)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    at, arrays = len(start) + length, []
    for dtype, count in head["arrays"]:
        at += -at % _ALIGN
        arrays.append(np.frombuffer(mapped, dtype, count, at) if count else np.empty(0, dtype))
        at += arrays[-1].nbytes
    return head, arrays, mapped


def _described(records: ColumnBuilder) -> tuple[dict[str, Any], list[AnyArray]]:
    """The state of a log's records as JSON, and its arrays."""
    arrays: list[AnyArray] = []
    found = []
    for key, series in records.series.items():
        series.pack(1)
        columns = []
        for packed in series.packed:
            has_data = packed.data is not None
            columns.append(
                [packed.dtype.str, packed.first, packed.stride, has_data, packed.ascends, packed.bounds]
            )
            arrays += [] if packed.data is None else [packed.data]
        levels = series.pyramid.arrays if key.kind in ("scalar", "scalars") else None
        arrays += levels or []
        found.append(
            {
                "key": key,
                "first": series.first,
                "end": series.end,
                "count": series.count,
                "sessions": [stretch.as_list() for stretch in series.sessions],
                "columns": columns,
                "levels": None if levels is None else len(levels),
            }
        )
    head = {
        "series": found,
        "name": records.display_name,
        "created": records.created,
        "lost": [[*key, *lost] for key, lost in records.lost.items()],
        "sessions": records.sessions,
        "hparams": [[str(session), asdict(one)] for session, one in records.hparams_of.items()],
        "arrays": [[array.dtype.str, len(array)] for array in arrays],
    }
    return head, arrays


def _restored(head: dict[str, Any], arrays: Iterator[AnyArray]) -> ColumnBuilder:
    every: list[tuple[SeriesKey, Series]] = []
    for one in head["series"]:
        series = Series(one["first"])
        packed = [
            Packed(
                one["count"],
                np.dtype(dtype),
                first,
                stride,
                next(arrays) if data else None,
                ascends,
                bounds and (bounds[0], bounds[1]),
            )
            for dtype, first, stride, data, ascends, bounds in one["columns"]
        ]
        series.take_packed(packed)
        series.end = one["end"]
        series.sessions = [Stretch(*stretch) for stretch in one["sessions"]]
        if one["levels"] is not None:
            series.pyramid = Pyramid.of(one["count"], [next(arrays) for _ in range(one["levels"])])
        every.append((SeriesKey(*one["key"]), series))
    hparams = {int(session): HParams(**one) for session, one in head["hparams"]}
    sessions = [SessionMark(mark) for mark in head["sessions"]]
    lost = {(tag, session): (count, why) for tag, session, count, why in head["lost"]}
    return ColumnBuilder.of(every, head["name"], hparams, sessions, head["created"], lost)
