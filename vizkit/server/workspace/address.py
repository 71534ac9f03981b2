"""Addresses of views: the query holds everything that a view depends on, so that it can be shared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Literal, TypeVar
from urllib.parse import urlencode

__all__ = ["ROWS", "Address"]

ROWS = (25, 50, 100)
"""The choices of rows on a page."""

_DEFAULT_ROWS = 50
_MAX_PAGE = 100_000
_MAX_LENGTH = 4_000  # characters of one value


_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True)
class Address:
    """The query of a view's address. Of a name given several times the last value counts, or all for tuples.

    Attributes:
        filter: expression that selects runs, as for `vizkit.runs.Runs.filter`.
        sort: expression to sort them by; empty: natural order.
        order: ``desc``: the greatest first.
        page: page of the table, from 1.
        rows: rows on a page.
        columns: ``own``: those of ``hparam`` and ``metric``, even if none; else VizKit chooses.
        hparam, metric: columns of the table.
        run: names of the runs to show.
        group: expression to group runs by.
        tag: scalar tag to draw.
        x: horizontal axis, ``step`` or ``time``.
        scale: vertical axis, ``linear`` or ``log``.
        lang: ``en`` or ``zh``; empty: the browser's language.
    """

    filter: str = ""
    sort: str = ""
    order: Literal["", "desc"] = ""
    page: int = 1
    rows: int = _DEFAULT_ROWS
    columns: Literal["", "own"] = ""
    hparam: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    group: str = ""
    tag: str = ""
    x: Literal["step", "time"] = "step"
    scale: Literal["linear", "log"] = "linear"
    lang: Literal["", "en", "zh"] = ""

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]]) -> Address:
        """Parse names and values; a value that makes no sense counts as not given."""
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            given.setdefault(name, []).append(value[:_MAX_LENGTH])

        def last(name: str) -> str:
            return given.get(name, [""])[-1]

        def choice(name: str, allowed: tuple[_Choice, ...]) -> _Choice:
            return next((one for one in allowed if one == last(name)), allowed[0])

        return cls(
            filter=last("filter").strip(),
            sort=last("sort"),
            order=choice("order", ("", "desc")),
            page=min(max(_whole(last("page"), 1), 1), _MAX_PAGE),
            rows=rows if (rows := _whole(last("rows"), 0)) in ROWS else _DEFAULT_ROWS,
            columns=choice("columns", ("", "own")),
            hparam=_unique(given.get("hparam", [])),
            metric=_unique(given.get("metric", [])),
            run=_unique(given.get("run", [])),
            group=last("group"),
            tag=last("tag"),
            x=choice("x", ("step", "time")),
            scale=choice("scale", ("linear", "log")),
            lang=choice("lang", ("", "en", "zh")),
        )

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """Names and values other than the defaults; for the hidden fields of a form."""
        found = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in without or value == field.default:
                continue
            found += [(field.name, str(one)) for one in (value if isinstance(value, tuple) else (value,))]
        return found

    def alone(self) -> Address:
        """The address without anything but the language."""
        return Address(lang=self.lang)

    def to(self, path: str, *keep: str, **changes: object) -> str:
        """A relative address of another view: of this query, the language and ``keep`` are kept."""
        kept = {name: getattr(self, name) for name in (*keep, "lang")}
        return Address().but(path, **{**kept, **changes})

    def but(self, path: str, **changes: object) -> str:
        """A relative address with this query but for some changes."""
        changed = replace(self, **changes)  # type: ignore[arg-type]  # templates are not typed
        query = urlencode(changed.pairs())
        return f"{path}?{query}" if query else path


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
