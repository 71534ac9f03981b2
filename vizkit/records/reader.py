"""Logs read back: the columns of a run directory, and all the run directories under a root."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from vizkit.records.decode import decode_record
from vizkit.records.frames import Frame, mapped, scan
from vizkit.records.rundir import log_files
from vizkit.records.types import HParams, Record

__all__ = ["Changes", "Entries", "LogRoot", "Problem", "RunLogs", "Scalars", "natural_key"]


class Scalars(NamedTuple):
    """The records of one scalar tag as columns, in the order in which they were written.

    Attributes:
        steps: (n,) int64; float64 where a fractional step was recorded.
        walltimes: (n,) int64, milliseconds since 1970.
        values: (n,) float64.
    """

    steps: NDArray[Any]
    walltimes: NDArray[np.int64]
    values: NDArray[np.float64]


class Problem(NamedTuple):
    """Something of a run that could not be read.

    Attributes:
        path: the file.
        kind: ``"torn"`` (a tail that is not whole, or not yet), ``"damaged"`` (broken bytes within),
            ``"undecodable"`` (a whole frame that is no record), ``"mixed"`` (records of another kind
            under a tag), ``"unreadable"`` (the file could not be opened).
        start: first byte of it.
        end: the byte after it.
        message: a sentence for people.
    """

    path: str
    kind: str
    start: int
    end: int
    message: str


@dataclass(frozen=True)
class Entries(Sequence[Any]):
    """The records of one tag of any kind but scalar; the content is decoded when it is asked for.

    Attributes:
        kind: as in `vizkit.records.types.KINDS`.
        steps: (n,) int64 or float64.
        walltimes: (n,) int64, milliseconds since 1970.
    """

    kind: str
    steps: NDArray[Any]
    walltimes: NDArray[np.int64]
    _records: Sequence[Record]

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        """What `Record.data` holds for this kind."""
        if isinstance(index, slice):
            return [record.data for record in self._records[index]]
        return self._records[index].data


class RunLogs:
    """The logs of one run directory, read as far as they are written.

    All its logs are one run, in the order of their names. A record at step s supersedes the earlier
    ones of its tag at steps >= s, as when a run is resumed from a checkpoint; where all records of a
    tag have one step, none of them is.

    Args:
        directory: the run directory, or a remote one with a scheme (``s3://``).
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = os.fspath(directory)
        self.display_name = ""
        self.hparams = HParams({})
        self.kinds: dict[str, str] = {}
        """Tag -> kind of its records, in the order of their first ones."""
        self.problems: list[Problem] = []
        self.files: list[str] = []
        """Paths of the logs, in order."""
        self._records: dict[str, list[Record]] = {}
        self._state: Any = None
        self.refresh()

    def refresh(self) -> bool:
        """Reads what was appended since; a file that was cut or replaced is read anew.

        Returns:
            Whether anything changed.
        """
        self.files = [os.path.join(self.directory, name) for name in log_files(self.directory)]
        state = [(path, os.stat(path).st_size, os.stat(path).st_mtime_ns) for path in self.files]
        if state == self._state:
            return False
        self._state = state
        self.kinds, self.problems, self._records = {}, [], {}
        for path in self.files:
            with mapped(path) as data:
                for part in scan(data):
                    if isinstance(part, Frame):
                        self._add(decode_record(data[part.start : part.end]))
                    else:
                        kind = "torn" if part.end == len(data) else "damaged"
                        self.problems.append(Problem(path, kind, part.start, part.end, f"{kind} bytes"))
        return True

    def _add(self, record: Record) -> None:
        if record.kind == "meta_data":
            self.display_name = record.data
        elif record.kind == "hparams":
            self.hparams = record.data
        else:
            self.kinds.setdefault(record.tag, record.kind)
            self._records.setdefault(record.tag, []).append(record)

    def _kept(self, tag: str, kind: str, superseded: bool) -> list[Record]:
        if self.kinds[tag] != kind:
            raise KeyError(tag)
        records = self._records[tag]
        steps = np.array([record.step for record in records])
        if superseded or not len(steps) or (steps == steps[0]).all():
            return records
        later = np.minimum.accumulate(steps[::-1])[::-1]
        keep = np.append(steps[:-1] < later[1:], True)
        return [record for record, good in zip(records, keep, strict=True) if good]

    def scalars(self, tag: str, *, superseded: bool = False) -> Scalars:
        """The columns of a scalar tag.

        Raises:
            KeyError: no scalars of that tag.
        """
        return _columns(self._kept(tag, "scalar", superseded))

    def group(self, tag: str, *, superseded: bool = False) -> dict[str, Scalars]:
        """The members of an ``add_scalars`` group: name within the group -> columns.

        Raises:
            KeyError: no group of that tag.
        """
        members: dict[str, list[Record]] = {}
        for record in self._kept(tag, "scalars", superseded=True):
            members.setdefault(record.data.tag, []).append(record)
        return {name: _columns(records) for name, records in members.items()}

    def entries(self, tag: str, *, superseded: bool = False) -> Entries:
        """The records of a tag of any kind but ``scalar`` and ``scalars``.

        Raises:
            KeyError: no such tag.
        """
        kind = self.kinds[tag]
        records = self._kept(tag, kind, superseded)
        return Entries(
            kind, np.array([r.step for r in records]), np.array([r.walltime for r in records]), records
        )

    def close(self) -> None:
        """Lets go of the files."""


def _columns(records: Sequence[Record]) -> Scalars:
    values = [r.data if isinstance(r.data, float) else r.data.value for r in records]
    return Scalars(
        np.array([r.step for r in records]),
        np.array([r.walltime for r in records], dtype=np.int64),
        np.array(values, dtype=np.float64),
    )


class Changes(NamedTuple):
    """Names of the runs that a refresh found new, gone, or with new records."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class LogRoot:
    """All run directories under a root, followed as they come, grow and go.

    Args:
        root: a directory, a log file (its directory is the one run), or a remote directory.

    Raises:
        FileNotFoundError: no such directory or file.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)
        if not os.path.exists(self.root):
            raise FileNotFoundError(self.root)
        self.runs: dict[str, RunLogs] = {}
        """Name (the path below the root with ``/``; ``.`` for the root itself) -> logs, in natural order."""
        self.refresh()

    def refresh(self) -> Changes:
        """Looks for new, gone and grown runs, and reads what was appended."""
        found = {}
        for directory, _, names in os.walk(self.root):
            if any("vdlrecords" in name for name in names):
                found[os.path.relpath(directory, self.root).replace(os.sep, "/")] = directory
        added = [name for name in found if name not in self.runs]
        removed = [name for name in self.runs if name not in found]
        changed = [name for name, run in self.runs.items() if name in found and run.refresh()]
        runs = {name: self.runs.get(name) or RunLogs(path) for name, path in found.items()}
        self.runs = dict(sorted(runs.items(), key=lambda item: natural_key(item[0])))
        return Changes(added, removed, changed)

    def close(self) -> None:
        """Lets go of all files."""


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which ``run2`` comes before ``run10``."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part
    ]
