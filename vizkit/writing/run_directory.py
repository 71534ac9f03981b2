"""Run directories: how one is chosen for a new run, which file in it is the log, and who may have it."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from vizkit._atomic_writes import write_atomic, write_durably
from vizkit._language import tr
from vizkit._locks import hold_directory
from vizkit._visualdl import import_visualdl
from vizkit._warnings import warn
from vizkit.errors import RunExistsError, RunStartError, VizKitError
from vizkit.format.file_names import (
    CONSOLE_FILE,
    ENVIRONMENT_FILE,
    GRAPH_WORD,
    LOG_WORD,
    PACKS_DIRECTORY,
    REMARKS_FILE,
    TABLES_DIRECTORY,
)
from vizkit.format.input_packs import PACK_ENDING
from vizkit.format.table_files import ENDING

__all__ = [
    "IfExists",
    "claimed",
    "log_files",
    "log_path",
    "new_log_name",
    "open_run",
    "rank_directories",
    "remove_logs",
    "write_text",
]

IfExists = Literal["new", "resume", "replace", "fail"]
"""The choices for a directory that holds records already."""


class _Writer(Protocol):
    def begin(self) -> None: ...


_AnyWriter = TypeVar("_AnyWriter", bound=_Writer)

_WAIT_SECONDS = 10.0
_OWN = (LOG_WORD, GRAPH_WORD, CONSOLE_FILE, ENVIRONMENT_FILE, REMARKS_FILE)


def log_files(directory: str | os.PathLike[str]) -> list[str]:
    """The names of the non-empty logs in a directory, in VisualDL's order.

    Stock VisualDL reads only the last one.
    """
    try:
        with os.scandir(directory) as entries:
            return sorted(e.name for e in entries if LOG_WORD in e.name and e.is_file() and e.stat().st_size)
    except (FileNotFoundError, NotADirectoryError):
        return []


def new_log_name(suffix: str = "") -> str:
    """A name for a new log, in VisualDL's form."""
    return f"{LOG_WORD}.{int(time.time()):010d}.log{suffix}"


def log_path(directory: str, file_name: str = "", suffix: str = "") -> tuple[str, bool]:
    """The path of a run's log, and True if it holds records.

    An existing log is continued, since VisualDL would not show a second one.

    Args:
        directory: the run directory, which need not exist, or a remote one with a scheme.
        file_name: the log's name; by default that of the existing log, or a new name.
        suffix: the end of its name.
    """
    if file_name and LOG_WORD not in file_name:
        better = f"{LOG_WORD}.{file_name}"
        warn(
            "VisualDL finds logs by {log_word!r} in their name: {better!r} is written, not {file_name!r}",
            log_word=LOG_WORD,
            better=better,
            file_name=file_name,
        )
        file_name = better
    if "://" in directory:
        return f"{directory.rstrip('/')}/{file_name or new_log_name(suffix)}", False
    existing = [name for name in log_files(directory) if name.endswith(suffix)]
    if not file_name:
        file_name = existing[-1] if existing else new_log_name(suffix)
    return os.path.join(directory, file_name), file_name in existing


def write_text(directory: str, name: str, text: str) -> None:
    """Write a whole file into a run directory, local or remote."""
    if "://" in directory:
        _write_remote(f"{directory.rstrip('/')}/{name}", text.encode("utf-8"))
        return
    Path(directory).mkdir(parents=True, exist_ok=True)
    write_atomic(Path(directory, name), text.encode("utf-8"))


def write_new(path: str, data: bytes) -> None:
    """Write a new file and its directory, local or remote; a local one is whole or absent.

    Raises:
        OSError: it cannot be written.
    """
    if "://" in path:
        _write_remote(path, data)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_durably(path, data)


def _write_remote(path: str, data: bytes) -> None:
    """Write a new file and its directory through VisualDL's file layer.

    Raises:
        OSError: it cannot be written, whatever error the file layer gives for it.
    """
    import_visualdl()
    from visualdl.io import bfile

    try:
        files = bfile.default_file_factory.get_filesystem(path)
        directory = path.rpartition("/")[0]
        if not files.exists(directory):
            files.makedirs(directory)
        # Appending to an object of BOS collects what is appended to any, also to the log.
        options = {"append": False} if isinstance(files, bfile.BosFileSystem) else {}
        files.write(path, data, binary_mode=True, **options)
    except OSError:
        raise
    except Exception as error:  # of a client of the remote system
        raise OSError(errno.EIO, f"{type(error).__name__}: {error}", path) from error


def remove_logs(directory: str | os.PathLike[str]) -> None:
    """Delete a run's logs, graphs, tables, console output and ``environment.json``, and nothing else."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if any(part in entry.name for part in _OWN) and entry.is_file():
                os.unlink(entry.path)
            elif entry.name == TABLES_DIRECTORY and entry.is_dir(follow_symlinks=False):
                _remove_tables(entry.path)


def _remove_tables(directory: str) -> None:
    """Delete the tables of a run, and the directories that are empty then."""
    with os.scandir(directory) as entries:
        below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    for path in below:
        ending = PACK_ENDING if os.path.basename(path) == PACKS_DIRECTORY else ENDING
        for name in os.listdir(path):
            if name.endswith((ending, ".part")):
                os.unlink(os.path.join(path, name))
    for path in (*below, directory):
        with suppress(OSError):
            os.rmdir(path)


def rank_directories(directory: Path) -> list[Path]:
    """The runs that other ranks of a distributed training recorded beside rank 0's."""
    name = re.compile(re.escape(directory.name) + r"-rank\d+")
    return sorted(path for path in directory.parent.iterdir() if name.fullmatch(path.name))


@contextmanager
def claimed(directory: Path) -> Iterator[bool]:
    """Create ``directory`` and lock it, so that two trackers do not take it at the same time.

    Yields True if it holds no records and so may be taken; the caller writes its first record before the
    lock is released.

    Raises:
        RunExistsError: another process has kept the directory locked for ten seconds.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        directory.mkdir()
        ours = True
    except FileExistsError:
        ours = False
    with hold_directory(directory, _WAIT_SECONDS) as locked:
        if locked is False:
            raise RunExistsError(
                "{directory} is locked by another process; name another run directory", directory=directory
            )
        # On a file system without locks, only the process that created the directory may take it: an empty
        # one may be in use. On Windows no directory can be locked.
        yield not log_files(directory) if locked or os.name == "nt" else ours


def open_run(
    logdir: str, if_exists: IfExists, make: Callable[[str], _AnyWriter], *, ranks: bool = False
) -> _AnyWriter:
    """Choose the directory of a new run, and return its writer. Other processes find it taken from then on.

    Args:
        logdir: the directory that is asked for. A remote one is taken as it is.
        if_exists: what to do if it holds records already: ``"new"`` takes the next free sibling
            (``run1-2``) and warns, ``"resume"`` appends, ``"replace"`` deletes them, ``"fail"`` raises.
        make: makes the writer of a directory.
        ranks: whether the records of other ranks beside it count, too.

    Raises:
        RunExistsError: it holds records, and ``if_exists`` is ``"fail"``.
        RunStartError: it cannot be written.
    """
    try:
        return _open_run(logdir, if_exists, make, ranks)
    except VizKitError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            way = tr("free some space, or name another one")
        else:
            way = tr("name another directory")
        raise RunStartError(
            "nothing can be recorded to {logdir}: {error}; {way}", logdir=logdir, error=error, way=way
        ) from error


def _open_run(logdir: str, if_exists: IfExists, make: Callable[[str], _AnyWriter], ranks: bool) -> _AnyWriter:
    if "://" in logdir:  # no locks there: the caller names directories of its own
        return make(logdir)
    attempt = 1
    while True:
        directory = Path(logdir if attempt == 1 else f"{logdir.rstrip('/')}-{attempt}")
        with claimed(directory) as free:
            others = rank_directories(directory) if ranks else []
            free = free and not any(map(log_files, others))
            if not free and if_exists == "fail":
                raise RunExistsError(
                    "{directory} holds records already; name another directory, or pass if_exists='new', "
                    "'resume' or 'replace'",
                    directory=directory,
                )
            if not free and if_exists == "replace":
                for name in [directory, *others]:
                    remove_logs(name)
            if free or if_exists != "new":
                opened = make(os.fspath(directory))
                opened.begin()
                break
        attempt += 1
    if attempt > 1:
        warn(
            "{logdir} holds records already: recording to {directory} (if_exists='resume' "
            "appends, 'replace' starts over)",
            logdir=logdir,
            directory=directory,
        )
    return opened
