"""The process's own streams: closed ones, ones that nobody reads any more, terminals that are not UTF-8."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from functools import partial
from typing import IO, TextIO

from vizkit._language import language, reason_of

__all__ = ["PIPE_CLOSED", "encodable", "flushed", "prepare_streams"]

PIPE_CLOSED = 141
"""The exit code of a command whose reader has gone, as the shell gives those that SIGPIPE ends."""

_DRAWN = {**dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)), "━": "=", "─": "-", "│": "|", "└": "+"}
_WRITTEN = {"…": "~", "≥": ">=", "≤": "<=", "×": "x", "−": "-", "–": "-", "²": "2", "±": "+-"}
_DOTS = ((0x09, 0), (0x12, 1), (0x24, 2), (0xC0, 3))  # of a braille character, from the top


def prepare_streams() -> None:
    """Make the standard streams fit to be used: those that are closed, or cannot show every character.

    A closed output is the null device, so that no file that is opened later gets its number. A closed
    input stays one that cannot be read.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, _opened(mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            people = stream.isatty() or bool(os.environ.get("FORCE_COLOR"))
            handler = "vizkit.people" if people else "vizkit.data"
            codecs.register_error(handler, partial(_replaced, people=people))
            stream.reconfigure(errors=handler)
    if language() == "zh" and not _holds(sys.stdout, "中文"):
        language("en")  # a page of escapes helps nobody


def _opened(mode: str) -> IO[str]:
    null = os.open(os.devnull, os.O_RDWR if mode == "w" else os.O_WRONLY)  # takes the lowest free number
    return open(null, mode, encoding="utf-8", closefd=False)


def flushed(code: int) -> int:
    """Write out what is left, and return the exit code that tells if that failed."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = PIPE_CLOSED
    except (OSError, ValueError) as error:
        told, code = code == 2, 2
        if isinstance(error, OSError) and not told:
            with suppress(OSError):
                print(f"vizkit: stdout: {reason_of(error)}", file=sys.stderr)
    else:
        return code
    with suppress(OSError, ValueError):  # or the interpreter would try once more, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def encodable(text: str) -> str:
    """A text as stdout will show it, to be measured; most streams show all."""
    stream = sys.stdout
    if text.isascii() or not isinstance(stream, io.TextIOWrapper) or _holds(stream, text):
        return text
    return text.encode(stream.encoding, stream.errors or "strict").decode(stream.encoding)


def _holds(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _replaced(error: UnicodeError, *, people: bool) -> tuple[str, int]:
    """Substitutes for characters that a stream cannot hold: likenesses of drawings, else escapes as in JSON.

    Args:
        error: of encoding.
        people: signs of texts have likenesses too, which would change data.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    likenesses = {**_DRAWN, **_WRITTEN} if people else _DRAWN
    part = error.object[error.start : error.end]
    return "".join(likenesses.get(c) or _likeness(c) for c in part), error.end


def _likeness(character: str) -> str:
    bits = ord(character) - 0x2800
    if 0 < bits < 0x100:  # dots of a drawing
        rows = [row for mask, row in _DOTS if bits & mask]
        if rows[-1] - rows[0] > 1:
            return "|"
        return "'" if rows[-1] < 2 and rows[0] == 0 else "." if rows[-1] == 3 else "-"
    if ord(character) == 0x2800:
        return " "
    halves = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{halves[i : i + 2].hex()}" for i in range(0, len(halves), 2))
