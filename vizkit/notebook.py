"""Notebooks: the ``%vizkit`` magic of ``%load_ext vizkit``, and charts that follow runs in a cell."""

from __future__ import annotations

import os
import re
import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Protocol

from vizkit._language import language, speaking, tr
from vizkit.charts._chart import chart_of
from vizkit.charts.embedding import POINTS, Options
from vizkit.curves.curves import Partial
from vizkit.curves.means import Band
from vizkit.curves.smoothing import SmoothLike
from vizkit.curves.x_axis import X
from vizkit.errors import MissingDependencyError, VizKitError
from vizkit.reading import RunReader
from vizkit.runs import Run, Runs, load
from vizkit.runs.formatting import duration_text, status_text
from vizkit.runs.run import ENDED

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from vizkit.tracking.tracker import Tracker

__all__ = ["Live", "live", "load_ipython_extension"]


class _Server(Protocol):
    """A `vizkit.Server`, which a notebook shows as a page."""

    @property
    def is_running(self) -> bool: ...


_servers: dict[str, _Server] = {}


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add ``%vizkit``, ``%vizkit live`` and ``%vizkit serve``; called by ``%load_ext vizkit``."""
    shell.register_magic_function(_magic, magic_kind="line", magic_name="vizkit")


def _magic(line: str) -> Runs | _Server | None:
    """Show runs: ``%vizkit [logdir] [filter expression]``; the directory is ``log`` by default.

    ``%vizkit live [logdir] [tags]`` shows their charts, updated while they train; ``%vizkit serve [logdir]``
    shows VisualDL's page over them.
    """
    from IPython.core.error import UsageError

    line = line.strip()
    if line.partition(" ")[0] == "live":
        logdir, *tags = shlex.split(line)[1:] or ["log"]
        live(logdir, tags or None)
        return None
    if line.partition(" ")[0] == "serve":
        return _served(line[len("serve") :].strip().strip("'\"") or "log")
    if line[:1] in ("'", '"') and line[0] in line[1:]:
        logdir, _, expression = line[1:].partition(line[0])
    else:
        logdir, _, expression = line.partition(" ")
    try:
        runs = load(logdir or "log")
        return runs.filter(expression.strip()) if expression.strip() else runs
    except VizKitError as error:
        raise UsageError(str(error)) from error


def _served(logdir: str) -> _Server:
    """The server of a directory; one that an earlier cell started is used again."""
    from IPython.core.error import UsageError

    import vizkit

    server = _servers.get(logdir)
    if server is None or not server.is_running:
        try:
            server = _servers[logdir] = vizkit.serve(logdir)
        except VizKitError as error:
            raise UsageError(str(error)) from error
    return server


_POINTS_OF_AN_UPDATE = 20_000
_MOST_CURVES = 120
_MOST_PANELS = 6


class View:
    """The content of a cell that follows runs: their charts, or the table where there are none yet.

    Attributes:
        runs: the runs.
        html: the charts; None without scalars.
    """

    def __init__(self, runs: Runs, html: str | None) -> None:
        self.runs = runs
        self.html = html

    def _repr_html_(self) -> str:
        return self.html or self._content()._repr_html_()

    def __repr__(self) -> str:
        return str(self._content())

    def _content(self) -> Run | Runs:
        return self.runs[0] if len(self.runs) == 1 else self.runs


class Live:
    """Runs that are shown in a notebook's cell and updated as their logs grow. Use `live`.

    A thread reads the logs, so that the next cell can train.
    """

    def __init__(
        self, where: str, every: float, read: Callable[[], Runs], show: Callable[[Runs, bool], object]
    ) -> None:
        self.directory = where
        self.every = every
        self._read = read
        self._show = show
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="vizkit-live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the cell keeps its content."""
        self._stop.set()
        self._thread.join()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the runs have ended; return True if they have."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _follow(self) -> None:
        runs: Runs | None = None
        while True:
            start = time.monotonic()
            try:
                changed = runs is None or any(runs.refresh())
                runs = self._read() if runs is None else runs
                statuses = [run.status for run in runs]
                ended = bool(statuses) and not changed and set(statuses) <= ENDED
                if statuses and (changed or ended):  # a directory without runs: the training has not begun
                    self._show(runs, ended)
                if ended:
                    return
            except OSError:  # the training has not begun, or its log is being replaced
                pass
            took = time.monotonic() - start  # of this process, which may be the one that trains
            if self._stop.wait(max(self.every, 10 * took)):
                return

    def __repr__(self) -> str:
        state = "following" if self._thread.is_alive() else "ended"
        return f"<Live {self.directory!r}: {state}>"


def live(
    run: Run | Runs | Tracker | str | os.PathLike[str],
    tag: str | Sequence[str] | None = None,
    *,
    every: float = 1.0,
    x: X = "step",
    by: str | Sequence[str] | None = None,
    smooth: SmoothLike = 0.0,
    band: Band | None = "std",
    partial: Partial = "dotted",
    log: bool | Literal["x", "y", "xy"] = False,
    outliers: bool = True,
) -> Live:
    """Follow trainings: show their charts in this cell, updated as they grow, until they have ended.

    A zoom, a smoothing, hidden runs stay as they are while points come in.

    Args:
        run: a run, several, a tracker, or a directory of one run or several; it need not exist yet.
        tag: a scalar tag, a pattern, or several in one chart; by default a chart for each of six metrics.
        every: seconds between reads of the log.
        x: as in `vizkit.charts.chart`, like all others.
        by: a hyper-parameter, or several, to draw means by.
        smooth: the smoothing to begin with.
        band: the band around a mean.
        partial: where fewer runs than those of the group have values.
        log: logarithmic axes to begin with.
        outliers: False to leave outliers out of the y axis, to begin with.

    Returns:
        The follower: ``stop()`` ends it, ``wait()`` waits for the end of the runs.

    Raises:
        MissingDependencyError: IPython is missing.
        DataError: an argument that is not allowed.
    """
    try:
        from IPython.display import display
    except ImportError as error:
        raise MissingDependencyError("live needs IPython: pip install ipython") from error
    options = Options(x, by, smooth, band, partial, log, outliers, _POINTS_OF_AN_UPDATE, quick=True)
    where, read = _source(run)
    handle = display(tr("waiting for {path}", path=where), display_id=True)
    update = handle.update if handle is not None else print
    name = re.sub(r"\W", "", str(handle.display_id)) if handle is not None else ""
    spoken = language()

    def show(runs: Runs, ended: bool) -> None:
        with speaking(spoken):
            update(_view(runs, tag, options, name, ended))

    return Live(where, every, read, show)


def _source(run: Run | Runs | Tracker | str | os.PathLike[str]) -> tuple[str, Callable[[], Runs]]:
    """Where runs are, and what reads them for a thread of its own."""
    if isinstance(run, Runs) and run.root is None:
        chosen = list(run)
        return ", ".join(one.directory for one in chosen[:3]), lambda: Runs(map(_reread, chosen))
    if isinstance(run, Run):
        return run.directory, lambda: Runs([_reread(run)])
    if isinstance(run, Runs):
        where = run.root or ""
    else:
        where = os.fspath(run if isinstance(run, (str, os.PathLike)) else run.logdir)
    place = where if "://" in where else os.path.abspath(os.path.expanduser(where))  # wherever the cells go
    return where, lambda: load(place)


def _reread(run: Run) -> Run:
    again = Run(run.name, RunReader(run.directory))
    again.position = run.position
    return again


def _view(runs: Runs, tag: str | Sequence[str] | None, options: Options, name: str, ended: bool) -> View:
    """The charts of runs as far as they are recorded; with all points once they have ended."""
    if ended:
        options = replace(options, points=POINTS, quick=False)
    try:
        panels = (
            [tag] if tag is not None else runs.metrics[: max(min(_MOST_PANELS, _MOST_CURVES // len(runs)), 1)]
        )
        if not panels:
            return View(runs, None)
        chart = chart_of(runs, panels, options, live=name, running=not ended, status=_status(runs))
    except VizKitError:  # no run has recorded it yet
        return View(runs, None)
    return View(runs, chart.html)


def _status(runs: Runs) -> str:
    """``running, 3 min 05 s`` of one run; ``2 running, 1 finished`` of several."""
    if len(runs) == 1:
        return ", ".join(
            filter(None, (runs[0].name, status_text(runs[0].status), duration_text(runs[0].duration)))
        )
    return ", ".join(
        f"{n} {status_text(status)}" for status, n in Counter(run.status for run in runs).items()
    )
