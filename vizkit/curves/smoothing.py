"""Smoothing of curves: exponential, by x, Gaussian, and running means."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Literal, NamedTuple

import numpy as np

from vizkit._checks import describe, is_number
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Floats

__all__ = ["SmoothLike", "Smoothing", "smoothed", "smoothing"]

SmoothLike = float | str
"""A smoothing as users give it: a weight, or a kind and an amount, such as ``"gaussian:20"``."""

Kind = Literal["exponential", "time", "gaussian", "mean"]

_KINDS: tuple[Kind, ...] = ("exponential", "time", "gaussian", "mean")
_THOUSANDTHS = 1000
_NEGLIGIBLE = 1e-16
_SIGMAS = 4.0  # half the width of a Gaussian kernel
_WIDE = 32.0  # standard deviation from which on a kernel costs more than four running means
_MOST = 1e7  # points of a kernel


class Smoothing(NamedTuple):
    """A way to smooth a curve.

    Attributes:
        kind: ``"exponential"``: a debiased exponential moving average of the weight ``amount``, as in
            TensorBoard. ``"time"``: the same by x: weights decay by ``amount`` in each thousandth of the
            curve's whole range of x, however many points it has. ``"gaussian"``: a mean with weights of a
            Gaussian, whose standard deviation is ``amount`` points. ``"mean"``: that of ``amount`` points.
        amount: at least 0 and below 1 for the first two; above 0 for the others.
    """

    kind: Kind
    amount: float

    def __bool__(self) -> bool:
        return self.amount > (1 if self.kind == "mean" else 0)

    @property
    def reach(self) -> float:
        """Points on each side beyond which none counts; for ``"time"`` a share of the range of x."""
        if self.kind in ("exponential", "time"):
            points = math.log(_NEGLIGIBLE) / math.log(self.amount) if self.amount else 0.0
            return points if self.kind == "exponential" else points / _THOUSANDTHS
        return self.amount * (2 * _SIGMAS if self.kind == "gaussian" else 1) + 4


def smoothing(given: SmoothLike) -> Smoothing:
    """Read a smoothing: a weight such as 0.9, or ``time:0.9``, ``gaussian:20`` or ``mean:50``.

    Raises:
        DataError: another kind, or an amount out of range.
    """
    kind, number = "exponential", math.nan
    if isinstance(given, str):
        kind, _, text = given.rpartition(":")
        kind = kind or "exponential"
        with suppress(ValueError):
            number = float(text)
    elif is_number(given):
        number = float(given)
    known = next((name for name in _KINDS if name == kind), None)
    if known is None or math.isnan(number):
        raise DataError(
            "smooth must be a weight such as 0.9, or time:0.9, gaussian:20 or mean:50, got {smooth}",
            smooth=describe(given),
        )
    if known in ("exponential", "time") and not 0 <= number < 1:
        raise DataError(
            "smooth must have a weight of at least 0 and below 1, got {smooth}", smooth=describe(given)
        )
    if not 0 <= number <= _MOST:
        raise DataError(
            "smooth must have an amount from 0 to {most:,.0f} points, got {smooth}",
            most=_MOST,
            smooth=describe(given),
        )
    return Smoothing(known, number)


def smoothed(values: Floats, how: Smoothing, x: AnyArray | None = None, span: float | None = None) -> Floats:
    """Smooth a curve in the order of recording; NaN and infinite values are kept and do not count.

    Args:
        values: (n,).
        how: the way; ``values`` itself is returned if it changes nothing.
        x: (n,) needed by ``"time"``.
        span: the whole range of x, if ``x`` is a part of it.
    """
    if not how:
        return values
    there = np.isfinite(values)
    whole = bool(there.all())  # nothing to take out and to put back
    kept = values if whole else values[there]
    if not len(kept):
        return values
    if how.kind == "exponential":
        found = _exponential(kept, how.amount)
    elif how.kind == "time":
        assert x is not None
        places = np.asarray(x, dtype=np.float64)
        found = _by_x(kept, places if whole else places[there], how.amount, span)
    elif how.kind == "mean":
        found = _running_mean(kept, max(round(how.amount), 1))
    else:
        found = _gaussian(kept, how.amount)
    if whole:
        return found
    out = values.copy()
    out[there] = found
    return out


def _exponential(values: Floats, weight: float) -> Floats:
    """``s_k = w s_(k-1) + (1 - w) y_k``, ``s_0 = 0``, over ``1 - w^k`` (Kingma and Ba, ICLR 2015)."""
    import pandas as pd

    return pd.Series(values).ewm(alpha=1 - weight).mean().to_numpy()  # type: ignore[no-any-return]


def _by_x(values: Floats, x: Floats, weight: float, span: float | None) -> Floats:
    import pandas as pd

    ways = np.append(0.0, np.cumsum(np.abs(np.diff(x))))  # also where x goes back
    whole = span or ways[-1]
    if not whole:
        return _exponential(values, weight)
    unit = 1e12  # nanoseconds in a thousandth
    times = (ways / whole * _THOUSANDTHS * unit).astype("datetime64[ns]")
    half = pd.Timedelta(max(round(unit * math.log(0.5) / math.log(weight)), 1), unit="ns")
    return pd.Series(values).ewm(halflife=half, times=times).mean().to_numpy()  # type: ignore[no-any-return]


def _running_mean(values: Floats, width: int) -> Floats:
    """The means of the ``width`` points around each one, of fewer at the ends.

    Sums within blocks of that width, from the left and from the right, make up each window's sum: a spike
    does not spoil the digits of windows that it is not in, as in a difference of running sums.
    """
    n = len(values)
    width = min(width, 2 * n)
    before = width // 2
    length = -(-(n + width) // width) * width
    padded = np.zeros(length)
    padded[before : before + n] = values
    blocks = padded.reshape(-1, width)
    with np.errstate(over="ignore"):
        left = blocks.cumsum(axis=1).reshape(-1)
        right = blocks[:, ::-1].cumsum(axis=1)[:, ::-1].reshape(-1)
        sums = right[:n] + left[width - 1 : width - 1 + n]
    sums[::width] = left[width - 1 : width - 1 + n : width]  # windows that are whole blocks
    counts = np.full(n, width)
    edge = min(before, n)
    counts[:edge] -= np.arange(before, before - edge, -1)  # places before the first point
    rest = min(width - before - 1, n)
    counts[n - rest :] -= np.arange(1, rest + 1)  # and behind the last one
    means: Floats = sums / counts
    return means


def _gaussian(values: Floats, sigma: float) -> Floats:
    """A mean with weights ``exp(-d^2 / 2 sigma^2)`` over the distance d in points.

    Wide ones are four running means of the same variance together, which differ from it by at most 4 % of the
    peak (W. M. Wells, "Efficient synthesis of Gaussian filters by cascaded uniform filters", PAMI 8, 1986).
    """
    if sigma > _WIDE:
        width = round(math.sqrt(12 * sigma**2 / 4 + 1)) | 1
        for _ in range(4):
            values = _running_mean(values, width)
        return values
    half = max(min(math.ceil(_SIGMAS * sigma), len(values)), 1)
    distances = np.arange(-half, half + 1)
    kernel = np.exp(-0.5 * (distances / sigma) ** 2)
    n = len(values)
    short = min(n, 4 * half + 1)  # the weights of all points but those near the ends are the same
    weights = np.convolve(np.ones(short), kernel)[half : half + short]
    weights = np.insert(weights, 2 * half, np.full(n - short, weights[2 * half])) if n > short else weights
    sums = np.convolve(values, kernel)[half : half + n]
    means: Floats = sums / weights
    return means
