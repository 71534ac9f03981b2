"""`Tracker`: how a run begins, and the verbs for numbers; those for media are in ``media_verbs``.

Those for labels and predictions are in ``evaluation_verbs``, those that need Paddle in ``paddle_verbs``;
what all of them stand on is in ``recording``.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

from vizkit._files import local_path
from vizkit._language import tr
from vizkit._protocols import HParamsLike, MetricsLike, ScalarLike, StepLike, WalltimeLike
from vizkit._ranks import is_importing, rank, world_size
from vizkit.environment import Session
from vizkit.errors import DataError, TagError
from vizkit.format.encode import plain_step
from vizkit.format.hparams import as_mapping
from vizkit.format.tags import clean_tag
from vizkit.tracking.announcement import Announcement
from vizkit.tracking.console import ConsoleCopy
from vizkit.tracking.evaluation_verbs import EvaluationVerbs
from vizkit.tracking.media_verbs import MediaVerbs
from vizkit.tracking.notebook_cells import follow_cells
from vizkit.tracking.paddle_verbs import open_run_of_rank, tell_failures
from vizkit.tracking.recording import flat_metrics
from vizkit.tracking.spawned import SpawnedStart
from vizkit.tracking.started_trial import take_run
from vizkit.tracking.wrong_calls import check_hparams, check_mapping
from vizkit.writing.log_writer import LogWriter
from vizkit.writing.record_log import RecordLog
from vizkit.writing.run_directory import IfExists, open_run

__all__ = ["Tracker", "tracker_without_log"]

_SAMPLE_SECONDS: float | None = 15.0


class Tracker(MediaVerbs, EvaluationVerbs):
    """A run that is being recorded: hyper-parameters, scalars, images, curves and whatever VisualDL shows.

    ::

        with vizkit.Tracker("log/run1", hparams={"learning rate": 1e-3}, metrics=["eval/acc"]) as tracker:
            for x, y in loader:
                ...
                tracker.log({"train/loss": loss})

    **Steps.** Every verb takes ``step``. Without it the tracker's clock is used: all tags are
    recorded at `step` until one comes that has a record there; then the clock moves on by one. An
    explicit step sets the clock forward, never back.

    **Bad values** never stop the training. A number, array, image or step that cannot be recorded,
    or anything else within a dict, is counted in `lost` and warned about once a tag. So is None in
    place of a dict or a figure. ``strict=True`` raises instead.

    **Wrong calls** raise a `TypeError`, strict or not, on every rank, since no value could mend them:
    a misspelt option; a tag, a name or another text that is not a text; anything but a dict, a list of
    names, a network or a figure where one belongs.

    **Processes.** On ranks other than 0 of a distributed training, in forked children and in
    copies sent to other processes a tracker records nothing. With ``ranks="all"`` every rank has a
    run of its own: ``run1`` is rank 0's, ``run1-rank1``, ``run1-rank2`` ... are the others'. A spawned
    process imports the script again: a tracker that it makes meanwhile is a copy of its parent's. If
    ``paddle.distributed.spawn`` gives it a rank that records, it goes on in the parent's run.

    **Sweeps.** In a program that `vizkit.sweep` has started, the first tracker records into the trial's run.

    Args:
        logdir: the run's directory.
        hparams: hyper-parameters of the run, as for `log_hparams`.
        metrics: tags of the scalars that runs are compared by, as for `log_hparams`.
        if_exists: what to do when ``logdir`` holds records already: ``"new"`` takes the next free
            sibling (``run1-2``) and says so, ``"resume"`` appends, ``"replace"`` deletes them,
            ``"fail"`` raises `RunExistsError`.
        display_name: the run's name on VisualDL's page.
        seed: the seed of the training, to be kept with the run; it sets none.
        ranks: which ranks of a distributed training record: 0, or ``"all"``, where all of them make
            the tracker, after ``paddle.distributed.init_parallel_env()``. They agree on the name that
            rank 0 takes.
        system: True samples the machine into ``system/...`` every 15 seconds, a number every so many
            seconds, False not at all. A step is a second there. Of several ranks the first on each
            machine samples.
        console: copy what this process prints into ``vizkit.console.log`` in the run's directory, at most
            16 MB; see `vizkit.tracking.console`.
        strict: raise what cannot be recorded.
        quiet: say nothing on stderr about where the run is and how it has ended. What is lost is said.

    Raises:
        RunExistsError: see ``if_exists``.
        RunStartError: the directory or its log cannot be written, strict or not. Once a run has begun,
            trouble with the disk is counted in `lost`.
        DataError: a bad ``system``.
        TypeError: ``hparams`` is no dict, namespace or dataclass, or ``metrics`` no list.
        ValueError: an unknown ``if_exists`` or ``ranks``.
        VizKitError: ``ranks="all"`` before ``init_parallel_env()``.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        *,
        hparams: HParamsLike | None = None,
        metrics: Sequence[str] | Mapping[str, ScalarLike | str] | None = None,
        if_exists: IfExists = "new",
        display_name: str = "",
        seed: int | None = None,
        ranks: Literal[0, "all"] = 0,
        system: bool | float = True,
        console: bool = True,
        strict: bool = False,
        quiet: bool = False,
    ) -> None:
        if if_exists not in ("new", "resume", "replace", "fail"):
            raise ValueError(
                tr("if_exists must be 'new', 'resume', 'replace' or 'fail', got {given!r}", given=if_exists)
            )
        if ranks not in (0, "all"):
            raise ValueError(tr("ranks must be 0 or 'all', got {ranks!r}", ranks=ranks))
        check_hparams(hparams, metrics)
        super().__init__(strict=strict, sample_seconds=_sample_seconds(system))
        directory = local_path(logdir)
        if trial := take_run():
            directory = trial["run"]
            hparams = {**trial["hparams"], **(as_mapping(hparams) or {})}
            metrics = metrics or {trial["metric"]: trial["mode"]}

        def start(parents: str | None = None) -> bool:
            self._begin(
                directory,
                if_exists,
                ranks,
                parents,
                display_name=display_name,
                seed=seed,
                console=console,
                quiet=quiet or parents is not None,  # the parent says it
            )
            if (hparams is not None or metrics is not None) and not (parents and rank() == 0):
                self.log_hparams(hparams or {}, metrics or [])
            return self._enabled

        if not is_importing():
            start()
            return
        self._spawned = SpawnedStart(directory, start, ranks)
        self._set_writer(LogWriter(directory, write_to_disk=False))

    def _begin(
        self,
        directory: str,
        if_exists: IfExists,
        ranks: Literal[0, "all"],
        parents: str | None,
        *,
        display_name: str,
        seed: int | None,
        console: bool,
        quiet: bool,
    ) -> None:
        """Open the run; ``parents`` is the one that the parent of a spawned process has made."""
        many = ranks == "all" and world_size() > 1
        self._enabled = many or rank() == 0
        suffix = ""
        if parents is not None:  # it samples the machine
            suffix = f"-rank{rank()}" if rank() else ""
            directory, if_exists, many, self._sample_seconds = parents + suffix, "resume", False, None

        def writer(path: str, suffix: str = suffix) -> LogWriter:
            name = display_name and display_name + suffix
            return LogWriter(
                path,
                write_to_disk=self._enabled,
                display_name=name,
                resume=if_exists == "resume",
                strict=True,  # the tracker renames
                on_error=self._keep,
            )

        if many:
            self._set_writer(open_run_of_rank(directory, if_exists, writer))
        elif self._enabled:
            self._set_writer(open_run(directory, if_exists, writer))
        else:
            self._set_writer(writer(directory))
        if self._enabled:
            resumed = if_exists == "resume"
            self._session = Session(self.logdir, resume=resumed, seed=seed, on_error=self._on_error)
            if not quiet and rank() == 0:
                self._session.when_ended = Announcement(self.logdir).end
            if console and "://" not in self.logdir:
                look = partial(_look, weakref.ref(self._writer))  # it does not hold the writer
                self._console = ConsoleCopy(self.logdir, self._on_error, look).start()
                weakref.finalize(self._writer, self._console.stop).atexit = False
            self._writer.when_moved = partial(_follow, self._session, self._console)
            # A notebook's cell that runs again drops the tracker. Its writer may be in use without it.
            forsaken = self._session, self._writer.log, os.getpid()
            weakref.finalize(self._writer, _end_forsaken, *forsaken).atexit = False
            tell_failures()
            follow_cells(self)
        self._clock = self._writer.last_step + 1
        self._sample_system()

    def _set_writer(self, writer: LogWriter) -> None:
        self._writer, self._add_scalar = writer, writer.add_scalar

    def __repr__(self) -> str:
        state = "" if self._enabled or self._rests or self._spawned else ", records nothing on this rank"
        return f"Tracker({self.logdir!r}{state})"

    # -- numbers --------------------------------------------------------------------------------

    def log(
        self,
        metrics: MetricsLike,
        step: StepLike | None = None,
        *,
        reduce: Literal["mean", "sum", "max"] | None = None,
    ) -> None:
        """Record the scalars of one step, with one write.

        Args:
            metrics: tag -> number of Python, NumPy or Paddle, an array or list of one, or a text such as
                ``"0.5"``; a dict of them gives tags joined with ``/``, such as ``train/loss``.
            step: the step; by default the clock's.
            reduce: record the mean, sum or maximum of all ranks of a distributed training, not this rank's
                own numbers. All ranks must call this, with the same tags, also those that record nothing.

        Raises:
            TypeError: ``metrics`` is no dict.
        """
        if reduce is not None:
            check_mapping("metrics", metrics)
            metrics = self._reduced(flat_metrics(metrics), reduce)
        if not self._enabled:
            check_mapping("metrics", metrics)
            if not self._starts(lambda: self.log(metrics, step)):
                return
        try:
            if self._renamed:
                metrics = {self._renamed.get(("scalar", tag), tag): value for tag, value in metrics.items()}
            if step is None:
                step = self._tick(metrics)
            elif type(step) is not int:
                step = plain_step(step)
            self._writer.add_metrics(metrics, step)  # type: ignore[arg-type]  # nested ones are refused
            if step > self._clock:
                self._clock = int(step)
        except Exception as error:
            check_mapping("metrics", metrics, tr("; log_scalar records a single number"))
            if metrics and any(isinstance(value, Mapping) for value in metrics.values()):
                self.log(flat_metrics(metrics), step)
                return
            if self.strict:
                raise
            if metrics is None or len(metrics) < 2:
                self._retry(metrics, step, error)
                return
            for tag, value in metrics.items():  # those that are good are not lost with the others
                self.log({tag: value}, step)

    def _retry(self, metrics: MetricsLike | None, step: StepLike | None, error: Exception) -> None:
        """Record one metric that was refused under a better tag, or count it as lost."""
        if isinstance(error, TagError) and metrics:
            ((tag, value),) = metrics.items()
            self.log({self._rename(tag, "scalar", error): value}, step)
            return
        self._refuse(next(iter(metrics or ()), "log"), error)

    def log_scalar(
        self,
        tag: str,
        value: ScalarLike,
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record one number of Python, NumPy or Paddle; see `LogWriter.add_scalar`."""
        if step is not None and self._enabled:  # the short way
            try:
                if type(step) is not int:
                    step = plain_step(step)
                self._add_scalar(tag, value, step, walltime)
                if step > self._clock:
                    self._clock = step if type(step) is int else int(step)
                return
            except Exception:
                if self.strict:
                    raise
        self._record(
            "scalar", tag, step, lambda tag, step: self._writer.add_scalar(tag, value, step, walltime)
        )

    def log_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, ScalarLike],
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a group of numbers that VisualDL draws in one chart.

        Raises:
            TypeError: ``tag_scalar_dict`` is no dict.
        """
        check_mapping("tag_scalar_dict", tag_scalar_dict)
        add = partial(self._writer.add_scalars, tag_scalar_dict=tag_scalar_dict, walltime=walltime)
        self._record("scalars", main_tag, step, add)

    def log_hparams(
        self, hparams: HParamsLike, metrics: Sequence[str] | Mapping[str, ScalarLike | str] = ()
    ) -> None:
        """Record hyper-parameters, and name the metrics that runs are compared by.

        Args:
            hparams: name -> value, nested or not; an ``argparse.Namespace`` or a dataclass.
            metrics: tags of scalars, such as ``eval/acc``; or a dict of them with values to record, or with
                the better direction where the tag does not tell it, such as ``{"reward": "max"}``.

        Raises:
            TypeError: ``hparams`` is none of these, or ``metrics`` no list.
        """
        check_hparams(hparams, metrics)
        self._record(
            "hparams",
            "hparams",
            0,
            lambda tag, step: self._writer.add_hparams(hparams, self._servable(metrics)),
        )

    def _servable(
        self, metrics: Sequence[str] | Mapping[str, ScalarLike | str]
    ) -> Sequence[str] | Mapping[str, ScalarLike | str]:
        """Metrics by the tags under which their scalars are recorded: one bad tag loses no settings."""

        def tag_of(tag: str) -> str:
            return self._renamed.get(("scalar", tag)) or (clean_tag(tag) if isinstance(tag, str) else tag)

        if self.strict:
            return metrics
        if isinstance(metrics, Mapping):
            return {tag_of(tag): value for tag, value in metrics.items()}
        return [tag_of(tag) for tag in metrics] if isinstance(metrics, (list, tuple)) else metrics

    # -- copies ---------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict[int, object]) -> Tracker:
        """Return the same tracker: a copied model or callback that holds it records into the same run."""
        return self

    def __reduce__(self) -> tuple[Callable[[str], Tracker], tuple[str]]:
        return tracker_without_log, (self.logdir,)


def tracker_without_log(logdir: str, *, enabled: bool = False) -> Tracker:
    """Return a tracker that writes nothing, like one that was sent to another process.

    Args:
        logdir: the directory that it names.
        enabled: `Tracker.enabled`, for code that asks for it.
    """
    tracker = Tracker.__new__(Tracker)
    EvaluationVerbs.__init__(tracker, strict=False, enabled=enabled)
    tracker._set_writer(LogWriter(logdir, write_to_disk=False))
    tracker.losses.name = "" if logdir else "vizkit"
    return tracker


def _look(writer: weakref.ref[LogWriter]) -> None:
    if one := writer():
        one.look()


def _follow(session: Session, console: ConsoleCopy | None, directory: str) -> None:
    """Go on in the directory to which the run was moved; empty: its log was deleted or replaced."""
    session.follow(directory)
    if console is not None and directory:
        console.follow(directory)


def _end_forsaken(session: Session, log: RecordLog, process: int) -> None:
    """Finish the session of a tracker that nobody holds any more, on a thread: this one may hold any lock."""
    if os.getpid() != process:  # a forked child drops its copy: the run and its locks are the parent's
        return

    def end() -> None:
        former = log.path
        with suppress(OSError):
            log.look(last=True)
        if log.path != former:
            session.follow(os.path.dirname(log.path))
        session.finish()

    with suppress(RuntimeError):  # no more threads; it ends with the process
        threading.Thread(target=end, name="vizkit-forsaken").start()


def _sample_seconds(system: bool | float) -> float | None:
    if isinstance(system, bool):
        return _SAMPLE_SECONDS if system else None
    if not isinstance(system, (int, float)) or not 1 <= system < math.inf:
        raise DataError(
            "system must be True, False or a number of seconds, 1 or more, got {system!r}", system=system
        )
    return float(system)
