"""The plan of a sweep: what is searched for and how, fixed when it begins."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np

from vizkit._language import tr
from vizkit._protocols import JSONObject
from vizkit.errors import MissingDependencyError
from vizkit.sweeps.space import Dimension

if TYPE_CHECKING:
    import optuna

__all__ = [
    "LEAST_SEEDS",
    "PRUNERS",
    "SAMPLERS",
    "Plan",
    "PrunerName",
    "SamplerName",
    "import_optuna",
    "optuna_pruner",
    "optuna_sampler",
    "require_packages",
]

SamplerName = Literal["grid", "random", "quasi-random", "tpe", "gp", "cma-es"]
PrunerName = Literal["median", "halving", "hyperband", "wilcoxon"]
SAMPLERS = ("grid", "random", "quasi-random", "tpe", "gp", "cma-es")
LEAST_SEEDS = 5  # for Wilcoxon's test: four that are all worse have a p of 1/16, and Optuna ends below 0.1
PRUNERS = ("median", "halving", "hyperband", "wilcoxon")


@dataclass(frozen=True)
class Plan:
    """The plan of a sweep, fixed when it begins and kept beside its runs.

    Attributes:
        space: the hyper-parameters and their values.
        metric: the tag.
        mode: ``"max"`` or ``"min"``.
        objective: the value of a run that counts: ``"best"`` or ``"last"``.
        seeds: how many times a point is trained.
        sampler: the name of the search.
        pruner: the name of the rule that ends trials early; None: no trial is.
        seed: of the search.
    """

    space: Mapping[str, Dimension]
    metric: str
    mode: Literal["max", "min"]
    objective: Literal["best", "last"] = "best"
    seeds: int = 1
    sampler: str = "tpe"
    pruner: str | None = None
    seed: int = 0

    def to_dict(self) -> JSONObject:
        """The plan as JSON."""
        space = {name: dimension.to_dict() for name, dimension in self.space.items()}
        about = {name: getattr(self, name) for name in ("metric", "mode", "objective", "seeds", "sampler")}
        return {"space": space, **about, "pruner": self.pruner, "seed": self.seed}

    @classmethod
    def of(cls, content: JSONObject) -> Plan:
        """The plan that `to_dict` gave."""
        space = {name: _dimension(found) for name, found in content["space"].items()}
        return cls(**{**content, "space": space})


def import_optuna() -> None:
    """Import Optuna, without its lines on every trial.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IProgress not found")  # of its bars, which we do not show
            import optuna
    except ImportError:
        raise MissingDependencyError.for_extra("sweep", "sweeps need optuna") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)


_NEEDS = {"gp": "torch", "cma-es": "cmaes"}


def require_packages(sampler: str) -> None:
    """See that the packages of a search are installed: some would be missed only after ten trials.

    Raises:
        MissingDependencyError: one is not.
    """
    package = _NEEDS.get(sampler)
    if package is not None and find_spec(package) is None:
        raise MissingDependencyError(
            tr("sampler={sampler!r} needs {package}: pip install {package}", sampler=sampler, package=package)
        )


def _dimension(content: JSONObject) -> Dimension:
    only = tuple((name, tuple(values)) for name, values in content.get("only", ()))
    return Dimension(**{**content, "options": tuple(content.get("options", ())), "only": only})


def optuna_sampler(plan: Plan, entropy: Sequence[int]) -> optuna.samplers.BaseSampler:
    """The search that a plan names."""
    import optuna

    seed = int(np.random.SeedSequence([plan.seed, *entropy]).generate_state(1)[0])
    samplers = optuna.samplers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if plan.sampler in ("grid", "random"):
            return samplers.RandomSampler(seed=seed)
        if plan.sampler == "quasi-random":
            return samplers.QMCSampler(seed=plan.seed, scramble=True, warn_independent_sampling=False)
        if plan.sampler == "tpe":
            # One hyper-parameter at a time: small budgets get stuck less often (benchmarks.sweep_search).
            return samplers.TPESampler(seed=seed, constant_liar=True, multivariate=False)
        if plan.sampler == "gp":
            return samplers.GPSampler(seed=seed)
        return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)


def optuna_pruner(name: str | None) -> optuna.pruners.BasePruner:
    """The rule that a plan names."""
    import optuna

    pruners = optuna.pruners
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if name == "median":
            return pruners.MedianPruner(n_startup_trials=4)
        if name == "halving":  # after evaluations 2, 4, 8 ...: the first alone says little
            return pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2)
        if name == "hyperband":
            return pruners.HyperbandPruner()
        return pruners.WilcoxonPruner() if name == "wilcoxon" else pruners.NopPruner()
