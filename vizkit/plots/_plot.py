"""Shared by all plots: the result, axes, texts."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from vizkit._language import tr
from vizkit.errors import DataError, MissingDependencyError
from vizkit.plots._fonts import add_fallbacks
from vizkit.plots._lines import lines_of
from vizkit.plots._looks import looks_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

__all__ = [
    "Plot",
    "axes_for",
    "finish",
    "quiet",
    "write_beside",
]

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
        """Write the figure to a file, in the format of its name (``.png``, ``.svg``, ``.pdf``).

        Raises:
            DataError: the name ends in no format of pictures.
        """
        ending = os.path.splitext(path)[1].lower()
        if ending and ending[1:] not in self.figure.canvas.get_supported_filetypes():
            raise DataError(
                "{path!r} does not say which picture it is: name a .png, .svg or .pdf", path=os.fspath(path)
            )
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
    ax = Figure(figsize=(width, height), layout="constrained").subplots()
    lines_of(ax, own_height=height)
    return ax, True


def write_beside(
    ax: Axes, text: str, point: tuple[float, float], *, gap: int = 6, color: str = "", **style: object
) -> Annotation:
    """Write a small text to the right of a point, ``gap`` printer's points away, by default in ink."""
    options: dict[str, Any] = {
        "textcoords": "offset points",
        "va": "center",
        "fontsize": "small",
        "color": color or looks_on(ax).ink,
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
