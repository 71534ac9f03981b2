"""`Tracker`: the verbs with which a training records itself."""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

from vizkit._ranks import rank, rank_in_node, world_size
from vizkit._warnings import count_lost, warn
from vizkit.environment import Session
from vizkit.errors import DataError, TagError
from vizkit.format.tags import clean_tag
from vizkit.tracking.opening import IfExists, open_run, open_run_of_rank
from vizkit.tracking.system_metrics import SystemSampler, sampler_of
from vizkit.tracking.verbs import Verbs
from vizkit.writing.log_writer import LogWriter

__all__ = ["Tracker"]

_SAMPLE_SECONDS: float | None = 15.0


class Tracker(Verbs):
    """Records one run: hyper-parameters, scalars, images, curves and all else that VisualDL shows.

    ::

        with vizkit.Tracker("log/run1", hparams={"learning rate": 1e-3}, metrics=["eval/acc"]) as tracker:
            for x, y in loader:
                ...
                tracker.log({"train/loss": loss})

    **Steps.** Every verb takes ``step``. Without it the tracker's clock is used: all tags are
    recorded at `step` until one comes that has a record there; then the clock moves on by one. An
    explicit step sets the clock forward, never back.

    **Trouble.** A value that cannot be recorded is counted in `lost` and warned about once a tag;
    it never stops the training. ``strict=True`` raises instead.

    **Processes.** On ranks other than 0 of a distributed training, in forked children and in
    copies sent to other processes a tracker records nothing. With ``ranks="all"`` every rank has a
    run of its own: ``run1`` is rank 0's, ``run1-rank1``, ``run1-rank2`` ... are the others'.

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
        system: whether to sample what the machine does into ``system/...``, every 15 seconds or every
            so many; a step is a second there. Of several ranks the first on each machine does.
        strict: whether what cannot be recorded raises.

    Raises:
        RunExistsError: see ``if_exists``.
        DataError: a bad ``system``.
        ValueError: an unknown ``if_exists`` or ``ranks``.
        VizKitError: ``ranks="all"`` before ``init_parallel_env()``.
    """

    _session: Session | None
    _sample_seconds: float | None

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        *,
        hparams: Mapping[str, Any] | None = None,
        metrics: Sequence[str] | None = None,
        if_exists: IfExists = "new",
        display_name: str = "",
        seed: int | None = None,
        ranks: Literal[0, "all"] = 0,
        system: bool | float = True,
        strict: bool = False,
    ) -> None:
        if if_exists not in ("new", "resume", "replace", "fail"):
            raise ValueError(f"if_exists must be 'new', 'resume', 'replace' or 'fail', got {if_exists!r}")
        if ranks not in (0, "all"):
            raise ValueError(f"ranks must be 0 or 'all', got {ranks!r}")
        many = ranks == "all" and world_size() > 1
        self._setup(strict=strict, enabled=many or rank() == 0)
        self._sample_seconds = _seconds(system)

        def writer(directory: str, suffix: str = "") -> LogWriter:
            name = display_name and display_name + suffix
            return LogWriter(
                directory, write_to_disk=self._enabled, display_name=name, on_error=self._on_error
            )

        if many:
            self._writer = open_run_of_rank(os.fspath(logdir), if_exists, writer)
        elif self._enabled:
            self._writer = open_run(os.fspath(logdir), if_exists, writer)
        else:
            self._writer = writer(os.fspath(logdir))
        self._add_scalar = self._writer.add_scalar
        if self._enabled:
            resumed = if_exists == "resume"
            self._session = Session(self.logdir, resume=resumed, seed=seed, on_error=_weak(self._on_error))
        self._clock = self._writer.last_step + 1
        if hparams is not None or metrics is not None:
            self.log_hparams(hparams or {}, metrics or [])
        self._sample_system()

    def _setup(self, *, strict: bool, enabled: bool) -> None:
        self.strict = strict
        self.lost: Counter[str] = Counter()
        self._enabled = enabled
        self._clock = 0
        self._renamed: dict[tuple[str, Any], str] = {}  # (kind, tag) -> the tag in its place
        self._failures: list[Exception] = []
        self._watches: list[Any] = []
        self._session = None
        self._sampler: SystemSampler | None = None
        self._sample_seconds = None
        self._lock = threading.RLock()

    # -- what the tracker is --------------------------------------------------------------------

    @property
    def logdir(self) -> str:
        """The run's directory, which differs from the asked one where that was taken."""
        return self._writer.logdir

    @property
    def writer(self) -> LogWriter:
        """The wrapped writer, with VisualDL's ``add_*`` methods."""
        return self._writer

    @property
    def enabled(self) -> bool:
        """Whether this process records."""
        return self._enabled

    @property
    def step(self) -> int:
        """The clock: the step of what is recorded without one."""
        return self._clock

    @property
    def watches(self) -> tuple[Any, ...]:
        """What `watch` returned so far."""
        return tuple(self._watches)

    def __repr__(self) -> str:
        state = "" if self._enabled else ", records nothing on this rank"
        return f"Tracker({self.logdir!r}{state})"

    # -- numbers --------------------------------------------------------------------------------

    def log(
        self,
        metrics: Mapping[str, Any],
        step: Any = None,
        *,
        reduce: Literal["mean", "sum", "max"] | None = None,
    ) -> None:
        """Records the scalars of one step, with one write.

        Args:
            metrics: tag -> number of Python, NumPy or Paddle.
            step: the step; by default the clock's.
            reduce: what to record of the numbers of all ranks of a distributed training; by default
                this rank's own is recorded. All ranks must call this, with the same tags, also those
                that record nothing.
        """
        if reduce is not None:
            metrics = self._reduced(metrics, reduce)
        if not self._enabled:
            return
        try:
            if self._renamed:
                metrics = {self._renamed.get(("scalar", tag), tag): value for tag, value in metrics.items()}
            if step is None:
                step = self._tick(metrics)
            self._writer.add_metrics(metrics, step)
            if step > self._clock:
                self._clock = int(step)
        except Exception as error:
            if self.strict:
                raise
            if not isinstance(metrics, Mapping) or len(metrics) < 2:
                self._retry(metrics, step, error)
                return
            for tag, value in metrics.items():  # those that are good are not lost with the others
                self.log({tag: value}, step)

    def _reduced(self, metrics: Mapping[str, Any], reduce: str) -> Mapping[str, Any]:
        if world_size() == 1:
            return metrics  # also where there is no Paddle
        from vizkit import hooks

        try:
            return hooks.reduced(metrics, reduce, self._on_error)
        except Exception as error:
            if self.strict:
                raise
            self._lose("log", error)
            return {}

    def _retry(self, metrics: Any, step: Any, error: Exception) -> None:
        """One metric that was refused: under a better tag, or counted as lost."""
        if isinstance(error, TagError) and isinstance(metrics, Mapping) and len(metrics) == 1:
            ((tag, value),) = metrics.items()
            self.log({self._rename(tag, "scalar", error): value}, step)
            return
        self._lose(next(iter(metrics), "log") if isinstance(metrics, Mapping) else "log", error)

    def log_scalar(self, tag: str, value: Any, step: Any = None, walltime: int | None = None) -> None:
        """Records one number of Python, NumPy or Paddle; see `LogWriter.add_scalar`."""
        if step is not None and self._enabled:  # the short way
            try:
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
        self, main_tag: str, tag_scalar_dict: Mapping[str, Any], step: Any = None, walltime: int | None = None
    ) -> None:
        """Records a group of numbers that VisualDL draws in one chart."""
        self._record(
            "scalars",
            main_tag,
            step,
            lambda tag, step: self._writer.add_scalars(tag, tag_scalar_dict, step, walltime),
        )

    def log_hparams(self, hparams: Mapping[str, Any], metrics: Sequence[str] = ()) -> None:
        """Records hyper-parameters and names the metrics that runs are compared by.

        Args:
            hparams: name -> value, nested or not; an ``argparse.Namespace`` or a dataclass.
            metrics: tags of scalars, such as ``eval/acc``.
        """
        self._record("hparams", "hparams", 0, lambda tag, step: self._writer.add_hparams(hparams, metrics))

    # -- what needs Paddle --------------------------------------------------------------------------

    def log_graph(self, model: Any, input_spec: Any = None) -> None:
        """Records the graph of a Paddle network, traced on a copy; see `LogWriter.add_graph`."""
        self._record("graph", "graph", 0, lambda tag, step: self._writer.add_graph(model, input_spec))

    def callback(self, **options: Any) -> Any:
        """A callback for ``paddle.Model.fit`` and ``evaluate``; see `vizkit.hooks.callback`."""
        from vizkit import hooks

        return hooks.callback(self, **options)

    def watch(self, net: Any, **options: Any) -> Any:
        """Records weights, gradients and activations of a network; see `vizkit.hooks.watch`."""
        from vizkit import hooks

        watching = hooks.watch(self, net, **options)
        self._watches.append(watching)
        return watching

    def log_model(self, model: Any, input_spec: Any = None, **options: Any) -> str | None:
        """Saves a network for inference into the run's directory; see `vizkit.hooks.log_model`.

        Returns:
            The path that ``paddle.jit.load`` takes; None where nothing was saved.
        """
        from vizkit import hooks

        saved: list[str] = []
        self._record(
            "model",
            "model",
            0,
            lambda tag, step: saved.append(hooks.log_model(self, model, input_spec, **options)),
        )
        return saved[0] if saved else None

    def explain(self, net: Any, images: Any, method: Any = "gradcam", **options: Any) -> Any:
        """Records which pixels speak for a class, as heat maps over images; see `vizkit.hooks.explain`.

        Returns:
            The heat maps, shape (n, h, w); None where nothing was recorded.
        """
        from vizkit import hooks

        kind = method if isinstance(method, str) else type(method).__name__
        tag, at = options.pop("tag", None) or f"explain/{kind.replace(':', '/')}", options.pop("step", None)
        found: list[Any] = []
        self._record(
            "image",
            tag,
            at,
            lambda tag, step: found.append(
                hooks.explain(self, net, images, method, tag=tag, step=step, **options)
            ),
        )
        return found[0] if found else None

    # -- the shared way -----------------------------------------------------------------------------

    def _record(self, kind: str, tag: str, step: Any, add: Callable[[str, Any], None]) -> None:
        if not self._enabled:
            return
        try:
            tag = self._renamed.get((kind, tag), tag)
            try:
                self._add(tag, step, add)
            except TagError as error:
                if self.strict or kind in ("hparams", "graph", "model"):
                    raise
                self._add(self._rename(tag, kind, error), step, add)
        except Exception as error:
            if self.strict:
                raise
            self._lose(tag, error)

    def _add(self, tag: str, step: Any, add: Callable[[str, Any], None]) -> None:
        if step is None:
            step = self._tick((tag,))
        add(tag, step)
        if step > self._clock:
            self._clock = int(step)

    def _tick(self, tags: Any) -> int:
        """The clock's step for these tags, after the clock moved on if one of them was there."""
        with self._lock:
            last_step_of = self._writer.last_step_of
            for tag in tags:
                last = last_step_of(tag)
                if last >= self._clock:
                    self._clock = int(last) + 1
            return self._clock

    def _rename(self, tag: Any, kind: str, error: TagError) -> str:
        """A tag that VisualDL can serve, in place of one that it cannot; warned about once."""
        better = clean_tag(tag)
        while self._writer.kind_of(better) not in (None, kind):
            better += f"/{kind}"
        self._renamed[kind, tag] = better
        warn(f"{error}; recorded as {better!r}")
        return better

    def _lose(self, tag: Any, error: Exception) -> None:
        count_lost(self.lost, str(tag), error)

    def _on_error(self, tag: str, error: Exception) -> None:
        """What the worker, or the disk, refused after the call."""
        if self.strict:
            self._failures.append(error)
        else:
            self._lose(tag, error)

    def _raise_failure(self) -> None:
        if self._failures:
            failure = self._failures[0]
            self._failures.clear()
            raise failure

    # -- the end --------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Waits until everything that was recorded is in the log."""
        self._writer.flush()
        self._raise_failure()

    def fail(self, error: BaseException) -> None:
        """Marks the run as failed, or as interrupted by Ctrl-C, and leaves it open.

        What was recorded is in the log by then. `callback` does this when ``fit`` ends with an error,
        and takes it back with `go_on` when ``fit`` is called again.
        """
        self._stop_sampling()
        if self._session:
            self._session.fail(error)
        self.flush()

    def go_on(self) -> None:
        """Takes `fail` back; without it, does nothing."""
        if self._session:
            self._session.go_on()
        self._sample_system()

    def _sample_system(self) -> None:
        if self._sampler is not None or self._sample_seconds is None or not self._enabled:
            return
        if rank_in_node():  # the first of a machine samples it for all
            return
        try:
            self._sampler = sampler_of(self, self._sample_seconds).start()
        except Exception as error:
            if self.strict:
                raise
            self._lose("system", error)

    def _stop_sampling(self) -> None:
        if self._sampler is not None:
            self._sampler.stop()
            self._sampler = None

    def close(self, error: BaseException | None = None) -> None:
        """Finishes the run; what is recorded afterwards is lost. Calling it again does nothing.

        What `watch` watches is let go.

        Args:
            error: what the training ended with, to be kept with the run: it has failed, or was
                interrupted. A ``with`` block gives it.
        """
        while self._watches:
            self._watches.pop().remove()
        self._stop_sampling()
        self._sample_seconds = None
        self._writer.close()
        if self._session:
            self._session.finish(error=error)
        self._raise_failure()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close(exc)
        except Exception as error:
            if exc is None:
                raise
            warn(f"{self.logdir}: {error}")  # exc is what counts

    def __deepcopy__(self, memo: dict[int, Any]) -> Tracker:
        """A model or callback that holds the tracker may be copied: it is one run all the same."""
        return self

    def __reduce__(self) -> tuple[Callable[[str], Tracker], tuple[str]]:
        return _elsewhere, (self.logdir,)


def _seconds(system: Any) -> float | None:
    if isinstance(system, bool):
        return _SAMPLE_SECONDS if system else None
    if not isinstance(system, (int, float)) or not 1 <= system < math.inf:
        raise DataError(f"system must be True, False or a number of seconds, 1 or more, got {system!r}")
    return float(system)


def _weak(method: Callable[[str, Exception], None]) -> Callable[[str, Exception], None]:
    """A method to be called while its object lives, which need not live for that."""
    kept = weakref.WeakMethod(method)

    def call(tag: str, error: Exception) -> None:
        there = kept()
        if there is not None:
            there(tag, error)

    return call


def _elsewhere(logdir: str) -> Tracker:
    """What a tracker becomes when it is sent to another process: one that records nothing."""
    tracker = Tracker.__new__(Tracker)
    tracker._setup(strict=False, enabled=False)
    tracker._writer = LogWriter(logdir, write_to_disk=False)
    return tracker
