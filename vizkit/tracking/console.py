"""Console output of a process, copied line by line into a file beside its run's log."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from vizkit._files import open_kept
from vizkit.format.file_names import CONSOLE_FILE

__all__ = ["ConsoleCopy"]

_MOST = 16 << 20  # bytes of a file
_LONGEST = 1 << 16  # characters of a line that has not ended
_CUT = b"[vizkit: more than 16 MB, the rest is not copied]\n"
_CONTROLS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\b\x07]")

_copies: list[ConsoleCopy] = []  # replaced at once: another thread may be printing
_tapped: list[tuple[TextIO, Callable[[str], int]]] = []


class ConsoleCopy:
    """A copy of what this process and its forked children print to ``sys.stdout`` and ``sys.stderr``.

    A line is in the file when the call that ended it returns. Of a line that is drawn again and again, as by
    a progress bar, the last state is kept; colours are left out. What other programs print is not copied.

    Args:
        directory: the run's.
        look: called where the directory is gone; it calls `follow` if the run was moved, or makes it again.
        on_error: told once if the file cannot be written; what is printed then is not copied.
    """

    def __init__(
        self, directory: str, on_error: Callable[[str, Exception], None], look: Callable[[], None]
    ) -> None:
        self.follow(directory)
        self._look = look
        self._on_error = on_error
        self._file = -1
        self._size = 0
        self._begun: dict[tuple[str, int], str] = {}  # stream and thread -> a line that has not ended

    def follow(self, directory: str) -> None:
        """Go on in another directory since the run was moved."""
        self._path = os.path.abspath(os.path.join(directory, CONSOLE_FILE))  # the script may change its own

    def start(self) -> ConsoleCopy:
        """Copy what is printed from now on."""
        global _copies
        _copies = [*_copies, self]
        for name in ("stdout", "stderr"):
            _tap(name, getattr(sys, name))
        return self

    def stop(self) -> None:
        """Stop copying; a line that has not ended is written, too."""
        global _copies
        if self not in _copies:
            return
        _copies = [copy for copy in _copies if copy is not self]
        if not _copies:
            _untap()
        for text in self._begun.values():
            self._append(text)
        self._begun.clear()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._size = _MOST + 1  # a thread that is printing now may still come

    def take(self, stream: str, text: str) -> None:
        """Copy what was printed on a stream."""
        key = stream, threading.get_ident()
        ended, newline, begun = (self._begun.pop(key, "") + text).rpartition("\n")
        if begun:
            drawn_again = begun.rfind("\r", 0, -1)
            self._begun[key] = begun[max(drawn_again, len(begun) - _LONGEST, 0) :]
        if newline:
            self._append(ended)

    def _append(self, lines: str) -> None:
        """Write lines whose last one has no end yet."""
        if self._size > _MOST:
            return
        try:
            if self._file < 0:
                self._file = self._opened()
                self._size = os.fstat(self._file).st_size
            shown = [_CONTROLS.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in lines.split("\n")]
            data = ("\n".join(shown) + "\n").encode("utf-8", "backslashreplace")
            self._size += len(data)
            os.write(self._file, data if self._size <= _MOST else _CUT)
        except OSError as error:
            self._size = _MOST + 1
            self._on_error(CONSOLE_FILE, error)

    def _opened(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        for name in ("O_NOFOLLOW", "O_NONBLOCK"):  # a link leads elsewhere, and a pipe would be waited for
            flags |= getattr(os, name, 0)
        try:
            return open_kept(self._path, flags)
        except FileNotFoundError:
            self._look()
            # What it says is printed, and copied already.
            return self._file if self._file >= 0 else open_kept(self._path, flags)


def _tap(name: str, stream: TextIO | None) -> None:
    """Have a stream tell the copies what is written to it; the stream itself stays, as others may hold it."""
    if stream is None or any(stream is known for known, _ in _tapped):
        return
    write = stream.write

    def tapped(text: str) -> int:
        written = write(text)
        for copy in _copies:
            copy.take(name, text)
        return written

    try:
        stream.write = tapped  # type: ignore[method-assign]
    except AttributeError:  # a stream of another kind
        return
    _tapped.append((stream, tapped))


def _untap() -> None:
    while _tapped:
        stream, tapped = _tapped.pop()
        if getattr(stream, "__dict__", {}).get("write") is tapped:  # nobody else has wrapped it meanwhile
            del stream.write
