"""Importance of hyper-parameters: the share of a metric's variance that each explains alone, or two together.

A handful of runs cannot support a model of many parameters (the random forest of fANOVA: Hutter, Hoos and
Leyton-Brown, ICML 2014), so only its first part is computed, the main effects: for each
hyper-parameter, the share of the metric's variance over runs that its values explain. The share is
adjusted for chance (Kelley's epsilon squared, 1935: PNAS 21, 554), which would otherwise favour
hyper-parameters of many values, and a permutation test (Fisher, 1935) gives the probability that
randomly shuffled runs explain as much.

An interaction is what two explain together beyond the sum of both: the share of that part in an analysis of
variance of the two, adjusted likewise. Its p is that of shuffled runs, too: with one diverged run among few,
an F test finds an interaction of values that have nothing to do with it in up to a fifth of all cases, not
in a twentieth. Of more than 500 runs it is that of the F test.

Limits: hyper-parameters that were always changed together cannot be separated, and are named; of those with a
value of their own in each run, as in a random search, only numbers in one order. With n runs no p of a main
effect below 1 / n! exists. An interaction needs more runs than there are pairs of values. No p is corrected
for how many hyper-parameters there are.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from vizkit.errors import QueryError
from vizkit.metrics.arrays import Floats, Ints
from vizkit.runs.intervals import f_tail
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import best_of_each, checked_mode

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["Importance", "Interaction", "compute_importance", "compute_interactions", "hparams_and_best"]

_FEWEST_RUNS = 4
_SHUFFLES = 5_000
_ALL_UP_TO = 7  # 7! is 5,040
_SEED = 0
_SHUFFLED_UP_TO = 500  # runs, of each two hyper-parameters
_ENOUGH, _AT_ONCE = 50, 250  # shuffles that explain as much, and those of which they are counted
_BLOCK = 1 << 20  # numbers that are shuffled at a time
_WIDEST = 256  # columns of a model of two


class Importance(NamedTuple):
    """The importance of a hyper-parameter.

    Attributes:
        name: the hyper-parameter.
        importance: share of the metric's variance that it explains alone, adjusted for chance, 0 to 1;
            NaN where each run has a value of its own that is not a number.
        p: probability that shuffled runs explain as much; NaN by an evaluator of Optuna's.
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


class Interaction(NamedTuple):
    """The importance of two hyper-parameters together, beyond the sum of both.

    Attributes:
        names: the two.
        importance: share of the metric's variance that only their combination explains, adjusted for
            chance, 0 to 1.
        p: probability of as much by chance.
    """

    names: tuple[str, str]
    importance: float
    p: float


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
    y = _centred(metric)
    codes = _varying(hparams)
    models = {name: _model(hparams[name], code) for name, code in codes.items()}
    explained = _explained([model for model in models.values() if model is not None], y)
    out = []
    for name, code in codes.items():
        levels = int(code.max()) + 1
        share, p = (math.nan, math.nan) if models[name] is None else next(explained)
        same = tuple(
            other
            for other in codes
            if other != name
            and np.array_equal(codes[other], code)
            and (levels < len(y) or _ordered_alike(hparams[name], hparams[other]))
        )
        out.append(Importance(name, share, p, levels, len(y), same))
    return sorted(out, key=lambda item: (math.isnan(item.importance), -item.importance, item.p))


def compute_interactions(hparams: Mapping[str, Sequence[object]], metric: ArrayLike) -> list[Interaction]:
    """Compute the importance of each two hyper-parameters together, the greatest first.

    It is that of the interaction in a two-way analysis of variance, balanced or not. Pairs that the runs are
    too few to tell of are left out. Arguments as of `compute_importance`.
    """
    y = _centred(metric)
    codes = _varying(hparams)
    features = {name: _features(hparams[name], code) for name, code in codes.items()}
    usable = {name: columns for name, columns in features.items() if columns is not None}
    out = []
    for a, b in itertools.combinations(usable, 2):
        one, other = usable[a], usable[b]
        if (one.shape[1] + 1) * (other.shape[1] + 1) > min(_WIDEST, len(y)):
            continue
        both = np.hstack([one, other])
        products = (one[:, :, None] * other[:, None, :]).reshape(len(y), -1)
        base, full = _basis(both), _basis(np.hstack([both, products]))
        k, most = base.shape[1], full.shape[1]
        square, whole = (float(((y @ basis) ** 2).sum()) for basis in (base, full))
        left = len(y) - 1 - most
        if most == k or left < 1:
            continue
        total, residual = float(y @ y), max(float(y @ y) - whole, 0.0) / left
        if residual <= 1e-12 * total:
            share, p = ((whole - square) / total, 0.0) if whole - square > 1e-12 * total else (0.0, 1.0)
        else:
            share = (whole - square - (most - k) * residual) / total
            p = f_tail((whole - square) / (most - k) / residual, most - k, left)
            p = _shuffled(base, full, y) if len(y) <= _SHUFFLED_UP_TO else p
        out.append(Interaction((a, b), max(share, 0.0), p))
    return sorted(out, key=lambda item: (-item.importance, item.p))


def _shuffled(base: Floats, full: Floats, y: Floats) -> float:
    """The p of what one basis explains of y beyond a smaller one, by shuffling y.

    What is compared is the share of what the smaller one leaves, which no main effect changes. Where many
    shuffles explain as much, no more are needed (Besag & Clifford, 1991).
    """
    own, as_much, every = math.nan, 0, 0
    for orders in _orders(len(y), _AT_ONCE):
        shuffled = y[orders]
        known = ((shuffled @ base) ** 2).sum(axis=1)
        left = np.maximum(y @ y - known, 1e-300)
        shares = (((shuffled @ full) ** 2).sum(axis=1) - known) / left
        own = shares[0] if not every else own
        as_much += int((shares >= own - 1e-9).sum())
        every += len(orders)
        if as_much > _ENOUGH:
            break
    return as_much / every


def _basis(features: Floats) -> Floats:
    """Orthonormal columns (n, rank) of what centred features span."""
    centred = features - features.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    left, singular, _ = np.linalg.svd(centred / np.where(scale > 0, scale, 1), full_matrices=False)
    rank = int((singular > 1e-9 * max(singular.max(initial=0.0), 1e-300)).sum())
    return np.asarray(left[:, :rank])


def _centred(metric: ArrayLike) -> Floats:
    y = np.asarray(metric, dtype=np.float64)
    return np.asarray(y - y.mean())


def _varying(hparams: Mapping[str, Sequence[object]]) -> dict[str, Ints]:
    """The values of each hyper-parameter that varies, as numbers of levels."""
    codes = {name: _codes(values) for name, values in hparams.items()}
    return {name: code for name, code in codes.items() if code.max(initial=0) > 0}


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


class _Model(Protocol):
    """A model of a metric, of ``k`` degrees of freedom."""

    k: int

    def squares(self, y: Floats) -> Floats:
        """The sum of squares that is explained of each row of centred values, (rows, n)."""


@dataclass
class _Levels:
    """A mean for each level; in memory that does not grow with their number."""

    code: Ints

    def __post_init__(self) -> None:
        self.k = int(self.code.max())
        self._order = np.argsort(self.code, kind="stable")
        self._starts = np.searchsorted(self.code[self._order], np.arange(self.k + 1))
        self._sizes = np.bincount(self.code)

    def squares(self, y: Floats) -> Floats:
        sums = np.add.reduceat(y[:, self._order], self._starts, axis=1)
        return np.asarray((sums**2 / self._sizes).sum(axis=1))


@dataclass
class _Line:
    """Columns that are fitted by least squares."""

    features: Floats

    def __post_init__(self) -> None:
        self.k = self.features.shape[1]
        self._basis, _ = np.linalg.qr(self.features - self.features.mean(axis=0))

    def squares(self, y: Floats) -> Floats:
        return np.asarray(((y @ self._basis) ** 2).sum(axis=1))


def _model(values: Sequence[object], code: Ints) -> _Model | None:
    parabola = _parabola(values, code)
    if parabola is not None:
        return _Line(parabola)
    return _Levels(code) if _are_levels(code) else None


def _features(values: Sequence[object], code: Ints) -> Floats | None:
    """The columns of `_model`; None also of more levels than a model of two can have."""
    parabola = _parabola(values, code)
    if parabola is not None:
        return parabola
    levels = int(code.max()) + 1
    return np.eye(levels)[code][:, 1:] if _are_levels(code) and levels <= _WIDEST else None


def _are_levels(code: Ints) -> bool:
    return int(code.max()) + 1 < max(len(code) - 1, len(code) / 2 + 1)


def _parabola(values: Sequence[object], code: Ints) -> Floats | None:
    """Rank and squared rank of numbers of which few runs share one; None of others."""
    levels, n = int(code.max()) + 1, len(code)
    rank = None if levels <= n / 2 else _ranks(values)
    if rank is None:
        return None
    centred = rank - rank.mean()
    return np.stack([centred, centred**2], axis=1)[:, : levels - 1]


def _orders(n: int, rows: int = _SHUFFLES) -> Iterator[Ints]:
    """Permutations of n runs, in blocks of (k, n): all if these are few, else random ones; identity first.

    Args:
        n: the number of runs.
        rows: of a block, at most.
    """
    if n <= _ALL_UP_TO:
        yield np.array(list(itertools.permutations(range(n))), dtype=np.int64).reshape(-1, n)
        return
    random = np.random.default_rng(_SEED)
    yield np.arange(n)[None]
    rows = min(rows, max(_BLOCK // n, 1))
    for first in range(0, _SHUFFLES, rows):
        size = min(rows, _SHUFFLES - first)
        yield random.permuted(np.tile(np.arange(n), (size, 1)), axis=1)


def _explained(models: Sequence[_Model], y: Floats) -> Iterator[tuple[float, float]]:
    """Adjusted R^2 of the least squares fit of each model, and its p by permutation."""
    n, total = len(y), float(y @ y)
    if total == 0:
        yield from [(0.0, 1.0)] * len(models)
        return
    own = [float(model.squares(y[None])[0]) / total for model in models]
    count, every = np.zeros(len(models)), 0
    for orders in _orders(n) if models else ():
        shuffled = y[orders]
        every += len(orders)
        for place, model in enumerate(models):
            # Shuffles that swap equal values give the same share up to rounding.
            count[place] += (model.squares(shuffled) / total >= own[place] - 1e-9).sum()
    for model, share, as_much in zip(models, own, count, strict=True):
        if n - model.k - 1 < 1:
            yield math.nan, math.nan
        else:
            adjusted = 1 - (1 - share) * (n - 1) / (n - model.k - 1)
            yield max(0.0, min(1.0, adjusted)), float(as_much / every)
