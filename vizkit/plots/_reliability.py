"""`reliability`: reliability diagrams: do predictions of 80 % come true in 80 % of the cases?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit._protocols import ArrayLike
from vizkit.curves.plot_arguments import RunSource, entry_at, is_run_source, one_run
from vizkit.errors import DataError
from vizkit.media.lettering import picture_text
from vizkit.metrics.calibration import Reliability, compute_reliability
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer

__all__ = ["ReliabilityPlot", "reliability"]

_FEW = 10


@dataclass(eq=False, repr=False)
class ReliabilityPlot(Plot[Reliability]):
    """The artists of `reliability`.

    Attributes:
        bars: bars of the share that came true, for each bin that is not empty.
        gaps: bars from there to the mean probability.
        counts: the bars above, of the number of predictions in each bin.
    """

    bars: BarContainer
    gaps: BarContainer
    counts: BarContainer


def reliability(
    source: RunSource | Reliability | ArrayLike,
    tag: str = "eval/reliability",
    *,
    labels: ArrayLike | None = None,
    step: float | None = None,
    ax: Axes | None = None,
) -> ReliabilityPlot:
    """Draw how often predictions of a probability come true, with the expected calibration error (ECE).

    Bars below the diagonal show overconfidence (Guo et al., On calibration of
    modern neural networks, ICML 2017). Bins of fewer than 10 predictions are pale.

    Args:
        source: a run that recorded one; a `vizkit.metrics.Reliability`; or probabilities: (n, c) of each
            class, or (n,) of the positive class.
        tag: the tag of the diagram, whose numbers `Tracker.curves` records as the text ``<tag>/bins``.
        labels: for probabilities: (n,) class numbers, or 0 and 1.
        step: the step of the record; the last by default.
        ax: axes to draw into; a new figure by default.

    Raises:
        DataError: no record at that step, or values that are not probabilities.
    """
    data = _data(source, tag, labels, step)
    ax, new = axes_for(ax, 4.8, 5.2)
    bins = len(data.counts)
    width = 1.0 / bins
    middles = (np.arange(bins) + 0.5) * width
    held = data.counts > 0
    confidence, accuracy = map(picture_text, data.axes)
    looks = looks_on(ax)
    ax.plot([0, 1], [0, 1], ":", color=looks.pale, linewidth=1, zorder=1)
    bars = ax.bar(middles[held], data.accuracy[held], width * 0.94, color=looks.color(0), label=accuracy)
    for bar, count in zip(bars, data.counts[held], strict=True):
        bar.set_alpha(1.0 if count >= _FEW else 0.3)
    gaps = ax.bar(
        middles[held],
        data.confidence[held] - data.accuracy[held],
        width * 0.94,
        bottom=data.accuracy[held],
        facecolor=f"{looks.color(2)}26",
        edgecolor=looks.color(2),
        hatch="////",
        linewidth=0.6,
        label=picture_text("gap to {confidence}", confidence=confidence),
    )
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel=confidence, ylabel=accuracy)
    words: dict[str, Any] = {"labelcolor": looks.ink, "facecolor": looks.paper} if looks.dark else {}
    ax.legend(loc="upper left", fontsize="small", framealpha=0.85, edgecolor="none", **words)
    above = ax.inset_axes((0.0, 1.05, 1.0, 0.2), sharex=ax)
    counts = above.bar(middles, data.counts, width * 0.94, color=looks.pale)
    above.tick_params(labelbottom=False, labelsize="x-small", length=2)
    above.set_ylabel(picture_text("count"), fontsize="x-small")
    above.locator_params(axis="y", nbins=2)
    above.spines[["top", "right"]].set_visible(False)
    total = int(data.counts.sum())
    title = picture_text("ECE {ece:.3f} of {n:,} predictions", ece=data.ece, n=total)
    above.set_title(title, fontsize="medium", loc="left", color=looks.ink)
    finish(ax)
    return ReliabilityPlot(data, ax, new, bars, gaps, counts)


def _data(
    source: RunSource | Reliability | ArrayLike, tag: str, labels: ArrayLike | None, step: float | None
) -> Reliability:
    if isinstance(source, Reliability):
        return source
    if is_run_source(source):
        texts = one_run(source).texts(f"{tag}/bins")
        return Reliability.from_text(texts[entry_at(texts, step)])
    if labels is None:
        raise DataError("probabilities need labels to be right or wrong about: give labels")
    return compute_reliability(labels, source)
