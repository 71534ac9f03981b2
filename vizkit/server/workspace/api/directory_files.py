"""The files of a run's directory: listed, and sent; no link is followed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, TypedDict
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from vizkit._files import open_regular, path_of_open_file
from vizkit.errors import UnknownNameError
from vizkit.format.file_names import LOG_WORD
from vizkit.runs import Run
from vizkit.server.run_names import printable
from vizkit.server.workspace.api.answer_types import FileRecord
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["FileQuery", "files_of", "run_file"]

_MAX_FILES = 1_000
_MAX_DEPTH = 4  # directories below the run's
_MAX_LOOKED_AT = 20_000  # entries of directories
_PART = 1 << 16  # bytes


class _Files(TypedDict):
    files: list[FileRecord]
    more_files: bool


@dataclass(frozen=True)
class FileQuery:
    """A file in a run's directory, to be downloaded, or its end as a text."""

    run: Annotated[str, "name of a run"]
    path: Annotated[str, "path of the file, as `run` lists it"]
    tail: Annotated[
        int, "answer with so many of the last bytes, from a line's start, as a text", (0, 1 << 20)
    ] = 0


def files_of(state: WorkspaceState, run: Run) -> _Files:
    """The files of a run, nearest first; hidden ones, links and directories of other runs are left out."""
    found: list[FileRecord] = []
    base = _base(state, run)
    if base is None:
        return {"files": [], "more_files": False}
    looked_at = 0
    waiting = deque([(base, "", 0)])
    while waiting:
        directory, prefix, depth = waiting.popleft()
        entries: list[os.DirEntry[str]] = []
        with suppress(OSError), os.scandir(directory) as every:
            for entry in every:
                looked_at += 1
                if looked_at > _MAX_LOOKED_AT:
                    return {"files": found, "more_files": True}
                entries.append(entry)
        if depth and any(LOG_WORD in entry.name for entry in entries):
            continue  # another run
        for entry in sorted(entries, key=lambda one: one.name):
            path = prefix + entry.name
            if entry.name.startswith(".") or printable(path) != path:
                continue
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    if depth < _MAX_DEPTH:
                        waiting.append((entry.path, f"{path}/", depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    if len(found) == _MAX_FILES:
                        return {"files": found, "more_files": True}
                    stat = entry.stat(follow_symlinks=False)
                    found.append({"path": path, "size": stat.st_size, "changed": int(stat.st_mtime * 1000)})
    return {"files": found, "more_files": False}


def run_file(state: WorkspaceState, query: FileQuery) -> Response:
    """Answer with a file, or with its end as a text."""
    with state.runs() as runs:
        (run,) = named(runs, [query.run])
        fd = _open(_base(state, run), query.path)
    size = os.fstat(fd).st_size
    if query.tail:
        with open(fd, "rb") as file:
            file.seek(max(size - query.tail, 0))
            data = file.read(query.tail)
        if size > query.tail:
            data = data[data.find(b"\n") + 1 :]
        text = data.decode("utf-8", "replace")
        return Response(text, media_type="text/plain", headers={"Cache-Control": "no-store"})
    name = quote(query.path.rpartition("/")[2], safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return StreamingResponse(_parts(fd, size), media_type="application/octet-stream", headers=headers)


def _parts(fd: int, size: int) -> Iterator[bytes]:
    """The first ``size`` bytes of a file: it may grow."""
    with open(fd, "rb") as file:
        while size > 0 and (part := file.read(min(size, _PART))):
            size -= len(part)
            yield part


def _base(state: WorkspaceState, run: Run) -> str | None:
    """The real directory of a run; None for one that is remote, or lies outside of the log directory."""
    root = state.live.local_directory
    if root is None:
        return None
    directory, inside = os.path.realpath(run.directory), os.path.join(os.path.realpath(root), "")
    return directory if os.path.join(directory, "").startswith(inside) else None


def _open(base: str | None, path: str) -> int:
    """Open a file below a directory.

    Raises:
        UnknownNameError: there is none, or a link is on the way.
    """
    parts = path.split("/")
    plain = all(part and not part.startswith(".") and os.sep not in part for part in parts)
    if base is not None and plain and len(parts) <= _MAX_DEPTH + 1:
        wanted = os.path.join(base, *parts)
        with suppress(OSError, ValueError):
            if os.path.realpath(wanted) == wanted:
                fd = open_regular(wanted, getattr(os, "O_NOFOLLOW", 0))
                if path_of_open_file(fd) in (wanted, None):  # a directory on the way may be a link by now
                    return fd
                os.close(fd)
    raise UnknownNameError("the run has no file {path}", path=repr(path[:200]))
