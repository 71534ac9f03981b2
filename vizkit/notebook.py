"""Notebooks: the ``%vizkit`` magic of ``%load_ext vizkit``, and runs that are followed in a cell."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from vizkit._language import tr
from vizkit.errors import MissingDependencyError, VizKitError
from vizkit.runs import Run, Runs, load
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
    """Add ``%vizkit [logdir] [filter]`` and ``%vizkit serve [logdir]``; called by ``%load_ext vizkit``."""
    shell.register_magic_function(_magic, magic_kind="line", magic_name="vizkit")


def _magic(line: str) -> Runs | _Server:
    """Show runs: ``%vizkit [logdir] [filter expression]``; the directory is ``log`` by default.

    ``%vizkit serve [logdir]`` shows VisualDL's page over them.
    """
    from IPython.core.error import UsageError

    line = line.strip()
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


class Live:
    """Runs that are shown in a notebook's cell and updated as their logs grow. Use `live`.

    A thread reads the logs, so that the next cell can train.
    """

    def __init__(self, directory: str, every: float, show: Callable[[Run | Runs], object]) -> None:
        self.directory = directory
        self.every = every
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
            try:
                changed = runs is None or any(runs.refresh())
                runs = load(self.directory) if runs is None else runs
                statuses = [run.status for run in runs]
                ended = bool(statuses) and not changed and set(statuses) <= ENDED
                if statuses and (changed or ended):  # a directory without runs: the training has not begun
                    self._show(runs[0] if len(runs) == 1 else runs)
                if ended:
                    return
            except OSError:  # the training has not begun, or its log is being replaced
                pass
            if self._stop.wait(self.every):
                return

    def __repr__(self) -> str:
        state = "following" if self._thread.is_alive() else "ended"
        return f"<Live {self.directory!r}: {state}>"


def live(run: Run | Tracker | str | os.PathLike[str], *, every: float = 1.0) -> Live:
    """Follow a training: show its run in this cell, updated as it grows, until it has ended.

    Args:
        run: a run, a tracker, or a directory of one run or several; it need not exist yet.
        every: seconds between reads of the log.

    Returns:
        The follower: ``stop()`` ends it, ``wait()`` waits for the end of the run.

    Raises:
        MissingDependencyError: IPython is missing.
    """
    try:
        from IPython.display import display
    except ImportError as error:
        raise MissingDependencyError("live needs IPython: pip install ipython") from error
    if isinstance(run, (str, os.PathLike)):
        path = os.fspath(run)
    else:
        path = run.directory if isinstance(run, Run) else run.logdir
    handle = display(tr("waiting for {path}", path=path), display_id=True)
    return Live(path, every, handle.update if handle is not None else print)
