"""Predicted quantiles and intervals against true values, added batch by batch: all sums are of all values.

- Calibration: of each level, the fraction of labels at or below the predicted quantile; the calibration error
  is the mean distance of the two (Kuleshov et al. 2018, with the absolute value).
- Coverage and width of each central interval, between the quantiles of levels a and 1 - a.
- Pinball loss: the mean over levels a of max(a d, (a - 1) d), d the label less the quantile, as in
  scikit-learn's ``mean_pinball_loss``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, cast

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Floats, to_real

__all__ = ["QuantileResult", "QuantileScores", "Quantiles", "checked_quantiles", "point_and_quantiles"]

Quantiles = Sequence[float] | Literal["normal"]
"""The levels of the quantiles that a network gives, or "normal" if it gives mean and variance."""

_OF_NORMAL = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


@dataclass(frozen=True, eq=False)
class QuantileResult:
    """Quantiles of q levels, and p central intervals, of k outputs.

    Attributes:
        levels: shape (q,), ascending.
        below: fraction of labels at or below each quantile, shape (q, k).
        calibration_error: mean of ``|below - levels|``, shape (k,).
        pinball: mean pinball loss, shape (k,).
        shares: nominal coverage of each interval, the widest first, shape (p,).
        coverage: fraction of labels within each interval, ends included, shape (p, k).
        width: mean width of each interval, shape (p, k).
        crossed: samples with a quantile below that of a lower level.
    """

    levels: Floats
    below: Floats
    calibration_error: Floats
    pinball: Floats
    shares: Floats
    coverage: Floats
    width: Floats
    crossed: int


class QuantileScores:
    """The labels and predicted quantiles of one evaluation.

    Args:
        quantiles: as of `checked_quantiles`.
    """

    def __init__(self, quantiles: Quantiles) -> None:
        self.levels = checked_quantiles(quantiles)
        last = len(self.levels) - 1
        matched = np.isclose(self.levels + self.levels[::-1], 1)
        self._pairs = [(i, last - i) for i in range((last + 1) // 2) if matched[i]]
        self._count = self._crossed = 0
        self._below = self._pinball = self._inside = self._width = np.zeros((1, 1))

    @property
    def widest(self) -> tuple[int, int] | None:
        """The places of the ends of the widest interval."""
        return self._pairs[0] if self._pairs else None

    def add(self, labels: Floats, quantiles: Floats) -> None:
        """Add labels of shape (n, k) and quantiles of shape (n, k, q)."""
        apart = labels[:, :, None] - quantiles
        self._count += len(labels)
        self._crossed += int((np.diff(quantiles, axis=2) < 0).any(axis=(1, 2)).sum())
        self._below = self._below + (apart <= 0).sum(axis=0)
        self._pinball = self._pinball + np.maximum(self.levels * apart, (self.levels - 1) * apart).sum(axis=0)
        if self._pairs:
            low, high = (quantiles[:, :, list(ends)] for ends in zip(*self._pairs, strict=True))
            true = labels[:, :, None]
            self._inside = self._inside + ((low <= true) & (true <= high)).sum(axis=0)
            self._width = self._width + (high - low).sum(axis=0)

    def result(self) -> QuantileResult:
        """Compute the result.

        Raises:
            DataError: there are no samples.
        """
        if not self._count:
            raise DataError("no samples were added")
        below, pinball, inside, width = (
            part.T / self._count for part in (self._below, self._pinball, self._inside, self._width)
        )
        some = len(self._pairs)
        shares = np.array([self.levels[high] - self.levels[low] for low, high in self._pairs])
        return QuantileResult(
            self.levels,
            below,
            np.abs(below - self.levels[:, None]).mean(axis=0),
            pinball.mean(axis=0),
            shares,
            inside[:some],
            width[:some],
            self._crossed,
        )


def checked_quantiles(quantiles: object) -> Floats:
    """The levels of quantiles; of "normal" usual ones.

    Raises:
        DataError: neither "normal" nor ascending levels between 0 and 1.
    """
    if isinstance(quantiles, str) and quantiles == "normal":
        return np.array(_OF_NORMAL)
    try:
        levels = np.asarray(quantiles, np.float64)
    except (TypeError, ValueError):
        levels = np.zeros(0)
    good = levels.ndim == 1 and levels.size > 1 and levels.min() > 0 and levels.max() < 1
    if not good or not (np.diff(levels) > 0).all():
        raise DataError(
            'quantiles must be "normal", or ascending levels between 0 and 1 such as (0.1, 0.5, 0.9), got '
            "{quantiles}",
            quantiles=describe(quantiles),
        )
    return levels


def point_and_quantiles(outputs: object, labels: AnyArray, quantiles: Quantiles) -> tuple[Floats, Floats]:
    """Split a network's outputs into predicted values and their quantiles.

    Args:
        outputs: the labels' shape and one axis more, of the quantiles, or of mean and variance; or these two
            as a pair of arrays of the labels' shape. The last axis of labels (n, 1) may be left out.
        labels: shape (n,) or (n, k).
        quantiles: what they are.

    Returns:
        Values of shape (n, k), the median or the middle of the quantiles around it (or the nearest), and
        quantiles of shape (n, k, q).

    Raises:
        DataError: another shape, or a variance below 0.
    """
    levels = checked_quantiles(quantiles)
    parts = 2 if isinstance(quantiles, str) else len(levels)
    if isinstance(outputs, (list, tuple)) and len(outputs) == 2 and isinstance(quantiles, str):
        pair = [to_real(cast("ArrayLike", part), "outputs").reshape(-1) for part in outputs]
        found = np.stack(pair, axis=1) if len(pair[0]) == len(pair[1]) else np.zeros(0)
    else:
        found = to_real(cast("ArrayLike", outputs), "outputs")
    columns = labels.reshape(len(labels), -1)
    if found.size != columns.size * parts or found.ndim < 2 or found.shape[-1] != parts:
        raise DataError(
            "outputs with {parts} quantiles (or mean and variance) must be of the labels' shape and an axis "
            "of {parts}, got labels {labels} and outputs {outputs}",
            parts=parts,
            labels=describe(labels),
            outputs=describe(outputs),
        )
    found = found.reshape(*columns.shape, parts).astype(np.float64)
    if not np.isfinite(found).all():
        raise DataError("labels and predictions must be finite; leave out samples that are not")
    if isinstance(quantiles, str):
        mean, variance = found[..., 0], found[..., 1]
        if (variance < 0).any():
            raise DataError("a variance must be 0 or more, got {least}", least=float(variance.min()))
        steps = np.array([NormalDist().inv_cdf(level) for level in levels.tolist()])
        return mean, mean[..., None] + np.sqrt(variance)[..., None] * steps
    above = int(np.searchsorted(levels, 0.5))
    if above < len(levels) and np.isclose(levels[above], 0.5):
        return found[..., above], found
    around = [min(max(above - 1, 0), len(levels) - 1), min(above, len(levels) - 1)]
    return found[..., around].mean(axis=-1), found
