"""Records of runs in the user's cache directory: a server that is started again lists them as they were.

A record counts if nothing in the run's directory has changed since before it was made. Kept are those of runs
that have ended, without problems, whose directory holds nothing but files.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any, Final

import orjson

from vizkit._version import __version__
from vizkit.reading.cache_files import cache_path, opened_own, replaced
from vizkit.reading.short_logs import LOGS_ENDING
from vizkit.reading.training_config import config_path
from vizkit.runs import Run
from vizkit.runs.run import ENDED

__all__ = ["KeptRecords", "Proof"]

_ENDING: Final = f".records{LOGS_ENDING}"  # counted among the files of short logs
_MAGIC = f"VizKit records 2 {__version__}\n".encode()
_MOST = 256 << 20  # bytes of a file
_WORTH = 100  # new records that a file is written for, or a tenth of those in it
_YOUNG = 2_000_000_000  # nanoseconds: a file that was changed so lately may change without another time
_MOST_FILES = 20  # in a run's directory

Proof = list[list[Any]]
"""Name, size, time and identity of every file in a run's directory."""


class KeptRecords:
    """The records of the runs of a log directory.

    Args:
        directory: the directory of caches; None for none.
        root: the log directory.
    """

    def __init__(self, directory: Path | None, root: str) -> None:
        self._path = None if directory is None or "://" in root else cache_path(directory, root, _ENDING)
        self._known: dict[str, list[Any]] | None = None
        self._used: dict[str, list[Any]] = {}
        self._new: dict[str, list[Any]] = {}

    def proof(self, run: Run) -> Proof | None:
        """The state of a run's directory; None if its record cannot be kept."""
        logs = run.logs
        if self._path is None or not logs.is_last or logs.earlier:
            return None
        found: Proof = []
        try:
            with os.scandir(logs.directory) as entries:
                for entry in entries:
                    if not entry.is_file(follow_symlinks=False) or len(found) > _MOST_FILES:
                        return None
                    stat = entry.stat(follow_symlinks=False)
                    found.append([entry.name, stat.st_size, stat.st_mtime_ns, stat.st_dev, stat.st_ino])
        except OSError:
            return None
        found.sort()
        there = {(name, size, changed, (device, inode)) for name, size, changed, device, inode in found}
        read = {(os.path.basename(log.path), log.size, log.changed, log.identity) for log in logs.stats}
        return found if read and read <= there else None

    def find(self, run: Run, proof: Proof | None) -> bytes | None:
        """The record of a run, as JSON; None if it is not known."""
        if self._path is None or proof is None:
            return None
        if self._known is None:
            self._known = _read(self._path)
        entry = self._known.get(run.name)
        if entry is None or entry[:2] != [proof, run.position] or not isinstance(entry[2], str):
            return None
        self._used[run.name] = entry
        return entry[2].encode()

    def note(self, run: Run, proof: Proof | None, record: bytes) -> None:
        """Remember a record until `save`; the proof is of before it was made."""
        if proof is None or run.problems or not (run.status in ENDED or not run.environment):
            return
        if (
            not run.logs.hparams.hparams and config_path(run.directory) is not None
        ):  # maybe another directory's
            return
        if max(changed for _, _, changed, *_ in proof) > time.time_ns() - _YOUNG:
            return
        self._new[run.name] = [proof, run.position, record.decode()]

    def save(self) -> None:
        """Write the records, if many are new."""
        new, self._new = self._new, {}
        if self._path is None or len(new) < max(_WORTH, len(self._used) // 10):
            return
        content = orjson.dumps({**self._used, **new})
        if len(content) > _MOST:
            return
        try:
            with replaced(self._path) as file:
                file.write(_MAGIC + hashlib.blake2b(content, digest_size=16).digest() + content)
        except (OSError, ValueError):
            pass


def _read(path: Path) -> dict[str, list[Any]]:
    """The records of a file; none if it is not whole, or not this user's."""
    try:
        with opened_own(path) as file:
            data = file.read(2 * _MOST)
        content = data[len(_MAGIC) + 16 :]
        digest = hashlib.blake2b(content, digest_size=16).digest()
        if data[: len(_MAGIC) + 16] != _MAGIC + digest:
            return {}
        found = orjson.loads(content)
    except (OSError, ValueError):
        return {}
    is_whole = isinstance(found, dict) and all(
        isinstance(one, list) and len(one) == 3 for one in found.values()
    )
    return found if is_whole else {}
