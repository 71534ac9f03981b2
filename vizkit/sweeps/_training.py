"""One trial: a point of the space is trained, once a seed, each time into a run of its own."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Protocol

import numpy as np

from vizkit._after_import import AfterImport
from vizkit._language import tr
from vizkit._protocols import MetricsLike, ScalarLike, StepLike, WalltimeLike
from vizkit.errors import DataError, UnknownNameError
from vizkit.runs import Runs, load
from vizkit.sweeps._command_names import filled_command
from vizkit.sweeps._plan import Plan
from vizkit.sweeps._study import Claim, SweepStudy
from vizkit.sweeps._tied import tied
from vizkit.sweeps.space import Value
from vizkit.tracking.recording import flat_metrics
from vizkit.tracking.started_trial import SWEEP_VARIABLE
from vizkit.tracking.tracker import Tracker

__all__ = ["Pruned", "Training", "TrainingFunction", "run_trial"]

_DENSE_REPORTS = 64
_LOOK_SECONDS = 0.2  # between two looks at the log of a program
_OWN_CTRL_C = 1.0
_PATIENCE = 10.0
_STDERR = 2


class Pruned(BaseException):
    """Raised out of `Tracker.log` where a trial is not worth going on with; the sweep catches it.

    It is no `Exception`: a training that catches those ends all the same.
    """


class TrainingFunction(Protocol):
    """A training of one's own: it is given the hyper-parameters, among them ``seed``, and an open tracker."""

    def __call__(self, hparams: dict[str, Value], tracker: Tracker, /) -> object:
        """Train, and record the metric."""


class Training(Protocol):
    """A training, however it is started."""

    def __call__(
        self, run: str, hparams: dict[str, Value], plan: Plan, watch: Callable[[float, StepLike], None] | None
    ) -> bool:
        """Train into a run; return True if it was ended early."""


class FunctionTraining:
    """The training of a function, in this process.

    Args:
        train: the function.
    """

    def __init__(self, train: TrainingFunction) -> None:
        self._train = train

    def __call__(
        self, run: str, hparams: dict[str, Value], plan: Plan, watch: Callable[[float, StepLike], None] | None
    ) -> bool:
        """Train into a run; return True if it was ended early."""
        seed = hparams.get("seed")
        seeded = _seeded(seed) if isinstance(seed, int) else nullcontext()
        with seeded, _WatchedTracker(run, hparams, plan, watch) as tracker:
            try:
                self._train(dict(hparams), tracker)
            except Pruned:
                return True
            except SystemExit as error:  # it ends the training, not the sweep
                if error.code not in (None, 0):
                    raise RuntimeError(
                        tr("the training has ended with sys.exit({code!r})", code=error.code)
                    ) from error
        return False


class CommandTraining:
    """The training of a command, in a process of its own.

    ``{name}`` in an argument is replaced by the hyper-parameter's value (`vizkit.sweeps._command_names`). The
    program finds them all by `vizkit.hparams`, and its first tracker records into the trial's run.

    Args:
        command: the program and its arguments.
        directory: where it is started; the current directory, if it is not given or not there.

    Raises:
        DataError: there is no such program.
    """

    def __init__(self, command: Sequence[str], directory: str | None = None) -> None:
        self.command = list(command)
        self.directory = directory if directory and os.path.isdir(directory) else os.getcwd()
        program = self.command[0]
        within = os.path.join(self.directory, program) if os.path.dirname(program) else program
        if "{" not in program and shutil.which(within) is None:
            raise DataError("there is no program {program!r}", program=program)

    def __call__(
        self, run: str, hparams: dict[str, Value], plan: Plan, watch: Callable[[float, StepLike], None] | None
    ) -> bool:
        """Train into a run; return True if it was ended early."""
        command = filled_command(self.command, {*plan.space, "seed"}, hparams)
        trial = {"run": os.path.abspath(run), "hparams": hparams, "metric": plan.metric, "mode": plan.mode}
        environment = {**os.environ, SWEEP_VARIABLE: json.dumps(trial)}
        process = subprocess.Popen(  # noqa: S603
            tied(command),
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=_STDERR,  # stdout is the result's
        )
        try:
            if watch is None:
                process.wait()
            else:
                _follow(process, run, plan.metric, watch)
        except Pruned:
            _stop(process)
            return True
        except BaseException:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_OWN_CTRL_C)  # a terminal's Ctrl-C is the program's, too
            _stop(process)
            raise
        if process.returncode:
            text = tr(
                "{command} ended with exit code {code}", command=" ".join(command), code=process.returncode
            )
            raise RuntimeError(text)
        return False


def _follow(
    process: subprocess.Popen[bytes], run: str, metric: str, watch: Callable[[float, StepLike], None]
) -> None:
    """Show the values of the metric as they come into a run's log, until its process has ended.

    Raises:
        Pruned: the trial is not worth going on with.
    """
    found: Runs | None = None
    shown = 0
    ended = False
    while not ended:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
            ended = True
        if found:
            found[0].refresh()
        elif os.path.isdir(run):
            found = load(run)
        if not found or metric not in found[0].scalar_tags:
            continue
        columns = found[0].columns(metric)
        for value, step in zip(columns.values[shown:], columns.steps[shown:], strict=True):
            with suppress(*([Pruned] if ended else [])):
                watch(float(value), step.item())
        shown = max(shown, len(columns.values))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program as Ctrl-C would, so that it closes its run; by force if it does not follow."""
    interrupt = partial(process.send_signal, signal.SIGINT)
    for end in (interrupt, process.terminate, process.kill):
        if process.poll() is None:
            with suppress(subprocess.TimeoutExpired, ValueError):  # Windows has no such signal
                end()
                process.wait(_PATIENCE)
    process.wait()


class _WatchedTracker(Tracker):
    """The tracker of a trial: the values of the metric are shown to the sweep as they are recorded."""

    def __init__(
        self,
        run: str,
        hparams: dict[str, Value],
        plan: Plan,
        watch: Callable[[float, StepLike], None] | None,
    ) -> None:
        seed = hparams.get("seed")
        super().__init__(
            run,
            hparams=hparams,
            metrics={plan.metric: plan.mode},
            if_exists="fail",
            seed=seed if isinstance(seed, int) else None,
            quiet=True,
        )
        self._metric, self._watch = plan.metric, watch

    def log(
        self,
        metrics: MetricsLike,
        step: StepLike | None = None,
        *,
        reduce: str | None = None,
    ) -> None:
        """Record the scalars of one step; see `Tracker.log`."""
        super().log(metrics, step, reduce=reduce)  # type: ignore[arg-type]
        if self._watch is not None and isinstance(metrics, dict):
            value = flat_metrics(metrics).get(self._metric)
            if value is not None:
                self._show(value, step)

    def log_scalar(
        self,
        tag: str,
        value: ScalarLike,
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record one number; see `Tracker.log_scalar`."""
        super().log_scalar(tag, value, step, walltime)
        if self._watch is not None and tag == self._metric:
            self._show(value, step)

    def _show(self, value: ScalarLike, step: StepLike | None) -> None:
        try:
            number = float(np.asarray(value, dtype=np.float64).item())
        except (TypeError, ValueError):
            return  # the tracker has said so
        if self._watch is not None:
            self._watch(number, self.step if step is None else step)


class _Reports:
    """Reports of a running trial to Optuna: as many as its rules need, for a training of any length.

    Each of the first 64, then every second to the 128th, every fourth to the 256th ...: the same ones of each
    trial, and 32 more each time that their number doubles. Their step is their number, from 1 on. The value
    is the one that the trial would have if it ended now: the best so far, or the last.
    """

    def __init__(self, claim: Claim, plan: Plan) -> None:
        self._trial = claim.trial
        self._sign = 1 if plan.mode == "max" else -1
        self._keeps_best = plan.objective == "best"
        self._best = -math.inf
        self._count = 0

    def __call__(self, value: float, step: StepLike) -> None:
        number = self._count
        self._count += 1
        if self._keeps_best:
            if math.isfinite(value):
                self._best = max(self._best, self._sign * value)
            value = self._sign * self._best
        stride = 1
        while number >= _DENSE_REPORTS * stride:
            stride *= 2
        if number % stride or not math.isfinite(value):
            return
        self._trial.report(value, number + 1)
        if self._trial.should_prune():
            raise Pruned


def run_trial(study: SweepStudy, claim: Claim, training: Training) -> None:
    """Train the point of a trial, once a seed, and keep what came of it.

    An error of the training is kept with the trial. Ctrl-C gives the trial back.

    Raises:
        UnknownNameError: the training has ended without a record of the metric.
    """
    plan = study.plan
    values: list[float] = []
    runs: list[str] = []
    try:
        for seed in range(plan.seeds):
            name = f"trial{claim.trial.number:03d}" + (f"-seed{seed}" if plan.seeds > 1 else "")
            hparams = dict(claim.point) if "seed" in plan.space else {**claim.point, "seed": plan.seed + seed}
            run = os.path.join(study.logdir, name)
            runs.append(name)
            within = plan.pruner not in (None, "wilcoxon") and seed == 0
            if training(run, hparams, plan, _Reports(claim, plan) if within else None):
                load(run)[0].annotate(add="pruned")
                study.prune(claim, values=values, runs=runs)
                return
            values.append(_value(run, plan))
            if plan.pruner == "wilcoxon":
                claim.trial.report(values[-1], seed)
                if seed + 1 < plan.seeds and claim.trial.should_prune():
                    study.prune(claim, values=values, runs=runs)
                    return
    except UnknownNameError as error:
        study.finish(claim, values=values, runs=runs, error=str(error))
        raise
    except Exception as error:
        print(traceback.format_exc(), file=sys.stderr)
        study.finish(claim, values=values, runs=runs, error=f"{type(error).__name__}: {error}")
    except BaseException:
        study.give_back(claim)
        raise
    else:
        study.finish(claim, values=values, runs=runs)


def _value(directory: str, plan: Plan) -> float:
    """The value that counts of a run.

    Raises:
        UnknownNameError: it has no such metric.
        DataError: all its values are NaN or infinite.
    """
    found = load(directory) if os.path.isdir(directory) else []
    if not found:
        raise UnknownNameError(
            "the training has ended without a run in {run}: make a vizkit.Tracker in it, or call "
            "vizkit.autolog()",
            run=directory,
        )
    run = found[0]
    if plan.metric not in run.scalar_tags:
        raise UnknownNameError(
            "the training has ended without a value of {metric!r}; it has recorded {tags}",
            metric=plan.metric,
            tags=", ".join(map(repr, run.scalar_tags)) or tr("no numbers"),
        )
    summary = run.summary(plan.metric)
    point = summary.last if plan.objective == "last" else summary.best(plan.metric, plan.mode)
    if point is None or not math.isfinite(point.value):
        raise DataError("{metric!r} has diverged", metric=plan.metric)
    return point.value


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Set the global generators of Python, NumPy and Paddle, which may be imported only within."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if "paddle" in sys.modules:
        sys.modules["paddle"].seed(seed)
        yield
        return
    later = AfterImport("paddle", lambda: sys.modules["paddle"].seed(seed))
    try:
        yield
    finally:
        later.cancel()
