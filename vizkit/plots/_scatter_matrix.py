"""`scatter_matrix`: a scatter plot for each pair of hyper-parameters and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vizkit.curves.plot_arguments import RunSource
from vizkit.media.palette import lap
from vizkit.plots._hparam_axes import HparamAxes, HparamAxis, hparam_axes
from vizkit.plots._lines import add_legend
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs.formatting import shorten_all, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

__all__ = ["ScatterPlot", "scatter_matrix"]

_MOST_TICKS = 6
_MARKERS = "os^D"


@dataclass(eq=False, repr=False)
class ScatterPlot(Plot[HparamAxes]):
    """The artists of `scatter_matrix`: the cells by (row, column), and the legend of the runs."""

    cells: dict[tuple[int, int], Axes]
    legend: Legend | None


def scatter_matrix(
    source: RunSource,
    metrics: str | Sequence[str],
    *,
    hparams: Sequence[str] | None = None,
    mode: str = "auto",
    ax: Axes | None = None,
) -> ScatterPlot:
    """Draw each pair of hyper-parameters and best values of metrics against each other.

    The cells form a lower triangle, with the metrics in the last rows; each run has its colour.

    Args:
        source: runs; those without the first metric are left out.
        metrics: one scalar tag or several.
        hparams: the hyper-parameters; by default all that differ.
        mode: ``"max"``, ``"min"`` or ``"auto"``, as in `Run.best`.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has a metric or hyper-parameter.
        DataError: nothing differs, or a tag that does not tell which value is best.
    """
    data = hparam_axes(source, metrics, hparams, mode)
    columns = data.columns
    n = len(columns) - 1  # the lower triangle, without the diagonal
    size = min(max(1.7 * n, 3.4), 11.0)
    ax, new = axes_for(ax, size + 1.6, size)
    ax.set_axis_off()
    cells = {}
    gap = 0.02
    side = (1 - gap * (n - 1)) / n
    for row in range(n):
        for column in range(row + 1):
            cell = ax.inset_axes((column * (side + gap), 1 - (row + 1) * side - row * gap, side, side))
            _draw_cell(cell, data, columns[column], columns[row + 1])
            _label(cell, columns[column], columns[row + 1], bottom=row == n - 1, left=column == 0)
            cells[row, column] = cell
    points = zip(data.names, cells[0, 0].get_lines(), strict=True)
    legend = add_legend(ax, [(name, "", point) for name, point in points], "upper right")
    finish(ax)
    return ScatterPlot(data, ax, new, cells, legend)


def _draw_cell(cell: Axes, data: HparamAxes, across: HparamAxis, up: HparamAxis) -> None:
    style: dict[str, Any] = {"markersize": 6, "alpha": 0.9}
    looks = looks_on(cell)
    style |= {"markeredgecolor": looks.paper, "markeredgewidth": 0.6}
    for position, x, y in zip(data.positions, across.places, up.places, strict=True):
        cell.plot(x, y, _MARKERS[lap(position) % len(_MARKERS)], color=looks.color(position), **style)
    cell.margins(0.14)
    cell.grid(color=looks.grid, linewidth=0.7)
    cell.set_axisbelow(True)
    cell.spines[["top", "right"]].set_visible(False)


def _label(cell: Axes, across: HparamAxis, up: HparamAxis, bottom: bool, left: bool) -> None:
    for axis, column, outer in ((cell.xaxis, across, bottom), (cell.yaxis, up, left)):
        if column.ticks:
            places, texts = zip(*column.ticks[:: -(-len(column.ticks) // _MOST_TICKS)], strict=True)
            axis.set_ticks(places, shorten_all(texts, 12))
        elif column.scale == "log":
            axis.set_major_formatter(lambda place, _: f"{10**place:.3g}")
        else:
            cell.locator_params(axis="x" if axis is cell.xaxis else "y", nbins=4)
        axis.set_tick_params(labelsize="x-small", length=2, color=looks_on(cell).pale)
        if outer:
            axis.set_label_text(shortened(column.name, 24), fontsize="small")
        else:
            axis.set_tick_params(labelbottom=False, labelleft=False)
    many = sum(len(text) for _, text in across.ticks)
    if bottom and many > 14:
        cell.tick_params(axis="x", labelrotation=40)
        for text in cell.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
