"""The importance of hyper-parameters by Optuna's evaluators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from vizkit._language import tr
from vizkit.errors import MissingDependencyError
from vizkit.runs.importance import Importance

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["optuna_importance"]

_WIDE = 1000  # largest number by smallest, from which on a range is logarithmic


def optuna_importance(
    hparams: Mapping[str, Sequence[object]],
    metric: Sequence[float],
    mode: Literal["max", "min"],
    evaluator: Literal["ped-anova", "fanova"],
) -> list[Importance]:
    """The importance of each hyper-parameter that varies, the greatest first; together they are 1.

    PED-ANOVA: S. Watanabe, A. Bansal and F. Hutter, IJCAI 2023; fANOVA: Hutter, Hoos and Leyton-Brown, ICML
    2014. Numbers whose range is 1 to 1,000 or more are taken as logarithms, texts and missing values as
    choices. Other arguments as of `compute_importance`.

    Raises:
        MissingDependencyError: Optuna is not installed, or for fANOVA scikit-learn.
    """
    try:
        import optuna
        from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator
    except ImportError:
        raise MissingDependencyError.for_extra("sweep", tr("this evaluator needs Optuna")) from None
    columns = {
        name: list(map(_value, values))
        for name, values in hparams.items()
        if len(set(map(_value, values))) > 1
    }
    ranges = {name: _distribution(values) for name, values in columns.items()}
    direction: Literal["maximize", "minimize"] = "maximize" if mode == "max" else "minimize"
    said = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of each study that is made
    try:
        study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=0))
    finally:
        optuna.logging.set_verbosity(said)
    for place, value in enumerate(metric):
        point = {name: values[place] for name, values in columns.items()}
        study.add_trial(optuna.trial.create_trial(params=point, distributions=ranges, value=float(value)))
    if not columns:
        return []
    try:
        asked = (
            PedAnovaImportanceEvaluator() if evaluator == "ped-anova" else FanovaImportanceEvaluator(seed=0)
        )
    except ImportError:
        raise MissingDependencyError(
            "fANOVA needs scikit-learn: pip install scikit-learn, or evaluator='ped-anova'"
        ) from None
    found = optuna.importance.get_param_importances(study, evaluator=asked)
    return [
        Importance(name, share, math.nan, len(set(columns[name])), len(metric), ())
        for name, share in found.items()
    ]


def _value(value: object) -> bool | int | float | str:
    """A value as Optuna takes it; those that are no numbers as their text."""
    if isinstance(value, bool) or (isinstance(value, (int, float)) and math.isfinite(value)):
        return value
    return str(value)


def _distribution(values: Sequence[bool | int | float | str]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return CategoricalDistribution(sorted(set(values), key=str))
    low, high = float(min(numbers)), float(max(numbers))
    return FloatDistribution(low, high, log=low > 0 and high / low >= _WIDE)
