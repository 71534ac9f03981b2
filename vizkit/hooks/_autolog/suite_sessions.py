"""Sessions and system metrics of runs that other code records with its own writers."""

from __future__ import annotations

import os
import sys
import time
import weakref

from vizkit.environment import Session, is_open
from vizkit.tracking.announcement import Announcement
from vizkit.tracking.notebook_cells import follow_cells
from vizkit.tracking.system_metrics import SystemSampler, sampler_of
from vizkit.writing.log_writer import LogWriter

__all__ = ["SuiteSession", "SuiteWriter", "end_sessions"]

_SAMPLE_SECONDS = 15.0
_SHORT_SECONDS = 1.0


class SuiteWriter(LogWriter):
    """A writer whose next record may have to be noticed."""

    _waits: bool


class _OpenSession:
    """The session of a directory, with the writers that have recorded in it."""

    _is_empty = False  # it begins with a record

    def __init__(self, session: Session) -> None:
        self.session = session
        self.writers: weakref.WeakSet[SuiteWriter] = weakref.WeakSet()
        self._rests = False
        follow_cells(self)

    def goes_on(self) -> None:
        """Notice a record."""
        self._rests = False
        self.session.go_on()

    def _rest(self) -> None:
        self._rests = True
        for writer in list(self.writers):
            writer._waits = True

    def _fail_in_cell(self, error: BaseException) -> None:
        self.session.fail(error)
        self._rest()


_open: dict[tuple[int, str], _OpenSession] = {}  # process, directory -> its session


class SuiteSession:
    """The session of a writer in its directory, with system metrics, from its first record to its `close`.

    Where a tracker of this process records, there is a session already. Writers that are opened and closed
    within a second, as at every step, share one, which ends with the process.

    Args:
        writer: the writer, whose log is there.
        quiet: as of `Tracker`.

    Attributes:
        is_new: True if the session has begun with this writer.
    """

    def __init__(self, writer: SuiteWriter, *, quiet: bool) -> None:
        directory = os.path.abspath(writer.logdir)
        self._key = (os.getpid(), directory)
        self._began = time.monotonic()
        self._sampler: SystemSampler | None = None
        self.is_new = not is_open(directory)
        if self.is_new:
            _open[self._key] = _OpenSession(Session(directory, resume=True, on_error=writer.losses.count))
            if not quiet:
                _open[self._key].session.when_ended = Announcement(writer.logdir).end
        if found := _open.get(self._key):
            found.writers.add(writer)
            found.goes_on()
            writer.when_moved = found.session.follow
            self._sampler = sampler_of(writer, writer, _SAMPLE_SECONDS).start()

    def goes_on(self) -> None:
        """Notice a record after a notebook's cell has begun: the run has not failed in it."""
        if found := _open.get(self._key):
            found.goes_on()

    def close(self, error: BaseException | None = None) -> None:
        """End the session, with the error that left the writer's block.

        In a ``finally`` that an error passes through, the end of the process, or of a notebook's cell, tells.
        """
        if self._sampler is not None:
            self._sampler.stop()
        lasted = time.monotonic() - self._began >= _SHORT_SECONDS and sys.exc_info()[1] is None
        if (lasted or error is not None) and self._key in _open:
            _open.pop(self._key).session.finish(error=error)


def end_sessions() -> None:
    """End all sessions."""
    while _open:
        _open.popitem()[1].session.finish()
