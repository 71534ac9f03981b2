"""How a distribution moves over training: ridges, one above the other, or a heat map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from vizkit.curves.selection import one_run
from vizkit.errors import DataError
from vizkit.metrics.downsampling import evenly
from vizkit.plots._plot import INK, PALE, Plot, axes_for, finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from vizkit.metrics.histograms import Histogram

__all__ = ["HistogramData", "HistogramPlot", "histogram", "histogram_data"]

_RIDGES = 16  # more could not be told apart
_COLUMNS = 400  # of a heat map
_BINS = 100


@dataclass(frozen=True, eq=False)
class HistogramData:
    """Histograms of one tag, brought to the same buckets.

    Attributes:
        name: of the run.
        tag: of the histograms.
        steps: (n,).
        edges: (k + 1,).
        shares: (n, k) of the finite values in each bucket; a row sums to 1, or is 0 without any.
        others: (n,) how many values were NaN or infinite.
    """

    name: str
    tag: str
    steps: NDArray[Any]
    edges: NDArray[np.float64]
    shares: NDArray[np.float64]
    others: NDArray[np.int64]


@dataclass(eq=False, repr=False)
class HistogramPlot(Plot[HistogramData]):
    """What `histogram` drew: the ridges from the first step on, or the heat map with its colour bar."""

    ridges: list[Any]
    image: Any
    colorbar: Any


def histogram(
    run: Any,
    tag: str,
    *,
    kind: Literal["ridgeline", "heatmap"] = "ridgeline",
    ax: Axes | None = None,
) -> HistogramPlot:
    """Draws the histograms of a run over its steps.

    A ridge is as high as it needs to be: compare the shapes, not the heights. The heat map shows the
    share of values in each bucket, on a scale of square roots so that thin tails are seen.

    Args:
        run: the run.
        tag: of histograms, such as ``weights/fc/0/weight``.
        kind: ``"ridgeline"`` (at most 16 steps, spread evenly) or ``"heatmap"`` (up to 400).
        ax: axes to draw into; a figure of its own by default.

    Raises:
        DataError: another kind.
        UnknownNameError: no histograms of that tag.
    """
    if kind not in ("ridgeline", "heatmap"):
        raise DataError(f"kind must be 'ridgeline' or 'heatmap', got {kind!r}")
    data = histogram_data(run, tag, most=_RIDGES if kind == "ridgeline" else _COLUMNS)
    ax, new = axes_for(ax, 6.4, 4.6)
    ax.set_title(f"{data.name}  {data.tag}", fontsize="medium", loc="left")
    plot = HistogramPlot(data, ax, new, [], None, None)
    if kind == "ridgeline":
        plot.ridges = _draw_ridges(data, ax)
    else:
        plot.image, plot.colorbar = _draw_heatmap(data, ax, new)
    finish(ax)
    if kind == "ridgeline":
        ax.spines["left"].set_visible(False)
    return plot


def histogram_data(run: Any, tag: str, *, most: int = _RIDGES, bins: int = _BINS) -> HistogramData:
    """The data step of `histogram`.

    Args:
        run: the run.
        tag: of histograms.
        most: how many steps, spread evenly; the first and the last are among them.
        bins: how many buckets, of equal width over all values of these steps.
    """
    chosen = one_run(run)
    media = chosen.histograms(tag)
    kept = evenly(np.arange(len(media)), most)
    found = [media[int(index)] for index in kept]
    edges = _common_edges(found, bins)
    shares = np.array([_rebinned(each, edges) for each in found]).reshape(len(found), len(edges) - 1)
    others = np.array([each.nan + each.posinf + each.neginf for each in found], dtype=np.int64)
    return HistogramData(chosen.name, tag, media.steps[kept], edges, shares, others)


def _common_edges(found: Sequence[Histogram], bins: int) -> NDArray[np.float64]:
    """Even edges over all buckets that hold anything."""
    lows, highs = [], []
    for each in found:
        filled = np.flatnonzero(each.counts)
        if len(filled):
            lows.append(each.edges[filled[0]])
            highs.append(each.edges[filled[-1] + 1])
    return np.linspace(min(lows), max(highs), bins + 1) if lows else np.linspace(0.0, 1.0, bins + 1)


def _rebinned(histogram: Histogram, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares between other edges, as if values were spread evenly within each bucket."""
    total = histogram.counts.sum()
    if not total:
        return np.zeros(len(edges) - 1)
    below = np.concatenate(([0.0], np.cumsum(histogram.counts))) / total
    return np.diff(np.interp(edges, histogram.edges, below))


def _draw_ridges(data: HistogramData, ax: Axes) -> list[Any]:
    from matplotlib import colormaps

    middles = (data.edges[:-1] + data.edges[1:]) / 2
    n = len(data.steps)
    ramp = colormaps["viridis"](np.linspace(0.1, 0.85, max(n, 2)))
    ridges = []
    for k in range(n - 1, -1, -1):  # the last step first: earlier ones, below, lie in front
        shares = data.shares[k]
        heights = 1.8 * shares / (shares.max() or 1.0)
        ridges.append(
            ax.fill_between(
                middles,
                k,
                k + heights,
                facecolor=(*ramp[k][:3], 0.75),
                edgecolor="white",
                linewidth=0.8,
                zorder=n - k + 2,
            )
        )
        if data.others[k]:
            ax.annotate(
                f"{data.others[k]:,} NaN or Inf",
                (1.0, k),
                xycoords=ax.get_yaxis_transform(),
                ha="right",
                va="bottom",
                fontsize="x-small",
                color=INK,
                zorder=2 * n,
            )
    ax.set_yticks(range(n), [f"{step:g}" for step in data.steps], fontsize="small")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color="#eaeef2", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set(ylabel="step", ylim=(-0.15, n + 1.0), xlim=(data.edges[0], data.edges[-1]))
    return ridges[::-1]


def _draw_heatmap(data: HistogramData, ax: Axes, new: bool) -> tuple[Any, Any]:
    from matplotlib.colors import PowerNorm

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
            label="with NaN or Inf",
        )
    colorbar = ax.figure.colorbar(image, ax=ax, format="{x:.0%}") if new else None
    if colorbar is not None:
        colorbar.outline.set_visible(False)
        colorbar.set_label("share of values", color=PALE)
    ax.set(xlabel="step", ylabel="value")
    return image, colorbar


def _borders(steps: NDArray[Any]) -> NDArray[np.float64]:
    """Where a column ends and the next begins: half way between steps."""
    centres = steps.astype(np.float64)
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middles = (centres[:-1] + centres[1:]) / 2
    return np.concatenate(([2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]))
