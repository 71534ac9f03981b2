"""Shared by all plots: the result, axes, legends, line styles, texts."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from vizkit._language import tr
from vizkit.errors import MissingDependencyError
from vizkit.media import palette
from vizkit.media.palette import color, lap
from vizkit.plots._fonts import add_fallbacks
from vizkit.runs.formatting import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation

__all__ = [
    "INK",
    "PALE",
    "Plot",
    "add_legend",
    "axes_for",
    "finish",
    "line_style",
    "quiet",
    "write_beside",
]

INK = "#{:02x}{:02x}{:02x}".format(*palette.INK)
PALE = "#8c959f"
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
_MOST_IN_LEGEND = 40
_INCHES_A_ROW = 0.2

Data = TypeVar("Data")


@dataclass(eq=False, repr=False)
class Plot(Generic[Data]):
    """The result of a plot function; a notebook shows it unless it was drawn into the caller's axes.

    Attributes:
        data: the numbers that are shown.
        ax: the axes.
        owns_figure: True if the figure was made for this plot.
    """

    data: Data
    ax: Axes
    owns_figure: bool

    @property
    def figure(self) -> Figure:
        """The figure, which is not registered with pyplot unless the caller's axes are."""
        return cast("Figure", self.ax.figure)

    def save(self, path: str | os.PathLike[str], dpi: int = 150) -> None:
        """Write the figure to a file, in the format of its name (``.png``, ``.svg``, ``.pdf``)."""
        with quiet():
            self.figure.savefig(path, dpi=dpi)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        if not self.owns_figure:
            return None
        out = io.BytesIO()
        dpi = self.figure.dpi
        with quiet():
            self.figure.savefig(out, format="png", dpi=2 * dpi)  # sharp on dense screens too
        width, height = (round(inches * dpi) for inches in self.figure.get_size_inches())
        return out.getvalue(), {"width": width, "height": height}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}; .save('plot.png') writes its figure>"


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress matplotlib's warnings about characters that no font has: VizKit warned once."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        yield


def axes_for(ax: Axes | None, width: float = 7.0, height: float = 4.2) -> tuple[Axes, bool]:
    """The caller's axes, or those of a new figure (inches) that is not registered with pyplot.

    Returns:
        The axes, and True if they are new.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    if ax is not None:
        return ax, False
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError.for_extra("plots", tr("plots need matplotlib")) from None
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure.subplots(), True


def line_style(position: int) -> dict[str, Any]:
    """The colour and dashes of the run at a position."""
    return {"color": color(position), "linestyle": _DASHES[lap(position) % len(_DASHES)]}


def add_legend(
    ax: Axes, owns_figure: bool, handles: Mapping[str, Line2D], place: str = "best"
) -> Legend | None:
    """Add a legend beside new axes, or at a place in those of the caller; none for fewer than two artists."""
    if len(handles) < 2:
        return None
    options: dict[str, Any] = {"fontsize": "small", "frameon": False, "title_fontsize": "small"}
    if len(handles) > _MOST_IN_LEGEND:
        options["title"] = f"the first {_MOST_IN_LEGEND} of {len(handles)}"
    labels = list(handles)[:_MOST_IN_LEGEND]
    if owns_figure:
        rows = max(int(ax.figure.bbox.height / ax.figure.dpi / _INCHES_A_ROW) - 1, 1)
        options |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
        options |= {"ncols": -(-len(labels) // rows)}
    else:
        options["loc"] = place
    legend = ax.legend([handles[label] for label in labels], ["?"] * len(labels), **options)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(shortened(label))  # not given to `legend`, which leaves out labels that start with "_"
    legend.set_in_layout(owns_figure)
    return legend


def write_beside(
    ax: Axes, text: str, point: tuple[float, float], *, gap: int = 6, color: str = INK, **style: object
) -> Annotation:
    """Write a small text to the right of a point, ``gap`` printer's points away."""
    options: dict[str, Any] = {
        "textcoords": "offset points",
        "va": "center",
        "fontsize": "small",
        "color": color,
        **style,
    }
    return ax.annotate(text, point, xytext=(gap, 0), **options)


def finish(ax: Axes) -> None:
    """Finish a plot: hide the upper and right spines, show names as they are, add missing fonts."""
    from matplotlib.text import Text

    for side in ("top", "right"):
        if side in ax.spines:
            ax.spines[side].set_visible(False)
    for text in ax.findobj(Text):
        if "$" in text.get_text() and "\\mathdefault" not in text.get_text():  # a name, not a formula
            text.set_parse_math(False)
    add_fallbacks(ax)
