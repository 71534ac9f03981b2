"""Files beside the logs: graphs and traces of the profiler."""

from __future__ import annotations

import os
import threading
import time

from vizkit.format.file_names import GRAPH_WORD, TRACE_WORD
from vizkit.server.live_runs import Followed, printable

__all__ = ["LARGEST", "beside"]

LARGEST = 256 << 20  # bytes; greater ones are left out
_WORDS = (GRAPH_WORD, TRACE_WORD)
_STALE = 2.0  # seconds

Found = dict[str, dict[str, list[str]]]

_lock = threading.Lock()
_last: tuple[Followed | None, float, Found] = (None, 0.0, {})


def beside(log: Followed, word: str) -> dict[str, list[str]]:
    """Run -> the files with a word in their names, in order; links are not followed.

    Args:
        log: the runs. A directory without records is named by its path.
        word: ``vdlgraph`` or ``paddle_trace``.
    """
    global _last
    with _lock:
        whose, when, found = _last
        if whose is not log or time.monotonic() - when > _STALE:
            found = _walk(log)
            _last = log, time.monotonic(), found
    return found[word]


def _walk(log: Followed) -> Found:
    found: Found = {word: {} for word in _WORDS}
    base = log.base
    if base is None:
        return found
    order = {run.path: (place, run.name) for place, run in enumerate(log.view.runs.values())}
    places: list[tuple[int, str, list[str]]] = []
    for directory, _, names in os.walk(base):
        files = [
            os.path.join(directory, name) for name in sorted(names) if any(word in name for word in _WORDS)
        ]
        if files := [path for path in files if _readable(path)]:
            own = os.path.relpath(directory, base).replace(os.sep, "/")
            name = printable(os.path.basename(os.path.abspath(base)) if own == "." else own)
            places.append((*order.get(own, (len(order), name)), files))
    for _, name, files in sorted(places):
        for word in _WORDS:
            if some := [path for path in files if word in os.path.basename(path)]:
                found[word][name] = some
    return found


def _readable(path: str) -> bool:
    try:
        return not os.path.islink(path) and 0 < os.path.getsize(path) <= LARGEST
    except OSError:
        return False
