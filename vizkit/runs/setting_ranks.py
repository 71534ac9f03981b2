"""The ranks of settings: which of them may be the best, as far as their seeds can tell.

Each two settings are compared as by `Runs.compare`: by seed where the seeds match, else by Welch's test. The
ranks follow from the differences that are shown: if, of k settings, a are shown to be better than one and b
to be worse, its rank is between a + 1 and k - b. Where no difference is shown wrongly, with 95 %, no interval
of ranks is wrong. Source: M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm, "Inference for ranks with
applications to mobility across neighbourhoods and academic achievement across countries", Review of Economic
Studies 91 (2024). They find which differences are shown by a bootstrap, which needs more than a handful of
seeds; here they are tested step by step at levels divided by the number of pairs that are left (S. Holm,
Scandinavian Journal of Statistics 6 (1979)). Simulated in ``benchmarks/verdicts.py``.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vizkit._language import tr, trn
from vizkit._protocols import JSONObject
from vizkit.errors import QueryError
from vizkit.metrics.arrays import Bools, Floats, Ints
from vizkit.runs._plotting import DrawnRanking
from vizkit.runs.comparison import RunValue, seeds_match, values_of
from vizkit.runs.display import Cell, Table
from vizkit.runs.export import plain
from vizkit.runs.formatting import exact_text, setting_texts, value_texts
from vizkit.runs.groups import group_runs, hashable
from vizkit.runs.intervals import column_statistics, t_tail
from vizkit.runs.printed import MOST_ROWS, Printed
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import checked_mode

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["RankedSetting", "Ranking", "Ranks", "rank_runs", "ranks_of"]

_LEVEL = 0.05
_NAMED = 4


class Ranks(NamedTuple):
    """The ranks of k settings, all together with 95 %; 1 is the best.

    Attributes:
        low, high: (k,) the least and the greatest rank.
    """

    low: Ints
    high: Ints


@dataclass(frozen=True)
class RankedSetting:
    """A setting: the runs with the same hyper-parameters, but for the seed.

    Attributes:
        hparams: the hyper-parameters that differ between settings.
        runs: the names of the runs.
        values: the metric's value of each.
        mean: their mean.
        low, high: its 95 % interval (Student's t, of this setting alone); NaN of one run.
        ranks: the least and the greatest rank, with 95 % for all settings together; 1 is the best.
    """

    hparams: Mapping[str, object]
    runs: tuple[str, ...]
    values: tuple[float, ...]
    mean: float
    low: float
    high: float
    ranks: tuple[int, int]

    @property
    def may_be_best(self) -> bool:
        """True if no other setting is shown to be better."""
        return self.ranks[0] == 1

    @property
    def name(self) -> str:
        """The setting in full, as ``name = value``, separated by commas."""
        return ", ".join(f"{name} = {exact_text(value)}" for name, value in self.hparams.items())

    @property
    def ranks_text(self) -> str:
        """The ranks as ``2`` or ``1 to 3``."""
        low, high = self.ranks
        return str(low) if low == high else tr("{low} to {high}", low=low, high=high)


@dataclass(frozen=True, repr=False)
class Ranking(Printed, DrawnRanking):
    """Settings with intervals of their ranks; `vizkit.runs.setting_ranks` has the method.

    Attributes:
        metric: the tag.
        mode: ``"max"`` or ``"min"``: the better direction.
        value: the value of a run that counted: ``"best"``, ``"last"``, or the last up to this step.
        settings: the best mean first.
        left_out: number of runs without a finite value of the metric.
    """

    metric: str
    mode: Literal["max", "min"]
    value: RunValue
    settings: tuple[RankedSetting, ...]
    left_out: int = 0

    @property
    def best(self) -> tuple[RankedSetting, ...]:
        """The settings that cannot be told from the best."""
        return tuple(setting for setting in self.settings if setting.may_be_best)

    @property
    def names(self) -> list[str]:
        """The settings in short, as ``name = value``, separated by commas; no two are alike."""
        names = list(self.settings[0].hparams)
        columns = [setting_texts([each.hparams[name] for each in self.settings]) for name in names]
        return [
            ", ".join(f"{name} = {text}" for name, text in zip(names, point, strict=True))
            for point in zip(*columns, strict=True)
        ]

    @property
    def sentence(self) -> str:
        """The answer in one sentence, in VizKit's language."""
        n = len(self.settings)
        best = [name for name, setting in zip(self.names, self.settings, strict=True) if setting.may_be_best]
        if len(best) == 1:
            text = tr("{metric}: {name} is the best of {n} settings", metric=self.metric, name=best[0], n=n)
        else:
            names = "; ".join(best[:_NAMED]) + ("; …" if best[_NAMED:] else "")
            text = tr(
                "{metric}: {m} of {n} settings may be the best: {names}",
                metric=self.metric,
                m=len(best),
                n=n,
                names=names,
            )
        if self.value == "best":
            text += tr("; best values of trainings are too good by as much as the metric varies")
        return text + (tr("; runs without a number left out: {n}", n=self.left_out) if self.left_out else "")

    def table(self) -> Table:
        """The content of what is printed."""
        names = list(self.settings[0].hparams)
        header = [*names, tr("runs"), self.metric, tr("95 % interval"), tr("rank"), tr("may be the best")]
        shown = self.settings[:MOST_ROWS]
        points = zip(*(setting_texts([each.hparams[name] for each in shown]) for name in names), strict=True)
        means = value_texts([setting.mean for setting in shown])
        rows = [
            [Cell(text) for text in (*point, *self._row(setting, mean))]
            for setting, point, mean in zip(shown, points, means, strict=True)
        ]
        notes = [self.sentence]
        if len(self.settings) > MOST_ROWS:
            notes.insert(0, tr("… {n} more", n=len(self.settings) - MOST_ROWS))
        title = trn(
            "{n} setting by {metric}", "{n} settings by {metric}", len(self.settings), metric=self.metric
        )
        return Table(title, header, rows, notes)

    def _row(self, setting: RankedSetting, mean: str) -> list[str]:
        ends = f"{setting.low:.4g} … {setting.high:.4g}" if math.isfinite(setting.low) else ""
        mark = tr("yes") if setting.may_be_best else ""
        return [str(len(setting.values)), mean, ends, setting.ranks_text, mark]

    def to_dict(self) -> JSONObject:
        """The ranking as JSON; ends that are unknown are None."""
        return {
            "metric": self.metric,
            "mode": self.mode,
            "value": self.value,
            "left_out": self.left_out,
            "settings": [
                {
                    "hparams": {name: plain(value) for name, value in setting.hparams.items()},
                    "runs": list(setting.runs),
                    "values": list(setting.values),
                    "mean": setting.mean,
                    "low": setting.low if math.isfinite(setting.low) else None,
                    "high": setting.high if math.isfinite(setting.high) else None,
                    "ranks": list(setting.ranks),
                    "may_be_best": setting.may_be_best,
                }
                for setting in self.settings
            ],
        }


def rank_runs(
    runs: Sequence[Run],
    metric: str,
    mode: str,
    by: str | Sequence[str] | None,
    value: RunValue,
) -> Ranking:
    """Rank the settings of runs; arguments and errors as of `Runs.rank`."""
    way = checked_mode(with_tag(runs, metric), metric, mode)
    names, settings = _settings(runs, by)
    values = [np.array(values_of(group, metric, way, value)) for group in settings.values()]
    groups = [(key, group, v) for (key, group), v in zip(settings.items(), values, strict=True)]
    groups = [(key, group, v) for key, group, v in groups if np.isfinite(v).any()]
    if len(groups) < 2 or all(np.isfinite(v).sum() < 2 for _, _, v in groups):
        raise QueryError(
            "ranks need two settings or more, and two runs or more of one that differ in the hyper-parameter "
            "'seed' alone (or name the hyper-parameters to rank with by=); there are {n} settings of {runs} "
            "runs with a finite {metric!r}",
            n=len(groups),
            runs=sum(int(np.isfinite(v).sum()) for v in values),
            metric=metric,
        )
    seeds = [[run.hparams.get("seed") for run in group] for _, group, _ in groups]
    ranks = ranks_of([v for _, _, v in groups], seeds, way)
    found = []
    for place, (key, group, numbers) in enumerate(groups):
        kept = np.isfinite(numbers)
        mean, _, _, low, high = (part.item() for part in column_statistics(numbers[kept][:, None]))
        found.append(
            RankedSetting(
                dict(zip(names, key, strict=True)),
                tuple(run.name for run, there in zip(group, kept, strict=True) if there),
                tuple(numbers[kept].tolist()),
                mean,
                low,
                high,
                (int(ranks.low[place]), int(ranks.high[place])),
            )
        )
    sign = -1 if way == "max" else 1
    found.sort(key=lambda setting: sign * setting.mean)
    left_out = len(runs) - sum(len(setting.values) for setting in found)
    return Ranking(metric, way, value, tuple(found), left_out)


def _settings(
    runs: Sequence[Run], by: str | Sequence[str] | None
) -> tuple[list[str], dict[tuple[Hashable, ...], list[Run]]]:
    """The names of the hyper-parameters that differ, and their values -> runs."""
    if by is not None:
        names, groups = group_runs(runs, by)
        return names, {
            key if isinstance(key, tuple) and len(names) > 1 else (key,): groups[key] for key in groups
        }
    every = list(dict.fromkeys(name for run in runs for name in run.hparams if name != "seed"))
    rows = [[hashable(run.hparams.get(name)) for name in every] for run in runs]
    differing = [k for k in range(len(every)) if len({row[k] for row in rows}) > 1]
    settings: dict[tuple[Hashable, ...], list[Run]] = {}
    for row, run in zip(rows, runs, strict=True):
        settings.setdefault(tuple(row[k] for k in differing), []).append(run)
    return [every[k] for k in differing], settings


def ranks_of(values: Sequence[ArrayLike], seeds: Sequence[Sequence[object]], mode: str = "max") -> Ranks:
    """Compute the ranks of settings.

    Args:
        values: of each setting (runs,); NaN and infinite ones are left out.
        seeds: of each setting its runs' seeds, or None where there is none.
        mode: ``"max"`` or ``"min"``: the better direction.
    """
    sides = [np.asarray(side, dtype=np.float64) for side in values]
    p = _pairwise(sides, seeds)
    k = len(sides)
    sign = 1 if mode == "max" else -1
    means = np.array([sign * side[np.isfinite(side)].mean() for side in sides])
    shown = (means[:, None] > means) & _holm(p)  # the row is better than the column
    return Ranks(low=1 + shown.sum(axis=0), high=k - shown.sum(axis=1))


def _holm(p: Floats) -> Bools:
    """The differences that are shown, (k, k), of all tests together: the least p first, until one fails."""
    shown = np.zeros(p.shape, dtype=bool)
    one, other = np.nonzero(np.tril(np.isfinite(p)))
    order = np.argsort(p[one, other], kind="stable")
    levels = _LEVEL / np.arange(len(order), 0, -1)
    passed = int(np.logical_and.accumulate(p[one, other][order] < levels).sum())
    one, other = one[order[:passed]], other[order[:passed]]
    shown[one, other] = shown[other, one] = True
    return shown


def _pairwise(sides: Sequence[Floats], seeds: Sequence[Sequence[object]]) -> Floats:
    """The p of each difference of two settings, (k, k), as of `Runs.compare`; NaN where there is no test."""
    p = np.full((len(sides), len(sides)), math.nan)
    for i, first in enumerate(sides):
        for j in range(i):
            if seeds_match(seeds[i], seeds[j]):
                place = {seed: k for k, seed in enumerate(seeds[j])}
                p[i, j] = _paired_p(first - sides[j][[place[seed] for seed in seeds[i]]])
            else:
                p[i, j] = _welch_p(first, sides[j])
            p[j, i] = p[i, j]
    return p


def _paired_p(differences: Floats) -> float:
    kept = differences[np.isfinite(differences)]
    n = len(kept)
    return math.nan if n < 2 else _p(float(kept.mean()), float(kept.var(ddof=1)) / n, n - 1)


def _welch_p(a: Floats, b: Floats) -> float:
    first, second = (side[np.isfinite(side)] for side in (a, b))
    if min(len(first), len(second)) < 2:
        return math.nan
    errors = [float(side.var(ddof=1)) / len(side) for side in (first, second)]
    total = sum(errors)
    shares = [error / total if total else 0.5 for error in errors]  # squares of small errors would underflow
    df = 1 / sum(share**2 / (len(side) - 1) for share, side in zip(shares, (first, second), strict=True))
    return _p(float(first.mean() - second.mean()), total, df)


def _p(difference: float, square: float, df: float) -> float:
    if square == 0:
        return 0.0 if difference else 1.0
    return t_tail(difference / math.sqrt(square), df)
