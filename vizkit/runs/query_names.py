"""Names in filters and sort keys: the fields, hyper-parameters and tags that they refer to."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vizkit._language import tr
from vizkit._warnings import warn
from vizkit.errors import QueryError, UnknownNameError
from vizkit.metrics.direction import direction, known_direction
from vizkit.reading import natural_key
from vizkit.runs.lookup import find_runs, like_name, unknown
from vizkit.runs.query import MISSING, QUOTED, Query
from vizkit.runs.scalar_tags import in_order
from vizkit.runs.statistics import BEST, STATISTICS

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["FIELDS", "chosen", "key_values", "meant", "sort_order"]

FIELDS: dict[str, Callable[[Run], object]] = {
    "name": lambda run: run.name,
    "display_name": lambda run: run.display_name,
    "status": lambda run: run.status,
    "started": lambda run: MISSING if (time := run.started) is None else time.timestamp(),
    "duration": lambda run: MISSING if (time := run.duration) is None else time.total_seconds(),
    "labels": lambda run: run.labels,
    "note": lambda run: run.note,
    "archived": lambda run: run.archived,
}
"""The fields of every run. ``duration`` is in seconds, ``started`` in seconds since 1970."""


_WITH_SLASH = re.compile(rf"{QUOTED.pattern}|(?P<name>(?<![\w.`])[^\W\d]\w*(?:/[\w.-]*\w)+)", re.DOTALL)


def _hparam(name: str) -> Callable[[Run], object]:
    return lambda run: run.hparams.get(name, MISSING)


def _statistic(tag: str, name: str, modes: Mapping[Run, str] | None = None) -> Callable[[Run], object]:
    """A statistic of a tag; ``modes`` has the better direction in each run, where that counts."""

    def get(run: Run) -> object:
        if tag not in run.scalar_tags:
            return MISSING
        summary = run.summary(tag)
        if modes is not None:
            if not (mode := modes[run]):
                return MISSING
            summary = summary._replace(mode=mode)
        value = STATISTICS[name](summary)
        return MISSING if value is None else value

    return get


def _modes(runs: Sequence[Run], tag: str) -> dict[Run, str]:
    """The better direction of a tag in each run that has it: as the run has declared it, else as all others
    that declare one have, else by its name; empty, with a warning, where none of these tells.

    Raises:
        DataError: nothing tells, in no run.
    """
    own = {run: run.logs.hparams.modes.get(tag, "") for run in runs if tag in run.scalar_tags}
    declared = {mode for mode in own.values() if mode}
    others = declared.pop() if len(declared) == 1 else known_direction(tag)
    if not any(own.values()):
        others = direction(tag, others or "auto")
    modes = {run: mode or others for run, mode in own.items()}
    if not all(modes.values()):
        warn(
            "whether {tag!r} is better high or low is not known in {n} of {total} runs, and the others have "
            "declared both: it is taken for missing there",
            tag=tag,
            n=sum(not mode for mode in modes.values()),
            total=len(modes),
        )
    return modes


class _Names:
    """The names that an expression over some runs may use."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs = list(runs)
        self.hparams = dict.fromkeys(name for run in self.runs for name in run.hparams)
        self.tags = in_order(tag for run in self.runs for tag in run.scalar_tags)

    def getter(self, parts: tuple[str, ...]) -> Callable[[Run], object]:
        whole = ".".join(parts)
        if whole in FIELDS:
            return FIELDS[whole]
        if whole in self.hparams:
            return _hparam(whole)
        if whole in self.tags:
            return _statistic(whole, "last")
        *first, last = parts
        if first and last in STATISTICS and ".".join(first) in self.tags:
            tag = ".".join(first)
            return _statistic(tag, last, _modes(self.runs, tag) if last in BEST else None)
        if parts[0] == "hparams" and ".".join(parts[1:]) in self.hparams:
            return _hparam(".".join(parts[1:]))
        if first and ".".join(first) in self.tags:
            raise unknown(tr("statistic of {name!r},", name=".".join(first)), last, STATISTICS)
        error = unknown(tr("hyper-parameter, tag or field"), whole, [*self.hparams, *self.tags, *FIELDS])
        if any(set(tag.split("/")) & set(parts) for tag in self.tags if "/" in tag):
            error.args = (tr("{error}; names with slashes stand in backquotes", error=error.args[0]),)
        raise error

    def quoted(self, expression: str) -> str:
        """The expression with names such as ``eval/acc`` in backquotes, where ``eval`` is none."""

        def quote(match: re.Match[str]) -> str:
            text = match[0]
            first = text.partition("/")[0]
            if not match["name"] or any(first in some for some in (self.hparams, self.tags, FIELDS)):
                return text
            ends = [len(text), *(at.start() for at in re.finditer(r"[-./]", text))]
            for end in sorted(ends, reverse=True):
                if "/" in text[:end] and (text[:end] in self.tags or text[:end] in self.hparams):
                    return f"`{text[:end]}`{text[end:]}"
            return text

        return _WITH_SLASH.sub(quote, expression) if isinstance(expression, str) else expression


def chosen(runs: Sequence[Run], expression: str) -> list[Run]:
    """The runs for which an expression is true; errors as of `Runs.filter`."""
    names = _Names(runs)
    query = Query(names.quoted(expression))
    values = _values(query, runs, names)
    out = [run for run, value in zip(runs, values, strict=True) if value]  # MISSING is not true
    if runs and not out and query.mismatches >= len(runs):  # it compares unlike types in every run
        raise QueryError("{expression!r}: {mismatch}", expression=expression, mismatch=query.mismatch)
    return out


def _values(query: Query, runs: Sequence[Run], names: _Names) -> list[object]:
    """The value of an expression in each run."""
    if not runs:
        return []
    getters = {parts: names.getter(parts) for parts in query.names}

    def value(run: Run) -> object:
        known: dict[tuple[str, ...], object] = {}  # a long expression may name a value a thousand times

        def look_up(parts: tuple[str, ...]) -> object:
            if parts not in known:
                known[parts] = getters[parts](run)
            return known[parts]

        return query.value(look_up)

    return [value(run) for run in runs]


def meant(side: str, runs: Sequence[Run]) -> list[Run]:
    """The runs that a name, a pattern or a filter expression means; none if a filter is true of no run.

    Raises:
        UnknownNameError: no run has the name, or fits the pattern; or a name in the expression is unknown.
        QueryError: neither a name of a run nor an expression.
    """
    try:
        found = find_runs(side, runs)
    except UnknownNameError as error:
        try:
            return chosen(runs, side)
        except (QueryError, UnknownNameError):
            if like_name(side):
                raise error from None
            raise
    return found if isinstance(found, list) else [found]


def key_values(runs: Sequence[Run], key: str | Callable[[Run], object]) -> list[object]:
    """The value of a key in each run, `MISSING` where a run lacks it; errors as of `Runs.sort`.

    A key is a function; a name (hyper-parameter, tag or field) as it is; or an expression.
    """
    if callable(key):
        return [key(run) for run in runs]
    if not runs:
        return []
    names = _Names(runs)
    if key in FIELDS or key in names.hparams or key in names.tags:
        get = names.getter((key,))
        return [get(run) for run in runs]
    try:
        return _values(Query(names.quoted(key)), runs, names)
    except (QueryError, UnknownNameError):
        if like_name(key) or key.replace(" ", "_").replace("/", "_").isidentifier():
            names.getter((key,))  # raises: a name, though not one of these
        raise


def sort_order(values: Sequence[object], reverse: bool = False) -> list[int]:
    """Positions in the order of their values: numbers, then texts in natural order, then all others.

    Missing values, None and NaN come last in both directions. Equal values keep their order.
    """

    def absent(value: object) -> bool:
        return value is MISSING or value is None or (isinstance(value, float) and math.isnan(value))

    def rank(index: int) -> tuple[int, Any]:
        value: Any = values[index]
        if isinstance(value, (int, float)):
            return 0, value
        if isinstance(value, str):
            return 1, natural_key(value)
        try:
            hash(value)
            value < value  # noqa: B015
        except TypeError:
            return 3, natural_key(str(value))
        return 2, value

    present = [index for index, value in enumerate(values) if not absent(value)]
    rest = [index for index, value in enumerate(values) if absent(value)]
    try:
        return [*sorted(present, key=rank, reverse=reverse), *rest]
    except TypeError:  # values of several types that do not compare
        return [*sorted(present, key=lambda i: natural_key(str(values[i])), reverse=reverse), *rest]
