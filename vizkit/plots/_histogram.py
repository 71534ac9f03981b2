"""`histogram`: distributions over training, as ridges one above the other or as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vizkit._checks import one_of
from vizkit.curves.plot_arguments import RunSource, one_run
from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import AnyArray, Floats, Ints
from vizkit.metrics.downsampling import evenly
from vizkit.plots._lines import set_heading
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs import Run
from vizkit.runs.formatting import exact_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection, QuadMesh
    from matplotlib.colorbar import Colorbar

    from vizkit.metrics.histograms import Histogram

__all__ = ["HistogramData", "HistogramPlot", "histogram", "histogram_data"]

_RIDGES = 16  # more would be hard to distinguish
_COLUMNS = 400  # of a heat map
_BINS = 100


@dataclass(frozen=True, eq=False)
class HistogramData:
    """Histograms of one tag, resampled to the same bins.

    Attributes:
        name: the name of the run.
        tag: the tag of the histograms.
        steps: (n,).
        edges: (k + 1,) edges of the bins.
        shares: (n, k) shares of the finite values in each bin; a row sums to 1, or to 0 without any.
        others: (n,) number of NaN or infinite values.
    """

    name: str
    tag: str
    steps: AnyArray
    edges: Floats
    shares: Floats
    others: Ints


@dataclass(eq=False, repr=False)
class HistogramPlot(Plot[HistogramData]):
    """The artists of `histogram`: the ridges from the first step on, or the heat map with its colour bar."""

    ridges: list[PolyCollection]
    image: QuadMesh | None
    colorbar: Colorbar | None


def histogram(
    run: RunSource, tag: str, *, kind: Literal["ridgeline", "heatmap"] = "ridgeline", ax: Axes | None = None
) -> HistogramPlot:
    """Draw the histograms of a run over its steps.

    Each ridge is scaled to the same height: compare shapes, not heights. The heat map shows the share of
    values in each bin, on a square-root scale that keeps thin tails visible.

    Args:
        run: the run.
        tag: the tag of histograms, such as ``weights/fc/0/weight``.
        kind: ``"ridgeline"`` (up to 16 evenly spaced steps) or ``"heatmap"`` (up to 400).
        ax: axes to draw into; a new figure by default.

    Raises:
        DataError: another kind.
        UnknownNameError: no histograms of that tag.
    """
    one_of("kind", kind, ("ridgeline", "heatmap"))
    data = histogram_data(one_run(run), tag, _RIDGES if kind == "ridgeline" else _COLUMNS)
    ax, new = axes_for(ax, 6.4, 4.6)
    set_heading(ax, f"{data.name}  {data.tag}")
    plot = HistogramPlot(data, ax, new, [], None, None)
    if kind == "ridgeline":
        plot.ridges = _draw_ridges(data, ax)
    else:
        plot.image, plot.colorbar = _draw_heatmap(data, ax, new)
    finish(ax)
    if kind == "ridgeline":
        ax.spines["left"].set_visible(False)
    return plot


def histogram_data(run: Run, tag: str, most: int = _RIDGES, bins: int = _BINS) -> HistogramData:
    """The first, the last and evenly spaced histograms, with bins of equal width over all their values."""
    media = run.histograms(tag)
    kept = evenly(np.arange(len(media)), most)
    readable = media.readable(kept.tolist())
    kept, found = np.array([*readable], np.int64), [*readable.values()]
    edges = _common_edges(found, bins)
    shares = np.array([_rebinned(each, edges) for each in found]).reshape(len(found), len(edges) - 1)
    others = np.array([each.nan + each.posinf + each.neginf for each in found], dtype=np.int64)
    return HistogramData(run.name, tag, media.steps[kept], edges, shares, others)


def _common_edges(found: Sequence[Histogram], bins: int) -> Floats:
    """Evenly spaced edges over all bins that are not empty."""
    lows, highs = [], []
    for each in found:
        filled = np.flatnonzero(each.counts)
        if len(filled):
            lows.append(each.edges[filled[0]])
            highs.append(each.edges[filled[-1] + 1])
    return np.linspace(min(lows), max(highs), bins + 1) if lows else np.linspace(0.0, 1.0, bins + 1)


def _rebinned(histogram: Histogram, edges: Floats) -> Floats:
    """Shares between other edges, assuming values spread evenly within each bin."""
    total = histogram.counts.sum()
    if not total:
        return np.zeros(len(edges) - 1)
    below = np.concatenate(([0.0], np.cumsum(histogram.counts))) / total
    return np.diff(np.interp(edges, histogram.edges, below))


def _draw_ridges(data: HistogramData, ax: Axes) -> list[PolyCollection]:
    from matplotlib import colormaps

    middles = (data.edges[:-1] + data.edges[1:]) / 2
    n = len(data.steps)
    looks = looks_on(ax)
    ramp = colormaps["viridis"](np.linspace(*((0.35, 1.0) if looks.dark else (0.1, 0.85)), max(n, 2)))
    ridges: list[PolyCollection] = []
    for k in range(n - 1, -1, -1):  # the last step first: earlier ridges, below, overlap later ones
        shares = data.shares[k]
        heights = 1.8 * shares / (shares.max() or 1.0)
        ridges.append(
            ax.fill_between(
                middles,
                k,
                k + heights,
                facecolor=(*ramp[k][:3], 0.75),
                edgecolor=looks.paper,
                linewidth=0.8,
                zorder=n - k + 2,
            )
        )
        if data.others[k]:
            ax.annotate(
                picture_text("{n:,} NaN or Inf", n=data.others[k]),
                (1.0, k),
                xycoords=ax.get_yaxis_transform(),
                ha="right",
                va="bottom",
                fontsize="x-small",
                color=looks.ink,
                zorder=2 * n,
            )
    ax.set_yticks(range(n), [exact_text(step) for step in data.steps], fontsize="small")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=looks.grid, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set(ylabel=picture_text("step"), ylim=(-0.15, n + 1.0), xlim=(data.edges[0], data.edges[-1]))
    return ridges[::-1]


def _draw_heatmap(data: HistogramData, ax: Axes, new: bool) -> tuple[QuadMesh, Colorbar | None]:
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import PercentFormatter

    highest = float(data.shares.max(initial=0.0)) or 1.0
    image = ax.pcolormesh(
        _borders(data.steps),
        data.edges,
        data.shares.T,
        cmap="viridis",
        norm=PowerNorm(0.5, 0.0, highest),
        rasterized=True,
    )
    broken = data.others > 0
    if broken.any():
        ax.plot(
            data.steps[broken],
            np.zeros(int(broken.sum())),
            "x",
            color="red",
            clip_on=False,
            transform=ax.get_xaxis_transform(),
            label=picture_text("with NaN or Inf"),
        )
    colorbar = ax.figure.colorbar(image, ax=ax, format=PercentFormatter(1.0)) if new else None
    if colorbar is not None:
        colorbar.outline.set_visible(False)
        colorbar.set_label(picture_text("share of values"), color=looks_on(ax).pale)
    ax.set(xlabel=picture_text("step"), ylabel=picture_text("value"))
    return image, colorbar


def _borders(steps: AnyArray) -> Floats:
    """The borders of the columns, half way between steps."""
    centres = steps.astype(np.float64)
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middles = (centres[:-1] + centres[1:]) / 2
    return np.concatenate(([2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]))
