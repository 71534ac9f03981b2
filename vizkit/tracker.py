"""`Tracker`: the verbs with which a training records itself."""

from __future__ import annotations

import os
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from vizkit.environment import Session
from vizkit.errors import RunExistsError, TagError, VizKitError, VizKitWarning
from vizkit.records import rundir
from vizkit.records.tags import clean_tag
from vizkit.writer import LogWriter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Tracker"]

IfExists = Literal["new", "resume", "replace", "fail"]


class Tracker:
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
    copies sent to other processes a tracker records nothing.

    Args:
        logdir: the run's directory.
        hparams: hyper-parameters of the run, as for `log_hparams`.
        metrics: tags of the scalars that runs are compared by, as for `log_hparams`.
        if_exists: what to do when ``logdir`` holds records already: ``"new"`` takes the next free
            sibling (``run1-2``) and says so, ``"resume"`` appends, ``"replace"`` deletes them,
            ``"fail"`` raises `RunExistsError`.
        display_name: the run's name on VisualDL's page.
        seed: the seed of the training, to be kept with the run; it sets none.
        strict: whether what cannot be recorded raises.

    Raises:
        RunExistsError: see ``if_exists``.
        ValueError: an unknown ``if_exists``.
    """

    _session: Session | None

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        *,
        hparams: Mapping[str, Any] | None = None,
        metrics: Sequence[str] | None = None,
        if_exists: IfExists = "new",
        display_name: str = "",
        seed: int | None = None,
        strict: bool = False,
    ) -> None:
        if if_exists not in ("new", "resume", "replace", "fail"):
            raise ValueError(f"if_exists must be 'new', 'resume', 'replace' or 'fail', got {if_exists!r}")
        self._setup(strict=strict, enabled=_rank() == 0)
        self._writer = self._open(os.fspath(logdir), if_exists, display_name)
        if self._enabled:
            resumed = if_exists == "resume"
            self._session = Session(self.logdir, resume=resumed, seed=seed, on_error=self._on_error)
        self._clock = self._writer.last_step + 1
        if hparams is not None or metrics is not None:
            self.log_hparams(hparams or {}, metrics or [])

    def _setup(self, *, strict: bool, enabled: bool) -> None:
        self.strict = strict
        self.lost: Counter[str] = Counter()
        self._enabled = enabled
        self._clock = 0
        self._renamed: dict[tuple[str, Any], str] = {}  # (kind, tag) -> the tag in its place
        self._failures: list[Exception] = []
        self._watches: list[Any] = []
        self._session = None
        self._lock = threading.RLock()

    def _open(self, logdir: str, if_exists: str, display_name: str) -> LogWriter:
        def writer(directory: str, disk: bool = True) -> LogWriter:
            return LogWriter(
                directory, write_to_disk=disk, display_name=display_name, on_error=self._on_error
            )

        if not self._enabled:
            return writer(logdir, disk=False)
        if "://" in logdir:  # no locks there: the caller names directories of its own
            return writer(logdir)
        attempt = 1
        while True:
            directory = Path(logdir if attempt == 1 else f"{logdir.rstrip('/')}-{attempt}")
            with rundir.claimed(directory) as free:
                if not free and if_exists == "fail":
                    raise RunExistsError(
                        f"{directory} holds records already; name another directory, or pass "
                        "if_exists='new', 'resume' or 'replace'"
                    )
                if not free and if_exists == "replace":
                    rundir.remove_logs(directory)
                if free or if_exists != "new":
                    opened = writer(os.fspath(directory))
                    opened.begin()  # the run is taken from here on
                    break
            attempt += 1
        if attempt > 1:
            warnings.warn(
                f"{logdir} holds records already: recording to {directory} "
                "(if_exists='resume' appends, 'replace' starts over)",
                VizKitWarning,
                stacklevel=4,
            )
        return opened

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

    def __repr__(self) -> str:
        state = "" if self._enabled else ", records nothing on this rank"
        return f"Tracker({self.logdir!r}{state})"

    # -- numbers --------------------------------------------------------------------------------

    def log(self, metrics: Mapping[str, Any], step: Any = None) -> None:
        """Records the scalars of one step, with one write.

        Args:
            metrics: tag -> number of Python, NumPy or Paddle.
            step: the step; by default the clock's.
        """
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
                self._writer.add_scalar(tag, value, step, walltime)
                if step > self._clock:
                    self._clock = int(step)
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

    # -- what is seen and heard -----------------------------------------------------------------

    def log_image(
        self,
        tag: str,
        img: Any,
        step: Any = None,
        walltime: int | None = None,
        dataformats: str = "HWC",
        *,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        value_range: tuple[float, float] | str | None = None,
    ) -> None:
        """Records an image; arguments as in `LogWriter.add_image`."""
        self._record(
            "image",
            tag,
            step,
            lambda tag, step: self._writer.add_image(
                tag, img, step, walltime, dataformats, mean=mean, std=std, value_range=value_range
            ),
        )

    def log_images(
        self,
        tag: str,
        imgs: Any,
        step: Any = None,
        rows: int = -1,
        scale: float = 1.0,
        walltime: int | None = None,
        dataformats: str = "HWC",
    ) -> None:
        """Records several images as one; arguments as in `LogWriter.add_image_matrix`."""
        self._record(
            "image",
            tag,
            step,
            lambda tag, step: self._writer.add_image_matrix(
                tag, imgs, step, rows, scale, walltime, dataformats
            ),
        )

    def log_figure(self, tag: str, figure: Figure, step: Any = None, walltime: int | None = None) -> None:
        """Records a matplotlib figure as it looks now; it stays open and as it was."""
        self._record(
            "image", tag, step, lambda tag, step: self._writer.add_figure(tag, figure, step, walltime)
        )

    def log_text(self, tag: str, text_string: str, step: Any = None, walltime: int | None = None) -> None:
        """Records a text."""
        self._record(
            "text", tag, step, lambda tag, step: self._writer.add_text(tag, text_string, step, walltime)
        )

    def log_audio(
        self,
        tag: str,
        audio_array: Any,
        step: Any = None,
        sample_rate: int = 8000,
        walltime: int | None = None,
    ) -> None:
        """Records a sound; arguments as in `LogWriter.add_audio`."""
        self._record(
            "audio",
            tag,
            step,
            lambda tag, step: self._writer.add_audio(tag, audio_array, step, sample_rate, walltime),
        )

    # -- distributions and curves -----------------------------------------------------------------

    def log_histogram(
        self,
        tag: str,
        values: Any,
        step: Any = None,
        walltime: int | None = None,
        buckets: int | Sequence[float] = 30,
    ) -> None:
        """Records a histogram; arguments as in `LogWriter.add_histogram`."""
        self._record(
            "histogram",
            tag,
            step,
            lambda tag, step: self._writer.add_histogram(tag, values, step, walltime, buckets),
        )

    def log_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Records a precision-recall curve; arguments as in `LogWriter.add_pr_curve`."""
        self._record(
            "pr_curve",
            tag,
            step,
            lambda tag, step: self._writer.add_pr_curve(
                tag, labels, predictions, step, num_thresholds, weights, walltime
            ),
        )

    def log_roc_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Records a receiver operating characteristic; arguments as in `LogWriter.add_pr_curve`."""
        self._record(
            "roc_curve",
            tag,
            step,
            lambda tag, step: self._writer.add_roc_curve(
                tag, labels, predictions, step, num_thresholds, weights, walltime
            ),
        )

    def log_curves(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: int | None = None,
        *,
        class_names: Sequence[str] | None = None,
        activation: Literal["sigmoid", "softmax"] | None = None,
    ) -> None:
        """Records PR and ROC curves, AP and AUC of every class; see `LogWriter.add_class_curves`."""
        self._record(
            "curves",
            tag,
            step,
            lambda tag, step: self._writer.add_class_curves(
                tag,
                labels,
                predictions,
                step,
                num_thresholds,
                weights,
                walltime,
                class_names=class_names,
                activation=activation,
            ),
        )

    def log_confusion_matrix(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        *,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Records a confusion matrix as an image, and its numbers as the text ``<tag>/counts``.

        Args:
            tag: such as ``eval/confusion``.
            labels: (n,) true class numbers.
            predictions: (n,) predicted class numbers, or (n, c) scores.
            step: the step; by default the clock's.
            class_names: names in the order of their numbers; numbers by default.
        """
        self._record(
            "image",
            tag,
            step,
            lambda tag, step: self._writer.add_confusion_matrix(
                tag, labels, predictions, step, class_names=class_names
            ),
        )

    def log_embeddings(
        self,
        tag: str,
        mat: Any,
        metadata: Any = None,
        metadata_header: Sequence[str] | None = None,
        walltime: int | None = None,
    ) -> None:
        """Records vectors with their labels; arguments as in `LogWriter.add_embeddings`."""
        self._record(
            "embeddings",
            tag,
            0,
            lambda tag, step: self._writer.add_embeddings(tag, mat, metadata, metadata_header, walltime),
        )

    # -- what needs Paddle --------------------------------------------------------------------------

    def log_graph(self, model: Any, input_spec: Any = None) -> None:
        """Records the graph of a Paddle network, traced on a copy; see `LogWriter.add_graph`."""
        self._record("graph", "graph", 0, lambda tag, step: self._writer.add_graph(model, input_spec))

    def callback(self, **options: Any) -> Any:
        """A callback for ``paddle.Model.fit`` and ``evaluate``; see `vizkit.hooks.callback`."""
        from vizkit import hooks

        return hooks.callback(self, **options)

    def watch(self, net: Any, **options: Any) -> Any:
        """Records weights and gradients of a network in a loop of one's own; see `vizkit.hooks.watch`."""
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
        warnings.warn(f"{error}; recorded as {better!r}", VizKitWarning, stacklevel=5)
        return better

    def _lose(self, tag: Any, error: Exception) -> None:
        tag = str(tag)
        self.lost[tag] += 1
        if self.lost[tag] == 1:
            kind = "" if isinstance(error, (VizKitError, OSError)) else f"{type(error).__name__}: "
            warnings.warn(f"{tag}: not recorded: {kind}{error}", VizKitWarning, stacklevel=5)

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

    def close(self, error: BaseException | None = None) -> None:
        """Finishes the run; what is recorded afterwards is lost. Calling it again does nothing.

        What `watch` watches is let go.

        Args:
            error: what the training ended with, to be kept with the run: it has failed, or was
                interrupted. A ``with`` block gives it.
        """
        while self._watches:
            self._watches.pop().remove()
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
            warnings.warn(f"{self.logdir}: {error}", VizKitWarning, stacklevel=2)  # exc is what counts

    def __deepcopy__(self, memo: dict[int, Any]) -> Tracker:
        """A model or callback that holds the tracker may be copied: it is one run all the same."""
        return self

    def __reduce__(self) -> tuple[Callable[[str], Tracker], tuple[str]]:
        return _elsewhere, (self.logdir,)


def _rank() -> int:
    """This process's rank in a distributed Paddle training, from what its launcher sets."""
    try:
        return int(os.environ.get("PADDLE_TRAINER_ID", "0"))
    except ValueError:
        return 0


def _elsewhere(logdir: str) -> Tracker:
    """What a tracker becomes when it is sent to another process: one that records nothing."""
    tracker = Tracker.__new__(Tracker)
    tracker._setup(strict=False, enabled=False)
    tracker._writer = LogWriter(logdir, write_to_disk=False)
    return tracker
