"""The tags of a log, and its last hyper-parameters and name, for a writer that continues it.

They are remembered from one writer of a process to the next one of the same log, which reads only what was
appended meanwhile: scripts open a writer at every step.
"""

from __future__ import annotations

import os
from collections import Counter

from vizkit._files import FileReader
from vizkit.columns.column_builder import read_log
from vizkit.columns.frame_scan import read_bytes
from vizkit.format.types import HParams

__all__ = ["LogHeads", "proved_position", "read_heads"]

_MARK = 256  # bytes before a position; they change if the file is rewritten
_MOST = 16  # logs

_known: dict[tuple[int, int], LogHeads] = {}


class LogHeads:
    """The heads of one log.

    Attributes:
        kinds: tag -> kind of its records.
        steps: tag -> step of its last record.
        hparams: None if there are none.
        display_name: the last one that is not empty.
    """

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self.steps: dict[str, int | float] = {}
        self.hparams: HParams | None = None
        self.display_name = ""
        self._position = 0  # of the last record: what follows decides if it is whole
        self._mark = b""

    def read(self, log: FileReader, size: int) -> bool:
        """Read the records from the last known one on; return True if there is no damage."""
        records = read_log(log, size, self._position)
        self.hparams = records.hparams or self.hparams
        self.display_name = records.display_name or self.display_name
        counts: dict[str, Counter[str]] = {}
        for key, series in sorted(records.series.items(), key=lambda item: item[1].first):
            counts.setdefault(key.tag, Counter())[key.kind] += series.count
        for tag, count in counts.items():
            self.kinds.setdefault(tag, count.most_common(1)[0][0])
        for key, series in sorted(records.series.items(), key=lambda item: item[1].end):
            self.steps[key.tag] = series.columns()[0][-1].item()
        self._position = records.last
        self._mark = read_bytes(log, max(records.last - _MARK, 0), records.last)
        return records.intact

    def proved(self, log: FileReader, size: int) -> int:
        """The position up to which a log is known, 0 if it is another one by now."""
        start = self._position - len(self._mark)
        known = size > self._position and read_bytes(log, start, self._position) == self._mark
        return self._position if known else 0


def read_heads(path: str) -> LogHeads:
    """Read what a log holds.

    Raises:
        OSError: the log cannot be read.
    """
    with FileReader(path) as log:
        stat = os.stat(path)
        identity = stat.st_dev, stat.st_ino
        heads = _known.pop(identity, None)
        if heads is None or not heads.proved(log, stat.st_size):
            heads = LogHeads()
        if heads.read(log, stat.st_size):
            _known[identity] = heads
            for oldest in list(_known)[:-_MOST]:
                _known.pop(oldest, None)
    return heads


def proved_position(log: FileReader, stat: os.stat_result) -> int:
    """The position of a whole record of a log that has no damage before it; 0 if none is known."""
    heads = _known.get((stat.st_dev, stat.st_ino))
    return heads.proved(log, stat.st_size) if heads else 0
