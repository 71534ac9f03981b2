"""Repair of a log that is opened to be continued."""

from __future__ import annotations

import os

from vizkit._atomic_writes import free_name, keep_beside, rewrite
from vizkit._files import FileReader, mapped
from vizkit.columns.frame_scan import FrameWalk
from vizkit.format.file_names import LOG_WORD
from vizkit.format.frames import Damage, Frame, scan
from vizkit.writing.log_heads import proved_position

__all__ = ["repair_log"]


def repair_log(fd: int, path: str) -> None:
    """Cut off a torn tail; with broken bytes within, keep a copy of the log and close the gap.

    Stock VisualDL reads nothing after a broken frame, and its server does not start.
    """
    # If the path leads to another file by now, or to none, `_opened` begins again.
    try:
        with FileReader(path) as log:
            stat = os.fstat(fd)
            walk = FrameWalk(log, proved_position(log, stat), stat.st_size)
            if not any(isinstance(part, Damage) for part in walk):
                return
    except FileNotFoundError:
        return
    with mapped(fd) as data:
        parts = list(scan(data))
        broken = [part for part in parts if isinstance(part, Damage)]
        if len(broken) > 1 or (broken and broken[0] is not parts[-1]):
            # Without `LOG_WORD` in their names: VisualDL would take them for logs.
            directory, name = os.path.split(path)
            keep_beside(path, free_name(directory, name.replace(LOG_WORD, "damaged") + ".bak"))
            whole = (data[part.start - 8 : part.end] for part in parts if isinstance(part, Frame))
            rewrite(path, whole, free_name(directory, name.replace(LOG_WORD, "repairing")))
        elif broken:
            os.ftruncate(fd, broken[0].start)
