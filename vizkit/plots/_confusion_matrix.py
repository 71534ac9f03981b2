"""`confusion_matrix`: a confusion matrix from a log or from an array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vizkit._checks import describe, one_of
from vizkit._protocols import ArrayLike
from vizkit.curves.plot_arguments import RunSource, entry_at, is_run_source, one_run
from vizkit.errors import DataError
from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import Floats, to_array
from vizkit.metrics.confusion import ConfusionMatrix
from vizkit.plots._lines import set_heading
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs.formatting import shorten_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

__all__ = ["ConfusionData", "ConfusionPlot", "confusion_matrix"]

_MOST_WITH_NUMBERS = 20
_MOST_WITH_NAMES = 40


@dataclass(frozen=True, eq=False)
class ConfusionData:
    """A confusion matrix.

    Attributes:
        names: the names of the k classes.
        counts: (k, k) as recorded; rows are the true classes, columns the predicted.
        shares: (k, k) the values shown: the counts, or their shares; NaN in a row (column) without samples.
        accuracy: the share on the diagonal; NaN without samples.
    """

    names: tuple[str, ...]
    counts: Floats
    shares: Floats
    accuracy: float


@dataclass(eq=False, repr=False)
class ConfusionPlot(Plot[ConfusionData]):
    """The artists of `confusion_matrix`: the image, the numbers in its cells (row by row), the colour bar."""

    image: AxesImage
    numbers: list[Text]
    colorbar: Colorbar | None


def confusion_matrix(
    source: RunSource | ArrayLike,
    tag: str = "eval/confusion",
    *,
    step: float | None = None,
    normalize: Literal["true", "predicted", "all"] | None = None,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> ConfusionPlot:
    """Draw a confusion matrix.

    Args:
        source: a run with a matrix of `Tracker.log_confusion_matrix`; or (k, k) counts, rows the true
            classes.
        tag: the tag of the matrix; its numbers are the text ``<tag>/counts``.
        step: the step of the record; the last by default.
        normalize: show shares of each true class (each row sums to 1), of each predicted class, or of all.
        class_names: names to show instead of the recorded ones, or of numbers.
        ax: axes to draw into; a new figure by default.

    Raises:
        DataError: no record at that step, or not a square matrix of counts.
    """
    data = _data(source, tag, step, normalize, class_names)
    k = len(data.names)
    size = min(max(3.2 + 0.36 * k, 4.0), 9.0)
    ax, new = axes_for(ax, size + 0.8, size)
    highest = 1.0 if normalize in ("true", "predicted") else float(np.nanmax(data.shares, initial=0.0)) or 1.0
    image = ax.imshow(data.shares, cmap=_ramp(looks_on(ax).dark), vmin=0.0, vmax=highest, aspect="equal")
    numbers = _write_numbers(ax, data, normalize, highest) if k <= _MOST_WITH_NUMBERS else []
    every = -(-k // _MOST_WITH_NAMES)
    names = shorten_all(data.names[::every], 18)
    turned = max(map(len, names)) > max(2, 24 // len(names))
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(range(0, k, every), names, **(slanted if turned else {}))
    ax.set_yticks(range(0, k, every), names)
    ax.tick_params(length=0, labelsize="small")
    ax.set(xlabel=picture_text("predicted"), ylabel=picture_text("true"))
    heading = f"{one_run(source).name}  {tag}  " if is_run_source(source) else ""
    accuracy = "" if np.isnan(data.accuracy) else picture_text("accuracy {share:.2%}", share=data.accuracy)
    set_heading(ax, heading + accuracy)
    colorbar = ax.figure.colorbar(image, ax=ax, shrink=0.8) if new else None
    if colorbar is not None:
        from matplotlib.ticker import PercentFormatter

        colorbar.outline.set_visible(False)
        if normalize:
            colorbar.ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.spines[:].set_visible(False)
    finish(ax)
    return ConfusionPlot(data, ax, new, image, numbers, colorbar)


def _data(
    source: RunSource | ArrayLike,
    tag: str,
    step: float | None,
    normalize: Literal["true", "predicted", "all"] | None,
    class_names: Sequence[str] | None,
) -> ConfusionData:
    names: Sequence[str] | None
    if is_run_source(source):
        texts = one_run(source).texts(f"{tag}/counts")
        text = texts[entry_at(texts, step)]
        try:
            matrix = ConfusionMatrix.from_text(text)
        except DataError:
            raise DataError(
                "the text {tag}/counts holds no confusion matrix: {text}", tag=tag, text=describe(text)
            ) from None
        names, counts = matrix.names, matrix.counts.astype(np.float64)
    else:
        names, counts = None, to_array(source).astype(np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise DataError("a confusion matrix has the shape [k, k], got {counts}", counts=describe(counts))
    if not (counts >= 0).all():
        raise DataError("the counts of a confusion matrix are not negative, and not NaN")
    names = class_names or names or [str(k) for k in range(len(counts))]
    if len(names) != len(counts):
        raise DataError("{names} class names for {classes} classes", names=len(names), classes=len(counts))
    one_of("normalize", normalize, ("true", "predicted", "all", None))
    totals = {
        None: np.ones((1, 1)),
        "true": counts.sum(axis=1, keepdims=True),
        "predicted": counts.sum(axis=0, keepdims=True),
        "all": counts.sum(keepdims=True),
    }
    with np.errstate(invalid="ignore"):
        shares = counts / totals[normalize]
    total = counts.sum()
    return ConfusionData(
        tuple(map(str, names)), counts, shares, float(np.trace(counts) / total) if total else float("nan")
    )


def _ramp(dark: bool) -> Colormap:
    """Blues, from that of the paper to the strongest."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if not dark:
        return colormaps["Blues"]
    return LinearSegmentedColormap.from_list("vizkit_blues", ["#10151c", "#1f6feb", "#a5d6ff"])


def _write_numbers(ax: Axes, data: ConfusionData, normalize: str | None, highest: float) -> list[Text]:
    k = len(data.names)
    size = 9 if k <= 10 else 7
    numbers = []
    looks = looks_on(ax)
    strong = "black" if looks.dark else "white"
    for row in range(k):
        for column in range(k):
            share = data.shares[row, column]
            if np.isnan(share):
                words = "–"
            elif normalize:
                words = f"{100 * share:.0f}" if k > 6 else f"{share:.1%}"
            else:
                words = f"{share:.0f}" if share < 1e5 else f"{share:.0e}"
            ink = strong if share > 0.55 * highest else looks.ink if share else looks.faint
            numbers.append(ax.text(column, row, words, ha="center", va="center", color=ink, fontsize=size))
    return numbers
