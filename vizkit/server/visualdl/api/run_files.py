"""Files beside the logs of runs: graphs and traces of the profiler."""

from __future__ import annotations

import os
import threading
import time

from vizkit._files import is_shortage
from vizkit.format.file_names import GRAPH_WORD, TRACE_WORD
from vizkit.server.live_runs import LiveRuns
from vizkit.server.run_names import printable

__all__ = ["MAX_FILE_SIZE", "files_of_runs"]

MAX_FILE_SIZE = 256 << 20
"""Bytes; larger files are left out."""

_WORDS = (GRAPH_WORD, TRACE_WORD)
_MAX_AGE = 2.0  # seconds that the result of a walk is reused

_Found = dict[str, dict[str, list[str]]]  # word -> run -> paths

_lock = threading.Lock()
_last: tuple[LiveRuns | None, float, _Found] = (None, 0.0, {})


def files_of_runs(runs: LiveRuns, word: str) -> dict[str, list[str]]:
    """The files of each run with a word in their names, in order; links are not followed.

    Args:
        runs: the runs. A directory without records is named by its path.
        word: `GRAPH_WORD` or `TRACE_WORD`.
    """
    global _last
    with _lock:
        walked, when, found = _last
        if walked is not runs or time.monotonic() - when > _MAX_AGE:
            found = _walk(runs)
            _last = runs, time.monotonic(), found
    return found[word]


def _walk(runs: LiveRuns) -> _Found:
    found: _Found = {word: {} for word in _WORDS}
    base = runs.local_directory
    if base is None:
        return found
    order = {run.path: (place, run.name) for place, run in enumerate(runs.snapshot.runs.values())}
    directories: list[tuple[int, str, list[str]]] = []
    for directory, _, names in os.walk(base, onerror=_raise_shortage):
        files = [
            os.path.join(directory, name) for name in sorted(names) if any(word in name for word in _WORDS)
        ]
        if files := [path for path in files if _is_readable(path)]:
            relative = os.path.relpath(directory, base).replace(os.sep, "/")
            name = printable(os.path.basename(os.path.abspath(base)) if relative == "." else relative)
            directories.append((*order.get(relative, (len(order), name)), files))
    for _, name, files in sorted(directories):
        for word in _WORDS:
            if some := [path for path in files if word in os.path.basename(path)]:
                found[word][name] = some
    return found


def _raise_shortage(error: OSError) -> None:
    if is_shortage(error):
        raise error


def _is_readable(path: str) -> bool:
    try:
        return not os.path.islink(path) and 0 < os.path.getsize(path) <= MAX_FILE_SIZE
    except OSError:
        return False
