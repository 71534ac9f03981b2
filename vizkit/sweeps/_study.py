"""The state of a sweep on disk: its plan and Optuna's trials, shared by any number of processes."""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vizkit._files import write_atomic
from vizkit._json import parse_json
from vizkit._protocols import JSONObject
from vizkit.environment.processes import is_alive, process_identity
from vizkit.errors import DataError, LogNotFoundError, MissingDependencyError
from vizkit.sweeps._journal import FileLock, Journal
from vizkit.sweeps.space import Dimension, Value, grid_points

if TYPE_CHECKING:
    import optuna

__all__ = ["SWEEP_DIRECTORY", "Claim", "Plan", "SweepStudy", "import_optuna"]

SWEEP_DIRECTORY = ".sweep"
_PLAN = "sweep.json"
_JOB = "job.json"
_NAME = "sweep"
_BEAT_SECONDS = 15.0
_DEAD_AFTER = 120.0  # seconds without a beat, of a worker on another machine
_MOST_DRAWS = 1000

SamplerName = Literal["grid", "random", "quasi-random", "tpe", "gp", "cma-es"]
PrunerName = Literal["median", "hyperband", "wilcoxon"]


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


@dataclass(frozen=True)
class Claim:
    """A trial that this process has taken on.

    Attributes:
        trial: Optuna's.
        point: its hyper-parameters.
    """

    trial: optuna.Trial
    point: dict[str, Value]


class SweepStudy:
    """A sweep's directory ``.sweep`` beside its runs: plan, journal, lock and the beats of its workers.

    Args:
        logdir: the directory of the runs.
        plan: what is searched for; None: that of the sweep that is there.
        sampler, pruner: Optuna's own, in the place of those that the plan names.
        alone: True if no other process is about to search; what is drawn depends on the seed alone then.

    Raises:
        DataError: there is a sweep of another plan.
        LogNotFoundError: there is no sweep, and no plan.
        MissingDependencyError: Optuna is not installed.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        plan: Plan | None = None,
        *,
        sampler: optuna.samplers.BaseSampler | None = None,
        pruner: optuna.pruners.BasePruner | None = None,
        alone: bool = False,
    ) -> None:
        import_optuna()
        import optuna

        self.logdir = os.path.expanduser(logdir)
        self.directory = os.path.join(self.logdir, SWEEP_DIRECTORY)
        if plan is None and not os.path.exists(os.path.join(self.directory, _PLAN)):
            raise LogNotFoundError("{logdir} holds no sweep", logdir=self.logdir)
        os.makedirs(os.path.join(self.directory, "workers"), exist_ok=True)
        self.lock = FileLock(os.path.join(self.directory, "lock"))
        with self.lock:
            self.plan = self._agreed(plan)
            storage = optuna.storages.JournalStorage(
                Journal(os.path.join(self.directory, "journal"), self.lock)
            )
            self._study = optuna.create_study(
                storage=storage,
                study_name=_NAME,
                direction="maximize" if self.plan.mode == "max" else "minimize",
                load_if_exists=True,
                sampler=sampler,
                pruner=pruner or _pruner(self.plan.pruner),
            )
            # A process that goes on must not draw the points of the one before, nor two the same.
            others = [] if alone and not self.running() else [uuid.uuid4().int]
            self._entropy = None if sampler is not None else [len(self.trials()), *others]
        self._worker = {
            "id": uuid.uuid4().hex,
            "pid": os.getpid(),
            "process": process_identity(os.getpid()),
            "host": socket.gethostname(),
        }
        self._beats: threading.Event | None = None

    def _agreed(self, plan: Plan | None) -> Plan:
        """The plan of the sweep: the one that is there, which has to be the same, or the new one."""
        path = os.path.join(self.directory, _PLAN)
        try:
            with open(path, "rb") as file:
                found = parse_json(file.read())
            there = Plan.of(found)  # type: ignore[arg-type]
        except FileNotFoundError:
            if plan is None:
                raise LogNotFoundError("{logdir} holds no sweep", logdir=self.logdir) from None
            write_atomic(path, json.dumps(plan.to_dict(), ensure_ascii=False, indent=1).encode())
            return plan
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                "{path} does not describe a sweep ({error}): move it away", path=path, error=error
            ) from error
        if plan is not None and plan.to_dict() != there.to_dict():
            ours, theirs = plan.to_dict(), there.to_dict()
            name = next(name for name in ours if ours[name] != theirs[name])
            raise DataError(
                "{logdir} holds a sweep whose {name} is {there}, not {given}: take another logdir, or go on "
                "with the same",
                logdir=self.logdir,
                name=name,
                there=json.dumps(theirs[name], ensure_ascii=False),
                given=json.dumps(ours[name], ensure_ascii=False),
            )
        return there

    def keep_job(self, job: JSONObject) -> None:
        """Keep what `kept_job` returns, for those who join."""
        write_atomic(os.path.join(self.directory, _JOB), json.dumps(job, ensure_ascii=False).encode())

    def kept_job(self) -> JSONObject | None:
        """The command and the number of trials, for those who join; None for a function's sweep."""
        try:
            with open(os.path.join(self.directory, _JOB), "rb") as file:
                found = parse_json(file.read())
        except FileNotFoundError:
            return None
        return found if isinstance(found, dict) else None

    # -- trials -----------------------------------------------------------------------------------

    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """All trials that Optuna knows, also those that do not count; not to be changed."""
        return self._study.get_trials(deepcopy=False)

    def counted(self) -> list[optuna.trial.FrozenTrial]:
        """The trials that count: those that have ended by themselves, run or wait."""
        return [trial for trial in self.trials() if not trial.user_attrs.get("void")]

    def has_claimed(self, pid: int) -> bool:
        """True if a process of this machine has ever taken on a trial."""
        own = (
            worker for trial in self.trials() if isinstance(worker := trial.user_attrs.get("worker"), dict)
        )
        return any(one["pid"] == pid and one["host"] == self._worker["host"] for one in own)

    def running(self) -> bool:
        """True if any process works on a trial."""
        return any(trial.state.name == "RUNNING" for trial in self.trials())

    def is_done(self, most: int | None) -> bool:
        """True if as many trials as wanted have ended: there is nothing to start a process for."""
        counted = self.counted()
        ended = sum(trial.state.is_finished() for trial in counted)
        return ended == len(counted) if most is None else ended >= most

    def enqueue(self, points: Sequence[dict[str, Value]]) -> None:
        """Have points tried before any others, if they are not known yet."""
        with self.lock:
            known = [_asked(trial) for trial in self.counted()]
            for point in points:
                if point not in known:
                    self._study.enqueue_trial(point)

    def enqueue_grid(self, constraint: Callable[[dict[str, Value]], bool]) -> int:
        """Enqueue every point of the space's grid once, and return how many there are."""
        points = [point for point in grid_points(self.plan.space) if constraint(dict(point))]
        if not points:
            raise DataError("the constraint holds for no point of the space")
        self.enqueue(points)
        return len(points)

    def claim(
        self, most: int | None, retries: int, constraint: Callable[[dict[str, Value]], bool]
    ) -> Claim | None:
        """Take on the next trial; None if as many as wanted have begun, or all of a grid.

        Args:
            most: how many trials the sweep has; None: those that wait.
            retries: how often a trial whose process was killed is tried again.
            constraint: what a point must fulfil.
        """
        with self.lock:
            self._free_dead(retries)
            counted = self.counted()
            waiting = sum(trial.state.name == "WAITING" for trial in counted)
            if not waiting and (most is None or self.plan.sampler == "grid"):
                return None
            if most is not None and len(counted) - waiting >= most:
                return None
            if self._entropy is not None:  # who only looks at a sweep needs no sampler's packages
                self._study.sampler = _sampler(self.plan, self._entropy)
                self._entropy = None
            for _ in range(_MOST_DRAWS):
                trial = self._study.ask()
                trial.set_user_attr("worker", self._worker)
                point = self._suggested(trial)
                if constraint(dict(point)):
                    self._beat()
                    return Claim(trial, point)
                self._end_void(trial.number, "constraint")
        raise DataError(
            "the constraint held for none of {n:,} points that the search has drawn", n=_MOST_DRAWS
        )

    def _suggested(self, trial: optuna.Trial) -> dict[str, Value]:
        point: dict[str, Value] = {}
        for name, dimension in self.plan.space.items():
            if dimension.is_there(point):
                point[name] = dimension.suggested(name, trial)
        return point

    def finish(
        self, claim: Claim, *, values: Sequence[float], runs: Sequence[str], error: str | None = None
    ) -> None:
        """Keep the result of a trial. Nothing happens if others have taken it for dead meanwhile."""
        state = "FAIL" if error is not None else "COMPLETE"
        self._tell(claim, state, values, runs, error)

    def prune(self, claim: Claim, *, values: Sequence[float], runs: Sequence[str]) -> None:
        """Keep that a trial was ended early."""
        self._tell(claim, "PRUNED", values, runs, None)

    def _tell(
        self, claim: Claim, state: str, values: Sequence[float], runs: Sequence[str], error: str | None
    ) -> None:
        import optuna

        with self.lock:
            number = claim.trial.number
            if self.trials()[number].state.name != "RUNNING":
                return
            for name, value in (("values", list(values)), ("runs", list(runs)), ("error", error)):
                if value is not None:
                    claim.trial.set_user_attr(name, value)
            mean = float(np.mean(values)) if state == "COMPLETE" else None
            self._study.tell(number, mean, state=optuna.trial.TrialState[state])

    def give_back(self, claim: Claim) -> None:
        """Have a trial that was interrupted tried again by the next who asks."""
        with self.lock:
            if self.trials()[claim.trial.number].state.name == "RUNNING":
                self._again(self.trials()[claim.trial.number], "interrupted", attempt=0)

    def _free_dead(self, retries: int) -> None:
        """Have the trials of dead workers tried again."""
        for trial in self.trials():
            if trial.state.name != "RUNNING" or not self._is_dead(trial.user_attrs.get("worker")):
                continue
            attempt = int(trial.user_attrs.get("attempt", 0)) + 1
            if attempt <= retries:
                self._again(trial, "killed", attempt)
                continue
            import optuna

            # An attribute of a trial whose process is gone: through the storage, which the trial would ask.
            optuna.Trial(self._study, trial._trial_id).set_user_attr("error", "its process was killed")
            self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    def _again(self, trial: optuna.trial.FrozenTrial, why: str, attempt: int) -> None:
        self._end_void(trial.number, why)
        attributes = {"attempt": attempt} if attempt else {}
        self._study.enqueue_trial(dict(trial.params), user_attrs=attributes)

    def _end_void(self, number: int, why: str) -> None:
        """End a trial that does not count."""
        import optuna

        trial = optuna.Trial(self._study, self.trials()[number]._trial_id)
        trial.set_user_attr("void", why)
        self._study.tell(number, state=optuna.trial.TrialState.FAIL)

    # -- workers ----------------------------------------------------------------------------------

    def _is_dead(self, worker: object) -> bool:
        """True if the process that has claimed a trial is gone; a claim is whole while the lock is held."""
        if not isinstance(worker, dict):
            return True
        if worker["id"] == self._worker["id"]:
            return False
        alive = is_alive(worker)
        if alive is not None:
            return not alive
        try:
            last = os.stat(self._beat_path(str(worker["id"]))).st_mtime
        except OSError:
            return True
        self._touch()
        # Both by the clock of the file's server.
        return os.stat(self._beat_path(self._worker["id"])).st_mtime - last > _DEAD_AFTER

    def _beat_path(self, worker: object) -> str:
        return os.path.join(self.directory, "workers", str(worker))

    def _touch(self) -> None:
        with open(self._beat_path(self._worker["id"]), "wb") as file:
            file.write(b"1")

    def _beat(self) -> None:
        """Let other machines know that this process is alive, from its first claim on."""
        if self._beats is not None:
            return
        self._touch()
        stop = self._beats = threading.Event()

        def beat() -> None:
            while not stop.wait(_BEAT_SECONDS):
                with suppress(OSError):
                    self._touch()

        threading.Thread(target=beat, name="vizkit-sweep-beat", daemon=True).start()

    def leave(self) -> None:
        """End this process's part."""
        if self._beats is not None:
            self._beats.set()
            self._beats = None
            with suppress(OSError):
                os.unlink(self._beat_path(self._worker["id"]))


def import_optuna() -> None:
    """Import Optuna, without its lines on every trial.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingDependencyError.for_extra("sweep", "sweeps need optuna") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _dimension(content: JSONObject) -> Dimension:
    only = tuple((name, tuple(values)) for name, values in content.get("only", ()))
    return Dimension(**{**content, "options": tuple(content.get("options", ())), "only": only})


def _asked(trial: optuna.trial.FrozenTrial) -> dict[str, Value]:
    """The point of a trial, or the part of it that was asked for."""
    asked = trial.system_attrs.get("fixed_params")
    return dict(asked) if isinstance(asked, dict) else dict(trial.params)


def _sampler(plan: Plan, entropy: Sequence[int]) -> optuna.samplers.BaseSampler:
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
            return samplers.TPESampler(seed=seed, constant_liar=True)
        if plan.sampler == "gp":
            return samplers.GPSampler(seed=seed)
        return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)


def _pruner(name: str | None) -> optuna.pruners.BasePruner:
    """The rule that a plan names."""
    import optuna

    pruners = optuna.pruners
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if name == "median":
            return pruners.MedianPruner(n_startup_trials=4)
        if name == "hyperband":
            return pruners.HyperbandPruner()
        return pruners.WilcoxonPruner() if name == "wilcoxon" else pruners.NopPruner()
