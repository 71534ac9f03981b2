"""`vizkit.sweep`: search for the hyper-parameters of a training."""

from __future__ import annotations

import inspect
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from vizkit._checks import describe, one_of, whole_number
from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.metrics.direction import direction
from vizkit.sweeps._command_names import check_command
from vizkit.sweeps._plan import (
    LEAST_SEEDS,
    PRUNERS,
    SAMPLERS,
    Plan,
    PrunerName,
    SamplerName,
    require_packages,
)
from vizkit.sweeps._progress import Progress
from vizkit.sweeps._ray import import_ray, run_on_ray
from vizkit.sweeps._study import SweepStudy
from vizkit.sweeps._training import CommandTraining, FunctionTraining, Training, TrainingFunction
from vizkit.sweeps._workers import Job, pickled, run_workers, work
from vizkit.sweeps.result import SweepResult, result_of
from vizkit.sweeps.space import Value, as_space, checked_point, grid_points, is_grid

if TYPE_CHECKING:
    import optuna

__all__ = ["join", "status", "sweep"]

EngineName = Literal["processes", "ray"]


def sweep(
    train: TrainingFunction | Sequence[str],
    space: Mapping[str, object],
    *,
    logdir: str | os.PathLike[str] = "log",
    metric: str,
    mode: Literal["auto", "min", "max"] = "auto",
    trials: int | None = None,
    seconds: float | None = None,
    seeds: int = 1,
    workers: int = 1,
    objective: Literal["best", "last"] = "best",
    sampler: SamplerName | optuna.samplers.BaseSampler | None = None,
    pruner: PrunerName | optuna.pruners.BasePruner | None = None,
    points: Sequence[Mapping[str, Value]] = (),
    constraint: Callable[[dict[str, Value]], bool] | None = None,
    retries: int = 2,
    seed: int = 0,
    gpus: Sequence[int | str] | None = None,
    engine: EngineName = "processes",
    resources: Mapping[str, float] | None = None,
    quiet: bool = False,
) -> SweepResult:
    """Search for the hyper-parameters with which a training reaches the best value of a metric.

    ::

        def train(hparams, tracker):
            model = make_model(hparams["learning rate"])
            model.fit(train_data, eval_data, epochs=5, callbacks=tracker.callback())

        result = vizkit.sweep(
            train,
            {"learning rate": vizkit.sweeps.log(1e-4, 1e-1), "batch size": [32, 64, 128]},
            logdir="log/lenet", metric="eval/acc", trials=30, workers=2,
        )
        result.best.hparams

    Each trial is a run of ``logdir`` (``trial007``; with several seeds ``trial007-seed0`` ...), for
    VisualDL as for VizKit. The state of the sweep is in ``logdir/.sweep``: the same call goes on where it
    stopped, and any process that sees the directory joins in by it, on this machine or another. Trials
    whose process died are tried again; those that fail keep their error, and the sweep goes on.

    Args:
        train: ``train(hparams, tracker)``, which trains once and records the metric. The hyper-parameters
            hold a ``seed``, with which Python's, NumPy's and Paddle's generators were set. Or a command, such
            as ``["python", "train.py", "--lr", "{learning rate}"]``, whose first tracker records into the
            trial's run; see `vizkit.hparams`.
        space: name of a hyper-parameter -> its values: a list, or what `log`, `uniform`, `integers`,
            `choice` and `when` of `vizkit.sweeps` return.
        logdir: the directory of the runs.
        metric: the tag of the scalar that counts.
        mode: whether ``"max"`` or ``"min"`` of it is better; ``"auto"``: as its name tells.
        trials: how many points are trained in all; of a grid all, if it is not given.
        seconds: no trial is begun after this time.
        seeds: how often each point is trained; its value is the mean.
        workers: processes that train at a time, each with its share of cores and GPUs; 1 trains in this one.
        objective: the value of a run that counts: the ``"best"`` of the training, which is too good by as
            much as it varies, or the ``"last"``.
        sampler: the search, by Optuna: ``"grid"`` (all points once), ``"random"``, ``"quasi-random"``,
            ``"tpe"``, ``"gp"`` (needs torch) or ``"cma-es"`` (needs cmaes); or a sampler of Optuna's. By
            default a grid if all are lists and ``trials`` is not given, else TPE.
        pruner: ends trials early that are not worth going on with: ``"median"``, ``"halving"`` and
            ``"hyperband"`` look at the first seed as its values are recorded (at the best so far, or with
            ``objective="last"`` the last), ``"wilcoxon"`` at the values of the seeds, of which
            it takes five or more; or a pruner of Optuna's, which looks as the first ones do.
        points: points, or parts of points, to try first.
        constraint: what a point has to fulfil, such as ``lambda point: point["width"] < point["depth"]``.
        retries: how often a trial whose process was killed is tried again.
        seed: of the search, and the first seed of the trainings.
        gpus: the GPUs that the workers share; by default those of ``CUDA_VISIBLE_DEVICES``, or all.
        engine: where the workers are: ``"processes"`` of this machine, or tasks of a ``"ray"`` cluster, whose
            nodes all see ``logdir``.
        resources: what a worker occupies on a Ray cluster, such as ``{"CPU": 2, "GPU": 1}``; by
            default one CPU.
        quiet: show no progress on stderr.

    Raises:
        DataError: a bad space, point or option; a command with a name that the space does not have; a
            directory with a sweep of another space, or that cannot be written; a training that cannot be sent
            to workers. Nothing is trained then.
        UnknownNameError: a training has ended without a value of the metric.
        MissingDependencyError: Optuna, cloudpickle, Ray or a sampler's package is not installed.
        TypeError: a ``train`` that does not take two arguments, or is none.
        KeyboardInterrupt: Ctrl-C; what ran is given back, and the same call goes on.
    """
    dimensions = as_space(space)
    training = _training(train)
    if isinstance(training, CommandTraining):
        check_command(training.command, dict.fromkeys([*dimensions, "seed"]))
    if not isinstance(metric, str) or not metric:
        raise DataError("metric must be the tag of a scalar, got {metric!r}", metric=metric)
    for name, count in (("seeds", seeds), ("workers", workers)):
        whole_number(name, count)
    whole_number("retries", retries, least=0)
    if trials is not None:
        whole_number("trials", trials)
    if seconds is not None and not (isinstance(seconds, (int, float)) and 0 < seconds < math.inf):
        raise DataError("seconds must be above 0, got {seconds!r}", seconds=seconds)
    if "seed" in dimensions and seeds > 1:
        raise DataError("the space has a 'seed' of its own: leave it out, or pass seeds=1")
    one_of("objective", objective, ("best", "last"))
    if sampler is None:
        sampler = "grid" if trials is None and is_grid(dimensions) else "tpe"
    if isinstance(sampler, str):
        one_of("sampler", sampler, SAMPLERS)
        require_packages(sampler)
    if pruner is None or isinstance(pruner, str):
        one_of("pruner", pruner or "median", PRUNERS)
    if pruner == "wilcoxon" and seeds < LEAST_SEEDS:
        raise DataError(
            "pruner='wilcoxon' ends no point with fewer than {least} seeds, got seeds={seeds}",
            least=LEAST_SEEDS,
            seeds=seeds,
        )
    if sampler != "grid" and trials is None and seconds is None:
        raise DataError("how long shall the sweep search? pass trials=, seconds= or both")
    known = [checked_point(dimensions, point) for point in points]
    plan = Plan(
        dimensions,
        metric,
        direction(metric, mode),
        objective,
        seeds,
        sampler if isinstance(sampler, str) else type(sampler).__name__,
        pruner if pruner is None or isinstance(pruner, str) else type(pruner).__name__,
        seed,
    )
    job = Job(training, trials, retries)
    job.sampler = None if isinstance(sampler, str) else sampler
    job.pruner = None if pruner is None or isinstance(pruner, str) else pruner
    if constraint is not None:
        job.constraint = constraint
    if seconds is not None:
        job.until = time.time() + seconds
    if sampler == "grid":
        grid = [point for point in grid_points(dimensions) if job.constraint(dict(point))]
        if not grid:
            raise DataError("the constraint holds for no point of the space")
        known = sorted(grid, key=lambda point: _place(point, known))
        job.most = len(grid) if trials is None else min(len(grid), trials)
    run = _runner(job, workers, gpus, engine, resources)
    study = SweepStudy(logdir, plan, sampler=job.sampler, pruner=job.pruner, alone=workers == 1)
    if isinstance(training, CommandTraining):
        until = None if seconds is None else job.until
        kept = {"command": training.command, "directory": training.directory}
        study.keep_job({**kept, "trials": job.most, "until": until})
    study.enqueue(known)
    _go(study, job, run, quiet)
    return result_of(study)


def _place(point: Mapping[str, Value], known: Sequence[Mapping[str, Value]]) -> int:
    """The place of a grid's point among those that are to come first, which may be parts of it."""
    return next((place for place, first in enumerate(known) if first.items() <= point.items()), len(known))


_Run = Callable[[SweepStudy, Progress], None]


def _runner(
    job: Job,
    workers: int,
    gpus: Sequence[int | str] | None = None,
    engine: EngineName = "processes",
    resources: Mapping[str, float] | None = None,
) -> _Run:
    """The call that does a job: all that it needs is looked for here, before anything is written."""
    one_of("engine", engine, ("processes", "ray"))
    if resources is not None and engine != "ray":
        raise DataError("resources= is of engine='ray': processes divide cores and gpus= among them")
    if engine == "processes" and workers == 1:
        return lambda study, progress: work(study, job, on_end=progress.look)
    if engine == "ray":
        import_ray()
    sent = pickled(job)

    def run(study: SweepStudy, progress: Progress) -> None:
        left = study.left(job.most)
        count = workers if left is None else min(workers, left)
        if count == 0:
            return
        if engine == "ray":
            run_on_ray(study, sent, count, {"CPU": 1, **(resources or {})}, on_look=progress.look)
        else:
            run_workers(study, sent, count, gpus=gpus, on_look=progress.look)

    return run


def _go(study: SweepStudy, job: Job, run: _Run, quiet: bool) -> None:
    progress = Progress(study, job.most, quiet)
    try:
        run(study, progress)
        progress.look()
    except KeyboardInterrupt:
        progress.end()
        if not quiet:
            text = tr("interrupted; the same call goes on with the sweep in {logdir}", logdir=study.logdir)
            print("vizkit sweep:", text, file=sys.stderr)
        raise
    progress.end()


def _training(train: object) -> Training:
    if callable(train):
        _check_signature(train)
        return FunctionTraining(train)
    if isinstance(train, (list, tuple)) and train and all(isinstance(part, str) for part in train):
        return CommandTraining(train)
    raise TypeError(
        tr(
            "train must be a function of hparams and tracker, or a command as a list of texts, got {train}",
            train=describe(train),
        )
    )


def _check_signature(train: Callable[..., object]) -> None:
    try:
        signature = inspect.signature(train)
    except (TypeError, ValueError):  # built in: it will say so itself
        return
    try:
        signature.bind({}, None)
    except TypeError as error:
        raise TypeError(
            tr("train is called as train(hparams, tracker), which it does not take: {error}", error=error)
        ) from None


def join(
    logdir: str | os.PathLike[str] = "log",
    *,
    workers: int = 1,
    gpus: Sequence[int | str] | None = None,
    engine: EngineName = "processes",
    resources: Mapping[str, float] | None = None,
    quiet: bool = False,
) -> SweepResult:
    """Take part in a sweep of a command that was begun elsewhere, until all its trials have ended.

    The search of a function is joined by the same call of `sweep`, with the function.

    Args:
        logdir: the directory of its runs.
        workers, gpus, engine, resources, quiet: as of `sweep`.

    Raises:
        LogNotFoundError: there is no sweep.
        DataError: it is one of a function, or with a sampler or pruner of one's own.
    """
    study = SweepStudy(logdir)
    kept = study.kept_job()
    if kept is None:
        raise DataError(
            "the sweep in {logdir} trains a function: run the same program here, it joins", logdir=logdir
        )
    for name, known in ((study.plan.sampler, SAMPLERS), (study.plan.pruner, (None, *PRUNERS))):
        if name not in known:
            raise DataError(
                "the sweep in {logdir} searches with an object of its program, {name}: run the same program "
                "here, it joins",
                logdir=logdir,
                name=name,
            )
    training = CommandTraining(kept["command"], kept.get("directory"))
    job = Job(training, kept["trials"], until=kept["until"] or math.inf)
    _go(study, job, _runner(job, workers, gpus, engine, resources), quiet)
    return result_of(study)


def status(logdir: str | os.PathLike[str] = "log") -> SweepResult:
    """Return the result of a sweep so far, whoever runs it.

    Args:
        logdir: the directory of its runs.

    Raises:
        LogNotFoundError: there is no sweep.
    """
    return result_of(SweepStudy(logdir, reads=True))
