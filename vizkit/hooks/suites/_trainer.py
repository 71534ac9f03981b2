"""The ``Trainer`` of PaddleNLP and PaddleFormers."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vizkit.errors import MissingDependencyError
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["paddleformers", "paddlenlp"]


def paddleformers(tracker: Tracker) -> Any:
    """A ``TrainerCallback`` for ``paddleformers.trainer.Trainer``: ``callbacks=[paddleformers(tracker)]``.

    It records what the trainer logs, at its global step: ``train/loss``, ``train/learning rate``,
    ``eval/loss``, ``eval/<metric>`` and so on, and its arguments as hyper-parameters.

    Args:
        tracker: what records; it stays open.

    Raises:
        MissingDependencyError: PaddleFormers is not installed.
    """
    return _callback(tracker, "paddleformers")


def paddlenlp(tracker: Tracker) -> Any:
    """A ``TrainerCallback`` for ``paddlenlp.trainer.Trainer``; see `paddleformers`.

    Raises:
        MissingDependencyError: PaddleNLP is not installed.
    """
    return _callback(tracker, "paddlenlp")


def _callback(tracker: Tracker, suite: str) -> Any:
    try:
        base: Any = importlib.import_module(f"{suite}.trainer").TrainerCallback
    except ImportError as error:
        raise MissingDependencyError(f"{suite} cannot be imported ({error}): pip install {suite}") from error
    recorder = Recorder(tracker)

    class TrackerCallback(base):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            with recorder.guard("hyper-parameters"):
                hparams = args.to_dict()
                best = hparams.get("metric_for_best_model") or "loss"
                evaluates = hparams.get("evaluation_strategy", "no") != "no"
                metric = "eval_" + best.removeprefix("eval_") if evaluates else "loss"
                recorder.settings(hparams, [metric])

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            with recorder.guard("logs"):
                numbers = dict(logs or {})
                numbers.pop("global_step", None)
                recorder.scalars(numbers, state.global_step)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            recorder.flush()

    return TrackerCallback()
