"""The followed log as `Runs`, with what was computed of each run kept until it changes."""

from __future__ import annotations

from vizkit.runs import Run, Runs
from vizkit.server.live_runs import Followed, ShownRun, printable

__all__ = ["CurrentRuns"]


class CurrentRuns:
    """Gives the runs of a log as they are now.

    Args:
        log: the log.
    """

    def __init__(self, log: Followed) -> None:
        self.log = log
        self._known: dict[str, tuple[ShownRun, Run]] = {}

    def get(self) -> Runs:
        """All runs, in natural order; call it, and use them, while you hold the log's lock."""
        before, self._known = self._known, {}
        for position, shown in enumerate(self.log.view.runs.values()):
            old, run = before.get(shown.path, (None, None))
            if run is None or old is not shown:
                run = Run(shown.name if shown.path == "." else printable(shown.path), shown.logs)
            run.position = position
            self._known[shown.path] = shown, run
        return Runs((run for _, run in self._known.values()), where=self.log.logdir)
