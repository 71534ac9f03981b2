"""The runs that autolog makes: their names, and the trackers of those that are open."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vizkit.hooks._guard import Guard
from vizkit.tracking.tracker import Tracker

if TYPE_CHECKING:
    import paddle

__all__ = ["OpenRuns", "absolute", "title_of"]

_MOST_OPEN = 16  # trackers that are open though no training of theirs runs


class OpenRuns:
    """The open runs of autolog, by directory.

    Args:
        busy: returns the directories of the runs that a call records into.

    Attributes:
        logdir: the directory of new runs.
        quiet: as of `Tracker`.
    """

    def __init__(self, busy: Callable[[], set[str]]) -> None:
        self.logdir = ""
        self.quiet = False
        self._busy = busy
        self._trackers: OrderedDict[str, Tracker] = OrderedDict()  # the last used one is last

    def new(self, title: str) -> str:
        """Make a run ``<title>-<time>``; return its directory."""
        title = re.sub(r"[^\w.-]+", "_", title) or title_of()
        name = os.path.join(absolute(self.logdir), f"{title}-{time.strftime('%Y%m%d-%H%M%S')}")
        directory, attempt = name, 1
        while os.path.exists(directory):
            attempt += 1
            directory = f"{name}-{attempt}"
        tracker = Tracker(directory, quiet=self.quiet)
        directory = absolute(tracker.logdir)
        self._trackers[directory] = tracker
        return directory

    def tracker(self, directory: str) -> Tracker:
        """Return the tracker of a run, resumed if it was closed."""
        tracker = self._trackers.get(directory) or Tracker(directory, if_exists="resume", quiet=self.quiet)
        self._trackers[directory] = tracker
        self._trackers.move_to_end(directory)
        return tracker

    def flush(self, directories: Iterable[str]) -> None:
        """Flush those of the runs that are open."""
        for name in directories:
            if name in self._trackers:
                self._trackers[name].flush()

    def finish(self, directory: str, error: BaseException | None = None) -> None:
        """Close a run, which has failed with an error, unless a call records into it."""
        if directory in self._trackers and directory not in self._busy():
            self._trackers.pop(directory).close(error)

    def close_idle(self) -> None:
        """Close idle runs: a grid search may make more of them than a process can have files open."""
        busy = self._busy()
        idle = [name for name in self._trackers if name not in busy]
        for name in idle[: max(len(self._trackers) - _MOST_OPEN, 0)]:
            self._trackers.pop(name).close()

    def close_all(self, guard: Guard) -> None:
        """Close all runs; one that fails does not keep the others open."""
        while self._trackers:
            with guard("the log"):
                self._trackers.popitem()[1].close()


def absolute(directory: object) -> str:
    """The absolute path of a directory; a remote one stays as it is."""
    path = str(directory)
    return path if "://" in path else os.path.abspath(path)


def title_of(model: paddle.Model = None) -> str:
    """The title of a run: the script's name, or that of the model's network if there is no script."""
    script = Path(sys.argv[0] if sys.argv else "").stem
    if script in ("", "-c", "-m", "ipykernel_launcher"):
        script = "run" if model is None else type(model.network).__name__
    return re.sub(r"[^\w.-]+", "_", script)
