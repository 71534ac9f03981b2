"""Live runs as `Runs`; each `Run`, with all that it has computed, is kept until its records change."""

from __future__ import annotations

from vizkit.runs import Run, Runs
from vizkit.server.live_runs import LiveRuns, RunState
from vizkit.server.run_names import printable

__all__ = ["CurrentRuns"]


class CurrentRuns:
    """The runs of a log directory as they are now."""

    def __init__(self, live: LiveRuns) -> None:
        self._live = live
        self._known: dict[str, tuple[RunState, Run]] = {}

    def get(self) -> Runs:
        """All runs, in natural order; hold `LiveRuns.lock` while you call this and use them."""
        before, self._known = self._known, {}
        for position, state in enumerate(self._live.snapshot.runs.values()):
            old, run = before.get(state.path, (None, None))
            if run is None or old is not state:
                run = Run(state.name if state.path == "." else printable(state.path), state.logs)
            run.position = position
            self._known[state.path] = state, run
        return Runs((run for _, run in self._known.values()), where=self._live.logdir)
