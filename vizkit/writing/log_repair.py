"""Repair of a log that is opened to be continued."""

from __future__ import annotations

import os

from vizkit._atomic_writes import free_name, keep_beside, rewrite
from vizkit._files import Buffer, FileReader, mapped
from vizkit.columns.frame_scan import FrameWalk
from vizkit.format.file_names import LOG_WORD
from vizkit.format.frame_rule import HEAD
from vizkit.format.frames import Damage, Frame, scan
from vizkit.writing.log_heads import proved_position

__all__ = ["repair_log"]

_PIECE = 1 << 20  # bytes


def repair_log(fd: int, path: str) -> None:
    """Cut off a torn record at the end; of other broken bytes keep a copy of the file, and take them out.

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
        if len(broken) > 1 or (broken and not (broken[0] is parts[-1] and _is_torn(data, broken[0].start))):
            # Without `LOG_WORD` in their names: VisualDL would take them for logs.
            directory, name = os.path.split(path)
            keep_beside(path, free_name(directory, name.replace(LOG_WORD, "damaged") + ".bak"))
            whole = (data[part.start - 8 : part.end] for part in parts if isinstance(part, Frame))
            rewrite(path, whole, free_name(directory, name.replace(LOG_WORD, "repairing")))
        elif broken:
            os.ftruncate(fd, broken[0].start)


def _is_torn(data: Buffer, start: int) -> bool:
    """True if a log ends with a part of one record, zeros, or both: what a kill or a crash leaves.

    Otherwise somebody else's bytes are there, or a file of another kind has a log's name.
    """
    end, rest = len(data), b""
    while end > start and not rest:
        end = max(end - _PIECE, start)
        rest = data[end : end + _PIECE].rstrip(b"\0")
    end += len(rest)
    head = data[start : min(start + HEAD, end)]
    if len(head) <= 8:
        return True
    return head[8] == 0x0A and head[6:8] == b"\0\0" and 8 + int.from_bytes(head[:8], "little") >= end - start
