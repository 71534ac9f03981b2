"""Importance of hyper-parameters: the share of a metric's variance that each explains alone.

A handful of runs cannot support a model of many parameters (the random forest of fANOVA: Hutter, Hoos and
Leyton-Brown, ICML 2014), so only its first part is computed, the main effects: for each
hyper-parameter, the share of the metric's variance over runs that its values explain. The share is
adjusted for chance (Kelley's epsilon squared, 1935: PNAS 21, 554), which would otherwise favour
hyper-parameters of many values, and a permutation test (Fisher, 1935) gives the probability that
randomly shuffled runs explain as much.

Limits: interactions of two hyper-parameters are not detected. Hyper-parameters that were always
changed together cannot be separated, and are named; of those with a value of their own in each run, as in a
random search, only numbers in one order. With n runs no p below 1 / n! exists.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vizkit.errors import QueryError
from vizkit.metrics.arrays import Floats, Ints
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import best_of_each, checked_mode

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["Importance", "compute_importance", "hparams_and_best", "importance_of_hparams"]

_FEWEST_RUNS = 4
_SHUFFLES = 5_000
_ALL_UP_TO = 7  # 7! is 5,040
_SEED = 0


class Importance(NamedTuple):
    """The importance of a hyper-parameter.

    Attributes:
        name: the hyper-parameter.
        importance: share of the metric's variance that it explains alone, adjusted for chance, 0 to 1;
            NaN where each run has a value of its own that is not a number.
        p: probability that shuffled runs explain as much.
        values: number of different values.
        n: number of runs.
        with_: hyper-parameters that changed together with it, whose effects cannot be separated.
    """

    name: str
    importance: float
    p: float
    values: int
    n: int
    with_: tuple[str, ...]


def importance_of_hparams(runs: Sequence[Run], metric: str, mode: str = "auto") -> list[Importance]:
    """The importance of the hyper-parameters of some runs for their best values of a metric."""
    return compute_importance(*hparams_and_best(runs, metric, mode))


def hparams_and_best(
    runs: Sequence[Run], metric: str, mode: str = "auto"
) -> tuple[dict[str, list[object]], list[float]]:
    """The arguments of `compute_importance` for some runs: hyper-parameters, and best values of a metric.

    Runs without a finite best value are left out. Errors as of `vizkit.runs.Runs.importance`.
    """
    some = with_tag(runs, metric)
    values = best_of_each(some, metric, checked_mode(some, metric, mode))
    kept = [(run, value) for run, value in zip(some, values, strict=True) if np.isfinite(value)]
    if len(kept) < _FEWEST_RUNS:
        raise QueryError(
            "importance needs four runs or more with a finite {metric!r}; there are {n}",
            metric=metric,
            n=len(kept),
        )
    made = [run.hparams for run, _ in kept]
    names = dict.fromkeys(name for row in made for name in row)
    return {name: [row.get(name) for row in made] for name in names}, [value for _, value in kept]


def compute_importance(hparams: Mapping[str, Sequence[object]], metric: ArrayLike) -> list[Importance]:
    """Compute the importance of each hyper-parameter that varies, the greatest first.

    Values count as levels. Numbers of which fewer than two runs share one on average are replaced by
    their rank, and a parabola is fitted, which finds an optimum in the middle.

    Args:
        hparams: name -> value in each run; None where a run has none (a level of its own).
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
        same = tuple(
            other
            for other in varying
            if other != name
            and np.array_equal(varying[other], code)
            and (levels < len(y) or _ordered_alike(hparams[name], hparams[other]))
        )
        out.append(Importance(name, share, p, levels, len(y), same))
    return sorted(out, key=lambda item: (math.isnan(item.importance), -item.importance, item.p))


def _ordered_alike(a: Sequence[object], b: Sequence[object]) -> bool:
    """True if numbers that all differ, as in a random search, have one order or the reverse one."""
    ranks = [_ranks(values) for values in (a, b)]
    if ranks[0] is None or ranks[1] is None:
        return False
    return np.array_equal(ranks[0], ranks[1]) or np.array_equal(ranks[0], len(a) - 1 - ranks[1])


def _ranks(values: Sequence[object]) -> Ints | None:
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in values):
        return None
    return np.asarray(np.unique(np.array(values, dtype=np.float64), return_inverse=True)[1])


def _codes(values: Sequence[object]) -> Ints:
    """Number the values by first appearance, so that equal partitions have equal codes."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(_text(value), len(seen)) for value in values], dtype=np.int64)


def _text(value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53:
        return repr(float(value))
    return repr(value)


def _features(values: Sequence[object], code: Ints) -> Floats | None:
    levels, n = int(code.max()) + 1, len(code)
    if levels <= n / 2:
        return np.eye(levels)[code][:, 1:]
    rank = _ranks(values)
    if rank is not None:
        centred = rank - rank.mean()
        return np.stack([centred, centred**2], axis=1)[:, : levels - 1]
    return np.eye(levels)[code][:, 1:] if levels < n - 1 else None


def _orders(n: int) -> Ints:
    """Permutations of n runs, (k, n): all if these are few, else random ones; the identity comes first."""
    if n <= _ALL_UP_TO:
        return np.array(list(itertools.permutations(range(n))), dtype=np.int64).reshape(-1, n)
    random = np.random.default_rng(_SEED)
    shuffled = random.permuted(np.tile(np.arange(n), (_SHUFFLES, 1)), axis=1)
    return np.vstack([np.arange(n), shuffled])


def _explained(features: Floats, y: Floats, orders: Ints) -> tuple[float, float]:
    """Adjusted R^2 of the least squares fit, and its p by permutation."""
    n, k = features.shape
    total = float(y @ y)
    if total == 0 or n - k - 1 < 1:
        return (0.0, 1.0) if total == 0 else (math.nan, math.nan)
    basis, _ = np.linalg.qr(features - features.mean(axis=0))
    shares = ((y[orders] @ basis) ** 2).sum(axis=1) / total
    adjusted = 1 - (1 - shares[0]) * (n - 1) / (n - k - 1)
    # Shuffles that swap equal values give the same share up to rounding.
    p = float((shares >= shares[0] - 1e-9).mean())
    return max(0.0, min(1.0, float(adjusted))), p
