"""A session: how this process came to record a run, and how it ended, for ``environment.json``."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Sequence

from vizkit._child_exit import at_exit_of_child
from vizkit._locks import hold_directory
from vizkit._protocols import JSONObject
from vizkit._warnings import warn
from vizkit.environment.masking import mask
from vizkit.environment.process_end import ending_error, watch_exit_code, watch_threads
from vizkit.environment.process_snapshot import DEFAULT_ALLOWED, quick_snapshot, slow_snapshot
from vizkit.environment.processes import process_identity
from vizkit.environment.session_file import (
    FILE_NAME,
    Status,
    remove_diffs,
    sessions_of,
    write_diff,
    write_sessions,
)
from vizkit.errors import DataError

__all__ = ["Session", "is_open"]

_EXIT_SECONDS = 1.0
_LOCK_SECONDS = 0.5
_MOST_CHARACTERS = 4_000
_time = time.time


class Session:
    """A run's ``environment.json``: how this process was started, when, and how it ended.

    The file is written at once; git and GPUs are asked on a daemon thread, and added later. A session that is
    still open at the process's exit ends as ``finished``, or with the error that ended the script, or the
    thread that began it. Nothing is raised, and a forked child changes nothing. A remote directory gets no
    file.

    Args:
        directory: the run's directory, created if missing. The caller must not hold it with
            `vizkit.writing.run_directory.claimed`.
        resume: whether to keep earlier sessions.
        seed: the training's random seed, if known.
        allow: environment variables to include, as in `snapshot`.
        on_error: called with ``"environment"`` and the error if the file could not be written; warns by
            default.

    Attributes:
        when_ended: called with the directory and the session's content once it has ended.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        resume: bool = True,
        seed: object = None,
        allow: Sequence[str] = DEFAULT_ALLOWED,
        on_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self._directory = os.fspath(directory)
        if "://" not in self._directory:
            self._directory = os.path.abspath(self._directory)  # a script may change its directory
        self._on_error = on_error or _warn
        self._lock = threading.RLock()  # reentrant: a signal handler may finish the run during a write
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._begun_in = threading.current_thread()
        self._content: JSONObject = {
            "started": _now(),
            "status": "running",
            "pid": self._pid,
            "process": process_identity(self._pid),
        }
        self._failed = False
        self._changes = 0
        self.when_ended: Callable[[str, JSONObject], None] | None = None
        self._closed = "://" in self._directory
        if self._closed:
            return
        try:
            self._content |= quick_snapshot(seed=seed, allow=allow)
        except Exception as error:
            self._tell(error)
        self._save(keep=resume)
        self._thread = threading.Thread(target=self._complete, name="vizkit-environment", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads
            self._thread = None
        _open.add(self)
        watch_exit_code()
        if self._begun_in is not threading.main_thread():
            _watch_threads()
        at_exit_of_child(_finish_all)

    @property
    def path(self) -> str:
        """Path of the file, which does not exist in a remote directory."""
        return os.path.join(self._directory, FILE_NAME)

    def fail(self, error: BaseException) -> None:
        """Record that a training ended with ``error`` while its process continues.

        The session ends like that too, unless `go_on` revokes it or `finish` overrides it.
        """
        if self._closed or os.getpid() != self._pid:
            return
        self._failed = True
        self._end(None, error, _now())

    def go_on(self) -> None:
        """Revoke `fail`: the process trains again."""
        if self._closed or not self._failed or os.getpid() != self._pid:
            return
        self._failed = False
        with self._lock:
            self._changes += 1
            for name in ("ended", "error"):
                self._content.pop(name, None)
            self._content["status"] = "running"
        self._save()

    def finish(self, status: Status | None = None, error: BaseException | None = None) -> None:
        """Record the end. Calling it again, or in a forked child, does nothing.

        Args:
            status: how the session ended. By default ``interrupted`` for an ``error`` from Ctrl-C,
                ``failed`` for any other; without an error ``finished``, or as `fail` has recorded.
            error: the error that ended it; its type and message are kept.
        """
        self._finish(status, error, _EXIT_SECONDS)

    def _finish(self, status: Status | None, error: BaseException | None, seconds: float) -> None:
        if self._closed or os.getpid() != self._pid:
            return
        ended = _now()
        try:
            if self._thread and self._thread is not threading.current_thread():
                self._thread.join(max(seconds, 0))
        finally:  # Ctrl-C does not keep the end from being recorded
            # A signal handler may have finished the session meanwhile.
            first, self._closed = not self._closed, True
            if first and (not self._failed or status or error):
                self._end(status, error, ended)
            _open.discard(self)
            if first and self.when_ended:
                self.when_ended(self._directory, self._content)

    def follow(self, directory: str) -> None:
        """Go on in another directory since the run was moved, or write the file again if it is empty."""
        if self._closed or os.getpid() != self._pid:
            return
        if directory:
            self._directory = os.path.abspath(directory)
        self._save()

    def _end(self, status: Status | None, error: BaseException | None, ended: int) -> None:
        status = status or _status_of(error)
        with self._lock:
            self._changes += 1
            self._content |= {"ended": ended, "status": status}
            if error is not None and status != "finished":
                self._content["error"] = {
                    "type": _type_name(error),
                    "message": mask(_message(error))[:_MOST_CHARACTERS],
                }
        self._save()

    def _complete(self) -> None:
        found = slow_snapshot()
        try:
            if diff := found.get("git", {}).pop("diff", ""):
                found["git"]["diff_file"] = write_diff(self._directory, diff)
        except FileNotFoundError:  # the run was deleted meanwhile
            return
        except Exception as error:
            self._tell(error)
        if found:
            with self._lock:
                self._changes += 1
                self._content |= found
            self._save()

    def _save(self, *, keep: bool = True) -> None:
        """Write this session to the file; the sessions of other processes are kept."""
        changes = -1
        while changes != self._changes:  # else a signal handler has written newer content meanwhile
            changes = self._changes
            self._save_once(keep)

    def _save_once(self, keep: bool) -> None:
        try:
            if not os.path.isdir(self._directory):
                if self._content["status"] != "running" or self._thread:
                    return  # deleted meanwhile, and not to be created again
                os.makedirs(self._directory, exist_ok=True)
            with self._lock, hold_directory(self._directory, _LOCK_SECONDS):
                if not keep:
                    remove_diffs(self._directory)
                sessions = self._others() if keep else []
                mine = (self._content["started"], self._content["process"], self._pid)
                place = len(sessions)
                for index, other in enumerate(sessions):
                    if (other.get("started"), other.get("process"), other.get("pid")) == mine:
                        place = index
                sessions[place : place + 1] = [self._content]
                write_sessions(self._directory, sessions)
        except Exception as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        with contextlib.suppress(Exception):  # a warning that is an error, on our thread
            self._on_error("environment", error)

    def _others(self) -> list[JSONObject]:
        try:
            return sessions_of(self._directory)
        except DataError:
            os.replace(self.path, os.path.join(self._directory, "damaged." + FILE_NAME))
            return []

    def __repr__(self) -> str:
        return f"Session({self._directory!r}, {self._content['status']})"


def is_open(directory: str) -> bool:
    """True if this process has a session in a directory that has not ended."""
    here = (os.getpid(), os.path.abspath(directory))
    return any((session._pid, session._directory) == here for session in _open)


# -- the end -------------------------------------------------------------------------------------


def _status_of(error: BaseException | None) -> Status:
    if error is None or (isinstance(error, SystemExit) and _succeeds(error.code)):
        return "finished"
    return "interrupted" if isinstance(error, (KeyboardInterrupt, GeneratorExit)) else "failed"


def _succeeds(code: object) -> bool:
    """True for the codes of `SystemExit` that Python makes the exit status 0 of."""
    return code is None or (isinstance(code, int) and code == 0)


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _now() -> int:
    return int(_time() * 1000)


def _warn(tag: str, error: Exception) -> None:
    warn("{tag}: not recorded: {error}", tag=tag, error=error)


_open: set[Session] = set()


def _finish_all() -> None:
    """Finish all open sessions at exit, with the uncaught error if there is one."""
    error = ending_error()
    deadline = time.monotonic() + _EXIT_SECONDS
    for session in list(_open):
        session._finish(None, error, deadline - time.monotonic())


atexit.register(_finish_all)


@functools.cache
def _watch_threads() -> None:
    watch_threads(_fail_those_of)


def _fail_those_of(thread: threading.Thread, error: BaseException) -> None:
    """A training that a thread began has failed if an error ended the thread, though the process lives on."""
    for session in list(_open):
        if session._begun_in is thread and _status_of(error) != "finished":
            session.fail(error)
