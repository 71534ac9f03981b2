"""The state of a sweep on disk: its plan and Optuna's trials, shared by any number of processes."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit._atomic_writes import write_atomic
from vizkit._json import parse_json
from vizkit._protocols import JSONObject
from vizkit.errors import DataError, LogNotFoundError
from vizkit.sweeps._heartbeat import Heartbeat
from vizkit.sweeps._journal import FileLock, Journal
from vizkit.sweeps._plan import Plan, import_optuna, optuna_pruner, optuna_sampler
from vizkit.sweeps.space import Value

if TYPE_CHECKING:
    import optuna

__all__ = ["SWEEP_DIRECTORY", "Claim", "SweepStudy", "holds_sweep"]

SWEEP_DIRECTORY = ".sweep"
_PLAN = "sweep.json"
_JOB = "job.json"
_JOURNAL = "journal"
_NAME = "sweep"
_POLL_SECONDS = 0.01
_MOST_DRAWS = 1000
_TRIAL = re.compile(r"trial\d{3,}(-seed\d+)?")


def holds_sweep(logdir: str | os.PathLike[str]) -> bool:
    """True if a sweep has begun in a directory."""
    return os.path.exists(os.path.join(os.path.expanduser(logdir), SWEEP_DIRECTORY, _PLAN))


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
        reads: True to look only: nothing is written.
        worker: an identity for this worker; by default a random one.

    Raises:
        DataError: there is a sweep of another plan, or the directory cannot be written.
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
        reads: bool = False,
        worker: str | None = None,
    ) -> None:
        import_optuna()
        self.logdir = os.path.expanduser(logdir)
        self.directory = os.path.join(self.logdir, SWEEP_DIRECTORY)
        if plan is None and not holds_sweep(logdir):
            raise self._none()
        self.lock = FileLock(os.path.join(self.directory, "lock"))
        beats = os.path.join(self.directory, "workers")
        self._heartbeat = Heartbeat(beats, worker)
        self._entropy: Sequence[int] | None = None
        if reads:
            self.plan = self._agreed(None)
            self._study = self._loaded()
            return
        try:
            os.makedirs(beats, exist_ok=True)
            with self.lock:
                self.plan = self._agreed(plan)
                self._study = self._created(sampler, pruner)
                # A process that goes on must not draw the points of the one before, nor two the same.
                others = [] if alone and not self.running() else [uuid.uuid4().int]
                if sampler is None:
                    self._entropy = [len(self.trials()), *others]
        except OSError as error:
            raise DataError(
                "a sweep cannot be kept in {directory} ({error}): take another logdir",
                directory=self.directory,
                error=error,
            ) from error

    def _none(self) -> LogNotFoundError:
        return LogNotFoundError("{logdir} holds no sweep", logdir=self.logdir)

    def _storage(self) -> optuna.storages.JournalStorage:
        import optuna

        journal = Journal(os.path.join(self.directory, _JOURNAL), self.lock)
        return optuna.storages.JournalStorage(journal)  # type: ignore[arg-type]  # Optuna is not imported there

    def _created(
        self, sampler: optuna.samplers.BaseSampler | None, pruner: optuna.pruners.BasePruner | None
    ) -> optuna.Study:
        import optuna

        return optuna.create_study(
            storage=self._storage(),
            study_name=_NAME,
            direction="maximize" if self.plan.mode == "max" else "minimize",
            load_if_exists=True,
            sampler=sampler,
            pruner=pruner or optuna_pruner(self.plan.pruner),
        )

    def _loaded(self) -> optuna.Study:
        import optuna

        try:
            return optuna.load_study(study_name=_NAME, storage=self._storage())
        except KeyError:  # it is about to begin
            raise self._none() from None

    def _agreed(self, plan: Plan | None) -> Plan:
        """The plan of the sweep: the one that is there, which has to be the same, or the new one."""
        path = os.path.join(self.directory, _PLAN)
        try:
            with open(path, "rb") as file:
                found = parse_json(file.read())
            there = Plan.of(found)  # type: ignore[arg-type]
        except FileNotFoundError:
            if plan is None:
                raise self._none() from None
            self._check_free()
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

    def _check_free(self) -> None:
        """See that no run has the name of a trial of a sweep that begins."""
        taken = [name for name in sorted(os.listdir(self.logdir)) if _TRIAL.fullmatch(name)]
        if taken:
            raise DataError(
                "{logdir} holds runs of a sweep whose state is gone, such as {name}: move them away, or take "
                "another logdir",
                logdir=self.logdir,
                name=taken[0],
            )

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

    def has_begun(self, worker: str) -> bool:
        """True if a worker has ever begun to train."""
        claimed = (trial for trial in self.trials() if trial.user_attrs.get("void") in (None, "killed"))
        workers = (trial.user_attrs.get("worker") for trial in claimed)
        return any(isinstance(one, dict) and one["id"] == worker for one in workers)

    def running(self) -> bool:
        """True if any process works on a trial."""
        return any(trial.state.name == "RUNNING" for trial in self.trials())

    def left(self, most: int | None) -> int | None:
        """How many of so many trials have not ended; None if there is no end."""
        ended = sum(trial.state.is_finished() for trial in self.counted())
        return None if most is None else max(0, most - ended)

    def enqueue(self, points: Iterable[Mapping[str, Value]]) -> None:
        """Have points tried before any others, if they are not known yet."""
        with self.lock:
            known = {frozenset(_asked(trial).items()) for trial in self.counted()}
            for point in points:
                if frozenset(point.items()) not in known:
                    self._study.enqueue_trial(dict(point))

    def claim(
        self, most: int | None, retries: int, constraint: Callable[[dict[str, Value]], bool]
    ) -> Claim | None:
        """Take on the next trial; None if as many as wanted have begun, or all of a grid.

        Args:
            most: how many trials the sweep has; None: no end.
            retries: how often a trial whose process was killed is tried again.
            constraint: what a point must fulfil.
        """
        with self.lock:
            self._free_dead(retries)
            counted = self.counted()
            waiting = sum(trial.state.name == "WAITING" for trial in counted)
            if not waiting and self.plan.sampler == "grid":
                return None
            if most is not None and len(counted) - waiting >= most:
                return None
            if self._entropy is not None:  # who only looks at a sweep needs no sampler's packages
                self._study.sampler = optuna_sampler(self.plan, self._entropy)
                self._entropy = None
            for _ in range(_MOST_DRAWS):
                trial = self._study.ask()
                try:
                    trial.set_user_attr("worker", self._heartbeat.worker)
                    point = self._suggested(trial)
                    fits = constraint(dict(point))
                    self._heartbeat.start()
                except BaseException:
                    self._again(self.trials()[trial.number], "interrupted", attempt=0)
                    raise
                if fits:
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
            if trial.state.name != "RUNNING" or not self._is_free(trial):
                continue
            attempt = int(trial.user_attrs.get("attempt", 0)) + 1
            if attempt <= retries:
                self._again(trial, "killed", attempt)
                continue
            import optuna

            # An attribute of a trial whose process is gone: through the storage, which the trial would ask.
            optuna.Trial(self._study, trial._trial_id).set_user_attr("error", "its process was killed")
            self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    def _is_free(self, trial: optuna.trial.FrozenTrial) -> bool:
        """True if nobody works on a running trial; a claim is whole while the lock is held."""
        worker = trial.user_attrs.get("worker")
        return not isinstance(worker, dict) or self._heartbeat.is_dead(worker)

    def _again(self, trial: optuna.trial.FrozenTrial, why: str, attempt: int) -> None:
        """End a trial and have its point tried once more: once, though we be killed at any moment of it."""
        if not any(other.user_attrs.get("retry_of") == trial.number for other in self.trials()):
            attributes = {"retry_of": trial.number, **({"attempt": attempt} if attempt else {})}
            self._study.enqueue_trial({**_asked(trial), **trial.params}, user_attrs=attributes)
        self._end_void(trial.number, why)

    def _end_void(self, number: int, why: str) -> None:
        """End a trial that does not count."""
        import optuna

        trial = optuna.Trial(self._study, self.trials()[number]._trial_id)
        trial.set_user_attr("void", why)
        self._study.tell(number, state=optuna.trial.TrialState.FAIL)

    def wait(self, seconds: float) -> None:
        """Wait until any process changes a trial, and not longer than so many seconds."""
        journal = os.path.join(self.directory, _JOURNAL)
        end, before = time.monotonic() + seconds, os.path.getsize(journal)
        while time.monotonic() < end and os.path.getsize(journal) == before:
            time.sleep(_POLL_SECONDS)

    def leave(self) -> None:
        """End this process's part."""
        self._heartbeat.stop()


def _asked(trial: optuna.trial.FrozenTrial) -> dict[str, Value]:
    """The point of a trial, or the part of it that was asked for."""
    asked = trial.system_attrs.get("fixed_params")
    return dict(asked) if isinstance(asked, dict) else dict(trial.params)
