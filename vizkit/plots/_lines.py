"""The lines of an axes: looks that differ, and one legend for all of them, whichever calls drew them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from vizkit.curves.curves import curve_labels
from vizkit.media.lettering import picture_text
from vizkit.media.palette import COLORS, lap
from vizkit.plots._looks import Looks, looks_on
from vizkit.runs.formatting import shorten_all, shortened, terminal_width

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D
    from matplotlib.text import Text
    from matplotlib.ticker import Locator

__all__ = ["Lines", "add_legend", "lines_of", "set_heading"]

_DASHES: tuple[Any, ...] = (
    *("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (10, 2))),
    *((0, (5, 1.5, 1, 1.5, 1, 1.5)), (0, (2.5, 1)), (0, (10, 2, 3, 2))),
)
_MOST_IN_LEGEND = 80
_MOST_SEARCHED = 20  # lines among which matplotlib looks for a place
_INCHES_A_ROW, _INCHES_A_LETTER, _INCHES_OF_A_HANDLE = 0.2, 0.075, 0.55
_LONGEST, _LONGEST_OF_MANY = 40, 20  # characters of a name


class _Drawn(NamedTuple):
    line: Line2D
    name: str
    tag: str
    words: str
    look: tuple[str, int]


@dataclass
class Lines:
    """The lines that VizKit has drawn into an axes: a colour and dashes for each line, what it shows, notes.

    Attributes:
        looks: the colours on the axes.
        own_height: inches of a figure made for the plot; None in the axes of the caller.
        notes: what is not visible -> how many values.
        has_values: whether some line has values that the axes can show.
        no_values: the words that say that there are none, and what they stand for: the locators of y, major
            and minor, and whether it is scaled by itself.
    """

    looks: Looks
    own_height: float | None = None
    notes: dict[str, int] = field(default_factory=dict)
    has_values: bool = False
    no_values: tuple[Text, Locator, Locator, bool] | None = None
    _drawn: list[_Drawn] = field(default_factory=list)
    _look: tuple[str, int] = ("", 0)
    _title: str = ""

    def style(self, name: str, position: int, alone: bool) -> dict[str, Any]:
        """The colour and dashes for a line of a run: its colour, in dashes that no other line of it has.

        If all lines are ``alone`` of one run, each has a colour of its own.
        """
        alone = alone and all(drawn.name == name for drawn in self._drawn)
        places = range(position, position + (len(COLORS) if alone else 1))
        turns = range(len(_DASHES))
        tint = self.looks.color
        looks = [(tint(place), (lap(place) + turn) % len(_DASHES)) for turn, place in product(turns, places)]
        taken = {drawn.look for drawn in self._drawn}
        self._look = next((look for look in looks if look not in taken), looks[0])
        return {"color": self._look[0], "linestyle": _DASHES[self._look[1]]}

    def add(self, line: Line2D, name: str, tag: str = "", words: str = "") -> None:
        """Note the line that was drawn in the last `style`, its run and tag, and words for the legend."""
        self._drawn.append(_Drawn(line, name, tag, words, self._look))

    @property
    def tags(self) -> list[str]:
        """The tags of all lines."""
        return list(dict.fromkeys(drawn.tag for drawn in self._drawn))

    def label(self, ax: Axes, heading: str = "") -> Legend | None:
        """Add a legend, with the caller's labelled lines; the title is the heading, or the only name."""
        names = {drawn.name for drawn in self._drawn}
        labels = curve_labels([(drawn.name, drawn.tag) for drawn in self._drawn])
        entries = [(label, drawn.words, drawn.line) for label, drawn in zip(labels, self._drawn, strict=True)]
        others = zip(*ax.get_legend_handles_labels(), strict=True)
        legend = add_legend(ax, [*entries, *((label, "", artist) for artist, label in others)])
        title = heading or (names.pop() if len(names) == 1 else "")
        if legend is None:
            title = "".join(entries[0][:2])
        if ax.get_title(loc="left") == self._title:  # not the caller's
            self._title = set_heading(ax, title, len(self.note))
        return legend

    @property
    def note(self) -> str:
        """The number of values that are not visible, in words."""
        return ", ".join(
            picture_text("{n:,} {what}", n=n, what=picture_text(what)) for what, n in self.notes.items() if n
        )


def set_heading(ax: Axes, text: str, beside: int = 0) -> str:
    """Set the title on the left, cut to the width that small text of ``beside`` characters leaves."""
    room = ax.bbox.width / ax.figure.dpi / _INCHES_A_LETTER - 0.7 * beside
    text = shortened(text, max(int(room), 16))
    ax.set_title(text, fontsize="medium", loc="left")
    return text


def lines_of(ax: Axes, own_height: float | None = None) -> Lines:
    """The lines of an axes so far, without those that have been removed."""
    lines: Lines = vars(ax).setdefault("_vizkit_lines", Lines(looks_on(ax), own_height))
    if not all(drawn.line.axes is ax for drawn in lines._drawn):
        lines._drawn = [drawn for drawn in lines._drawn if drawn.line.axes is ax]
        lines.notes.clear()
        lines.has_values, lines.no_values = False, None
    return lines


def add_legend(ax: Axes, entries: Sequence[tuple[str, str, Artist]], place: str = "best") -> Legend | None:
    """Add a legend of labels, words that follow them and artists; none for fewer than two.

    In a figure made for the plot it stands beside the axes, or below where it is long; in the axes of the
    caller it takes up to 60 % of their height, at a place.
    """
    from matplotlib.transforms import ScaledTranslation

    n = len(entries)
    if n < 2:
        return None
    options: dict[str, Any] = {"fontsize": "small", "frameon": False, "title_fontsize": "small"}
    looks, height = lines_of(ax).looks, lines_of(ax).own_height
    if looks.dark:
        options |= {"labelcolor": looks.ink, "facecolor": looks.paper}
    if height is None:
        width, height = (inches / ax.figure.dpi for inches in (ax.bbox.width, ax.bbox.height))
        shown = max(int(0.6 * height / _INCHES_A_ROW), 2)
        shown = n if n <= shown else shown - 1  # and a title
        longest = int((0.6 * width - _INCHES_OF_A_HANDLE) / _INCHES_A_LETTER)
        labels = shorten_all([label for label, *_ in entries[:shown]], min(max(longest, 8), _LONGEST))
        options |= {"loc": place if n <= _MOST_SEARCHED else "upper right", "borderpad": 0.2}
        options |= {"frameon": True, "framealpha": 0.75, "edgecolor": "none"}
    else:
        shown = min(n, _MOST_IN_LEGEND)
        texts = [label for label, *_ in entries[:shown]]
        figure = cast("Figure", ax.figure)
        corner, offset = (1.0, 1.0), (0.0, 0.0)

        def inches(labels: list[str]) -> float:
            letters = max(
                terminal_width(label + words) for label, (_, words, _) in zip(labels, entries, strict=False)
            )
            return _INCHES_OF_A_HANDLE + _INCHES_A_LETTER * letters

        labels = shorten_all(texts, _LONGEST)
        many = shown >= int(height / _INCHES_A_ROW)
        if many or inches(labels) > 0.45 * figure.get_figwidth():
            least = _LONGEST_OF_MANY if many else _LONGEST
            labels = shorten_all(texts, least)
            columns = max(int(figure.get_figwidth() / inches(labels)), 1)
            for most in range(least + 1, _LONGEST + 1):  # longer, if that takes no column
                longer = shorten_all(texts, most)
                if columns * inches(longer) <= figure.get_figwidth():
                    labels = longer
            corner, offset, options["ncols"] = (0.0, 0.0), (-0.4, -0.5), columns
            figure.set_figheight(height + _INCHES_A_ROW * (-(-shown // columns) + 1))
        move = ScaledTranslation(*offset, figure.dpi_scale_trans)
        options |= {"loc": "upper left", "bbox_to_anchor": corner, "bbox_transform": ax.transAxes + move}
        options["borderaxespad"] = 0.2
    if shown < n:
        options["title"] = picture_text("the first {shown} of {n}", shown=shown, n=n)
    legend = ax.legend([artist for *_, artist in entries[:shown]], ["?"] * shown, **options)
    for text, label, (_, words, _) in zip(legend.get_texts(), labels, entries, strict=False):
        text.set_text(label + words)  # not given to `legend`, which leaves out labels that start with "_"
    if looks.dark:
        legend.get_title().set_color(looks.ink)
    legend.set_in_layout("bbox_to_anchor" in options)
    return legend
