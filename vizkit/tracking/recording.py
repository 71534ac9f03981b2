"""The machinery behind the verbs of `vizkit.Tracker`: its writer, clock, losses and end."""

from __future__ import annotations

import atexit
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from vizkit._mappings import free_key
from vizkit._protocols import MetricsLike, ScalarLike, StepLike
from vizkit._ranks import rank_in_node
from vizkit._warnings import warn
from vizkit.environment import Session
from vizkit.errors import TagError
from vizkit.format.encode import plain_step
from vizkit.tracking.console import ConsoleCopy
from vizkit.tracking.spawned import SpawnedStart
from vizkit.tracking.system_metrics import SystemSampler, sampler_of
from vizkit.tracking.wrong_calls import check_text
from vizkit.writing.log_writer import LogWriter
from vizkit.writing.losses import Losses
from vizkit.writing.renamed_tags import RenamedTags
from vizkit.writing.run_log import look_at_exit

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Recording", "flat_metrics"]


_DEEPEST = 50  # levels of nested metrics

atexit.register(look_at_exit)  # before sessions end: a run may have been moved


class _Add(Protocol):
    def __call__(self, tag: str, /, *, step: StepLike) -> None: ...


class Recording:
    """The recording of one run, from the first record to `close`.

    A verb names its kind, tag and step to `_record`, and the call that adds the record.
    """

    _writer: LogWriter

    def __init__(self, *, strict: bool, enabled: bool = False, sample_seconds: float | None = None) -> None:
        self.strict = strict
        self._enabled = enabled
        self._spawned: SpawnedStart | None = None
        self._rests = False  # from `_rest` to the next record
        self._clock = 0
        self._renamed = RenamedTags()
        failures: list[Exception] = []
        self._failures = failures
        # It does not hold the tracker: one that nobody holds any more is to end.
        self._keep: Callable[[str, Exception], None] | None = (
            (lambda tag, error: failures.append(error)) if strict else None
        )
        self._session: Session | None = None
        self._console: ConsoleCopy | None = None
        self._sampler: SystemSampler | None = None
        self._sample_seconds = sample_seconds
        self._lock = threading.RLock()

    @property
    def logdir(self) -> str:
        """The run's directory, which is not the one asked for if that was taken."""
        return self._writer.logdir

    @property
    def writer(self) -> LogWriter:
        """The wrapped writer, with VisualDL's ``add_*`` methods."""
        return self._writer

    @property
    def enabled(self) -> bool:
        """True if this process records."""
        return self._enabled or self._rests or (self._spawned is not None and self._spawned.records())

    @property
    def step(self) -> int:
        """The clock: the step of records that name none."""
        return self._clock

    # -- a record -------------------------------------------------------------------------------

    def _record(self, kind: str, tag: str, step: StepLike | None, add: _Add) -> None:
        """Add a record by ``add(tag, step=step)``, under a better tag if VisualDL could not serve this one.

        Raises:
            TypeError: the tag is not a text.
            Exception: what ``add`` raises, if the tracker is strict.
        """
        check_text("tag", tag)
        if not self._enabled and not self._starts(lambda: self._record(kind, tag, step, add)):
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
            self._refuse(tag, error)

    def _starts(self, record: Callable[[], None]) -> bool:
        """Start to record after a rest, or in a spawned process, whose rank was not known before.

        False if it does not.
        """
        if self._rests:
            self.go_on()
            return True
        if self._spawned is None:
            return False
        try:
            with self._lock:
                started = self._enabled or self._spawned.starts(record)
            if started:
                self._spawned = None
            return started
        except Exception as error:
            self._refuse("log", error)
            return False

    def _add(self, tag: str, step: StepLike | None, add: _Add) -> None:
        step = self._tick((tag,)) if step is None else plain_step(step)
        add(tag, step=step)
        if step > self._clock:
            self._clock = int(step)

    def _tick(self, tags: Iterable[str]) -> int:
        """Return the clock, after moving it on by one if one of the tags has a record there."""
        with self._lock:
            last_step_of = self._writer.last_step_of
            for tag in tags:
                last = last_step_of(tag)
                if last >= self._clock:
                    self._clock = int(last) + 1
            return self._clock

    # -- losses ---------------------------------------------------------------------------------

    def _rename(self, tag: str, kind: str, error: TagError) -> str:
        return self._renamed.rename(kind, tag, error, self._writer.kind_of)

    @property
    def losses(self) -> Losses:
        """The records that could not be written, and the reasons."""
        return self._writer.losses

    @property
    def lost(self) -> Counter[str]:
        """Tag, or another name for what is missing -> number of records that could not be written."""
        return self._writer.losses.lost

    def _refuse(self, tag: str, error: Exception) -> None:
        """Count a record as lost; a strict tracker raises the error."""
        if self.strict:
            raise error
        self.losses.count(str(tag), error)

    @property
    def _on_error(self) -> Callable[[str, Exception], None]:
        """The function that keeps or counts an error of the worker or the disk, which came after the call."""
        return self._keep or self.losses.count

    def _raise_failure(self) -> None:
        if self._failures:
            failure = self._failures[0]
            self._failures.clear()
            raise failure

    # -- the end --------------------------------------------------------------------------------

    def flush(self) -> None:
        """Wait until everything that was recorded is in the log."""
        self._writer.flush()
        self._raise_failure()

    def fail(self, error: BaseException) -> None:
        """Mark the run as failed, or as interrupted by Ctrl-C, and leave it open.

        What was recorded is in the log by then. `callback` does this when ``fit`` ends with an error,
        and takes it back with `go_on` when ``fit`` is called again.
        """
        self._stop_sampling()
        if self._session:
            self._session.fail(error)
        self.flush()

    def go_on(self) -> None:
        """Take `fail` back; without it, do nothing."""
        if self._rests:
            self._rests, self._enabled = False, True
        if self._session:
            self._session.go_on()
        self._sample_system()

    @property
    def _is_empty(self) -> bool:
        """True before the first record with a step."""
        return self._clock <= 0 and self._writer.last_step < 0

    def _rest(self) -> None:
        """Notice the next record, which takes the way of those that are not written and takes `fail` back."""
        if self._enabled:
            self._rests, self._enabled = True, False

    def _fail_in_cell(self, error: BaseException) -> None:
        """Mark the run as failed until its next record."""
        self._stop_sampling()
        if self._session:
            self._session.fail(error)
        self._rest()

    def close(self, error: BaseException | None = None) -> None:
        """Finish the run, which has failed or was interrupted if there is an error."""
        self._stop_sampling()
        self._sample_seconds = None
        if self._console is not None:
            self._console.stop()
        self._writer.close()
        if self._session:
            self._session.finish(error=error)
        self._raise_failure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            self.close(error)
        except Exception as failure:
            if error is None:
                raise
            warn(
                "{logdir}: {failure}", logdir=self.logdir, failure=failure
            )  # the block's own error is what counts

    # -- the machine ----------------------------------------------------------------------------

    def _sample_system(self) -> None:
        if self._sampler is not None or self._sample_seconds is None or not self._enabled:
            return
        if rank_in_node():  # the first of a machine samples it for all
            return
        try:
            self._sampler = sampler_of(self, self._writer, self._sample_seconds).start()
        except Exception as error:
            self._refuse("system", error)

    def _stop_sampling(self) -> None:
        if self._sampler is not None:
            self._sampler.stop()
            self._sampler = None


def flat_metrics(metrics: MetricsLike) -> Mapping[str, ScalarLike]:
    """Join the names of nested metrics with ``/``; anything but a dict is returned as it is.

    Of two names that become the same, as of ``{"a/b": 1, "a": {"b": 2}}``, the second is ``a/b-2``.
    """
    if not isinstance(metrics, Mapping) or not any(isinstance(v, Mapping) for v in metrics.values()):
        return cast("Mapping[str, ScalarLike]", metrics)
    found: dict[str, ScalarLike] = {}
    for name, value in metrics.items():  # a name that is no text is left to be refused
        for tag, number in _flat(value, str(name), ()) if isinstance(value, Mapping) else [(name, value)]:
            found[free_key(tag, found)] = number
    return found


def _flat(metrics: MetricsLike, prefix: str, outer: tuple[int, ...]) -> Iterator[tuple[str, ScalarLike]]:
    outer += (id(metrics),)
    for name, value in metrics.items():
        tag = f"{prefix}/{name}"
        if not isinstance(value, Mapping):
            yield tag, value
        elif id(value) in outer or len(outer) > _DEEPEST:  # a dict that holds itself has no end
            yield tag, "..."
        else:
            yield from _flat(value, tag, outer)
