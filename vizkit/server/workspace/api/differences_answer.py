"""Differences between runs: configuration, environment, and any two of their texts line by line."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from vizkit._mappings import flat
from vizkit.errors import DataError, UnknownNameError
from vizkit.runs import Run, Runs
from vizkit.runs import line_difference as line_rows
from vizkit.runs.difference import made_by
from vizkit.runs.query import MISSING
from vizkit.server.workspace.api.answer_types import (
    ComparedLine,
    DifferencesAnswer,
    DifferentValue,
    TextsAnswer,
)
from vizkit.server.workspace.api.queries import WrongParameter
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["DifferencesQuery", "TextsQuery", "differences_answer", "texts_answer"]

_MOST_RUNS = 50
_MOST_ROWS = 500
_MOST_CHARACTERS = 2_000  # of a value, and of a line
_MOST_LINES = 1_000  # of a text: comparing them may take the product of two
_MOST_READ = 1_000_000  # characters of a text
_TEXT = "text:"


@dataclass(frozen=True)
class DifferencesQuery:
    """Hyper-parameters, and entries of the environment, whose values differ between runs."""

    run: Annotated[list[str], "names of runs, at most 50"]


@dataclass(frozen=True)
class TextsQuery:
    """A text of two runs side by side, line by line."""

    a: Annotated[str, "name of a run"]
    b: Annotated[str, "name of another"]
    source: Annotated[
        str,
        "`configuration`, `command`, `packages`, `environment`, `code`, `console`, or `text:` and a tag",
    ] = "configuration"


def differences_answer(state: WorkspaceState, query: DifferencesQuery) -> DifferencesAnswer:
    """Answer with what differs between runs."""
    if len(query.run) > _MOST_RUNS:
        raise WrongParameter("run", "at most {most} runs are compared: choose some", most=_MOST_RUNS)
    with state.runs() as runs:
        some = Runs(named(runs, query.run))
        found = some.differences()
    return {
        "runs": some.names,
        "hparams": _listed(found["hparams"]),
        "environment": _listed(found["environment"]),
        "more": sum(max(len(part) - _MOST_ROWS, 0) for part in found.values()),
    }


def _listed(found: Mapping[str, list[Any]]) -> list[DifferentValue]:
    return [
        {"name": name, "values": [None if value is MISSING else _shown(value) for value in values]}
        for name, values in itertools.islice(found.items(), _MOST_ROWS)
    ]


def _shown(value: object) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):  # a command
        return " ".join(value)[:_MOST_CHARACTERS]
    return (value if isinstance(value, str) else repr(value))[:_MOST_CHARACTERS]


def texts_answer(state: WorkspaceState, query: TextsQuery) -> TextsAnswer:
    """Answer with the lines of two texts side by side."""
    source = query.source
    with state.runs() as runs:
        both = [run for name in (query.a, query.b) for run in named(runs, [name])]
        recorded = list(dict.fromkeys(f"{_TEXT}{tag}" for run in both for tag in run.tags.get("text", [])))
        if source not in (*_ENTRIES, *_LINES, *recorded):
            raise UnknownNameError(
                "these runs have no {source}; there are {names}",
                source=repr(source[:200]),
                names=", ".join([*_ENTRIES, *_LINES, *recorded][:20]),
            )
        entries = {name: [read(run) for run in both] for name, read in _ENTRIES.items()}
        lines = {name: [read(run) for run in both] for name, read in _LINES.items()}
        if source in recorded:
            lines[source] = [_recorded_lines(run, source[len(_TEXT) :]) for run in both]
    sources = [
        *(name for name, pair in entries.items() if any(pair)),
        *(name for name, texts in lines.items() if any(texts)),
    ]
    if source in entries:
        shown, cut = line_rows.entry_difference(*entries[source]), 0
    else:
        grows = source in recorded or source == "console"
        newest = slice(-_MOST_LINES, None) if grows else slice(_MOST_LINES)
        a, b = lines[source]
        shown, cut = line_rows.line_difference(a[newest], b[newest]), max(len(a), len(b)) - _MOST_LINES
    return {
        "source": source,
        "sources": list(dict.fromkeys([*sources, *recorded]))[:_MOST_ROWS],
        "same": not shown,
        "cut": max(cut, 0),
        "lines": [_line(row) for row in shown],
    }


def _line(row: line_rows.LinePair) -> ComparedLine:
    return {
        "kind": row.kind,
        "line_a": row.line_a,
        "text_a": row.text_a,
        "line_b": row.line_b,
        "text_b": row.text_b,
        "skipped": row.skipped,
    }


def _recorded_lines(run: Run, tag: str) -> list[str]:
    """The lines of all texts of a tag, or of the newest that are not too long together."""
    if tag not in run.tags.get("text", []):
        return []
    media, parts, left = run.texts(tag), list[str](), _MOST_READ
    for index in range(len(media) - 1, -1, -1):
        parts.append(media[index][-left:])
        left -= len(parts[-1]) + 1
        if left <= 0:
            break
    return [line[:_MOST_CHARACTERS] for part in reversed(parts) for line in part.splitlines()]


def _entries(content: object, between: str) -> dict[str, str]:
    """Names and values as lines; of what is none nothing."""
    found = content.items() if isinstance(content, Mapping) else ()
    return {str(name): f"{name}{between}{_shown(value)}"[:_MOST_CHARACTERS] for name, value in found}


def _environment(run: Run) -> dict[str, str]:
    apart = ("packages", "command", "argv")  # which are texts of their own
    found = flat(made_by({name: part for name, part in run.environment.items() if name not in apart}))
    return _entries({name: value for name, value in found.items() if name != "git/diff"}, ": ")


def _command(run: Run) -> list[str]:
    command = run.environment.get("command")
    return [str(part)[:_MOST_CHARACTERS] for part in command] if isinstance(command, list) else []


def _code(run: Run) -> list[str]:
    git = run.environment.get("git")
    diff = git.get("diff") if isinstance(git, dict) else None
    lines = diff[:_MOST_READ].splitlines() if isinstance(diff, str) else []
    return [line[:_MOST_CHARACTERS] for line in lines]


def _console(run: Run) -> list[str]:
    with suppress(DataError):  # one among the run's files that is not the tracker's
        return [line[:_MOST_CHARACTERS] for line in run.console[-_MOST_READ:].splitlines()]
    return []


_ENTRIES: dict[str, Callable[[Run], dict[str, str]]] = {
    "configuration": lambda run: _entries(run.hparams, ": "),
    "packages": lambda run: _entries(run.environment.get("packages"), "=="),
    "environment": _environment,
}
_LINES: dict[str, Callable[[Run], list[str]]] = {"command": _command, "code": _code, "console": _console}
