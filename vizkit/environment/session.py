"""``environment.json``: one session for each process that recorded a run, and how it ended.

Diffs are kept in files of their own, named by their content: ``environment.json`` is rewritten at the start
and end of every session, and many sessions share a diff.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

from vizkit._files import at_exit_of_child, hold_directory, read_bounded, write_atomic
from vizkit._json import parse_json
from vizkit._protocols import JSONObject
from vizkit._warnings import warn
from vizkit.environment.masking import mask
from vizkit.environment.process_end import ending_error, watch_exit_code
from vizkit.environment.process_snapshot import DEFAULT_ALLOWED, quick_snapshot, slow_snapshot
from vizkit.environment.processes import is_alive, process_identity
from vizkit.errors import DataError
from vizkit.format.file_names import ENVIRONMENT_FILE as FILE_NAME
from vizkit.format.walltime import is_time

__all__ = ["FILE_NAME", "Session", "Status", "is_open", "is_run_of", "read_environment"]

Status = Literal["running", "finished", "failed", "interrupted", "killed"]

_FORMAT = 1
_EXIT_SECONDS = 1.0
_LOCK_SECONDS = 0.5
_MOST_CHARACTERS = 4_000
_MOST_BYTES = 8_000_000  # of the file: a session takes about 10,000
_MOST_DIFFS = 16_000_000  # bytes of all sessions together
_DIFF = re.compile(r"environment\.[0-9a-f]{12}\.diff")
_time = time.time


class Session:
    """A run's ``environment.json``: how this process was started, when, and how it ended.

    The file is written at once; git and GPUs are asked on a daemon thread, and added later. A session that is
    still open at the process's exit ends as ``finished``, or with the error that ended the script. Nothing is
    raised, and a forked child changes nothing. A remote directory gets no file.

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
                found["git"]["diff_file"] = _write_diff(self._directory, diff)
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
                    _remove_diffs(self._directory)
                sessions = self._others() if keep else []
                mine = (self._content["started"], self._content["process"], self._pid)
                place = len(sessions)
                for index, other in enumerate(sessions):
                    if (other.get("started"), other.get("process"), other.get("pid")) == mine:
                        place = index
                sessions[place : place + 1] = [self._content]
                _write(self._directory, {"format": _FORMAT, **sessions[-1], "sessions": sessions[:-1]})
        except Exception as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        with contextlib.suppress(Exception):  # a warning that is an error, on our thread
            self._on_error("environment", error)

    def _others(self) -> list[JSONObject]:
        try:
            return _sessions(self._directory)
        except DataError:
            os.replace(self.path, os.path.join(self._directory, "damaged." + FILE_NAME))
            return []

    def __repr__(self) -> str:
        return f"Session({self._directory!r}, {self._content['status']})"


def read_environment(
    directory: str | os.PathLike[str], *, on_refused: Callable[[DataError], None] | None = None
) -> JSONObject:
    """Read how a run was made: its last session.

    A session with the status ``running`` is reported as ``killed`` if its process is gone from this machine,
    or if a later session exists and its process cannot be seen from here. The last session of another
    machine keeps its status.

    Anybody may have written the files: they are read as `vizkit._files.read_bounded` does, and times and
    a status that no session writes are left out.

    Args:
        directory: the run's directory.
        on_refused: called for a file with differences to git's commit that is not read.

    Returns:
        The keys of `snapshot`, ``started`` and ``ended`` (milliseconds since 1970), ``status``, ``error``,
        and ``sessions``: the same for each earlier process, oldest first. Empty if nothing is known.

    Raises:
        DataError: the file is damaged, or not read.
    """
    directory = os.fspath(directory)
    if "://" in directory:
        return {}
    sessions = [_plausible(session) for session in _sessions(directory)]
    if not sessions:
        return {}
    for session in sessions:
        if session.get("status") == "running":
            alive = is_alive(session)
            if alive is False or (alive is None and session is not sessions[-1]):
                session["status"] = "killed"
    _add_diffs(directory, sessions, on_refused)
    return {**sessions[-1], "sessions": sessions[:-1]}


def is_open(directory: str) -> bool:
    """True if this process has a session in a directory that has not ended."""
    here = (os.getpid(), os.path.abspath(directory))
    return any((session._pid, session._directory) == here for session in _open)


def is_run_of(directory: str | os.PathLike[str], pid: int) -> bool:
    """True if a process, which is running, has recorded into a directory."""
    try:
        sessions = _sessions(os.fspath(directory))
    except (DataError, OSError):
        return False
    process = process_identity(pid)
    return any(session.get("pid") == pid and session.get("process") == process for session in sessions)


def _plausible(session: JSONObject) -> JSONObject:
    """A session without times and a status that none has."""
    kept = dict(session)
    for name in ("started", "ended"):
        if name in kept and not is_time(kept[name]):
            del kept[name]
    if "status" in kept and kept["status"] not in list(get_args(Status)):
        del kept["status"]
    return kept


def _add_diffs(
    directory: str, sessions: list[JSONObject], on_refused: Callable[[DataError], None] | None
) -> None:
    """Add the differences to git's commit, newest session first, up to a total size."""
    left = _MOST_DIFFS
    for session in reversed(sessions):
        git = session.get("git")
        if not isinstance(git, dict) or not _DIFF.fullmatch(name := str(git.get("diff_file"))):
            continue
        try:
            data = read_bounded(os.path.join(directory, name), left)
        except DataError as error:
            if on_refused:
                if left < _MOST_DIFFS:
                    error = DataError(
                        "{error}; all in all, {most:,} bytes are read, the newest first",
                        error=error,
                        most=_MOST_DIFFS,
                    )
                on_refused(error)
            return
        except OSError:
            continue
        left -= len(data)
        session["git"] = {**git, "diff": data.decode("utf-8", "replace")}


# -- the file ------------------------------------------------------------------------------------


def _sessions(directory: str) -> list[JSONObject]:
    """All sessions of a run, oldest first."""
    path = Path(directory, FILE_NAME)
    try:
        data = parse_json(read_bounded(path, _MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except DataError:
        raise
    except ValueError as error:
        raise DataError("{path} is no JSON ({error}): move it away", path=path, error=error) from error
    if not isinstance(data, dict) or not all(isinstance(s, dict) for s in _list(data.get("sessions"))):
        raise DataError("{path} does not hold sessions: move it away", path=path)
    earlier = _list(data.pop("sessions", None))
    data.pop("format", None)
    return [*earlier, data]


def _list(value: object) -> list[JSONObject]:
    return value if isinstance(value, list) else []


def _write(directory: str, content: JSONObject) -> None:
    # One key per line: readable, and encoded by json's fast encoder, which cannot indent.
    lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False, default=str)}" for k, v in content.items())
    # Arguments that are not UTF-8 contain lone surrogates; escaped, they are valid JSON.
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    write_atomic(Path(directory, FILE_NAME), text.encode("utf-8", "backslashreplace"))


def _write_diff(directory: str, diff: str) -> str:
    """Write a diff unless its file exists; return the file's name."""
    data = diff.encode("utf-8", "backslashreplace")
    name = f"environment.{hashlib.sha256(data).hexdigest()[:12]}.diff"
    if not os.path.exists(os.path.join(directory, name)):
        write_atomic(Path(directory, name), data)
    return name


def _remove_diffs(directory: str) -> None:
    for name in os.listdir(directory):
        if _DIFF.fullmatch(name):
            os.unlink(os.path.join(directory, name))


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
