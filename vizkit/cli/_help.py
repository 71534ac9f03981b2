"""Help of Typer and argparse in other languages than English, wrapped by the columns of a terminal."""

from __future__ import annotations

import re
import shutil

from vizkit._language import language, mark, tr
from vizkit.media.lettering import breakable
from vizkit.runs.formatting import terminal_width

__all__ = ["UNWRAPPED", "translated"]

UNWRAPPED = 10_000
"""Width for Typer and argparse, which take a Chinese character for one column, where `translated` wraps."""

_WIDEST = 80
_PHRASES = (
    mark("Usage: {rest}"),
    mark("usage: {rest}"),
    mark("Commands:"),
    mark("Arguments:"),
    mark("Options:"),
    mark("options:"),
    mark("positional arguments:"),
    mark("Show this message and exit."),
    mark("show this help message and exit"),
    mark("[OPTIONS]"),
    mark("COMMAND [ARGS]..."),
    mark("default: "),
    mark("[required]"),
    mark("Try {command} for help."),
    mark("Error: {rest}"),
    mark("{program}: error: {rest}"),
    mark("Missing argument {name}."),
    mark("Missing option {name}."),
    mark("Missing command."),
    mark("No such command {name}."),
    mark("No such option: {name}"),
    mark("Did you mean {rest}?"),
    mark("(Possible options: {rest})"),
    mark("Got unexpected extra argument(s) {rest}"),
    mark("Got unexpected extra argument {rest}"),
    mark("Option {name} requires an argument."),
    mark("Invalid value for {name}: {rest}"),
    mark("Invalid value: {rest}"),
    mark("Value error, "),
    mark("Input should be greater than or equal to {rest}"),
    mark("Input should be less than or equal to {rest}"),
    mark("Input should be a valid number, unable to parse string as a number"),
    mark("Input should be a valid integer, unable to parse string as an integer"),
    mark("Input should be a valid {rest}"),
    mark("{value} is not one of {rest}."),
    mark("{value} is not a valid {kind}."),
    mark("{value} is not in the range {rest}."),
    mark("argument {name}: {rest}"),
    mark("unrecognized arguments: {rest}"),
    mark("expected one argument"),
    mark("invalid choice: {value} (choose from {rest})"),
    mark("invalid {kind} value: {value}"),
)
_VALUE = r"'[^'\n]*'(?: / '[^'\n]*')*|\S+"


def translated(text: str) -> str:
    """Translate Typer's or argparse's own words in a help text or an error message, and wrap it."""
    if language() == "en":
        return text
    for phrase in _PHRASES:
        pattern = re.sub(
            r"\\{(\w+)\\}",
            lambda name: f"(?P<{name[1]}>{'.+?' if name[1] == 'rest' else _VALUE})",
            re.escape(phrase),
        )
        end = "$" if phrase.endswith("{rest}") else ""
        start = "^" if phrase.lower().startswith("usage") else ""
        for found in reversed([*re.finditer(start + pattern + end, text, re.MULTILINE)]):
            text = text[: found.start()] + tr(phrase, **found.groupdict()) + text[found.end() :]
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    return "\n".join(line for long in text.split("\n") for line in _wrapped(long, width))


def _wrapped(line: str, width: int) -> list[str]:
    """Wrap a line below its second column, if it has two, else below its first word."""
    first = re.match(r" *(?:\S(?:.*?\S)?? {2,})?", line)
    indent = terminal_width(first[0]) if first else 0
    lines, here = [], first[0] if first else ""
    parts = re.split(r"(\[[^\]]*\])", line[len(here) :])  # what stands in brackets stays together
    pieces = [piece for i, part in enumerate(parts) for piece in ([part] if i % 2 else breakable(part))]
    for piece in pieces:
        if terminal_width(here + piece.rstrip()) > width and here.strip() and here[indent:].strip():
            lines.append(here.rstrip())
            here = " " * indent + piece.lstrip()
        else:
            here += piece
    return [*lines, here.rstrip()]
