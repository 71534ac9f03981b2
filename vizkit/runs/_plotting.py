"""The ``plot`` and ``chart`` of runs, and of what is found in them.

This is the one place where they reach up to what draws, when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vizkit.charts import Chart
    from vizkit.curves.crossing import Crossing as Crossing
    from vizkit.curves.curves import Partial
    from vizkit.curves.means import Band
    from vizkit.curves.smoothing import SmoothLike
    from vizkit.curves.target_times import TimeAxis as TimeAxis
    from vizkit.curves.target_times import TimeTo as TimeTo
    from vizkit.curves.x_axis import X
    from vizkit.plots._crossing import CrossingPlot
    from vizkit.plots._curves import CurvesPlot
    from vizkit.plots._difference_intervals import DifferenceIntervalsPlot
    from vizkit.plots._importance import ImportancePlot
    from vizkit.plots._setting_ranks import RanksPlot
    from vizkit.plots._time_to import TimeToPlot
    from vizkit.runs.comparison import Comparison
    from vizkit.runs.importances import Importances
    from vizkit.runs.run import Run
    from vizkit.runs.setting_ranks import Ranking

__all__ = ["DrawnComparison", "DrawnCrossing", "DrawnImportances", "DrawnRanking", "DrawnTimeTo", "Plottable"]


class DrawnImportances:
    """The ``plot`` method of `Importances`."""

    def plot(self, *, ax: Axes | None = None) -> ImportancePlot:
        """Draw a bar a hyper-parameter; see `vizkit.plots.importance`."""
        from vizkit.plots._importance import draw_importances

        return draw_importances(cast("Importances", self), ax)


class DrawnRanking:
    """The ``plot`` method of `Ranking`."""

    def plot(self, *, ax: Axes | None = None) -> RanksPlot:
        """Draw the settings with their values and ranks; see `vizkit.plots.ranks`."""
        from vizkit.plots._setting_ranks import draw_ranking

        return draw_ranking(cast("Ranking", self), ax)


class DrawnComparison:
    """The ``plot`` method of `Comparison`."""

    def plot(self, *, ax: Axes | None = None) -> DifferenceIntervalsPlot:
        """Draw the difference with its interval; see `vizkit.plots.difference_intervals`."""
        from vizkit.plots import difference_intervals

        found = cast("Comparison", self)
        intervals = [(found.difference, found.low, found.high)]
        return difference_intervals(["B - A"], intervals, label=found.metric, ax=ax)


class DrawnTimeTo:
    """The ``plot`` method of `TimeTo`."""

    def plot(self, *, ax: Axes | None = None) -> TimeToPlot:
        """Draw the times, the fastest first; see `vizkit.plots.time_to`."""
        from vizkit.plots._time_to import draw_time_to

        return draw_time_to(cast("TimeTo", self), ax)


class DrawnCrossing:
    """The ``plot`` method of `Crossing`."""

    def plot(self, *, ax: Axes | None = None) -> CrossingPlot:
        """Draw the difference of the curves; see `vizkit.plots.crossing`."""
        from vizkit.plots._crossing import draw_crossing

        return draw_crossing(cast("Crossing", self), ax)


def times_to_target(
    runs: Sequence[Run], metric: str, target: float, by: str | Sequence[str] | None, x: TimeAxis, mode: str
) -> TimeTo:
    """The times until a metric reaches a target; see `Runs.time_to`."""
    from vizkit.curves.target_times import time_to_target

    return time_to_target(runs, metric, target, by, x, mode)


def crossing_between(a: Sequence[Run], b: Sequence[Run], metric: str, x: TimeAxis, mode: str) -> Crossing:
    """Where two mean curves cross; see `Runs.crossing`."""
    from vizkit.curves.crossing import crossing_of

    return crossing_of(a, b, metric, x, mode)


class Plottable:
    """The ``plot`` and ``chart`` methods of `Run` and `Runs`."""

    def plot(
        self,
        tag: str | Sequence[str],
        *,
        x: X = "step",
        by: str | Sequence[str] | None = None,
        smooth: SmoothLike = 0.0,
        band: Band | None = "std",
        partial: Partial = "dotted",
        log: bool | Literal["x", "y", "xy"] = False,
        outliers: bool = True,
        ax: Axes | None = None,
    ) -> CurvesPlot:
        """Plot a scalar tag, or several; arguments, result and errors as in `vizkit.plots.curves`."""
        from vizkit.plots import curves

        source = cast("Run | Sequence[Run]", self)
        return curves(
            source,
            tag,
            x=x,
            by=by,
            smooth=smooth,
            band=band,
            partial=partial,
            log=log,
            outliers=outliers,
            ax=ax,
        )

    def chart(
        self,
        tag: str | Sequence[str],
        *,
        x: X = "step",
        by: str | Sequence[str] | None = None,
        smooth: SmoothLike = 0.0,
        band: Band | None = "std",
        partial: Partial = "dotted",
        log: bool | Literal["x", "y", "xy"] = False,
        outliers: bool = True,
        points: int = 50_000,
    ) -> Chart:
        """Make an interactive chart; arguments, result and errors as in `vizkit.charts.chart`."""
        from vizkit.charts import chart

        source = cast("Run | Sequence[Run]", self)
        return chart(
            source,
            tag,
            x=x,
            by=by,
            smooth=smooth,
            band=band,
            partial=partial,
            log=log,
            outliers=outliers,
            points=points,
        )
