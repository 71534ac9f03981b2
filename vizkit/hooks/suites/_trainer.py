"""The ``Trainer`` of PaddleNLP and PaddleFormers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from vizkit._protocols import ScalarLike
from vizkit.errors import MissingDependencyError
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from paddleformers.trainer import TrainerCallback

    from vizkit.tracking.tracker import Tracker

__all__ = ["paddleformers", "paddlenlp", "reporting_class"]


class _Arguments(Protocol):
    """Arguments of a training."""

    logging_dir: str

    def to_dict(self) -> dict[str, object]: ...


class _State(Protocol):
    """The state of a training."""

    global_step: int


def paddleformers(tracker: Tracker) -> TrainerCallback:
    """Return a callback for ``paddleformers.trainer.Trainer``: ``callbacks=[paddleformers(tracker)]``.

    It records the trainer's logs at its global step: ``train/loss``, ``train/learning rate``,
    ``eval/loss``, ``eval/<metric>`` and so on, and its arguments as hyper-parameters.

    Args:
        tracker: the tracker that records; it stays open.

    Raises:
        MissingDependencyError: PaddleFormers is not installed.
    """
    return _callback(tracker, "paddleformers")


def paddlenlp(tracker: Tracker) -> TrainerCallback:
    """Return a callback for ``paddlenlp.trainer.Trainer``; see `paddleformers`.

    Raises:
        MissingDependencyError: PaddleNLP is not installed.
    """
    return _callback(tracker, "paddlenlp")


def _callback(tracker: Tracker, suite: str) -> TrainerCallback:
    try:
        base: Any = importlib.import_module(f"{suite}.trainer").TrainerCallback
    except ImportError as error:
        raise MissingDependencyError(
            "{suite} cannot be imported ({error}): pip install {suite}", suite=suite, error=error
        ) from error
    return reporting_class(base, lambda directory: tracker)()


def reporting_class(base: type, tracker_of: Callable[[str], Tracker]) -> Callable[[], TrainerCallback]:
    """A class of callbacks, as ``report_to`` takes them by their names.

    Args:
        base: the suite's ``TrainerCallback``.
        tracker_of: gives the tracker of a training by its ``logging_dir``.
    """
    parent: Any = base

    class TrackerCallback(parent):
        def __init__(self) -> None:
            super().__init__()
            self._recorder: Recorder | None = None

        def _recorder_of(self, args: _Arguments) -> Recorder:
            if self._recorder is None:
                self._recorder = Recorder(tracker_of(getattr(args, "logging_dir", "")))
            return self._recorder

        def on_train_begin(self, args: _Arguments, state: _State, control: object, **kwargs: object) -> None:
            recorder = self._recorder_of(args)
            with recorder.guard("hyper-parameters"):
                hparams = args.to_dict()
                best = str(hparams.get("metric_for_best_model") or "loss")
                evaluates = hparams.get("evaluation_strategy", "no") != "no"
                metric = "eval_" + best.removeprefix("eval_") if evaluates else "loss"
                recorder.settings(hparams, [metric])

        def on_log(
            self,
            args: _Arguments,
            state: _State,
            control: object,
            logs: Mapping[str, ScalarLike | str] | None = None,
            **kwargs: object,
        ) -> None:
            recorder = self._recorder_of(args)
            with recorder.guard("logs"):
                numbers = dict(logs or {})
                numbers.pop("global_step", None)
                recorder.scalars(numbers, state.global_step)

        def on_train_end(self, args: _Arguments, state: _State, control: object, **kwargs: object) -> None:
            self._recorder_of(args).flush()

    return TrackerCallback
