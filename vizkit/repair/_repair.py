"""Mending logs so that stock VisualDL reads all that is whole in them; every file is kept as it was.

A log is rewritten in place, under its lock: a program that opens it meanwhile waits, and then appends to
what is there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from vizkit._files import lock_exclusive, mapped
from vizkit.errors import DataError
from vizkit.format import wire
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.encode import encode_hparams
from vizkit.format.file_names import LOG_WORD
from vizkit.format.frames import read_frames
from vizkit.format.tags import RESERVED, clean_tag
from vizkit.format.types import HParams, Record
from vizkit.reading import Problem, RunReader
from vizkit.repair._check import being_written, check_run, inventory, is_bad_tag
from vizkit.runs.loading import load
from vizkit.runs.run import Run

__all__ = ["Mended", "mend", "repair", "retagged"]

_PIECE = 1 << 22
_BROKEN = ("torn", "damaged", "undecodable")


class Mended(NamedTuple):
    """What was done about one run.

    Attributes:
        run: its name.
        done: what was done, in words.
        kept: the files as they were, under names that VisualDL does not take for logs.
        left: why nothing was done; empty if something was.
    """

    run: str
    done: list[str]
    kept: list[str]
    left: str


def repair(logdir: str | os.PathLike[str] = "log") -> list[Mended]:
    """Mends what can be mended under a directory; a run that is being written is left alone.

    Args:
        logdir: as for `vizkit.load`, on a local disk.

    Raises:
        DataError: a remote directory.
        LogNotFoundError: no such directory or file.
    """
    if "://" in os.fspath(logdir):
        raise DataError(f"{logdir} is remote: logs are mended on a local disk only; mend a copy")
    return [mended for run in load(logdir) if (mended := mend(run))]


def mend(run: Run) -> Mended | None:
    """Mends one run: cuts torn tails, closes gaps, renames tags, merges its logs, moves other files aside.

    Returns:
        What was done, or why nothing was; None if there is nothing to mend.
    """
    if not any(finding.mendable for finding in check_run(run)):
        return None
    if reason := being_written(run):
        return Mended(run.name, [], [], reason)
    try:
        with _locked(run.logs.files) as ours:
            if not ours:
                return Mended(run.name, [], [], "a program has its log open")
            return _mend(run.name, run.directory)
    except OSError as error:
        return Mended(run.name, [], [], f"{error.filename or run.directory}: {error.strerror or error}")
    finally:
        run.refresh()


@contextlib.contextmanager
def _locked(paths: Iterable[str]) -> Iterator[bool]:
    with contextlib.ExitStack() as stack:
        ours = True
        for path in paths:
            file = stack.enter_context(open(path, "rb"))
            ours = ours and lock_exclusive(file.fileno()) is not False
        yield ours


def _mend(name: str, directory: str) -> Mended:
    logs = RunReader(directory)  # as they are now that nobody writes
    files = inventory(directory, logs.files, logs.problems)
    done: list[str] = []
    kept: list[str] = []
    for path in (*files.empty, *files.foreign, *files.copies):
        kept.append(_moved(path))
        done.append(f"moved {os.path.basename(path)} aside")
    problems = [problem for problem in logs.problems if problem.path in files.logs]
    broken = [problem for problem in problems if problem.kind in _BROKEN]
    renames = _Renames(logs.kinds)
    rename = any(problem.kind == "mixed" for problem in problems) or renames.wanted or logs.hparams.bare
    if files.logs and (broken or rename or len(files.logs) > 1):
        *older, last = files.logs
        kept.append(_copied(last))
        sources = [(path, path) for path in older] + [(last, kept[-1])]
        parts = (
            part
            for path, source in sources
            for part in _content(source, [p for p in broken if p.path == path], renames if rename else None)
        )
        _rewrite(last, parts, kept[-1])
        done += [_words(problem) for problem in broken] + renames.done
        for path in older:
            kept.append(_moved(path))
            done.append(f"merged {os.path.basename(path)} into {os.path.basename(last)}")
    return Mended(name, done, kept, "")


def _words(problem: Problem) -> str:
    verb = "cut off the last" if problem.kind == "torn" else "took out"
    where = "" if problem.kind == "torn" else f" at byte {problem.start:,}"
    return f"{verb} {problem.end - problem.start:,} bytes{where} of {os.path.basename(problem.path)}"


def _content(source: str, broken: Iterable[Problem], renames: _Renames | None) -> Iterator[bytes]:
    """What is whole of a log."""
    with mapped(source) as data:
        start = 0
        ends = [(problem.start, problem.end) for problem in sorted(broken, key=lambda p: p.start)]
        for stop, after in [*ends, (len(data), len(data))]:
            if renames is not None:
                yield from map(renames.renamed, read_frames(data[start:stop]))
            else:
                yield from (data[at : min(at + _PIECE, stop)] for at in range(start, stop, _PIECE))
            start = after


def _rewrite(path: str, parts: Iterable[bytes], before: str) -> None:
    """Puts other content into a file; if that fails, what was there ``before``."""
    with open(path, "r+b") as file:
        try:
            for part in parts:
                file.write(part)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with open(before, "rb") as old:
                file.seek(0)
                file.truncate()
                shutil.copyfileobj(old, file)
            raise


def _aside(path: str) -> str:
    """A free name beside a file that VisualDL does not take for a log."""
    place = Path(path)
    name = place.name.replace(LOG_WORD, "kept")
    names = (f"{name}.bak{'' if number == 1 else f'.{number}'}" for number in range(1, 1 << 20))
    return str(next(place.with_name(free) for free in names if not place.with_name(free).exists()))


def _moved(path: str) -> str:
    kept = _aside(path)
    os.rename(path, kept)
    return kept


def _copied(path: str) -> str:
    kept = _aside(path)
    shutil.copy2(path, kept)
    with open(kept, "r+b") as file:
        os.fsync(file.fileno())
    return kept


class _Renames:
    """Tags that stock VisualDL can serve, one kind of record under each.

    Args:
        kinds: tag -> kind of its records, as the reader has it.
    """

    def __init__(self, kinds: dict[str, str]) -> None:
        self._kinds = {**kinds, **RESERVED}
        self._taken = set(self._kinds)
        self._names: dict[tuple[str, str], str] = {}
        self.wanted = any(is_bad_tag(tag) or RESERVED.get(tag, kind) != kind for tag, kind in kinds.items())
        self.done: list[str] = []

    def renamed(self, data: bytes) -> bytes:
        """A record's frame, under the tag that it gets."""
        head = decode_head(data)
        if head.kind == "hparams" and (frame := self._settings(decode_record(data))):
            return frame
        name = self._name(head.tag, head.kind)
        record = data if name == head.tag else retagged(data, name)
        return len(record).to_bytes(8, "little") + record

    def _settings(self, record: Record) -> bytes | None:
        """The frame of hyper-parameters that name the metrics as they are now; None: they do already."""
        before: HParams = record.data
        metrics = [self._name(tag, self._kinds[tag]) if tag in self._kinds else tag for tag in before.metrics]
        if metrics == before.metrics and not before.bare:
            return None
        self.done += [f"wrote the hyper-parameter {name!r} as text" for name in before.bare]
        return encode_hparams(HParams(before.hparams, metrics, before.name), record.walltime)

    def _name(self, tag: str, kind: str) -> str:
        if (tag, kind) not in self._names:
            self._names[tag, kind] = self._new_name(tag, kind)
        return self._names[tag, kind]

    def _new_name(self, tag: str, kind: str) -> str:
        if kind in RESERVED.values():
            return tag
        name = clean_tag(tag).replace("\ufffd", "_") if is_bad_tag(tag) else tag
        if self._kinds.setdefault(tag, kind) != kind:
            name = f"{name}_{kind}"
        if name != tag:
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            self.done.append(f"renamed the tag {tag!r} of {kind} records to {name!r}")
        return name


def retagged(data: bytes, tag: str) -> bytes:
    """A record with another tag and all else as it was.

    Raises:
        ValueError: these bytes are no record.
    """
    out = []
    for number, wire_type, value in wire.fields(data):
        if number == 1 and wire_type == wire.BYTES:
            parts = [_field(*field) for field in wire.fields(value) if field[0] != 2]
            value = wire.length_delimited(2, tag.encode("utf-8", "replace")) + b"".join(parts)
        out.append(_field(number, wire_type, value))
    return b"".join(out)


def _field(number: int, wire_type: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return wire.key(number, wire_type) + wire.varint(value)
    if wire_type == wire.BYTES:
        return wire.length_delimited(number, value)
    return wire.key(number, wire_type) + value
