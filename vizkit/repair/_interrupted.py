"""Leftovers of interrupted repairs: part files, and merges that are to be finished.

A merge is noted beside the logs before it begins. Once the merged log has taken the place of the last one,
the older logs in it are of no more use, and a merge that was interrupted there is finished by moving them
aside. One that was interrupted earlier has changed nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence

from vizkit._atomic_writes import write_atomic
from vizkit._files import read_bounded
from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.format.file_names import LOG_WORD

__all__ = ["finish_merge", "leftovers", "merging", "part_name"]

_PART, _MERGE, _RESTORE = "repairing", "merging", "restoring"
_MOST_BYTES = 1 << 20


def part_name(path: str) -> str:
    """The name under which a log's repaired content is written first."""
    return os.path.basename(path).replace(LOG_WORD, _PART)


def leftovers(directory: str) -> list[str]:
    """Paths of the files in a run directory that only an interrupted repair leaves there."""
    if "://" in directory:
        return []
    with contextlib.suppress(OSError):
        names = os.listdir(directory)
        return [os.path.join(directory, name) for name in sorted(names) if _is_left(name, names)]
    return []


def _is_left(name: str, names: Sequence[str]) -> bool:
    if name.startswith(".") and name.endswith(".part"):
        return _RESTORE in name or LOG_WORD in name
    log = re.sub(r"(\.log)\.\d+$", r"\1", name.removesuffix(".json"))
    return any(word in name and log.replace(word, LOG_WORD) in names for word in (_PART, _MERGE))


@contextlib.contextmanager
def merging(last: str, older: Sequence[str]) -> Iterator[None]:
    """Note a merge of logs while it goes on.

    Args:
        last: the log that the others are merged into; it is replaced within the block.
        older: the others; they are moved aside within the block, after that.

    Raises:
        OSError: the note cannot be written.
    """
    note = _note(last)
    part = os.path.join(os.path.dirname(last), part_name(last))
    content = {"older": [os.path.basename(path) for path in older], "inode": os.stat(last).st_ino}
    with open(part, "wb"):  # there from before the note is, until it takes the log's place
        pass
    write_atomic(note, json.dumps(content).encode())
    try:
        yield
    finally:
        os.unlink(note)


def finish_merge(directory: str, move: Callable[[str], str]) -> tuple[list[str], list[str]]:
    """Finish a merge that was interrupted, and remove what interrupted repairs have left.

    Args:
        directory: the run directory; its logs are locked.
        move: moves a log aside; returns its new path.

    Returns:
        The changes, as texts, and the logs that were moved aside, under their new names.
    """
    done: list[str] = []
    kept: list[str] = []
    left = leftovers(directory)
    parts = [path for path in left if not path.endswith(".json")]
    for note in (path for path in left if path.endswith(".json")):
        last = os.path.join(directory, os.path.basename(note).removesuffix(".json").replace(_MERGE, LOG_WORD))
        older, inode = _read(note)
        if os.path.join(directory, part_name(last)) not in parts and os.stat(last).st_ino != inode:
            for path in (os.path.join(directory, name) for name in older):
                if os.path.isfile(path):
                    kept.append(move(path))
                    done.append(
                        tr(
                            "merged {name} into {other}",
                            name=os.path.basename(path),
                            other=os.path.basename(last),
                        )
                    )
    # The notes first: without its part, a note says that the merged log is there.
    for path in sorted(left, key=lambda path: not path.endswith(".json")):
        os.unlink(path)
        done.append(tr("removed {name}, which an interrupted repair had left", name=os.path.basename(path)))
    return done, kept


def _note(last: str) -> str:
    directory, name = os.path.split(last)
    return os.path.join(directory, name.replace(LOG_WORD, _MERGE) + ".json")


def _read(note: str) -> tuple[list[str], int]:
    """Names of the older logs and the former inode of the last one; no names if the note is none."""
    try:
        content = json.loads(read_bounded(note, _MOST_BYTES))
        names = [name for name in content["older"] if LOG_WORD in name and os.path.basename(name) == name]
        return names, int(content["inode"])
    except (DataError, OSError, ValueError, TypeError, KeyError, RecursionError):
        return [], -1
