"""`ranks`: settings with the values of their runs, and the ranks that these allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vizkit.curves.plot_arguments import RunSource, as_runs
from vizkit.media.lettering import picture_text
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish, write_beside
from vizkit.runs import Runs
from vizkit.runs.formatting import shorten_all
from vizkit.runs.setting_ranks import Ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.container import ErrorbarContainer
    from matplotlib.text import Annotation

__all__ = ["RanksPlot", "draw_ranking", "ranks"]


@dataclass(eq=False, repr=False)
class RanksPlot(Plot[Ranking]):
    """The artists of `ranks`: the values of runs, means with their intervals, the ranks."""

    points: PathCollection
    means: list[ErrorbarContainer]
    texts: list[Annotation]


def ranks(
    source: RunSource,
    metric: str,
    *,
    by: str | Sequence[str] | None = None,
    mode: str = "auto",
    value: Literal["best", "last"] = "best",
    ax: Axes | None = None,
) -> RanksPlot:
    """Draw the result of `Runs.rank`: a row a setting, the best mean first.

    A small point is a run; a large one is the mean, with its 95 % interval. The settings that may be the best
    are in colour. Beside each are its ranks, which hold for all settings together with 95 %.

    Args:
        source: runs of several settings, with several seeds.
        metric: a scalar tag.
        by: hyper-parameters to rank, as in `Runs.rank`.
        mode: ``"max"``, ``"min"`` or ``"auto"``, as in `Run.best`.
        value: the value of a run, ``"best"`` or ``"last"``.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has the metric.
        QueryError: fewer than two settings, or one run of each.
    """
    return draw_ranking(Runs(as_runs(source)).rank(metric, mode, by=by, value=value), ax)


def draw_ranking(ranking: Ranking, ax: Axes | None) -> RanksPlot:
    """Draw a ranking."""
    n = len(ranking.settings)
    ax, new = axes_for(ax, 7.0, max(0.4 * n + 1.1, 1.8))
    looks = looks_on(ax)
    rows = [row for row, setting in enumerate(ranking.settings) for _ in setting.values]
    every = np.array([value for setting in ranking.settings for value in setting.values])
    points = ax.scatter(every, rows, s=14, color=looks.pale, zorder=2, linewidths=0)
    means = []
    for row, setting in enumerate(ranking.settings):
        sides = [[setting.mean - setting.low], [setting.high - setting.mean]]
        means.append(
            ax.errorbar(
                setting.mean,
                row,
                xerr=np.nan_to_num(sides),
                fmt="o",
                markersize=6,
                elinewidth=2,
                color=looks.color(0) if setting.may_be_best else looks.faint,
                zorder=3,
            )
        )
    low, high = float(every.min()), float(every.max())
    room = (high - low) or abs(high) or 1.0
    ax.set_xlim(low - 0.08 * room, high + 0.3 * room)  # intervals of few runs may reach beyond
    texts = [
        write_beside(
            ax,
            picture_text("rank {ranks}", ranks=setting.ranks_text),
            (1.0, row),
            gap=-4,
            ha="right",
            xycoords=ax.get_yaxis_transform(),
            color=looks.ink if setting.may_be_best else looks.pale,
        )
        for row, setting in enumerate(ranking.settings)
    ]
    ax.set_yticks(range(n), shorten_all(ranking.names, 40))
    ax.set_ylim(n - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(picture_text("{metric}, mean with 95 % interval", metric=ranking.metric))
    finish(ax)
    return RanksPlot(ranking, ax, new, points, means, texts)
