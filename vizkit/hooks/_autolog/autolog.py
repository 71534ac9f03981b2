"""`autolog`: records code that does not use VizKit."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from vizkit import _visualdl
from vizkit._after_import import AfterImport
from vizkit._ranks import rank
from vizkit._warnings import warn
from vizkit.hooks._autolog.drop_in import LogWriter, stock_log_writer
from vizkit.hooks._autolog.local_runs import LocalModules, LocalRun
from vizkit.hooks._autolog.open_runs import OpenRuns, absolute, title_of
from vizkit.hooks._autolog.reporting import Reporting
from vizkit.hooks._autolog.suite_sessions import end_sessions
from vizkit.hooks._autolog.suite_trainings import SuiteTrainings
from vizkit.hooks._guard import Guard
from vizkit.hooks._patching import Patches
from vizkit.tracking.tracker import Tracker, tracker_without_log

if TYPE_CHECKING:
    import paddle

    from vizkit.hooks import TrackerCallback
    from vizkit.metrics.activation import Activation
    from vizkit.metrics.quantiles import Quantiles
    from vizkit.writing.tasks.task import Decode, TaskName

__all__ = ["autolog"]

_MOST_FITS = 10  # whose hyper-parameters differ

_lock = threading.RLock()
_active: _AutoLog | None = None


def autolog(
    logdir: str | os.PathLike[str] = "log",
    *,
    disable: bool = False,
    quiet: bool = False,
    weights_every: int | Literal["auto"] | None = "auto",
    images: int = 9,
    images_every: int | Literal["auto"] | None = "auto",
    samples: Sequence[int] | None = None,
    worst: int | None = None,
    curves: bool = True,
    predictions: bool | int | None = None,
    slices: Mapping[str, Sequence[object] | Mapping[int | str, object]] | None = None,
    task: TaskName | None = None,
    activation: Activation | None = "auto",
    classes: int | None = None,
    ignore_index: int | None = None,
    quantiles: Quantiles | None = None,
    decode: Decode | None = None,
    class_names: Sequence[str] | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    graph: bool = True,
    save_model: bool = False,
) -> None:
    """Record code that does not use VizKit, until ``autolog(disable=True)``.

    ===================================  ===========================================================
    code that is left as it is           what happens
    ===================================  ===========================================================
    ``model.fit``, ``model.evaluate``    recorded as by ``tracker.callback()``, with the
                                         hyper-parameters that can be known, into one new run of
                                         ``logdir`` for each model; those of a second ``fit`` that
                                         differ are named ``fit 2/epochs`` and so on
    ``paddle.callbacks.VisualDL(dir)``   the same, into ``dir``; its own records are left out
    ``paddle.callbacks.WandbCallback``   the same, into a run of its own
    ``visualdl.LogWriter(...)``          is a `vizkit.LogWriter`, also under the names of modules
                                         that imported it before
    ``import wandb``, ``swanlab``        where they are installed: modules that record into a run of
                                         ``logdir``; nothing is sent
    ``report_to="vizkit"``               of the trainers of PaddleNLP and PaddleFormers: recorded as
                                         by `vizkit.hooks.suites`, into ``logging_dir``
    ``tools/train.py`` of PaddleOCR,     where it logs to nothing: recorded as by `vizkit.hooks.suites`,
    PaddleDetection, -Clas and -Seg      into a new run of ``logdir``
    ===================================  ===========================================================

    A ``fit`` that is given ``tracker.callback()`` is left alone. Failures of autolog are warned about
    and never stop the training. Paddle need not be imported before, nor be installed.

    The options but ``logdir``, ``disable`` and ``quiet`` are those of `vizkit.hooks.callback`. If one differs
    from its default, Paddle is imported now. Another call replaces all of them.

    Args:
        logdir: the directory of runs of models that name none themselves; each run is named
            ``<script>-<time>``.
        disable: take all patches back, and close the runs.
        quiet: as of `Tracker`.

    Raises:
        DataError: a callback option with a bad value.
        MissingDependencyError: callback options, but no Paddle.
        TypeError: an unknown option, or options beside ``disable=True``. There is no ``reduce``, since only
            rank 0 records: pass ``tracker.callback(reduce=True)`` on all ranks.
    """
    global _active
    arguments: dict[str, Any] = dict(locals())
    given = [name for name, default in _DEFAULTS.items() if arguments[name] is not default]
    if disable:
        if given:
            raise TypeError(f"autolog(disable=True) takes no options, got {', '.join(given)}")
        with _lock:
            stopped, _active = _active, None
        if stopped is not None:
            stopped.stop()
        return

    options = {name: arguments[name] for name in _DEFAULTS}

    def callback(tracker: Tracker) -> TrackerCallback:
        return tracker.callback(**options)

    if given:
        callback(tracker_without_log("", enabled=True))  # raises for a bad value
    with _lock:
        if _active is None:
            _active = _AutoLog()
        _active.configure(os.fspath(logdir), callback, quiet=quiet)
        _active.start()


_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(autolog).parameters.items()
    if name not in ("logdir", "disable", "quiet")
}


@dataclass(eq=False)
class _Call:
    """A call of ``fit`` or ``evaluate`` that is recorded."""

    model: paddle.Model
    bound: inspect.BoundArguments
    directories: list[str]
    muted: list[paddle.callbacks.Callback]


class _AutoLog:
    """The patches while autolog is on, and the calls that are recorded."""

    def __init__(self) -> None:
        self._callback: Callable[[Tracker], TrackerCallback] = Tracker.callback
        self._guard = Guard(tracker_without_log("", enabled=True))
        self._patches = Patches()
        self._waiting: AfterImport | None = None
        self._waiting_for_visualdl: AfterImport | None = None
        self._paddle_patched = False
        self._fits: dict[str, list[dict[str, object]]] = {}  # directory -> what was recorded of each ``fit``
        self._run_of: WeakKeyDictionary[paddle.Model, str] = WeakKeyDictionary()  # model -> directory
        self._calls: list[_Call] = []  # that run now
        self._runs = OpenRuns(lambda: {name for call in self._calls for name in call.directories})
        self._local = LocalModules(self._runs)
        self._reporting = Reporting(self._runs)
        self._trainings = SuiteTrainings(self._runs)

    def configure(self, logdir: str, callback: Callable[[Tracker], TrackerCallback], *, quiet: bool) -> None:
        """Set the directory and the callback for the calls from now on."""
        if logdir != self._runs.logdir:
            self._run_of.clear()
        self._callback = callback
        self._runs.logdir, self._runs.quiet = logdir, quiet
        LogWriter.quiet = quiet

    # -- patches ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Patch Paddle and VisualDL, if they are not patched yet."""
        self._local.install()
        self._reporting.install()
        self._trainings.install()
        if self._waiting_for_visualdl is None:
            self._waiting_for_visualdl = _visualdl.after_import(self._patch_visualdl)
        if sys.modules.get("paddle") is not None:
            self._patch_paddle()
        elif self._waiting is None:
            # Imported here, Paddle would read its flags and devices before the caller has set them.
            self._waiting = AfterImport("paddle", self._patch_paddle)

    def _patch_visualdl(self) -> None:
        with _lock, self._guard("autolog of visualdl.LogWriter"):
            self._waiting_for_visualdl = None
            if stock := stock_log_writer():
                self._patches.replace_everywhere(stock, LogWriter, but="vizkit")

    def _patch_paddle(self) -> None:
        with _lock, self._guard("autolog of paddle.Model"):
            self._waiting = None
            if self._paddle_patched:
                return
            import paddle

            from vizkit.hooks._fit.failures import watch_failures

            watch_failures()  # below autolog's own patches, which are taken back
            model, visual, wandb = paddle.Model, paddle.callbacks.VisualDL, paddle.callbacks.WandbCallback
            fit, evaluate, updates = vars(model)["fit"], vars(model)["evaluate"], vars(visual)["_updates"]
            self._paddle_patched = True
            self._patches.replace(model, "fit", _recorded(fit))
            self._patches.replace(model, "evaluate", _recorded(evaluate))
            self._patches.replace(visual, "_updates", _mutable(updates))
            self._patches.replace(wandb, "_updates", _mutable(vars(wandb)["_updates"]))

    def stop(self) -> None:
        """Take all patches back and close all runs."""
        with _lock:
            for waiting in (self._waiting, self._waiting_for_visualdl):
                if waiting is not None:
                    waiting.cancel()
            with self._guard("the log"):
                self._local.remove()
                self._reporting.remove()
                self._trainings.remove()
            left = self._patches.undo()
            if stock := stock_log_writer():
                self._patches.undo_everywhere(stock, LogWriter, but="vizkit")
            self._runs.close_all(self._guard)
            with self._guard("the log"):
                end_sessions()
        if left:
            warn(
                "autolog: {left} has been replaced by other code since, and is left so; what is left "
                "of autolog in it does nothing",
                left=", ".join(left),
            )

    # -- calls ------------------------------------------------------------------------------------

    def begin(
        self,
        model: paddle.Model,
        signature: inspect.Signature,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> _Call | None:
        """Prepare a call to be recorded; return None if it is to be left alone."""
        if rank():
            return None
        try:
            bound = signature.bind(model, *args, **kwargs)
        except TypeError:
            return None  # Paddle raises it
        with self._guard("autolog"), _lock:
            call = self._planned(model, bound)
            if call is not None:
                self._calls.append(call)
                return call
        return None

    def _planned(self, model: paddle.Model, bound: inspect.BoundArguments) -> _Call | None:
        import paddle

        from vizkit.hooks._autolog.model_hparams import model_hparams
        from vizkit.hooks._fit.callback import TrackerCallback

        given = bound.arguments.get("callbacks") or []
        callbacks = list(given) if isinstance(given, (list, tuple)) else [given]
        visuals = [item for item in callbacks if isinstance(item, paddle.callbacks.VisualDL)]
        local = {id(item): run for item in callbacks if (run := _local_run(item)) is not None}
        visuals += [item for item in callbacks if id(item) in local]
        muted = [item for item in visuals if _updates_as_paddle(item)]
        own = [item.tracker for item in callbacks if isinstance(item, TrackerCallback)]
        taken = {absolute(tracker.logdir) for tracker in own}
        directories = [
            local[id(item)].begin() if id(item) in local else absolute(item.log_dir) for item in muted
        ]
        if not own and not visuals:
            outer = next((call for call in reversed(self._calls) if call.model is model), None)
            directories = (
                outer.directories if outer else [self._run_of.get(model) or self._runs.new(title_of(model))]
            )
        directories = [name for name in dict.fromkeys(directories) if name and name not in taken]
        added = [self._runs.tracker(name) for name in directories]
        callbacks += [self._callback(tracker) for tracker in added]
        with self._guard("hyper-parameters"):
            hparams, metrics = model_hparams(model, bound.arguments)
            for name, tracker in zip(directories, added, strict=True):
                if new := self._new_hparams(name, hparams):
                    tracker.log_hparams(new, metrics)
        if directories:
            self._run_of[model] = directories[-1]
        bound.arguments["callbacks"] = callbacks
        return _Call(model, bound, directories, muted)

    def _new_hparams(self, directory: str, hparams: dict[str, object]) -> dict[str, object]:
        """The hyper-parameters to record of a call; those of a later ``fit`` that differ get its number."""
        fits = self._fits.setdefault(directory, [{}])
        first = fits[0]
        new = {name: value for name, value in hparams.items() if name not in first}
        changed = {name: value for name, value in hparams.items() if first.get(name, value) != value}
        first.update(new)
        if "epochs" in hparams and changed and changed not in fits and len(fits) < _MOST_FITS:
            fits.append(changed)
            new |= {f"fit {len(fits)}/{name}": value for name, value in changed.items()}
        return new

    def end(self, call: _Call) -> None:
        """Finish a call, whether it returned or raised."""
        with self._guard("the log"), _lock:
            self._calls.remove(call)
            self._runs.flush(call.directories)
            self._runs.close_idle()

    def mutes(self, visual: paddle.callbacks.Callback) -> bool:
        """Return True if VizKit records in the place of Paddle's callback now."""
        return any(item is visual for call in self._calls for item in call.muted)


# -- patches of Paddle's methods -----------------------------------------------------------------------


def _recorded(method: Callable[..., object]) -> Callable[..., object]:
    """Return ``Model.fit`` or ``Model.evaluate`` with VizKit's callbacks added to those of the call."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def recorded(self: paddle.Model, *args: object, **kwargs: object) -> object:
        active = _active
        call = None if active is None else active.begin(self, signature, args, kwargs)
        if active is None or call is None:
            return method(self, *args, **kwargs)
        try:
            return method(*call.bound.args, **call.bound.kwargs)
        finally:
            active.end(call)

    return recorded


def _mutable(method: Callable[..., None]) -> Callable[..., None]:
    """Return a callback's ``_updates`` that records nothing while VizKit's callback does."""

    @functools.wraps(method)
    def updates(self: paddle.callbacks.Callback, *args: object, **kwargs: object) -> None:
        active = _active
        if active is None or not active.mutes(self):
            method(self, *args, **kwargs)
        elif hasattr(self, "log_dir") and not hasattr(self, "writer"):
            self.writer = _visualdl.import_visualdl().LogWriter(
                self.log_dir
            )  # a subclass, or other callbacks, may use it

    return updates


def _local_run(item: object) -> LocalRun | None:
    """The run of a ``paddle.callbacks.WandbCallback`` that is recorded locally."""
    run = getattr(item, "_run", None)
    return run if isinstance(run, LocalRun) else None


def _updates_as_paddle(visual: paddle.callbacks.Callback) -> bool:
    """Return True if a callback records in Paddle's way, not in a subclass's."""
    owner = next(base for base in type(visual).__mro__ if "_updates" in vars(base))
    return owner.__module__.partition(".")[0] == "paddle" and "_updates" not in vars(visual)
