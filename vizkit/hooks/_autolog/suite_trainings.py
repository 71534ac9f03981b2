"""Trainings of Paddle's suites that log nowhere else, recorded by the suite's adapter while autolog is on."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

from vizkit._after_import import AfterImport
from vizkit._ranks import rank
from vizkit.hooks import suites
from vizkit.hooks._autolog.configuration import settings_of_program
from vizkit.hooks._autolog.open_runs import OpenRuns
from vizkit.hooks._guard import Guard
from vizkit.hooks._patching import Patches
from vizkit.tracking.tracker import Tracker, tracker_without_log

__all__ = ["SuiteTrainings"]

_Arguments = dict[str, Any]  # of a call of ``train``, by name


class SuiteTrainings:
    """The ``train`` of each suite, also of those that are imported later.

    A training that has a logger of its own, be it of VisualDL, of others or an adapter, is left alone.

    Args:
        runs: the open runs of autolog.
    """

    def __init__(self, runs: OpenRuns) -> None:
        self._runs = runs
        self._guard = Guard(tracker_without_log("", enabled=True))
        self._waiting: list[AfterImport] = []
        self._patches: Patches | None = None

    def install(self) -> None:
        """Take the place of each suite's ``train``."""
        if self._patches is not None:
            return
        self._patches = Patches()
        for suite in _SUITES:
            if suite.module in sys.modules:
                self._patch(suite)
            else:
                self._waiting.append(AfterImport(suite.module, functools.partial(self._patch, suite)))

    def remove(self) -> None:
        """Put them back."""
        for waiting in self._waiting:
            waiting.cancel()
        if self._patches is not None:
            self._patches.undo()
        self._waiting, self._patches = [], None

    def _patch(self, suite: _Suite) -> None:
        with self._guard(f"autolog of {suite.package}"):
            holder: Any = sys.modules[suite.module]
            *owner, name = suite.function.split(".")
            if suite.package not in sys.modules or self._patches is None:
                return  # another one's ``tools.program``
            for part in owner:
                holder = getattr(holder, part)
            train = vars(holder)[name]
            if isinstance(holder, type):
                self._patches.replace(holder, name, self._recorded(train, suite))
            else:
                self._patches.replace_everywhere(train, self._recorded(train, suite), but="vizkit")

    def _recorded(self, train: Callable[..., object], suite: _Suite) -> Callable[..., object]:
        signature = inspect.signature(train)

        @functools.wraps(train)
        def recorded(*args: object, **kwargs: object) -> object:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return train(*args, **kwargs)  # which raises it
            with ExitStack() as recording:
                with self._guard("autolog of a suite"):
                    if self._patches is not None and not rank() and not suite.logs(bound.arguments):
                        tracker = self._runs.tracker(self._runs.new(""))
                        suite.record(tracker, bound.arguments, recording)
                        args, kwargs = bound.args, bound.kwargs
                        recording.callback(tracker.flush)
                return train(*args, **kwargs)

        return recorded


class _Suite(NamedTuple):
    """How a suite trains.

    Attributes:
        package: its name.
        module: that has the function of it which trains, or begins to.
        function: its name, with its class's.
        logs: tells whether a call logs to anything.
        record: gives a call a logger, until the stack is left.
    """

    package: str
    module: str
    function: str
    logs: Callable[[_Arguments], bool]
    record: Callable[[Tracker, _Arguments, ExitStack], None]


def _ppocr(tracker: Tracker, arguments: _Arguments, recording: ExitStack) -> None:
    writer = suites.paddleocr(tracker, arguments["config"], arguments["eval_class"])
    arguments.update(log_writer=writer, eval_class=writer.metric)


def _ppdet(tracker: Tracker, arguments: _Arguments, recording: ExitStack) -> None:
    callbacks = arguments["self"]._callbacks
    trainer = callbacks[0].model
    callback = suites.paddledetection(tracker, trainer)
    trainer.register_callbacks([callback])  # into a new container: this one has already begun
    callbacks.append(callback)


def _ppcls(tracker: Tracker, arguments: _Arguments, recording: ExitStack) -> None:
    engine = arguments["self"]
    engine.vdl_writer = suites.paddleclas(tracker, engine)


def _paddleseg(tracker: Tracker, arguments: _Arguments, recording: ExitStack) -> None:
    plain = {name: given for name, given in arguments.items() if isinstance(given, (bool, int, float, str))}
    tracker.log_hparams({**plain, **settings_of_program()}, ["eval/miou"])
    recording.enter_context(suites.paddleseg(tracker))
    arguments["use_vdl"] = True


def _ppsci(tracker: Tracker, arguments: _Arguments, recording: ExitStack) -> None:
    solver = arguments["self"]
    tracker.log_hparams(settings_of_program(), ["train/loss"])
    solver.vdl_writer = suites.paddlescience(tracker, solver)


def _paddlets(tracker: Tracker, arguments: _Arguments, recording: ExitStack) -> None:
    container = arguments["self"]
    model = container._trainer
    names = {name: f"_{name}" for name in inspect.signature(type(model)).parameters if name != "callbacks"}
    settings = {name: vars(model)[own] for name, own in names.items() if own in vars(model)}
    tracker.log_hparams(settings, ["train/loss"])
    callback = suites.paddlets(tracker)
    callback.set_trainer(model)
    container.append(callback)


def _is_ours(value: object) -> bool:
    return type(value).__module__.startswith("vizkit.")


def _detector_logs(call: _Arguments) -> bool:
    callbacks = call["self"]._callbacks
    return not callbacks or any(
        _is_ours(each) or type(each).__name__ in ("VisualDLWriter", "WandbCallback") for each in callbacks
    )


def _solver_logs(call: _Arguments) -> bool:
    solver = call["self"]
    return any(getattr(solver, f"{name}_writer", None) is not None for name in ("vdl", "wandb", "tbd"))


_SUITES = (
    _Suite("ppocr", "tools.program", "train", lambda call: call.get("log_writer") is not None, _ppocr),
    _Suite("ppdet", "ppdet.engine.callbacks", "ComposeCallback.on_train_begin", _detector_logs, _ppdet),
    _Suite(
        "ppcls", "ppcls.engine.engine", "Engine.train",
        lambda call: call["self"].vdl_writer is not None, _ppcls,
    ),
    _Suite("paddleseg", "paddleseg.core.train", "train", lambda call: bool(call.get("use_vdl")), _paddleseg),
    _Suite("ppsci", "ppsci.solver.solver", "Solver.train", _solver_logs, _ppsci),
    _Suite(
        "paddlets", "paddlets.models.common.callbacks.callbacks", "CallbackContainer.on_train_begin",
        lambda call: any(map(_is_ours, call["self"]._callbacks)), _paddlets,
    ),
)  # fmt: skip
