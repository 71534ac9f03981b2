"""The ``Trainer`` of PaddleDetection."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit.errors import MissingDependencyError
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["paddledetection"]

_SECTIONS = ("LearningRate", "OptimizerBuilder", "TrainReader")
_COCO = (10, 12)  # how many numbers COCO's evaluation gives for keypoints, and for boxes and masks


def paddledetection(tracker: Tracker, trainer: Any) -> Any:
    """A callback for PaddleDetection: ``trainer.register_callbacks([paddledetection(tracker, trainer)])``.

    It records every step's losses, exact and not smoothed, as ``train/<loss>``, learning rate and
    epoch; of every evaluation ``eval/bbox-mAP`` (``mask-``, ``keypoint-``), with AP50 and AP75 where
    COCO's are made, at the step of the last batch before it; and as hyper-parameters what the config
    holds of plain values, and of its learning rate, optimizer and reader.

    Args:
        tracker: what records; it stays open.
        trainer: a ``ppdet.engine.Trainer``.

    Raises:
        MissingDependencyError: PaddleDetection cannot be imported.
    """
    try:
        base: Any = importlib.import_module("ppdet.engine.callbacks").Callback
    except ImportError as error:
        raise MissingDependencyError(
            f"PaddleDetection cannot be imported ({error}): install it from "
            "https://github.com/PaddlePaddle/PaddleDetection"
        ) from error
    recorder = Recorder(tracker)
    step = tracker.step

    class TrackerCallback(base):
        def on_train_begin(self, status: Any) -> None:
            with recorder.guard("hyper-parameters"):
                recorder.settings(_settings(self.model.cfg), ["eval_bbox-mAP"])

        def on_step_end(self, status: Any) -> None:
            nonlocal step
            if status["mode"] != "train":
                return
            with recorder.guard("train scalars"):
                step = status["epoch_id"] * status["steps_per_epoch"] + status["step_id"]
                meters = status["training_staus"].meters or {}
                losses = {name: meter.value for name, meter in meters.items()}
                rate = {"learning_rate": status["learning_rate"], "epoch": status["epoch_id"]}
                recorder.scalars({**losses, **rate}, step)

        def on_epoch_end(self, status: Any) -> None:
            if status["mode"] == "eval":
                with recorder.guard("eval scalars"):
                    for metric in self.model._metrics:
                        recorder.scalars(_results(metric.get_results()), step)

        def on_train_end(self, status: Any) -> None:
            recorder.flush()

    return TrackerCallback(trainer)


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config also holds the defaults of every registered module, which are left out."""
    plain = {name: value for name, value in config.items() if isinstance(value, (bool, int, float, str))}
    sections = {name: config[name] for name in _SECTIONS if isinstance(config.get(name), Mapping)}
    return {**plain, **_as_data(sections)}


def _as_data(value: Any) -> Any:
    """A config holds objects too, such as schedulers; as texts they would differ in every process."""
    if isinstance(value, Mapping):
        return {name: _as_data(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_data(part) for part in value]
    return {type(value).__name__: _as_data(vars(value))} if hasattr(value, "__dict__") else value


def _results(results: Any) -> dict[str, Any]:
    """The numbers of a metric's results: lists whose first is the mAP, numbers, and other things."""
    out: dict[str, Any] = {}
    for key, value in results.items() if isinstance(results, Mapping) else ():
        if isinstance(value, (list, tuple, np.ndarray)) and len(value):
            names = ("mAP", "AP50", "AP75") if len(value) in _COCO else ("mAP",)
            out.update({f"eval_{key}-{name}": number for name, number in zip(names, value, strict=False)})
        elif isinstance(value, (int, float)):
            out[f"eval_{key}"] = value
    return out
