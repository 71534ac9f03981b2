"""Sessions and system metrics of runs that other code records with its own writers."""

from __future__ import annotations

import os
import time

from vizkit.environment import Session, is_open
from vizkit.tracking.announcement import Announcement
from vizkit.tracking.system_metrics import SystemSampler, sampler_of
from vizkit.writing.log_writer import LogWriter

__all__ = ["SuiteSession", "end_sessions"]

_SAMPLE_SECONDS = 15.0
_SHORT_SECONDS = 1.0

_sessions: dict[tuple[int, str], Session] = {}  # process, directory -> session that is open


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

    def __init__(self, writer: LogWriter, *, quiet: bool) -> None:
        directory = os.path.abspath(writer.logdir)
        self._key = (os.getpid(), directory)
        self._began = time.monotonic()
        self._sampler: SystemSampler | None = None
        self.is_new = not is_open(directory)
        if self.is_new:
            _sessions[self._key] = Session(directory, resume=True, on_error=writer.losses.count)
            if not quiet:
                _sessions[self._key].when_ended = Announcement(writer.logdir).end
        if session := _sessions.get(self._key):
            writer.when_moved = session.follow
            self._sampler = sampler_of(writer, writer, _SAMPLE_SECONDS).start()

    def close(self) -> None:
        """End the session."""
        if self._sampler is not None:
            self._sampler.stop()
        if time.monotonic() - self._began >= _SHORT_SECONDS and self._key in _sessions:
            _sessions.pop(self._key).finish()


def end_sessions() -> None:
    """End all sessions."""
    while _sessions:
        _sessions.popitem()[1].finish()
