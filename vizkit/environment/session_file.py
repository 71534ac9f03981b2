"""``environment.json``: the sessions that recorded a run, as a file beside its log.

Diffs are kept in files of their own, named by their content: ``environment.json`` is rewritten at the start
and end of every session, and many sessions share a diff.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from vizkit._atomic_writes import write_atomic
from vizkit._files import read_bounded
from vizkit._json import parse_json
from vizkit._protocols import JSONObject
from vizkit.environment.processes import is_alive, process_identity
from vizkit.errors import DataError
from vizkit.format.file_names import ENVIRONMENT_FILE as FILE_NAME
from vizkit.format.walltime import is_time

__all__ = [
    "FILE_NAME",
    "Status",
    "is_run_of",
    "read_environment",
    "remove_diffs",
    "sessions_of",
    "write_diff",
    "write_sessions",
]

Status = Literal["running", "finished", "failed", "interrupted", "killed"]

_FORMAT = 1
_MOST_BYTES = 8_000_000  # of the file: a session takes about 10,000
_MOST_DIFFS = 16_000_000  # bytes of all sessions together
_DIFF = re.compile(r"environment\.[0-9a-f]{12}\.diff")


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
    sessions = [_plausible(session) for session in sessions_of(directory)]
    if not sessions:
        return {}
    for session in sessions:
        if session.get("status") == "running":
            alive = is_alive(session)
            if alive is False or (alive is None and session is not sessions[-1]):
                session["status"] = "killed"
    _add_diffs(directory, sessions, on_refused)
    return {**sessions[-1], "sessions": sessions[:-1]}


def is_run_of(directory: str | os.PathLike[str], pid: int) -> bool:
    """True if a process, which is running, has recorded into a directory."""
    try:
        sessions = sessions_of(os.fspath(directory))
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


def sessions_of(directory: str) -> list[JSONObject]:
    """All sessions of a run, oldest first; none without a file.

    Raises:
        DataError: the file is damaged, or not read.
    """
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


def write_sessions(directory: str, sessions: list[JSONObject]) -> None:
    """Write all sessions of a run, oldest first.

    Raises:
        OSError: the file cannot be written; the former one is unchanged.
    """
    content = {"format": _FORMAT, **sessions[-1], "sessions": sessions[:-1]}
    # One key per line: readable, and encoded by json's fast encoder, which cannot indent.
    lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False, default=str)}" for k, v in content.items())
    # Arguments that are not UTF-8 contain lone surrogates; escaped, they are valid JSON.
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    write_atomic(Path(directory, FILE_NAME), text.encode("utf-8", "backslashreplace"))


def write_diff(directory: str, diff: str) -> str:
    """Write a diff unless its file exists; return the file's name."""
    data = diff.encode("utf-8", "backslashreplace")
    name = f"environment.{hashlib.sha256(data).hexdigest()[:12]}.diff"
    if not os.path.exists(os.path.join(directory, name)):
        write_atomic(Path(directory, name), data)
    return name


def remove_diffs(directory: str) -> None:
    """Delete all diffs of a run."""
    for name in os.listdir(directory):
        if _DIFF.fullmatch(name):
            os.unlink(os.path.join(directory, name))
