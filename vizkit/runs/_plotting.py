"""The ``plot`` and ``chart`` of runs, and of what is found in them.

This is the one place where they reach up to what draws, when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vizkit.charts import Chart
    from vizkit.curves.curves import Partial
    from vizkit.curves.means import Band
    from vizkit.curves.smoothing import SmoothLike
    from vizkit.curves.x_axis import X
    from vizkit.plots._curves import CurvesPlot
    from vizkit.plots._importance import ImportancePlot
    from vizkit.plots._setting_ranks import RanksPlot
    from vizkit.runs.importances import Importances
    from vizkit.runs.run import Run
    from vizkit.runs.setting_ranks import Ranking

__all__ = ["DrawnImportances", "DrawnRanking", "Plottable"]


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
