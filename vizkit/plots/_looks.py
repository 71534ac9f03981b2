"""Colours of what stands on an axes: those for white paper, or for the dark one of a style of matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from vizkit.media import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Looks", "looks_on"]


class Looks(NamedTuple):
    """Colours on an axes.

    Attributes:
        ink: of words.
        pale: of what is said by the way, and of lines that only help to read.
        faint: of areas that matter less.
        grid: of a grid.
        paper: the axes' own.
        dark: whether that is dark.
    """

    ink: str
    pale: str
    faint: str
    grid: str
    paper: str
    dark: bool = False

    def color(self, place: int) -> str:
        """The colour of a run, as of `palette.color`; lighter on dark paper, as on VizKit's pages."""
        if not self.dark:
            return palette.color(place)
        return "#{:02x}{:02x}{:02x}".format(*(round(0.7 * c + 0.3 * 255) for c in palette.class_color(place)))


_LIGHT = Looks("#{:02x}{:02x}{:02x}".format(*palette.INK), "#8c959f", "#c9d1d9", "#eaeef2", "white")
_DARK = Looks("#e6edf3", "#9198a1", "#4b535d", "#2b3138", "black", dark=True)


def looks_on(ax: Axes) -> Looks:
    """The colours on an axes, by its background; where that is transparent, by the colour of its labels."""
    from matplotlib.colors import to_hex, to_rgba

    figure: Any = ax.figure
    for face in (ax.get_facecolor(), figure.get_facecolor()):
        red, green, blue, alpha = to_rgba(face)
        if alpha >= 0.5:
            dark = _lightness(red, green, blue) < 0.5
            return _DARK._replace(paper=to_hex(face)) if dark else _LIGHT
    words = to_rgba(cast(str, ax.xaxis.label.get_color()))
    return _DARK if _lightness(*words[:3]) > 0.5 else _LIGHT


def _lightness(red: float, green: float, blue: float) -> float:
    return 0.3 * red + 0.6 * green + 0.1 * blue
