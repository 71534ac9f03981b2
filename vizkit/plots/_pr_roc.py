"""`pr_curve` and `roc_curve`: PR and ROC curves of one run or several, of one class or all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, Union, cast

import numpy as np

from vizkit._checks import describe
from vizkit._language import tr
from vizkit.curves.plot_arguments import RunSource, as_runs, class_tags, entry_at, is_run_source, positions
from vizkit.errors import DataError
from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import Floats
from vizkit.metrics.pr_roc import PRCurve, ROCCurve
from vizkit.plots._lines import lines_of
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs import Media, Run
from vizkit.runs.lookup import unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

__all__ = ["RateCurve", "RatesPlot", "pr_curve", "roc_curve"]

_Curve = TypeVar("_Curve", PRCurve, ROCCurve)
_Source = Union[RunSource, _Curve, Sequence[_Curve], Mapping[str, _Curve]]  # noqa: UP007 - generic


@dataclass(frozen=True, eq=False)
class RateCurve:
    """A PR or ROC curve to draw.

    Attributes:
        name: run and class, as far as they differ; empty for a single curve.
        x: (n,) recall, or false positive rate.
        y: (n,) precision, or true positive rate.
        area: AP, or AUC; NaN where it was not recorded.
        chance: the result of guessing: the share of positives for PR, 0.5 for ROC; NaN if unknown.
        position: position in the palette.
    """

    name: str
    x: Floats
    y: Floats
    area: float
    chance: float
    position: int


@dataclass(eq=False, repr=False)
class RatesPlot(Plot[tuple[RateCurve, ...]]):
    """The artists of `pr_curve` and `roc_curve`: a line a curve, by name; the line of chance; the legend."""

    lines: dict[str, Line2D]
    chance: Line2D | None
    legend: Legend | None


def pr_curve(
    source: _Source[PRCurve], tag: str | None = None, *, step: float | None = None, ax: Axes | None = None
) -> RatesPlot:
    """Draw precision against recall, with AP.

    Precision is drawn in steps between thresholds: straight lines would be too optimistic
    (Davis and Goadrich, ICML 2006).

    Args:
        source: a run or several with ``tag``; or a `vizkit.metrics.PRCurve`, several of them,
            or a dict of name -> curve.
        tag: the tag of PR curves, such as ``eval/pr/3``; ``eval/pr`` draws all classes.
        step: the step of the records; the last by default.
        ax: axes to draw into; a new figure by default.

    Raises:
        DataError: no record at that step, or no tag for a run.
        UnknownNameError: no run has the tag.
    """
    data = _pr_data(source, tag, step)
    ax, new = axes_for(ax, 6.6, 4.4)
    plot = _draw(data, _heading(source, tag), ax, new, "AP", "steps-post")
    shares = [rate.chance for rate in data]
    if np.ptp(shares) <= 0.02:
        pale = looks_on(ax).pale
        plot.chance = ax.axhline(float(np.mean(shares)), color=pale, linestyle=":", linewidth=1, zorder=1)
    ax.set(xlabel=picture_text("recall"), ylabel=picture_text("precision"))
    finish(ax)
    return plot


def roc_curve(
    source: _Source[ROCCurve], tag: str | None = None, *, step: float | None = None, ax: Axes | None = None
) -> RatesPlot:
    """Draw the true against the false positive rate, with AUC; arguments and errors as in `pr_curve`."""
    data = _roc_data(source, tag, step)
    ax, new = axes_for(ax, 6.6, 4.4)
    plot = _draw(data, _heading(source, tag), ax, new, "AUC", "default")
    (plot.chance,) = ax.plot([0, 1], [0, 1], color=looks_on(ax).pale, linestyle=":", linewidth=1, zorder=1)
    ax.set(xlabel=picture_text("false positive rate"), ylabel=picture_text("true positive rate"))
    finish(ax)
    return plot


def _pr_data(source: _Source[PRCurve], tag: str | None, step: float | None) -> tuple[RateCurve, ...]:
    return tuple(
        RateCurve(name, curve.recall, curve.precision, curve.ap, _share(curve), position)
        for name, curve, position in _curves(source, tag, step, PRCurve, "pr_curve", Run.pr_curves)
    )


def _roc_data(source: _Source[ROCCurve], tag: str | None, step: float | None) -> tuple[RateCurve, ...]:
    # Each curve ends at (0, 0), where nothing is predicted positive.
    return tuple(
        RateCurve(name, np.append(curve.fpr, 0.0), np.append(curve.tpr, 0.0), curve.auc, 0.5, position)
        for name, curve, position in _curves(source, tag, step, ROCCurve, "roc_curve", Run.roc_curves)
    )


def _curves(
    source: _Source[_Curve],
    tag: str | None,
    step: float | None,
    curve_type: type[_Curve],
    kind: str,
    read: Callable[[Run, str], Media[_Curve]],
) -> list[tuple[str, _Curve, int]]:
    """(name, curve, position) of all curves to draw."""
    if isinstance(source, curve_type):
        return [("", source, 0)]
    if isinstance(source, Mapping):
        return [(str(name), curve, k) for k, (name, curve) in enumerate(source.items())]
    if isinstance(source, Sequence) and source and all(isinstance(curve, curve_type) for curve in source):
        return [(str(k), curve, k) for k, curve in enumerate(cast("Sequence[_Curve]", source))]
    if not is_run_source(source):
        raise DataError(
            "a curve is drawn of runs or of {type}s, got {source}",
            type=curve_type.__name__,
            source=describe(source),
        )
    if tag is None:
        raise DataError("of a run, one tag is drawn: give tag, such as 'eval/pr/0' or 'eval/pr'")
    runs = as_runs(source)
    found = [
        (run, place, of_class)
        for run, place in zip(runs, positions(runs), strict=True)
        for of_class in class_tags(run, kind, tag)
    ]
    if not found:
        raise unknown(
            tr("{kind} tag", kind=kind), tag, [other for run in runs for other in run.tags.get(kind, [])]
        )
    several_classes = len({of_class for *_, of_class in found}) > 1
    out = []
    for k, (run, place, of_class) in enumerate(found):
        parts = [run.name] * (len(runs) > 1) + [of_class.removeprefix(f"{tag}/")] * several_classes
        entries = read(run, of_class)
        curve = entries[entry_at(entries, step, f"{of_class} of {run.name}")]
        out.append((" ".join(parts), curve, k if several_classes else place))
    return out


def _heading(source: object, tag: str | None) -> str:
    if tag is None or not is_run_source(source):
        return ""
    runs = as_runs(source)
    return f"{runs[0].name}  {tag}" if len(runs) == 1 else tag


def _share(curve: PRCurve) -> float:
    total = curve.tp[0] + curve.fp[0] + curve.tn[0] + curve.fn[0] if len(curve.tp) else 0.0
    return float((curve.tp[0] + curve.fn[0]) / total) if total else float("nan")


def _draw(
    data: tuple[RateCurve, ...], heading: str, ax: Axes, new: bool, area: str, drawstyle: str
) -> RatesPlot:
    lines, drawn = {}, lines_of(ax)
    for rate in data:
        style = drawn.style(rate.name, rate.position, alone=False)
        (lines[rate.name],) = ax.plot(rate.x, rate.y, drawstyle=drawstyle, linewidth=1.6, **style)
        score = "" if np.isnan(rate.area) else f"  {area} {rate.area:.3f}"
        drawn.add(lines[rate.name], rate.name or heading, words=score)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return RatesPlot(data, ax, new, lines, None, drawn.label(ax, heading))
