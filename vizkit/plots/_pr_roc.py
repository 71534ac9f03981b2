"""PR and ROC curves, of one run or of several, of one class or of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.curves.selection import as_runs, class_tags, entry_at, is_run_source, positions
from vizkit.errors import DataError
from vizkit.metrics.pr_roc import PRCurve, ROCCurve
from vizkit.plots._plot import PALE, Plot, add_legend, axes_for, finish, line_style
from vizkit.runs.lookup import unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Rate", "RatesPlot", "pr_curve", "pr_data", "roc_curve", "roc_data"]

Curve = PRCurve | ROCCurve


@dataclass(frozen=True, eq=False)
class Rate:
    """One curve, ready to be drawn.

    Attributes:
        name: what it is of; empty for the only one.
        x: (n,) recall, or false positive rate.
        y: (n,) precision, or true positive rate.
        area: AP, or AUC; NaN where it was not recorded.
        chance: what guessing gives: the share of positives for PR, 0.5 for ROC; NaN if unknown.
        position: its place among the colours.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float
    chance: float
    position: int


@dataclass(eq=False, repr=False)
class RatesPlot(Plot[tuple[Rate, ...]]):
    """What `pr_curve` and `roc_curve` drew: a line a curve, by name; the line of chance; the legend."""

    lines: dict[str, Any]
    chance: Any
    legend: Any


def pr_curve(
    source: Any, tag: str | None = None, *, step: float | None = None, ax: Axes | None = None
) -> RatesPlot:
    """Draws precision against recall, with AP.

    Between two thresholds precision is drawn as a stair: a straight line would promise too much
    (Davis and Goadrich, ICML 2006).

    Args:
        source: a run or several with ``tag``; or a `vizkit.metrics.PRCurve`, several of them,
            or a dict of name -> curve.
        tag: of PR curves, such as ``eval/pr/3``, or what stands before a class: ``eval/pr`` is all classes.
        step: of the records; the last by default.
        ax: axes to draw into; a figure of its own by default.

    Raises:
        DataError: nothing of that tag or step.
    """
    data = pr_data(source, tag, step=step)
    ax, new = axes_for(ax, 6.6, 4.4)
    plot = _draw(data, _heading(source, tag), ax, new, "AP", "steps-post")
    shares = [rate.chance for rate in data]
    if np.ptp(shares) <= 0.02:
        plot.chance = ax.axhline(float(np.mean(shares)), color=PALE, linestyle=":", linewidth=1, zorder=1)
    ax.set_xlabel("recall")
    ax.set_ylabel("precision")
    finish(ax)
    return plot


def roc_curve(
    source: Any, tag: str | None = None, *, step: float | None = None, ax: Axes | None = None
) -> RatesPlot:
    """Draws the true against the false positive rate, with AUC; arguments and errors as in `pr_curve`."""
    data = roc_data(source, tag, step=step)
    ax, new = axes_for(ax, 6.6, 4.4)
    plot = _draw(data, _heading(source, tag), ax, new, "AUC", "default")
    (plot.chance,) = ax.plot([0, 1], [0, 1], color=PALE, linestyle=":", linewidth=1, zorder=1)
    ax.set_xlabel("false positive rate")
    ax.set_ylabel("true positive rate")
    finish(ax)
    return plot


def pr_data(source: Any, tag: str | None = None, *, step: float | None = None) -> tuple[Rate, ...]:
    """The data step of `pr_curve`: recall falls along each curve."""
    return tuple(
        Rate(name, curve.recall, curve.precision, curve.ap, _share(curve), position)
        for name, curve, position in _curves(source, tag, step, PRCurve, "pr_curves")
    )


def roc_data(source: Any, tag: str | None = None, *, step: float | None = None) -> tuple[Rate, ...]:
    """The data step of `roc_curve`: each curve ends at (0, 0), where nothing is predicted positive."""
    return tuple(
        Rate(name, np.append(curve.fpr, 0.0), np.append(curve.tpr, 0.0), curve.auc, 0.5, position)
        for name, curve, position in _curves(source, tag, step, ROCCurve, "roc_curves")
    )


def _curves(
    source: Any, tag: str | None, step: float | None, kind: type, attribute: str
) -> list[tuple[str, Any, int]]:
    """(name, curve, position) of all that is to be drawn."""
    if isinstance(source, kind):
        return [("", source, 0)]
    if isinstance(source, Mapping):
        return [(str(name), curve, k) for k, (name, curve) in enumerate(source.items())]
    if isinstance(source, Sequence) and source and all(isinstance(curve, kind) for curve in source):
        return [(str(k), curve, k) for k, curve in enumerate(source)]
    if not is_run_source(source):
        raise DataError(f"a curve is drawn of runs or of {kind.__name__}s, got {describe(source)}")
    if tag is None:
        raise DataError("of a run, one tag is drawn: give tag, such as 'eval/pr/0' or 'eval/pr'")
    runs = as_runs(source)
    record = attribute.removesuffix("s")
    found = [
        (run, place, of_class)
        for run, place in zip(runs, positions(runs), strict=True)
        for of_class in class_tags(run, record, tag)
    ]
    if not found:
        raise unknown(f"{record} tag", tag, [other for run in runs for other in run.tags.get(record, [])])
    several_classes = len({of_class for *_, of_class in found}) > 1
    out = []
    for k, (run, place, of_class) in enumerate(found):
        parts = [run.name] * (len(runs) > 1) + [of_class.removeprefix(f"{tag}/")] * several_classes
        entries = getattr(run, attribute)(of_class)
        curve = entries[entry_at(entries, step, f"{of_class} of {run.name}")]
        out.append((" ".join(parts), curve, k if several_classes else place))
    return out


def _heading(source: Any, tag: str | None) -> str:
    if tag is None or not is_run_source(source):
        return ""
    runs = as_runs(source)
    return f"{runs[0].name}  {tag}" if len(runs) == 1 else tag


def _share(curve: PRCurve) -> float:
    total = curve.tp[0] + curve.fp[0] + curve.tn[0] + curve.fn[0] if len(curve.tp) else 0.0
    return float((curve.tp[0] + curve.fn[0]) / total) if total else float("nan")


def _draw(data: tuple[Rate, ...], heading: str, ax: Axes, new: bool, area: str, drawstyle: str) -> RatesPlot:
    lines, handles = {}, {}
    for rate in data:
        score = "" if np.isnan(rate.area) else f"{area} {rate.area:.3f}"
        label = f"{rate.name}  {score}".strip()
        style = line_style(rate.position) | {"drawstyle": drawstyle, "linewidth": 1.6}
        (lines[rate.name],) = ax.plot(rate.x, rate.y, **style)
        handles[label] = lines[rate.name]
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    legend = add_legend(ax, new, handles)
    if legend is None:
        heading = "  ".join(filter(None, (heading, *handles)))
    ax.set_title(heading, fontsize="medium", loc="left")
    return RatesPlot(data, ax, new, lines, None, legend)
