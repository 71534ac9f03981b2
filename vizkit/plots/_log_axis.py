"""Ticks of logarithmic axes: of a part of a decade, round numbers."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.ticker import Locator, SymmetricalLogLocator

__all__ = ["few_decades", "round_log_ticks"]

_MOST = 8
_DECADES = 100.0  # of less, the numbers between powers of ten are written too
_DIGITS = (1.0, 2.0, 5.0)


def round_log_ticks(axis: Axis) -> None:
    """Let a logarithmic axis have round ticks however little of a decade it shows."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    axis.set_major_locator(_locator())
    axis.set_minor_locator(LogLocator(subs="auto"))
    axis.set_minor_formatter(NullFormatter())
    powers = LogFormatterSciNotation()

    def text(value: float, _: float) -> str:
        low, high = sorted(axis.get_view_interval())
        plain = high < _DECADES * low or (low > 1e-5 and high < 1e5)
        if not plain:
            return str(powers(value))
        return min(
            f"{value:.{_digits(low, high)}g}", repr(float(value)), key=len
        )  # few digits make up 1e-320

    powers.set_axis(axis)
    axis.set_major_formatter(text)


def few_decades(axis: Axis) -> None:
    """Let an axis that is logarithmic on both sides of zero have no more ticks than there is room for."""
    cast("SymmetricalLogLocator", axis.get_major_locator()).set_params(numticks=_MOST)


def _digits(low: float, high: float) -> int:
    """The digits that tell the ticks of a range of positive numbers apart."""
    if not 0 < low < high:
        return 10
    return min(max(10, math.ceil(math.log10(high / (high - low))) + 2), 16)


@functools.cache
def _locator_class() -> type[Locator]:
    from matplotlib.ticker import LogLocator, MaxNLocator

    class RoundLogLocator(LogLocator):
        """1, 2 and 5 times powers of ten below two decades; any round numbers where those are few."""

        def tick_values(self, vmin: float, vmax: float) -> list[float]:
            low, high = sorted((vmin, vmax))
            if low <= 0 or high >= _DECADES * low:
                return list(super().tick_values(vmin, vmax))
            inside = [tick for tick in LogLocator(subs=_DIGITS).tick_values(low, high) if low <= tick <= high]
            if len(inside) > 2:
                return inside
            return list(MaxNLocator(_MOST, steps=[1, 2, 5, 10]).tick_values(low, high))

    return RoundLogLocator


def _locator() -> Locator:
    return _locator_class()()
