"""Live runs as `Runs`; each `Run`, with all that it has computed, is kept until its records change."""

from __future__ import annotations

from vizkit.runs import Run, Runs
from vizkit.runs.palette_places import places_of_runs
from vizkit.server.live_runs import LiveRuns, RunState, Snapshot
from vizkit.server.run_names import printable

__all__ = ["CurrentRuns"]


class CurrentRuns:
    """The runs of a log directory as they are now."""

    def __init__(self, live: LiveRuns) -> None:
        self._live = live
        self._known: dict[str, tuple[RunState, Run]] = {}
        self._runs: tuple[Snapshot | None, Runs] = None, Runs()

    def versions(self) -> dict[str, int]:
        """Name -> version of each run of the last `get`."""
        return {run.name: state.version for state, run in self._known.values()}

    def get(self) -> Runs:
        """All runs, in natural order; hold `LiveRuns.lock` while you call this and use them."""
        snapshot = self._live.snapshot
        if self._runs[0] is snapshot:
            return self._runs[1]
        before, self._known = self._known, {}
        for state in snapshot.runs.values():
            old, run = before.get(state.path, (None, None))
            if run is None or old is not state:
                run = Run(state.name if state.path == "." else printable(state.path), state.logs)
            self._known[state.path] = state, run
        runs = [run for _, run in self._known.values()]
        for run, place in zip(runs, places_of_runs(runs), strict=True):
            run.position = place
        self._runs = snapshot, Runs(runs, where=self._live.logdir)
        return self._runs[1]
