"""What a view shows is all in the query of its address, so that it can be shared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal
from urllib.parse import urlencode

__all__ = ["ROWS", "Address"]

ROWS = (25, 50, 100)
_ROWS = 50
_MOST_PAGES = 100_000
_LONGEST = 4_000  # characters of one value


@dataclass(frozen=True)
class Address:
    """The query of an address; of each name in it, the last value counts, or all of a tuple's.

    Attributes:
        filter: expression that chooses runs, as for `vizkit.runs.Runs.filter`.
        sort: expression that they are sorted by; empty: in natural order.
        order: ``desc``: the greatest first.
        page: of the table, from 1.
        rows: of a page.
        columns: ``own``: those named by ``hparam`` and ``metric``, be it none; else VizKit chooses.
        hparam, metric: columns of the table.
        run: names of the runs that are looked at.
        group: expression that runs are grouped by.
        tag: scalar tag that is drawn.
        x: ``step`` or ``time``.
        scale: of y, ``linear`` or ``log``.
        lang: ``en`` or ``zh``; empty: as the browser asks for.
    """

    filter: str = ""
    sort: str = ""
    order: Literal["", "desc"] = ""
    page: int = 1
    rows: int = _ROWS
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
        """From names and values; what makes no sense counts as not given."""
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            given.setdefault(name, []).append(value[:_LONGEST])

        def last(name: str, allowed: tuple[str, ...] = ()) -> Any:
            value = given.get(name, [""])[-1]
            return value if not allowed or value in allowed else allowed[0]

        return cls(
            filter=last("filter").strip(),
            sort=last("sort"),
            order=last("order", ("", "desc")),
            page=min(max(_whole(last("page"), 1), 1), _MOST_PAGES),
            rows=rows if (rows := _whole(last("rows"), 0)) in ROWS else _ROWS,
            columns=last("columns", ("", "own")),
            hparam=_unique(given.get("hparam", [])),
            metric=_unique(given.get("metric", [])),
            run=_unique(given.get("run", [])),
            group=last("group"),
            tag=last("tag"),
            x=last("x", ("step", "time")),
            scale=last("scale", ("linear", "log")),
            lang=last("lang", ("", "en", "zh")),
        )

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """Names and values, those that are not as by default; for the hidden fields of a form."""
        found = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in without or value == field.default:
                continue
            found += [(field.name, str(one)) for one in (value if isinstance(value, tuple) else (value,))]
        return found

    def alone(self) -> Address:
        """With nothing but the language."""
        return Address(lang=self.lang)

    def to(self, path: str, *keep: str, **changes: Any) -> str:
        """A relative address of another view: of this one's query the language and ``keep`` stay."""
        kept = {name: getattr(self, name) for name in (*keep, "lang")}
        query = urlencode(Address(**{**kept, **changes}).pairs())
        return f"{path}?{query}" if query else path

    def but(self, path: str, **changes: Any) -> str:
        """A relative address with all of this one's query but for some changes."""
        query = urlencode(replace(self, **changes).pairs())
        return f"{path}?{query}" if query else path


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
