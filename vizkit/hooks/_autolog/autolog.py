"""`autolog`: code that knows nothing of VizKit is recorded right."""

from __future__ import annotations

import functools
import inspect
import math
import os
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import visualdl

from vizkit._ranks import rank
from vizkit._warnings import warn
from vizkit.hooks._autolog.drop_in import LogWriter, StockLogWriter
from vizkit.hooks._guard import Guard
from vizkit.hooks._patching import AfterImport, Patches
from vizkit.tracking.tracker import Tracker, tracker_without_log

if TYPE_CHECKING:
    import paddle

__all__ = ["autolog"]

_MOST_OPEN = 16  # trackers that are open though no training of theirs runs

_lock = threading.RLock()
_active: _AutoLog | None = None


def autolog(
    logdir: str | os.PathLike[str] = "log",
    *,
    disable: bool = False,
    weights_every: int | Literal["auto"] | None = "auto",
    images: int = 9,
    images_every: int | None = 100,
    samples: Sequence[int] | None = None,
    worst: int | None = None,
    curves: bool = True,
    class_names: Sequence[str] | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    graph: bool = True,
    save_model: bool = False,
) -> None:
    """Record code that knows nothing of VizKit, until ``autolog(disable=True)``.

    ===================================  ===========================================================
    code that is left as it is           what happens
    ===================================  ===========================================================
    ``model.fit``, ``model.evaluate``    recorded as by ``tracker.callback()``, with the
                                         hyper-parameters that can be known, into one new run of
                                         ``logdir`` for each model
    ``paddle.callbacks.VisualDL(dir)``   the same, into ``dir``; its own records are left out
    ``visualdl.LogWriter(...)``          is a `vizkit.LogWriter`, also under the names of modules
                                         that imported it before
    ===================================  ===========================================================

    A ``fit`` that is given ``tracker.callback()`` is left alone. Failures of autolog are warned about
    and never stop the training. Paddle need not be imported before, nor be installed.

    The options but ``logdir`` and ``disable`` are those of `vizkit.hooks.callback`. If one differs from
    its default, Paddle is imported now. Another call replaces all of them.

    Args:
        logdir: the directory of runs of models that name none themselves; each run is named
            ``<script>-<time>``.
        disable: take all patches back, and close the runs.
        weights_every: how many steps apart weights are recorded; None: never.
        images: how many images of a batch are recorded.
        images_every: how many steps apart images are recorded; None: never.
        samples: indices of samples of the evaluation's data to record.
        worst: how many of the worst mistakes to record.
        curves: record curves, confusions and reliability of classifiers.
        class_names: names of the classes.
        mean: the mean that images were normalised with.
        std: the standard deviation that images were normalised with.
        graph: record the network's graph and summary.
        save_model: save the network for inference when training ends.

    Raises:
        DataError: a callback option with a bad value.
        MissingDependencyError: callback options, but no Paddle.
        TypeError: an unknown option, or options beside ``disable=True``. ``reduce`` is none of autolog,
            which records on rank 0 alone: pass ``tracker.callback(reduce=True)`` on all ranks.
    """
    global _active
    options: dict[str, Any] = {
        "weights_every": weights_every,
        "images": images,
        "images_every": images_every,
        "samples": samples,
        "worst": worst,
        "curves": curves,
        "class_names": class_names,
        "mean": mean,
        "std": std,
        "graph": graph,
        "save_model": save_model,
    }
    given = [name for name, value in options.items() if value is not _DEFAULTS[name]]
    if disable:
        if given:
            raise TypeError(f"autolog(disable=True) takes no options, got {', '.join(given)}")
        with _lock:
            stopped, _active = _active, None
        if stopped is not None:
            stopped.stop()
        return
    if given:
        from vizkit import hooks

        hooks.callback(tracker_without_log("", enabled=True), **options)
    with _lock:
        if _active is None:
            _active = _AutoLog()
        _active.configure(os.fspath(logdir), options)
        _active.start()


_DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(autolog).parameters.items()}


@dataclass(eq=False)
class _Call:
    """A call of ``fit`` or ``evaluate`` that is recorded."""

    model: Any
    bound: inspect.BoundArguments
    directories: list[str]
    muted: list[Any]


class _AutoLog:
    """What is patched while autolog is on, and the runs that it made."""

    def __init__(self) -> None:
        self._logdir = ""
        self._options: dict[str, Any] = {}
        self._guard = Guard(tracker_without_log("", enabled=True))
        self._patches = Patches()
        self._waiting: AfterImport | None = None
        self._paddle_patched = False
        self._trackers: OrderedDict[str, Tracker] = OrderedDict()  # the last used one is last
        self._hparams: dict[str, dict[str, Any]] = {}  # directory -> what was recorded last
        self._runs: WeakKeyDictionary[Any, str] = WeakKeyDictionary()  # model -> directory
        self._calls: list[_Call] = []  # that run now

    def configure(self, logdir: str, options: dict[str, Any]) -> None:
        """What the calls from now on are recorded with."""
        if logdir != self._logdir:
            self._runs.clear()
        self._logdir, self._options = logdir, options

    # -- patches ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Patches what is not patched yet."""
        with self._guard("autolog of visualdl.LogWriter"):
            self._patches.replace_everywhere(StockLogWriter, LogWriter, but="vizkit")
        if sys.modules.get("paddle") is not None:
            self._patch_paddle()
        elif self._waiting is None:
            # Importing it here would settle what the caller may still want to set: its flags and devices.
            self._waiting = AfterImport("paddle", self._patch_paddle)

    def _patch_paddle(self) -> None:
        with _lock, self._guard("autolog of paddle.Model"):
            self._waiting = None
            if self._paddle_patched:
                return
            import paddle

            model, visual = paddle.Model, paddle.callbacks.VisualDL
            fit, evaluate, updates = vars(model)["fit"], vars(model)["evaluate"], vars(visual)["_updates"]
            self._paddle_patched = True
            self._patches.replace(model, "fit", _recorded(fit))
            self._patches.replace(model, "evaluate", _recorded(evaluate))
            self._patches.replace(visual, "_updates", _mutable(updates))

    def stop(self) -> None:
        """Takes all patches back and closes all runs."""
        with _lock:
            if self._waiting is not None:
                self._waiting.cancel()
            left = self._patches.undo()
            self._patches.undo_everywhere(StockLogWriter, LogWriter, but="vizkit")
            while self._trackers:
                with self._guard("the log"):
                    self._trackers.popitem()[1].close()
        if left:
            warn(
                f"autolog: {', '.join(left)} has been replaced by other code since, and is left so; "
                "what is left of autolog in it does nothing"
            )

    # -- calls ------------------------------------------------------------------------------------

    def begin(
        self, model: Any, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> _Call | None:
        """Prepares a call to be recorded; None if it is to be left alone."""
        if rank():
            return None
        try:
            bound = signature.bind(model, *args, **kwargs)
        except TypeError:
            return None  # Paddle will say so
        with self._guard("autolog"), _lock:
            call = self._planned(model, bound)
            if call is not None:
                self._calls.append(call)
                return call
        return None

    def _planned(self, model: Any, bound: inspect.BoundArguments) -> _Call | None:
        import paddle

        from vizkit.hooks._fit.callback import TrackerCallback

        given = bound.arguments.get("callbacks") or []
        callbacks = list(given) if isinstance(given, (list, tuple)) else [given]
        visuals = [item for item in callbacks if isinstance(item, paddle.callbacks.VisualDL)]
        muted = [item for item in visuals if _updates_as_paddle(item)]
        own = [item.tracker for item in callbacks if isinstance(item, TrackerCallback)]
        taken = {_absolute(tracker.logdir) for tracker in own}
        directories = [_absolute(item.log_dir) for item in muted]
        if not own and not visuals:
            outer = next((call for call in reversed(self._calls) if call.model is model), None)
            directories = outer.directories if outer else [self._runs.get(model) or self._new_run(model)]
        directories = [name for name in dict.fromkeys(directories) if name not in taken]
        added = [self._tracker(name) for name in directories]
        callbacks += [tracker.callback(**self._options) for tracker in added]
        with self._guard("hyper-parameters"):
            hparams, metrics = _hparams(model, bound.arguments, paddle)
            for name, tracker in zip(directories, added, strict=True):
                before = self._hparams.get(name, {})
                if {**before, **hparams} != before:
                    self._hparams[name] = {**before, **hparams}
                    tracker.log_hparams(hparams, metrics)
        if directories:
            self._runs[model] = directories[-1]
        bound.arguments["callbacks"] = callbacks
        return _Call(model, bound, directories, muted)

    def end(self, call: _Call) -> None:
        """A call is over, in whatever way."""
        with self._guard("the log"), _lock:
            self._calls.remove(call)
            for name in call.directories:
                if name in self._trackers:
                    self._trackers[name].flush()
            self._close_idle()

    def mutes(self, visual: Any) -> bool:
        """Whether a ``paddle.callbacks.VisualDL`` has its records made by VizKit now."""
        return any(item is visual for call in self._calls for item in call.muted)

    # -- runs -------------------------------------------------------------------------------------

    def _tracker(self, directory: str) -> Tracker:
        """The tracker of a run, which goes on."""
        tracker = self._trackers.get(directory) or Tracker(directory, if_exists="resume")
        self._trackers[directory] = tracker
        self._trackers.move_to_end(directory)
        return tracker

    def _new_run(self, model: Any) -> str:
        name = os.path.join(_absolute(self._logdir), f"{_title(model)}-{time.strftime('%Y%m%d-%H%M%S')}")
        directory, attempt = name, 1
        while os.path.exists(directory):
            attempt += 1
            directory = f"{name}-{attempt}"
        tracker = Tracker(directory)
        directory = _absolute(tracker.logdir)
        self._trackers[directory] = tracker
        return directory

    def _close_idle(self) -> None:
        """A grid search may make any number of runs, a process not have so many files open."""
        busy = {name for call in self._calls for name in call.directories}
        idle = [name for name in self._trackers if name not in busy]
        for name in idle[: max(len(self._trackers) - _MOST_OPEN, 0)]:
            self._trackers.pop(name).close()


# -- what is put into Paddle's place ------------------------------------------------------------------


def _recorded(method: Callable[..., Any]) -> Callable[..., Any]:
    """``Model.fit`` or ``Model.evaluate``, with VizKit's callbacks added to those that it is given."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def recorded(self: paddle.Model, *args: Any, **kwargs: Any) -> Any:
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
    """``VisualDL._updates``, which records nothing where VizKit's callback does."""

    @functools.wraps(method)
    def updates(self: Any, *args: Any, **kwargs: Any) -> None:
        active = _active
        if active is None or not active.mutes(self):
            method(self, *args, **kwargs)
        elif not hasattr(self, "writer"):
            self.writer = visualdl.LogWriter(self.log_dir)  # a subclass, or other callbacks, may use it

    return updates


def _updates_as_paddle(visual: Any) -> bool:
    """Whether a ``paddle.callbacks.VisualDL`` records in Paddle's way, and not in a subclass's."""
    owner = next(base for base in type(visual).__mro__ if "_updates" in vars(base))
    return owner.__module__.partition(".")[0] == "paddle" and "_updates" not in vars(visual)


# -- what can be known of a training ------------------------------------------------------------------


def _absolute(directory: Any) -> str:
    path = str(directory)
    return path if "://" in path else os.path.abspath(path)


def _title(model: Any) -> str:
    """What names a run of ``model``: the script, or the network where there is no script."""
    script = Path(sys.argv[0] if sys.argv else "").stem
    if script in ("", "-c", "-m", "ipykernel_launcher"):
        script = type(model.network).__name__
    return re.sub(r"[^\w.-]+", "_", script)


def _hparams(model: Any, arguments: Mapping[str, Any], paddle: Any) -> tuple[dict[str, Any], list[str]]:
    """The hyper-parameters of a call of ``fit`` or ``evaluate``, and the metrics of its training."""
    network = model.network
    out: dict[str, Any] = {
        "network": type(network).__name__,
        "parameters": sum(math.prod(parameter.shape) for parameter in network.parameters()),
    }
    optimizer = model._optimizer
    if optimizer is not None:
        rate = optimizer._learning_rate
        scheduled = isinstance(rate, paddle.optimizer.lr.LRScheduler)
        out["optimizer"] = type(optimizer).__name__
        out["learning rate"] = float(rate.base_lr if scheduled else optimizer.get_lr())
        if scheduled:
            out["scheduler"] = type(rate).__name__
    if "train_data" not in arguments:
        return out, []
    out["batch size"] = _batch_size(arguments["train_data"], arguments.get("batch_size", 1), paddle)
    out["epochs"] = arguments.get("epochs", 1)
    mode = "train" if arguments.get("eval_data") is None else "eval"
    metrics = [f"{mode}/{name}" for name in model._metrics_name()]
    return {name: value for name, value in out.items() if value is not None}, metrics


def _batch_size(data: Any, asked: Any, paddle: Any) -> Any:
    if isinstance(data, paddle.io.Dataset):
        return asked[0] if isinstance(asked, (list, tuple)) else asked
    return getattr(getattr(data, "batch_sampler", None), "batch_size", None)
