"""`importance`: the importance of hyper-parameters as bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit.curves.plot_arguments import RunSource, as_runs
from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import Floats
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish, write_beside
from vizkit.runs import Runs
from vizkit.runs.formatting import shorten_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.text import Annotation

__all__ = ["ImportanceData", "ImportancePlot", "importance", "importance_data"]

_SURE = 0.05


@dataclass(frozen=True, eq=False)
class ImportanceData:
    """The share of a metric's variance that each hyper-parameter explains alone, the greatest first.

    Attributes:
        metric: the scalar tag.
        names: the names of the k hyper-parameters that differ.
        shares: (k,) 0 to 1; NaN where it cannot be computed.
        p: (k,) probability that shuffled runs explain as much.
        together: (k,) hyper-parameters that changed together with it; empty if none.
        runs: number of runs.
    """

    metric: str
    names: tuple[str, ...]
    shares: Floats
    p: Floats
    together: tuple[str, ...]
    runs: int


@dataclass(eq=False, repr=False)
class ImportancePlot(Plot[ImportanceData]):
    """The artists of `importance`: the bars, and the texts at their ends."""

    bars: BarContainer
    texts: list[Annotation]


def importance(
    source: RunSource, metric: str, *, mode: str = "auto", ax: Axes | None = None
) -> ImportancePlot:
    """Draw the result of `Runs.importance`, a bar a hyper-parameter; pale bars may be chance (p above 0.05).

    Args:
        source: four runs or more.
        metric: a scalar tag.
        mode: ``"max"``, ``"min"`` or ``"auto"``, as in `Run.best`.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has the metric.
        QueryError: fewer than four runs with a finite value.
    """
    data = importance_data(source, metric, mode=mode)
    n = len(data.names)
    ax, new = axes_for(ax, 6.4, max(0.42 * n + 1.1, 1.8))
    shares = np.nan_to_num(data.shares)
    looks = looks_on(ax)
    colors = [looks.color(0) if p <= _SURE else looks.faint for p in data.p]
    bars = ax.barh(range(n), shares, color=colors, height=0.62)
    texts = [
        write_beside(
            ax, _words(data, k), (shares[k], k), color=looks.ink if data.p[k] <= _SURE else looks.pale
        )
        for k in range(n)
    ]
    ax.set_yticks(range(n), shorten_all(data.names, 28))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.0)
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.set_xlabel(
        picture_text(
            "share of the variance of {metric} that it explains alone, {n} runs",
            metric=data.metric,
            n=data.runs,
        ),
        fontsize="small",
    )
    ax.tick_params(axis="y", length=0)
    finish(ax)
    return ImportancePlot(data, ax, new, bars, texts)


def importance_data(source: RunSource, metric: str, *, mode: str = "auto") -> ImportanceData:
    """Compute the data of `importance`."""
    table = Runs(as_runs(source)).importance(metric, mode)
    return ImportanceData(
        metric,
        tuple(map(str, table.index)),
        table["importance"].to_numpy(np.float64),
        table["p"].to_numpy(np.float64),
        tuple(table["together_with"]),
        int(table["n"].max()) if len(table) else len(as_runs(source)),
    )


def _words(data: ImportanceData, k: int) -> str:
    if np.isnan(data.shares[k]):
        return picture_text("cannot be told: a value of its own in each run")
    together = picture_text(", with {names}", names=data.together[k]) if data.together[k] else ""
    p = "p < 0.001" if data.p[k] < 0.001 else f"p = {data.p[k]:.2g}"
    return f"{data.shares[k]:.0%}  ({p}{together})"
