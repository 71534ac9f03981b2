"""Simulated studies: how often a verdict is wrong though one peeks, and how often it is right.

::

    python -m benchmarks.verdicts          # 10,000 studies of each kind
    python -m benchmarks.verdicts 500

A study has nine settings; after each seed one looks whether any pair of settings differs. It counts as wrong
if that is ever said of settings that do not differ. Beside VizKit's verdict stands Welch's test at each look,
and once at the end.
"""

from __future__ import annotations

import itertools
import math
import sys

import numpy as np

from vizkit.metrics.arrays import Floats
from vizkit.runs.intervals import t_quantile
from vizkit.runs.sequential import anytime_interval, seeds_to_tell
from vizkit.runs.setting_ranks import ranks_of

SETTINGS, SEEDS, LEVEL = 9, 20, 0.05


def bounds(level: float, seeds: int) -> Floats:
    """How many standard errors of n differences the interval reaches to each side, for n up to ``seeds``."""
    found = np.full(seeds + 1, np.inf)
    for n in range(2, seeds + 1):
        values = np.array([-1.0, 1.0] * (n // 2) + [0.0] * (n % 2))
        interval = anytime_interval(values, 1 - level)
        found[n] = interval.high / (values.std(ddof=1) / math.sqrt(n))
    return found


def t_of(differences: Floats, n: int) -> Floats:
    """Student's statistic of the first n of each row's differences, (studies, pairs, seeds)."""
    first = differences[..., :n]
    return first.mean(-1) / (first.std(-1, ddof=1) / math.sqrt(n))


def studies(count: int, effect: float, r: np.random.Generator, correlation: float = 0.3) -> Floats:
    """(count, settings, seeds) values with deviation 1; the first setting is better by ``effect``."""
    of_seed = r.normal(size=(count, 1, SEEDS)) * math.sqrt(correlation)
    values = of_seed + r.normal(size=(count, SETTINGS, SEEDS)) * math.sqrt(1 - correlation)
    values[:, 0] += effect
    return values


def wrong_verdicts(count: int, r: np.random.Generator) -> tuple[float, float, float]:
    """Shares of studies without any difference in which one is claimed at some look.

    By VizKit's verdict, by Welch's test at each look, and by Welch's test once at the end.
    """
    values = studies(count, 0.0, r)
    pairs = list(itertools.combinations(range(SETTINGS), 2))
    reach = bounds(LEVEL / len(pairs), SEEDS)
    claimed, peeked, once = (np.zeros(count, dtype=bool) for _ in range(3))
    for a, b in pairs:
        differences = values[:, a] - values[:, b]
        for n in range(2, SEEDS + 1):
            claimed |= np.abs(t_of(differences, n)) > reach[n]
            spread = np.sqrt((values[:, a, :n].var(-1, ddof=1) + values[:, b, :n].var(-1, ddof=1)) / n)
            apart = np.abs(differences[:, :n].mean(-1)) > t_quantile(1 - LEVEL, 2 * (n - 1)) * spread
            peeked |= apart
            if n == SEEDS:
                once |= apart
    return float(claimed.mean()), float(peeked.mean()), float(once.mean())


def power(count: int, effect: float, r: np.random.Generator) -> tuple[float, float, float]:
    """Shares of studies in which the better of two settings is found within 20 seeds.

    By VizKit's interval of one pair at any look, by that of all 36 pairs, and by Welch's test at the end.
    """
    values = studies(count, effect, r)
    differences = values[:, 0] - values[:, 1]
    pairs = SETTINGS * (SETTINGS - 1) // 2
    found = []
    for level in (LEVEL, LEVEL / pairs):
        reach = bounds(level, SEEDS)
        claimed = np.zeros(count, dtype=bool)
        for n in range(2, SEEDS + 1):
            claimed |= t_of(differences, n) > reach[n]
        found.append(float(claimed.mean()))
    spread = np.sqrt((values[:, 0].var(-1, ddof=1) + values[:, 1].var(-1, ddof=1)) / SEEDS)
    welch = differences.mean(-1) > t_quantile(1 - LEVEL, 2 * (SEEDS - 1)) * spread
    return found[0], found[1], float(welch.mean())


def advice(
    count: int, effect: float, pilot: int, r: np.random.Generator
) -> tuple[float, float, float, float]:
    """How often the advised number of seeds is right: that which the true effect needs.

    The share of studies whose range holds it; that of ranges that have an end; and the shares in which a
    single number is within 20 % of it, from the difference and its spread, and with the true spread known.
    """

    def needed(size: float) -> float:
        if size * 100 <= 1.96:
            return math.inf
        low, high = 1, 10_000
        while high - low > 1:
            middle = (low + high) // 2
            tells = size * math.sqrt(middle) > t_quantile(1 - LEVEL, middle - 1)
            low, high = (low, middle) if tells else (middle, high)
        return high

    true = needed(effect)
    rows = r.normal(effect, 1, size=(count, pilot))
    found = [seeds_to_tell(row) for row in rows]
    holds = [one is not None and one.least <= true <= (one.most or math.inf) for one in found]
    ends = [one is not None and one.most is not None for one in found]
    means = np.abs(rows.mean(axis=1))
    single = np.array([needed(size) for size in means / rows.std(axis=1, ddof=1)])
    known = np.array([needed(size) for size in means])
    near = [float((np.abs(number / true - 1) <= 0.2).mean()) for number in (single, known)]
    return float(np.mean(holds)), float(np.mean(ends)), near[0], near[1]


def ranks(
    count: int, r: np.random.Generator, means: Floats, spread: Floats, seeds: int
) -> tuple[float, float, float]:
    """Ranks of settings with the same seeds: how often any of their intervals is wrong.

    And the mean number of settings that may be the best, and of ranks that one may have.
    """
    first = 1 + (means[:, None] > means).sum(axis=0)
    last = (means[:, None] >= means).sum(axis=0)
    wrong, some, width = 0, 0, 0.0
    of_seed = r.normal(size=(count, 1, seeds)) * math.sqrt(0.3)
    own = r.normal(size=(count, len(means), seeds)) * math.sqrt(0.7)
    for values in means[:, None] + spread[:, None] * (of_seed + own):
        found = ranks_of(list(values), [range(seeds)] * len(means))
        wrong += bool(((found.low > first) | (found.high < last)).any())
        some += int((found.low == 1).sum())
        width += float((found.high - found.low + 1).mean())
    return wrong / count, some / count, width / count


def main(count: int) -> None:
    r = np.random.default_rng(0)
    claimed, peeked, once = wrong_verdicts(count, r)
    print(
        f"{count:,} studies of {SETTINGS} settings without a difference, a look after each of {SEEDS} seeds"
    )
    print(
        f"  wrong: verdict {claimed:.2%}, Welch at each look {peeked:.1%}, Welch once at the end {once:.1%}"
    )
    for effect in (0.5, 1.0, 1.5, 2.0, 3.0):
        one, all_pairs, welch = power(count, effect, r)
        print(
            f"a difference of {effect} deviations found within {SEEDS} seeds: one pair {one:.1%}, "
            f"nine settings {all_pairs:.1%}; Welch of one pair, once at the end {welch:.1%}"
        )
    for pilot in (3, 5, 10, 20, 40):
        holds, ends, near, known = advice(count, 0.5, pilot, r)
        print(
            f"seeds advised after {pilot}: the range holds the number {holds:.1%}, has an end {ends:.1%}; "
            f"one number within 20 % {near:.1%}, with the spread known {known:.1%}"
        )
    equal, rising = np.zeros(SETTINGS), np.arange(SETTINGS) / 2.0
    pair = np.where(np.arange(SETTINGS) < SETTINGS - 2, 0.0, 2.0)
    wide = np.where(np.arange(SETTINGS) < 3, 10.0, 1.0)
    for name, means, spread in (
        ("equal", equal, np.ones(SETTINGS)),
        ("equal, three with ten times the spread", equal, wide),
        ("half a deviation apart", rising, np.ones(SETTINGS)),
        ("two better by two", pair, np.ones(SETTINGS)),
        ("two better by two, three with ten times the spread", pair, wide),
    ):
        for seeds in (3, 5, 10, 20):
            wrong, some, width = ranks(max(count // 5, 1), r, means, spread, seeds)
            print(
                f"ranks of {SETTINGS} settings, {name}, {seeds} seeds: an interval wrong {wrong:.2%}, "
                f"may be the best {some:.1f}, ranks of each {width:.1f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
