"""The result of a sweep: its trials, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from vizkit._language import mark, tr
from vizkit._protocols import JSONObject
from vizkit.errors import QueryError
from vizkit.runs import Runs, load
from vizkit.runs.display import Cell, Table, as_html, as_text
from vizkit.runs.formatting import clean, duration_text, setting_texts, value_text, value_texts
from vizkit.runs.query import MISSING
from vizkit.sweeps.space import Value
from vizkit.sweeps.verdict import Verdict, verdict_on

if TYPE_CHECKING:
    import optuna
    from matplotlib.axes import Axes

    from vizkit.plots._trials import TrialsPlot
    from vizkit.sweeps._study import SweepStudy

__all__ = ["SweepResult", "Trial", "result_of"]

State = Literal["finished", "pruned", "failed", "running", "waiting"]
_STATES: dict[str, State] = {
    "COMPLETE": "finished",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}
_WORDS = {
    "finished": mark("finished"),
    "pruned": mark("pruned"),
    "failed": mark("failed"),
    "running": mark("running"),
    "waiting": mark("waiting"),
}
_SHOWN = 10
_MOST_ERRORS = 3


@dataclass(frozen=True)
class Trial:
    """A point of the search space that was trained, once a seed.

    Attributes:
        number: from 0 on, in the order of their start; some are left out, of trials that were begun again.
        hparams: the point.
        state: ``"finished"``, ``"pruned"`` (ended early), ``"failed"``, ``"running"`` or ``"waiting"``.
        values: the metric's value of each seed.
        runs: the names of its runs.
        error: what it has failed with; empty if it has not.
        duration: from the start of its first run to the end of its last; None while it has not ended.
    """

    number: int
    hparams: Mapping[str, Value]
    state: State
    values: tuple[float, ...]
    runs: tuple[str, ...]
    error: str = ""
    duration: timedelta | None = None

    @property
    def value(self) -> float:
        """The mean over the seeds; NaN if there is none."""
        return float(np.mean(self.values)) if self.values else math.nan

    @property
    def spread(self) -> float:
        """The standard deviation over the seeds, by n - 1; NaN of fewer than two."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan

    def to_dict(self) -> JSONObject:
        """The trial as JSON."""
        return {
            "number": self.number,
            "hparams": dict(self.hparams),
            "state": self.state,
            "value": None if math.isnan(self.value) else self.value,
            "spread": None if math.isnan(self.spread) else self.spread,
            "values": list(self.values),
            "runs": list(self.runs),
            "error": self.error,
            "seconds": self.duration.total_seconds() if self.duration else None,
        }


@dataclass(frozen=True)
class SweepResult:
    """The result of a sweep, finished or not.

    Attributes:
        logdir: the directory of its runs.
        metric: the tag.
        mode: ``"max"`` or ``"min"``.
        objective: the value of a run that counts: ``"best"`` or ``"last"``.
        seeds: how many times each point is trained.
        trials: in the order of their start.
    """

    logdir: str
    metric: str
    mode: Literal["max", "min"]
    objective: Literal["best", "last"]
    seeds: int
    trials: tuple[Trial, ...]

    @property
    def finished(self) -> list[Trial]:
        """The trials that have ended with a value of every seed, the best first."""
        sign = -1 if self.mode == "max" else 1
        done = [trial for trial in self.trials if trial.state == "finished"]
        return sorted(done, key=lambda trial: sign * trial.value)

    @property
    def best(self) -> Trial:
        """The trial with the best mean over the seeds, the first of equal ones.

        Raises:
            QueryError: none has finished.
        """
        done = self.finished
        if not done:
            failed = [trial for trial in self.trials if trial.error]
            if failed:
                raise QueryError(
                    "no trial of {logdir} has finished; the first has failed: {error}",
                    logdir=self.logdir,
                    error=failed[0].error,
                )
            raise QueryError("no trial of {logdir} has finished", logdir=self.logdir)
        return done[0]

    @property
    def runs(self) -> Runs:
        """The runs of all trials, as they are in the logs."""
        names = {name for trial in self.trials for name in trial.runs}
        return load(self.logdir).filter(lambda run: run.name in names)

    def plot(self, *, ax: Axes | None = None) -> TrialsPlot:
        """Draw the value of each trial, and the best so far; see `vizkit.plots.trials`."""
        from vizkit.plots import trials

        values = [trial.value if trial.state == "finished" else math.nan for trial in self.trials]
        spreads = [trial.spread for trial in self.trials]
        return trials(values, metric=self.metric, mode=self.mode, spreads=spreads, ax=ax)

    def verdict(self) -> Verdict:
        """The trials that are shown to be worse than the best: right at any look, for any number of trials.

        Raises:
            QueryError: fewer than two finished trials, or one seed.
        """
        return verdict_on(self)

    def to_dict(self) -> JSONObject:
        """The result as JSON."""
        done = self.finished
        return {
            "logdir": self.logdir,
            "metric": self.metric,
            "mode": self.mode,
            "objective": self.objective,
            "seeds": self.seeds,
            "best": done[0].to_dict() if done else None,
            "trials": [trial.to_dict() for trial in self.trials],
        }

    def __str__(self) -> str:
        return as_text(self._table())

    def words(self, trial: Trial) -> str:
        """A trial in one line: its value, spread and point."""
        point = ", ".join(f"{name} = {value}" for name, value in trial.hparams.items())
        spread = "" if math.isnan(trial.spread) else f" ± {trial.spread:.2g}"
        return f"{self.metric} {trial.value:.6g}{spread} ({point})"

    def _table(self) -> Table:
        count = {state: sum(trial.state == state for trial in self.trials) for state in _WORDS}
        states = ", ".join(f"{n} {tr(_WORDS[state])}" for state, n in count.items() if n)
        title = tr("sweep in {logdir}: {states}", logdir=self.logdir, states=states or tr("no trials"))
        names = list(dict.fromkeys(name for trial in self.trials for name in trial.hparams))
        rows = [[Cell(text) for text in row] for row in self._rows(self.finished[:_SHOWN], names)]
        notes = [tr("best {trial}", trial=self.words(self.best))] if rows else []
        notes += [
            tr("trial {number} failed: {error}", number=trial.number, error=clean(trial.error, 200))
            for trial in [trial for trial in self.trials if trial.error][:_MOST_ERRORS]
        ]
        header = [tr("trial"), *names, self.metric, tr("spread"), tr("duration")]
        return Table(title, header, rows, notes)

    def _rows(self, trials: Sequence[Trial], names: list[str]) -> list[tuple[str, ...]]:
        columns = [
            [str(trial.number) for trial in trials],
            *(setting_texts([trial.hparams.get(name, MISSING) for trial in trials]) for name in names),
            value_texts([trial.value for trial in trials], 6),
            ["" if math.isnan(trial.spread) else value_text(trial.spread) for trial in trials],
            [duration_text(trial.duration) for trial in trials],
        ]
        return list(zip(*columns, strict=True))

    def _repr_html_(self) -> str:
        return as_html(self._table())


def result_of(study: SweepStudy) -> SweepResult:
    """The result of a sweep as it stands."""
    plan = study.plan
    trials = tuple(map(_trial, study.counted()))
    return SweepResult(study.logdir, plan.metric, plan.mode, plan.objective, plan.seeds, trials)


def _trial(found: optuna.trial.FrozenTrial) -> Trial:
    about = found.user_attrs
    return Trial(
        number=found.number,
        hparams=dict(found.params),
        state=_STATES[found.state.name],
        values=tuple(about.get("values", ())),
        runs=tuple(about.get("runs", ())),
        error=about.get("error") or "",
        duration=found.duration,
    )
