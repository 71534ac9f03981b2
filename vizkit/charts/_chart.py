"""`chart`: scalars of runs as an interactive chart that needs no server."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import math
import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Literal

from vizkit._atomic_writes import write_atomic
from vizkit._language import language, tr, trn
from vizkit.charts.embedding import POINTS, Embedded, Options, Row, embedded, packed_chart
from vizkit.curves.curves import Partial
from vizkit.curves.means import Band
from vizkit.curves.plot_arguments import RunSource
from vizkit.curves.smoothing import SmoothLike
from vizkit.curves.x_axis import X
from vizkit.errors import VizKitError
from vizkit.runs.formatting import clean, shortened, value_texts

__all__ = ["Chart", "chart", "chart_of"]

_FILES = files("vizkit.charts")
_MOST_ROWS = 200
_LONGEST = 120  # characters of a name


class Chart:
    """An interactive chart with its numbers: a notebook shows it, `save` writes it as a page.

    Without scripts, as on GitHub, it is a table of the last, least and greatest values.

    Attributes:
        title: the tags.
        html: what a notebook shows.
    """

    def __init__(self, title: str, data: Embedded, head: Mapping[str, object], live: str = "") -> None:
        self.title = title
        self._rows = data.rows
        words = {text: tr(text) for text in _words()} if language() != "en" else {}
        body = packed_chart(data, {**head, "title": title, "language": language(), "words": words})
        self.html = _fragment(body, _table(title, data.rows), live)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the chart as a page of its own (``.html``), which needs nothing else and asks no network."""
        lang = "zh-CN" if language() == "zh" else "en"
        page = _template("page.html").substitute(lang=lang, title=html.escape(self.title), content=self.html)
        write_atomic(path, page.encode("utf-8", "replace"))

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<Chart of {shortened(self.title)}: {len(self._rows)} curves; .save('chart.html') writes it>"


def chart(
    source: RunSource,
    tag: str | Sequence[str],
    *,
    x: X = "step",
    by: str | Sequence[str] | None = None,
    smooth: SmoothLike = 0.0,
    band: Band | None = "std",
    partial: Partial = "dotted",
    log: bool | Literal["x", "y", "xy"] = False,
    outliers: bool = True,
    points: int = POINTS,
) -> Chart:
    """Make an interactive chart of a scalar tag, or several, of runs or of groups of runs.

    It can be zoomed, smoothed and read at every point, in a notebook or as a page of its own, without a
    server or the internet. It holds all points as they were recorded, and of long curves the extremes of
    equal stretches: no spike is lost, and the chart says that a closer zoom shows no more.

    Args:
        source: a run or several; those without the tag are left out.
        tag: a scalar tag, such as ``train/loss``, a pattern (``*/loss``), an expression over tags in braces
            (``{eval/loss} - {train/loss}``), or several.
        x: as in `vizkit.plots.curves`, like the next four.
        by: a hyper-parameter, or several: the mean of all runs with the same value.
        smooth: the smoothing to begin with.
        band: the band around a mean.
        partial: where fewer runs than those of the group have values.
        log: logarithmic y (True), or the axes named, to begin with.
        outliers: False to leave outliers out of the y axis, to begin with.
        points: points to hold for all curves together, 10 to 20 bytes each.

    Raises:
        DataError: an argument that is not allowed, or no epochs.
        UnknownNameError: no run has the tag, or the hyper-parameter.
    """
    options = Options(x, by, smooth, band, partial, log, outliers, points)
    return chart_of(source, [tag], options)


def chart_of(
    source: RunSource,
    panels: Sequence[str | Sequence[str]],
    options: Options,
    *,
    live: str = "",
    running: bool = False,
    status: str = "",
) -> Chart:
    """The chart of several panels.

    Args:
        source: a run or several.
        panels: the tag or tags of each.
        options: what is shown of them.
        live: a name, if the chart is shown again with newer numbers, in place of the one of the same name.
        running: True if newer numbers are to come.
        status: a text above the chart.
    """
    data = embedded(source, panels, options)
    head = {
        "x": options.x,
        "xlog": options.log in ("x", "xy"),
        "ylog": options.log in (True, "y", "xy"),
        "robust": not options.outliers,
        "smooth": str(options.smooth or 0),
        "running": running,
        "status": status,
    }
    title = ", ".join(str(panel["title"]) for panel in data.panels)
    return Chart(title, data, head, live)


def _fragment(body: bytes, table: str, live: str) -> str:
    engine, digest = _engine()
    data = base64.b64encode(gzip.compress(body, mtime=0)).decode()
    name = f"vizkit-{live or hashlib.blake2b(body, digest_size=6).hexdigest()}"
    script = _template("loader.js").substitute(id=name, digest=digest, engine=engine, data=data, live=live)
    about = 'class="vizkit-chart mathjax_ignore" data-lm-suppress-shortcuts="true"'  # whose keys are its own
    return f'<div id="{name}" {about}>{table}</div><script>{script}</script>'


def _table(title: str, rows: Sequence[Row]) -> str:
    """The values as a table: what is there without scripts, and for those who do not see the chart."""

    several = len({row.tag for row in rows}) > 1
    head = [
        tr("run"),
        *([tr("tag")] if several else []),
        tr("points"),
        tr("last"),
        tr("least"),
        tr("greatest"),
    ]
    lines = ["".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)]
    shown = rows[:_MOST_ROWS]
    texts_of = iter(value_texts([value for row in shown for value in (row.last, row.least, row.greatest)], 6))
    for row in shown:
        names = [row.name, *([row.tag] if several else [])]
        texts = "".join(f'<th scope="row">{html.escape(clean(name, _LONGEST))}</th>' for name in names)
        last, *ends = (next(texts_of) for _ in range(3))
        ends = [
            "" if math.isnan(value) else text
            for value, text in zip((row.least, row.greatest), ends, strict=True)
        ]
        numbers = "".join(f"<td>{text}</td>" for text in (last, *ends))
        lines.append(f"{texts}<td>{row.n}</td>{numbers}")
    more = f"<p>{tr('… {n} more', n=len(rows) - _MOST_ROWS)}</p>" if len(rows) > _MOST_ROWS else ""
    content = "".join(f"<tr>{line}</tr>" for line in lines)
    caption = f"{clean(title, _LONGEST)}: {trn('{n} curve', '{n} curves', len(rows))}"
    return f"<table><caption>{html.escape(caption)}</caption>{content}</table>{more}"


@cache
def _engine() -> tuple[str, str]:
    """The script of charts, packed, and its digest."""
    code = _built("built/chart.js")
    return base64.b64encode(gzip.compress(code, mtime=0)).decode(), hashlib.blake2b(
        code, digest_size=8
    ).hexdigest()


@cache
def _words() -> tuple[str, ...]:
    return tuple(json.loads(_built("built/words.json")))


@cache
def _template(name: str) -> Template:
    return Template((_FILES / name).read_text("utf-8"))


def _built(name: str) -> bytes:
    try:
        return (_FILES / name).read_bytes()
    except FileNotFoundError:  # in a checkout alone
        raise VizKitError("charts are not built: run python hatch_build.py") from None
