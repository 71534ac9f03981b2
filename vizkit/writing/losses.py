"""The records of a run that were lost: counted, warned about, noted in its log, and said at the end."""

from __future__ import annotations

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

from vizkit._child_exit import at_exit_of_child
from vizkit._language import mark, speaking, tr
from vizkit._warnings import count_lost, in_words
from vizkit.errors import ClosedError
from vizkit.writing.log_file import open_log
from vizkit.writing.paced_log import PacedLog
from vizkit.writing.record_log import NullLog, RecordLog

__all__ = ["Losses", "end_all"]

_MOST = 5  # tags that are said
_OF_DISKS = {
    getattr(errno, name, None)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "ESTALE", "ETIMEDOUT")
} - {None}
_OF_CHILDREN = "records of forked children"


class Losses:
    """The records of one run that could not be written.

    A warning may be filtered, and nobody looks at a counter. So what is lost stands in the log, too, as soon
    as that can be written, and is said once on stderr when the log is closed or the process ends.

    Args:
        encode: encodes numbers and reasons by tag as a frame.

    Attributes:
        lost: tag, or another name for what is missing -> number of lost records.
        name: what stands for the run's directory in what is said, if there is none.
    """

    def __init__(self, encode: Callable[[Mapping[str, tuple[int, str]]], bytes]) -> None:
        self.lost: Counter[str] = Counter()
        self.name = ""
        self._encode = encode
        self._log: RecordLog = NullLog("")
        self._paced: PacedLog | None = None
        self._reasons: dict[str, str] = {}
        self._said_reasons: dict[str, str] = {}
        self._noted: dict[str, int] = {}
        self._troubles: set[int | None] = set()
        self._said = 0
        self._left_out = 0
        self._stream = sys.stderr  # that of a test or a notebook's cell, not of what ends the process

    def follow(self, log: RecordLog, paced: PacedLog) -> None:
        """Take the log, and what writes to it."""
        self._log, self._paced = log, paced
        self._left_out = log.left_out

    def count(self, tag: str, reason: object) -> None:
        """Count a lost record; warn about the first of each tag, or the first that the disk refuses.

        Args:
            tag: the record's tag, or another name for what is missing.
            reason: an error or a text.
        """
        if tag not in self._reasons:
            with speaking("en"):  # as all that logs hold
                self._reasons[tag] = in_words(reason)
            self._said_reasons[tag] = in_words(reason)
        _lossy.add(self)
        at_exit_of_child(end_all)
        try:
            trouble = reason.errno if isinstance(reason, OSError) else None
            if trouble in self._troubles:
                self.lost[tag] += 1
            else:
                self._troubles |= _OF_DISKS & {trouble}
                count_lost(self.lost, tag, reason)
        finally:  # the warning may be an error by the user's filter
            if self.lost[tag] == 1 and not isinstance(reason, OSError):  # else the disk is in trouble now
                self.note()

    def note(self) -> None:
        """Write what has been lost since the last time into the log, if that is possible."""
        self._count_of_children()
        news = {
            tag: (count, self._reasons[tag])
            for tag, count in list(self.lost.items())
            if count != self._noted.get(tag) and tag in self._reasons
        }
        if not news:
            return
        with suppress(OSError):
            self._append(self._encode(news))
            self._noted.update({tag: count for tag, (count, _) in news.items()})

    def _count_of_children(self) -> None:
        """Count what forked children have left out: their own warnings may be filtered."""
        more = self._log.left_out - self._left_out
        if more > 0:
            self._left_out += more
            reason = mark("the log belongs to the parent process")
            self._reasons.setdefault(_OF_CHILDREN, reason)
            self._said_reasons.setdefault(_OF_CHILDREN, tr(reason))
            self.lost[_OF_CHILDREN] += more
            _lossy.add(self)

    def _append(self, frame: bytes) -> None:
        if self._paced is None:
            return
        try:
            self._paced.append(frame)
        except ClosedError:
            if os.path.exists(self._log.path) and not self._log.hangs:
                late = open_log(self._log.path)
                late.append(frame)
                late.close()

    def say(self) -> None:
        """Say what has been lost, once."""
        lost = sum(self.lost.values())
        if lost == self._said or (isinstance(self._log, NullLog) and not self.name):  # of another rank
            return
        self._said = lost
        most = self.lost.most_common(_MOST)
        parts = [f"{count:,} x {tag} ({self._said_reasons[tag]})" for tag, count in most]
        parts += ["..."] if len(self.lost) > _MOST else []
        with suppress(Exception):  # a stream that is closed
            run = self.name or os.path.dirname(self._log.path)
            line = tr("{run}: not recorded: {records}", run=run, records=", ".join(parts))
            print(line, file=self._stream)


_lossy: set[Losses] = set()


def end_all() -> None:
    """Note and say what is lost and has not been said, at the process's exit."""
    for losses in list(_lossy):
        losses.note()
        losses.say()
