"""Which hyper-parameter mattered: how much of a metric's variance each explains alone.

For a handful of runs a model of many parameters (the random forest of fANOVA: Hutter, Hoos and
Leyton-Brown, ICML 2014) has nothing to stand on. What is left of it is its first part, the main
effects: for each hyper-parameter, the share of the metric's variance over runs that its values
explain. The share is adjusted for chance (Kelley's epsilon squared, 1935: PNAS 21, 554), which
would otherwise favour hyper-parameters of many values, and a permutation test (Fisher, 1935) says
how often runs shuffled at random explain as much.

Limits: effects that need two hyper-parameters together are not seen. Hyper-parameters that were
always changed together cannot be told apart, and are named. With n runs no p below 1 / n! exists.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Importance", "compute_importance"]

_SHUFFLES = 5_000
_ALL_UP_TO = 7  # 7! is 5,040
_SEED = 0


class Importance(NamedTuple):
    """How much a hyper-parameter mattered.

    Attributes:
        name: the hyper-parameter.
        importance: share of the metric's variance that it explains alone, adjusted for chance, 0 to 1;
            NaN where it cannot be told: each run has a value of its own that is no number.
        p: how often shuffled runs explain as much.
        values: how many different values it had.
        n: how many runs this stands on.
        with_: hyper-parameters that changed together with it, whose effect cannot be told from its own.
    """

    name: str
    importance: float
    p: float
    values: int
    n: int
    with_: tuple[str, ...]


def compute_importance(hparams: Mapping[str, Sequence[Any]], metric: ArrayLike) -> list[Importance]:
    """The importance of each hyper-parameter that varies, the greatest first.

    Values count as levels. Numbers with so many values that fewer than two runs share one on
    average are taken by their rank, and a parabola is fitted, which sees a best value in the middle.

    Args:
        hparams: name -> its value in each run; None where a run has none (a level of its own).
        metric: (n,) finite numbers.
    """
    y = np.asarray(metric, dtype=np.float64)
    y = y - y.mean()
    codes = {name: _codes(values) for name, values in hparams.items()}
    varying = {name: code for name, code in codes.items() if code.max(initial=0) > 0}
    orders = _orders(len(y))
    out = []
    for name, code in varying.items():
        levels = int(code.max()) + 1
        features = _features(hparams[name], code)
        share, p = (math.nan, math.nan) if features is None else _explained(features, y, orders)
        same = tuple(other for other in varying if other != name and np.array_equal(varying[other], code))
        out.append(Importance(name, share, p, levels, len(y), same))
    return sorted(out, key=lambda item: (math.isnan(item.importance), -item.importance, item.p))


def _codes(values: Sequence[Any]) -> NDArray[np.int64]:
    """Equal values get equal numbers, by first appearance, so that equal partitions are equal."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(_text(value), len(seen)) for value in values], dtype=np.int64)


def _text(value: Any) -> str:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return repr(float(value)) if plain and abs(value) < 2**53 else repr(value)


def _features(values: Sequence[Any], code: NDArray[np.int64]) -> NDArray[np.float64] | None:
    levels, n = int(code.max()) + 1, len(code)
    if levels <= n / 2:
        return np.eye(levels)[code][:, 1:]
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in values):
        _, rank = np.unique(np.array(values, dtype=np.float64), return_inverse=True)
        centred = rank - rank.mean()
        return np.stack([centred, centred**2], axis=1)[:, : levels - 1]
    return np.eye(levels)[code][:, 1:] if levels < n - 1 else None


def _orders(n: int) -> NDArray[np.int64]:
    """Orders of n runs, (k, n): all of them if these are few, else some at random, the given one first."""
    if n <= _ALL_UP_TO:
        return np.array(list(itertools.permutations(range(n))), dtype=np.int64).reshape(-1, n)
    random = np.random.default_rng(_SEED)
    shuffled = random.permuted(np.tile(np.arange(n), (_SHUFFLES, 1)), axis=1)
    return np.vstack([np.arange(n), shuffled])


def _explained(
    features: NDArray[np.float64], y: NDArray[np.float64], orders: NDArray[np.int64]
) -> tuple[float, float]:
    """Adjusted R^2 of the least squares fit, and its p by permutation."""
    n, k = features.shape
    total = float(y @ y)
    if total == 0 or n - k - 1 < 1:
        return (0.0, 1.0) if total == 0 else (math.nan, math.nan)
    basis, _ = np.linalg.qr(features - features.mean(axis=0))
    shares = ((y[orders] @ basis) ** 2).sum(axis=1) / total
    adjusted = 1 - (1 - shares[0]) * (n - 1) / (n - k - 1)
    # Shuffles that only move equals come out equal but for rounding.
    p = float((shares >= shares[0] - 1e-9).mean())
    return max(0.0, min(1.0, float(adjusted))), p
