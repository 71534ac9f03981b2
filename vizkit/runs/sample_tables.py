"""Comparisons of samples as tables and pictures, for notebooks and terminals."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vizkit._language import tr, trn
from vizkit.media.png import encode_png
from vizkit.metrics.arrays import Pixels
from vizkit.runs.display import Cell, Table
from vizkit.runs.formatting import clean, exact_text, value_text

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.sample_difference import SampleDifference
    from vizkit.runs.sample_groups import GroupRow

__all__ = ["difference_table", "gallery", "group_cells", "group_header"]

_MOST_GROUPS = 20  # of a column
_MOST_IDS = 12
_PICTURE = 96  # pixels


@runtime_checkable
class _Picture(Protocol):
    """An image of a table."""

    def png(self) -> bytes: ...

    def drawn(self) -> Pixels: ...


def difference_table(found: SampleDifference, columns: Sequence[str]) -> Table:
    """The verdict, where the samples changed, and which.

    Args:
        found: the difference.
        columns: whose groups are shown.
    """
    rows = [[Cell(text) for text in group_cells(tr("all samples"), found.whole, found.judged)]]
    notes = [_places(found)]
    for column in columns:
        groups = found.groups(column)
        shown = sorted(groups, key=lambda row: -row.mended - row.broken)[:_MOST_GROUPS]
        for row in groups:
            if row in shown:
                name = f"{column} {value_text(row.value)}"
                rows.append([Cell(text) for text in group_cells(name, row, found.judged)])
        if len(shown) < len(groups):
            notes.append(
                tr(
                    "{column}: {n} more values, with fewer changes",
                    column=column,
                    n=len(groups) - len(shown),
                )
            )
    return Table(
        found.verdict, group_header(tr("samples")), rows, [*notes, *_left_out(found), *_listed(found)]
    )


def group_header(first: str) -> list[str]:
    """The names of the columns of `group_cells`."""
    return [first, "n", "A", "B", tr("mended"), tr("broken"), "p"]


def group_cells(name: str, row: GroupRow, judged: bool) -> list[str]:
    """A group as texts; A and B are fractions if samples are ``judged``."""
    means = [f"{mean:.1%}" if judged else f"{mean:.4g}" for mean in (row.a, row.b)]
    p = "" if math.isnan(row.p) else f"{row.p:.2g}"
    return [name, str(row.n), *means, str(row.mended), str(row.broken), p]


def _places(found: SampleDifference) -> str:
    return tr(
        "A: {a} at step {step_a}, B: {b} at step {step_b}; table {table}",
        a=clean(found.a, 80),
        b=clean(found.b, 80),
        step_a=exact_text(found.steps[0]),
        step_b=exact_text(found.steps[1]),
        table=clean(found.table, 80),
    )


def _left_out(found: SampleDifference) -> list[str]:
    notes = []
    if found.in_doubt:
        notes.append(
            tr(
                "samples were joined by their places, but their order may have changed: "
                "pass ids=, or evaluate in a fixed order"
            )
        )
    if found.only_a or found.only_b:
        notes.append(
            tr(
                "not compared, as they are in one run alone: {a} samples of A, {b} of B",
                a=found.only_a,
                b=found.only_b,
            )
        )
    if found.repeated:
        notes.append(
            trn(
                "not compared: {n} row whose id occurs twice",
                "not compared: {n} rows whose ids occur twice",
                found.repeated,
            )
        )
    if found.unnamed:
        notes.append(
            trn("not compared: {n} row without an id", "not compared: {n} rows without an id", found.unnamed)
        )
    if found.unknown:
        notes.append(
            tr("not compared: {n} samples without a finite {metric}", n=found.unknown, metric=found.metric)
        )
    if found.relabelled:
        notes.append(
            trn(
                "{n} sample has another label in B; each run is judged by its own",
                "{n} samples have another label in B; each run is judged by its own",
                found.relabelled,
            )
        )
    return notes


def _listed(found: SampleDifference) -> list[str]:
    """The ids of the samples of each kind."""
    kinds = {"mended": found.ids("mended"), "broken": found.ids("broken"), "wrong": found.ids("always_wrong")}
    texts = {kind: _some(ids) for kind, ids in kinds.items() if ids}
    notes = [tr("mended: {ids}", ids=texts["mended"])] if "mended" in texts else []
    notes += [tr("broken: {ids}", ids=texts["broken"])] if "broken" in texts else []
    if "wrong" in texts:
        notes.append(tr("wrong in all runs ({runs}): {ids}", runs=found.runs, ids=texts["wrong"]))
    return notes


def _some(ids: Sequence[object]) -> str:
    shown = ", ".join(map(str, ids[:_MOST_IDS]))
    return tr("{shown} … {n} more", shown=shown, n=len(ids) - _MOST_IDS) if len(ids) > _MOST_IDS else shown


def gallery(title: str, samples: pd.DataFrame) -> str:
    """The images of some samples as HTML, each with its id, label and predictions; empty without images."""
    cells = []
    for row in samples.to_dict("records"):
        both = [one for one in (row.get("input"), row.get("input_b")) if isinstance(one, _Picture)]
        if not both:
            continue
        # Of images with layers the predictions of A and B stand beside each other.
        files = [both[0].png()] if len(both) < 2 else [encode_png(one.drawn()) for one in both]
        said = [f"{_SAID[name]}{value_text(value)}" for name, value in row.items() if name in _SAID]
        said += [
            f"{name[-1].upper()} {value_text(value)}"
            for name, value in row.items()
            if name[-2:] in ("_a", "_b") and isinstance(value, float) and not name.startswith("score_")
        ]
        about = html.escape(clean(f"{row['id']}: {', '.join(said)}", 100))
        cells.append(
            f'<figure style="display:inline-block;margin:4px;width:{len(files) * (_PICTURE + 10) + 10}px;'
            f'vertical-align:top">{"".join(_image(file, about) for file in files)}'
            f"<figcaption>{about}</figcaption></figure>"
        )
    return f"<p>{html.escape(title)}</p><div>{''.join(cells)}</div>" if cells else ""


def _image(file: bytes, about: str) -> str:
    data = base64.b64encode(file).decode()
    return (
        f'<img alt="{about}" width="{_PICTURE}" style="margin-right:6px" src="data:image/png;base64,{data}">'
    )


_SAID = {
    "label": "label ",
    "label_b": "label of B ",
    "prediction_a": "A ",
    "prediction_b": "B ",
    "suggested": "may be ",
}  # beginnings of captions; the columns have these names in any language
