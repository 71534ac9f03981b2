"""One run's log, and the way of a record to its file.

Scalars are written here. `vizkit.writing.log_writer.LogWriter` adds VisualDL's other verbs.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from vizkit._checks import describe, text_of
from vizkit._files import FileReader, local_path
from vizkit._protocols import ArrayLike, ScalarLike, StepLike, WalltimeLike
from vizkit._warnings import warn
from vizkit.columns.column_builder import read_log
from vizkit.columns.series_table import SeriesKey
from vizkit.errors import ClosedError, DataError
from vizkit.format import encode
from vizkit.format.tags import META_DATA
from vizkit.format.types import HParams, SessionMark
from vizkit.format.walltime import plain_walltime
from vizkit.metrics.arrays import AnyArray, to_array, to_float
from vizkit.writing import run_directory
from vizkit.writing.known_tags import KnownTags
from vizkit.writing.log_file import open_log
from vizkit.writing.log_heads import read_heads
from vizkit.writing.losses import Losses, end_all
from vizkit.writing.paced_log import PacedLog, hanging
from vizkit.writing.record_log import HANG_SECONDS, NullLog, RecordLog
from vizkit.writing.worker import MAX_JOBS, Worker, drain_all

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["RunLog", "look_at_exit"]

_LOOK_SECONDS = 1.0  # how often others' doings to the file are looked for
_time_ns = time.time_ns
_monotonic = time.monotonic
_step_field, _encode_scalar = encode.step_field, encode.encode_scalar


class _ScalarTag:
    """The encoded tag of a scalar, and the step of its last record."""

    __slots__ = ("field", "step")

    def __init__(self, tag: str) -> None:
        self.field = encode.tag_field(tag)
        self.step: int | float = -1


class _Head:
    """The record that names a run: it begins its log and each session, and holds what was lost."""

    def __init__(self, display_name: str, session: SessionMark) -> None:
        self.display_name = display_name
        self._session = session

    def begin(self) -> bytes:
        return self._encoded(self._session)

    def losses(self, lost: Mapping[str, tuple[int, str]]) -> bytes:
        return self._encoded(SessionMark.NONE, lost)

    def _encoded(self, session: SessionMark, lost: Mapping[str, tuple[int, str]] | None = None) -> bytes:
        now = _time_ns() // 1_000_000
        return encode.encode_meta_data(META_DATA, self.display_name, 0, now, session, lost)


class RunLog:
    """The writer of one run's log: scalars, and the way of all other records to the file.

    Its arguments are those of `LogWriter`; ``suffix`` is the end of the file name.

    Attributes:
        losses: the records that could not be written.
        when_moved: called with the run's directory when it is found to have been moved, and with an empty
            text when it was deleted and is there again.
    """

    def __init__(
        self,
        logdir: str,
        *,
        display_name: str = "",
        file_name: str = "",
        suffix: str = "",
        max_queue: int = MAX_JOBS,
        write_to_disk: bool = True,
        resume: bool = False,
        strict: bool = False,
        on_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        logdir = local_path(logdir)
        self._logdir = logdir
        self._suffix = suffix
        self._write_to_disk = write_to_disk
        display_name = text_of(display_name or "")
        self._head = _Head(display_name, SessionMark.RESUMES if resume else SessionMark.BEGINS)
        self._closed = False
        path, continued = run_directory.log_path(logdir, file_name, suffix)

        def locate() -> str:
            found, there = run_directory.log_path(logdir, suffix=suffix)
            return found if there else path

        self._log: RecordLog = NullLog(path)
        if write_to_disk:
            begin = self._head.begin
            self._log = open_log(path, begin, None if file_name else locate, begin)
        if "losses" not in vars(self):  # else the log is opened again
            self.losses = Losses(self._head.losses)
        self._on_error = on_error or self.losses.count
        jobs = MAX_JOBS
        with suppress(OverflowError, TypeError, ValueError):  # VisualDL's writer takes anything
            jobs = max(int(max_queue), 1)
        self._worker = Worker(max_jobs=jobs, log=self._log)
        self._paced = PacedLog(self._log, self._worker, self._on_error)
        self.losses.follow(self._log, self._paced)
        self._looks_at = _monotonic() + _LOOK_SECONDS
        self._told_of: set[str] = set()
        self.when_moved: Callable[[str], None] | None = None
        self._tags = KnownTags(strict=strict)
        self._hparams = HParams({})
        self._scalars: dict[str, _ScalarTag] = {}
        self._walltime: tuple[int, bytes] = (0, b"")
        _logs.add(self)
        if continued and write_to_disk:
            self._continue()

    def begin(self) -> None:
        """Create the log now instead of at its first record."""
        self._log.append(b"")

    def _continue(self) -> None:
        heads = read_heads(self._log.path)
        self._hparams = heads.hparams or self._hparams
        self._head.display_name = self._head.display_name or heads.display_name
        self._tags.restore(heads.kinds, heads.steps)

    @property
    def logdir(self) -> str:
        """The run's directory."""
        return self._logdir

    @property
    def log(self) -> RecordLog:
        """The file behind the run, or what stands for it."""
        return self._log

    @property
    def lost(self) -> Counter[str]:
        """Tag, or another name for what is missing -> number of records that could not be written."""
        return self.losses.lost

    @property
    def file_name(self) -> str:
        """The path of the log, which exists from its first record on."""
        return self._log.path

    @property
    def last_step(self) -> int:
        """The highest step of any scalar in a log that is continued, -1 in a new one.

        Tags whose steps are `SECONDS` do not count.
        """
        return self._tags.last_step

    def kind_of(self, tag: str) -> str | None:
        """The kind of a tag's records, None for a new tag."""
        return self._tags.kind_of(tag)

    def last_step_of(self, tag: str) -> int | float:
        """The step of a tag's last record, -1 for a new tag."""
        state = self._scalars.get(tag)
        return state.step if state else self._tags.steps.get(tag, -1)

    def last_value_of(self, tag: str) -> float | None:
        """The last number under a tag, read from the log; None for a new tag or a remote log."""
        if self.last_step_of(tag) < 0 or "://" in self._log.path or not self._write_to_disk:
            return None
        with FileReader(self._log.path) as log:
            records = read_log(log, os.path.getsize(self._log.path))
        series = records.series.get(SeriesKey(tag, "scalar", ""))
        return None if series is None else float(series.columns()[2][-1])

    def add_scalar(
        self, tag: str, value: ScalarLike, step: StepLike | None, walltime: WalltimeLike | None = None
    ) -> None:
        """Record one number.

        Args:
            tag: such as ``train/loss``.
            value: a number of Python, NumPy or Paddle, an array or a list of one, or a text that ``float``
                takes; kept as float64.
            step: a whole number (``3``, ``3.0``), or a fraction such as 0.5 epochs, which is kept exactly
                but which VisualDL sees rounded down. None continues after the tag's last step.
            walltime: milliseconds or seconds since 1970, a ``datetime``, or an ISO 8601 text; now by default.

        Raises:
            DataError: ``value`` or ``step`` is not one number.
            TagError: ``tag`` is not text; or, of a strict writer, VisualDL could not serve it, or it holds
                another kind of records.
            ClosedError: the log is closed.
        """
        try:
            state = self._scalars[tag]
        except (KeyError, TypeError):
            state = self._scalar_tag(tag)
        if type(value) is not float:
            value = to_float(value)
        if type(step) is not int:
            step = int(state.step) + 1 if step is None else encode.plain_step(step)
        field = _step_field(step)
        state.step = step
        now = _time_ns() // 1_000_000 if walltime is None else plain_walltime(walltime)
        known, wall = self._walltime
        if now != known:
            wall = self._wall(now)
        try:
            self._paced.append(_encode_scalar(state.field, value, field, wall))
        except OSError as error:
            self._on_error(tag, error)

    def _wall(self, now: int) -> bytes:
        if _monotonic() >= self._looks_at:
            self._look_around()
        self._paced.time_next()
        wall = encode.walltime_field(now)
        self._walltime = (now, wall)  # one assignment: another thread sees both or none
        return wall

    def add_metrics(
        self, metrics: Mapping[str, ScalarLike], step: StepLike, walltime: WalltimeLike | None = None
    ) -> None:
        """Record several scalars of one step with one write, which is cheaper than `add_scalar` for each.

        Args:
            metrics: tag -> number, as in `add_scalar`. If one of them is invalid, none is written.
            step: as in `add_scalar`, but not None.
            walltime: milliseconds or seconds since 1970, a ``datetime``, or an ISO 8601 text; now by default.

        Raises:
            DataError: a value or ``step`` is not one number.
            TagError: as for `add_scalar`.
            ClosedError: the log is closed.
        """
        if type(metrics) is not dict and not isinstance(metrics, Mapping):
            raise DataError(
                "metrics must be a dict such as {{'train/loss': 0.5}}, got {metrics}",
                metrics=describe(metrics),
            )
        if type(step) is not int:
            step = encode.plain_step(step)
        field = _step_field(step)
        now = _time_ns() // 1_000_000 if walltime is None else plain_walltime(walltime)
        known, wall = self._walltime
        if now != known:
            wall = self._wall(now)
        scalars, encode_scalar = self._scalars, _encode_scalar
        frames = []
        for tag, value in metrics.items():
            state = scalars.get(tag) or self._scalar_tag(tag)
            if type(value) is not float:
                value = to_float(value)
            frames.append(encode_scalar(state.field, value, field, wall))
            state.step = step
        try:
            self._paced.append(b"".join(frames))
        except OSError as error:
            for tag in metrics:
                self._on_error(tag, error)

    def _scalar_tag(self, tag: str) -> _ScalarTag:
        better = self._tags.tag_for(tag, "scalar")
        state = self._scalars.get(better)
        if state is None:
            state = self._scalars[better] = _ScalarTag(better)
            state.step = self._tags.steps.get(better, -1)
        self._scalars[tag] = state
        return state

    def _look_around(self) -> None:
        self._looks_at = _monotonic() + _LOOK_SECONDS
        self.losses.note()
        if self._paced.behind:  # the log's lock is held for long
            self._worker.submit(self.look, wait=False)
        else:
            self.look()

    def look(self, *, last: bool = False) -> None:
        """Notice a log that others have moved, deleted or replaced, and say so."""
        former = self._log.path
        try:
            found = self._log.look(last=last)
        except OSError as error:
            self._on_error("log", error)
            return
        if found is None:
            return
        moved = self._log.path != former
        if moved:
            self._logdir = os.path.dirname(self._log.path)
        if self.when_moved is not None:
            self.when_moved(self._logdir if moved else "")
        if found.lost:
            self._on_error("log", DataError(found.note))
        elif found.note not in self._told_of:
            self._told_of.add(found.note)
            warn(found.note)

    # -- the way of other records to the log -------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("{path}: nothing can be recorded after close()", path=self._log.path)

    def _when(
        self, tag: str, step: StepLike | None, walltime: WalltimeLike | None
    ) -> tuple[int | float, int]:
        """The step and walltime of a record of any kind but scalar."""
        at = encode.plain_step(int(self.last_step_of(tag)) + 1 if step is None else step)
        encode.step_field(at)  # an invalid step is to raise in the caller, not in the worker
        self._tags.steps[tag] = at
        if _monotonic() >= self._looks_at:
            self._look_around()
        return at, _time_ns() // 1_000_000 if walltime is None else plain_walltime(walltime)

    def _write(self, tag: str, frames: bytes) -> None:
        try:
            self._paced.write(frames)
        except OSError as error:
            self._on_error(tag, error)

    def _later(
        self,
        kind: str,
        tag: str,
        step: StepLike | None,
        walltime: WalltimeLike | None,
        values: Sequence[ArrayLike],
        build: Callable[[Sequence[AnyArray], int | float, int], bytes],
        *,
        small: int = 0,
        order: Literal["C", "F"] = "C",
    ) -> None:
        """Check arrays, and have the worker build a record from copies of them.

        Small records are built at once, which costs less; where it is strict, their errors are raised in the
        caller. So are records that a job of `defer` adds, whose arrays are not copied.

        Args:
            build: encodes the record from the arrays, the step and the walltime.
            small: the size in bytes up to which a record is small.
            order: memory order of the copies, ``"F"`` for arrays that are read by columns.
        """
        self._tags.check(tag, kind)
        self._check_open()
        here = self._worker.here
        arrays = [to_array(value, copy=not here, order=order) for value in values]
        for array in arrays:
            if array.dtype.kind == "c":
                raise DataError(
                    "{tag}: expected real numbers, got {array}; take its abs() or .real",
                    tag=tag,
                    array=describe(array),
                )
        at, now = self._when(tag, step, walltime)
        size = sum(array.nbytes for array in arrays)
        if here or (size <= small and self._worker.idle):  # records stay in the order of their calls
            try:
                self._write(tag, build(arrays, at, now))
            except DataError as error:
                self._leave_out(tag, error)
        else:
            self.defer(tag, lambda: self._write(tag, build(arrays, at, now)), size)

    def _leave_out(self, tag: str, error: DataError) -> None:
        """Count a record that cannot be made of arguments that VisualDL's writer takes; strict, raise."""
        if self._tags.strict:
            raise error
        self._on_error(tag, error)

    def defer(self, name: str, job: Callable[[], None], size: int) -> None:
        """Have the worker run a job, which may add any records.

        Args:
            name: the job's name in a warning if it raises.
            job: a function that owns the arrays that it reads.
            size: the size of these arrays in bytes.

        Raises:
            ClosedError: the log is closed.
        """
        self._check_open()

        def guarded() -> None:
            try:
                job()
            except Exception as error:
                self._on_error(name, error)
            except BaseException as error:  # ``sys.exit`` in a user's function ends the worker's thread
                if threading.current_thread() is not threading.main_thread():  # else the job is run again
                    self._on_error(name, RuntimeError(type(error).__name__))
                raise

        if not self._worker.submit(guarded, size, name=name) and self._log.hangs:
            self._on_error(name, hanging(self._log))

    def flush(self) -> None:
        """Wait until all records are in the log; from a disk that hangs, warn and return."""
        self._worker.drain()
        self.losses.note()
        if not self._worker.drain():
            warn("{error}: records are still waiting for it", error=hanging(self._log))

    def close(self) -> None:
        """Finish the log; nothing can be added afterwards. Calling it again does nothing."""
        if self._log.closed:
            return
        self._worker.drain()
        self.losses.note()
        if not self._worker.drain() or not self._log.lock.acquire(timeout=HANG_SECONDS):
            self._closed = True
            self._paced.give_up()
            self.losses.say()
            return
        try:
            self.look(last=True)
            self._closed = True
            self._log.close()
        except OSError as error:
            self._on_error("log", error)
        finally:
            self._log.lock.release()
        self._worker.leave()
        self.losses.say()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._logdir!r}{', closed' if self._closed else ''})"


_logs: weakref.WeakSet[RunLog] = weakref.WeakSet()


def look_at_exit() -> None:
    """Notice what others have done to the logs that are still open, and tell what is lost."""
    drain_all()
    for log in list(_logs):
        if not log._log.closed and not log._log.hangs:
            log.look(last=True)
            log.losses.note()
    end_all()


atexit.register(look_at_exit)  # before the worker's own, whose module is imported first
