"""What notebooks have besides: ``%load_ext vizkit``, ``%vizkit log``, and runs that are followed in place."""

from __future__ import annotations

import os
import threading
from typing import Any

from vizkit.errors import MissingDependencyError, VizKitError
from vizkit.runs import Runs, load
from vizkit.runs.run import ENDED

__all__ = ["Live", "live", "load_ipython_extension"]

_servers: dict[str, Any] = {}


def load_ipython_extension(shell: Any) -> None:
    """Adds ``%vizkit [logdir] [filter]`` and ``%vizkit serve [logdir]``; called by ``%load_ext vizkit``."""
    shell.register_magic_function(_magic, magic_kind="line", magic_name="vizkit")


def _magic(line: str) -> Any:
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


def _served(logdir: str) -> Any:
    """The server of a directory, the one that an earlier cell started if it still runs."""
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
    """Shows runs in a notebook's cell, and shows them anew as their logs grow.

    It reads on a thread of its own, so that the next cell can train. Use `live`.
    """

    def __init__(self, directory: str, every: float, show: Any) -> None:
        self.directory = directory
        self.every = every
        self._show = show
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="vizkit-live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Follows no longer; what is shown stays."""
        self._stop.set()
        self._thread.join()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until the runs have ended; returns whether they have."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _follow(self) -> None:
        runs: Runs | None = None
        while True:
            try:
                changed = runs is None or any(runs.refresh())
                runs = load(self.directory) if runs is None else runs
                statuses = [run.status for run in runs]
                if changed:
                    self._show(runs[0] if len(runs) == 1 else runs)
                if statuses and not changed and set(statuses) <= ENDED:
                    self._show(runs[0] if len(runs) == 1 else runs)
                    return
            except OSError:  # the training has not begun, or its log is being replaced
                pass
            if self._stop.wait(self.every):
                return

    def __repr__(self) -> str:
        state = "following" if self._thread.is_alive() else "ended"
        return f"<Live {self.directory!r}: {state}>"


def live(run: Any, *, every: float = 1.0) -> Live:
    """Follows a training in place: shows its run in this cell, anew as it grows, until it has ended.

    Args:
        run: a run, a tracker, or a directory of one run or several; it need not exist yet.
        every: seconds between looks at the log.

    Returns:
        What follows it: ``stop()`` ends that, ``wait()`` waits for the run's end.

    Raises:
        MissingDependencyError: IPython is missing.
    """
    try:
        from IPython.display import display
    except ImportError as error:
        raise MissingDependencyError("live needs IPython: pip install ipython") from error
    directory = getattr(run, "directory", None) or getattr(run, "logdir", None) or os.fspath(run)
    handle = display(f"waiting for {directory}", display_id=True)
    return Live(str(directory), every, handle.update if handle is not None else print)
