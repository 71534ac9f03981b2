"""The importance of all hyper-parameters of some runs, as a table and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vizkit._language import tr
from vizkit._protocols import JSONObject
from vizkit.runs._plotting import DrawnImportances
from vizkit.runs.dataframes import rows_frame
from vizkit.runs.display import Cell, Table
from vizkit.runs.importance import (
    Importance,
    Interaction,
    compute_importance,
    compute_interactions,
    hparams_and_best,
)
from vizkit.runs.optuna_importance import optuna_importance
from vizkit.runs.printed import MOST_ROWS, Printed
from vizkit.runs.statistics import checked_mode

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.run import Run

__all__ = ["Evaluator", "Importances", "importances_of"]

Evaluator = Literal["main-effects", "ped-anova", "fanova"]

_SURE = 0.05
_NAMED = 3


@dataclass(frozen=True, repr=False)
class Importances(Printed, DrawnImportances):
    """The shares of a metric's variance that hyper-parameters explain; method: `vizkit.runs.importance`.

    Attributes:
        metric: the tag.
        mode: ``"max"`` or ``"min"``: the better direction.
        evaluator: ``"main-effects"``, or one of Optuna's: ``"ped-anova"``, ``"fanova"``.
        n: number of runs.
        hparams: the greatest first.
        interactions: of two hyper-parameters, the greatest first; only of main effects.
    """

    metric: str
    mode: Literal["max", "min"]
    evaluator: Evaluator
    n: int
    hparams: tuple[Importance, ...]
    interactions: tuple[Interaction, ...] = ()

    def __getitem__(self, name: str) -> Importance:
        """The importance of one hyper-parameter."""
        return {item.name: item for item in self.hparams}[name]

    @property
    def sentence(self) -> str:
        """The answer in one sentence, in VizKit's language."""
        if self.evaluator != "main-effects":
            first = ", ".join(f"{item.name} ({item.importance:.0%})" for item in self.hparams[:_NAMED])
            return tr(
                "{metric} depends most on {names}, by {evaluator}",
                metric=self.metric,
                evaluator={"ped-anova": "PED-ANOVA", "fanova": "fANOVA"}[self.evaluator],
                names=first or "-",
            )
        sure = [item for item in self.hparams if item.p <= _SURE]
        if not sure:
            text = tr(
                "{metric}: no hyper-parameter is shown to matter alone in {n} runs",
                metric=self.metric,
                n=self.n,
            )
        else:
            names = ", ".join(f"{item.name} {item.importance:.0%} ({_p(item.p)})" for item in sure[:_NAMED])
            text = tr(
                "{metric}: shares of its variance are explained by {names}", metric=self.metric, names=names
            )
        both = [item for item in self.interactions if item.p <= _SURE]
        if both:
            names = ", ".join(f"{_both(item)} {item.importance:.0%} ({_p(item.p)})" for item in both[:_NAMED])
            text += tr("; only by both together: {names}", names=names)
        return text

    def table(self) -> Table:
        """The content of what is printed."""
        header = [tr("hyper-parameter"), tr("importance"), "p", tr("values"), tr("changed together with")]
        rows = [
            [item.name, _share(item.importance), _number(item.p), str(item.values), ", ".join(item.with_)]
            for item in self.hparams
        ]
        rows += [
            [_both(item), _share(item.importance), _number(item.p), "", ""] for item in self.interactions
        ]
        notes = [self.sentence]
        if len(rows) > MOST_ROWS:
            notes.insert(0, tr("… {n} more", n=len(rows) - MOST_ROWS))
        title = tr("what {metric} depends on, in {n} runs", metric=self.metric, n=self.n)
        return Table(title, header, [[Cell(text) for text in row] for row in rows[:MOST_ROWS]], notes)

    def frame(self) -> pd.DataFrame:
        """The hyper-parameters as a frame.

        Returns:
            Indexed by ``hparam``: ``importance``, ``p``, ``values``, ``n``, and ``together_with``
            (hyper-parameters that changed together with it, so that their effects cannot be separated).
        """
        rows = {}
        for item in self.hparams:
            row = item._asdict()
            rows[row.pop("name")] = {**row, "together_with": ", ".join(row.pop("with_"))}
        return rows_frame(rows, "hparam")

    def to_dict(self) -> JSONObject:
        """The importances as JSON; what is unknown is None."""
        return {
            "metric": self.metric,
            "mode": self.mode,
            "evaluator": self.evaluator,
            "n": self.n,
            "hparams": [
                {
                    "name": item.name,
                    "importance": _finite(item.importance),
                    "p": _finite(item.p),
                    "values": item.values,
                    "together_with": list(item.with_),
                }
                for item in self.hparams
            ],
            "interactions": [
                {"names": list(item.names), "importance": item.importance, "p": item.p}
                for item in self.interactions
            ],
        }


def importances_of(
    runs: Sequence[Run], metric: str, mode: str, evaluator: Evaluator, interactions: bool
) -> Importances:
    """The importance of the hyper-parameters of runs; arguments and errors as of `Runs.importance`."""
    hparams, best = hparams_and_best(runs, metric, mode)
    way = checked_mode(runs, metric, mode)
    if evaluator == "main-effects":
        found = compute_importance(hparams, best)
    else:
        found = optuna_importance(hparams, best, way, evaluator)
    pairs = compute_interactions(hparams, best) if interactions else []
    return Importances(metric, way, evaluator, len(best), tuple(found), tuple(pairs))


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _number(number: float) -> str:
    return "" if math.isnan(number) else "< 0.001" if number < 0.001 else f"{number:.2g}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _share(share: float) -> str:
    return "" if math.isnan(share) else f"{share:.1%}"


def _both(item: Interaction) -> str:
    return " × ".join(item.names)
