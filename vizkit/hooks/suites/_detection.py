"""The ``Trainer`` of PaddleDetection."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit._protocols import ScalarLike
from vizkit.errors import MissingDependencyError
from vizkit.hooks._settings import as_settings
from vizkit.hooks.suites._coco_boxes import CocoBoxes
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from ppdet.engine import Trainer
    from ppdet.engine.callbacks import Callback

    from vizkit.tracking.tracker import Tracker

__all__ = ["paddledetection"]

_SECTIONS = ("LearningRate", "OptimizerBuilder", "TrainReader")
_COCO = (10, 12)  # how many numbers COCO's evaluation gives for keypoints, and for boxes and masks
_Status = dict[str, Any]


def paddledetection(tracker: Tracker, trainer: Trainer) -> Callback:
    """Return a callback for ``trainer.register_callbacks([paddledetection(tracker, trainer)])``.

    It records every step's losses, exact and not smoothed, as ``train/<loss>``, learning rate and
    epoch; of every evaluation ``eval/bbox-mAP`` (``mask-``, ``keypoint-``), with COCO's AP50 and AP75,
    at the step of the last batch before it, and of boxes on COCO's data all that `Tracker.evaluation`
    records of detections, such as ``eval/ap/<class>`` and ``eval/false positives/<kind>``, with the first
    and the worst of the first 64 images as ``eval/samples`` and ``eval/worst``; and as hyper-parameters
    the config's plain values, its learning rate, optimizer and reader.

    Args:
        tracker: the tracker that records; it stays open.
        trainer: a ``ppdet.engine.Trainer``.

    Raises:
        MissingDependencyError: PaddleDetection cannot be imported.
    """
    try:
        base: Any = importlib.import_module("ppdet.engine.callbacks").Callback
    except ImportError as error:
        raise MissingDependencyError(
            "PaddleDetection cannot be imported ({error}): install it from "
            "https://github.com/PaddlePaddle/PaddleDetection",
            error=error,
        ) from error
    recorder, boxes = Recorder(tracker), CocoBoxes()
    step = tracker.step

    class TrackerCallback(base):
        def on_train_begin(self, status: _Status) -> None:
            with recorder.guard("hyper-parameters"):
                recorder.settings(_settings(self.model.cfg), ["eval_bbox-mAP"])

        def on_step_end(self, status: _Status) -> None:
            nonlocal step
            if status["mode"] != "train":
                return
            with recorder.guard("train scalars"):
                step = status["epoch_id"] * status["steps_per_epoch"] + status["step_id"]
                meters = status["training_staus"].meters or {}
                losses = {name: meter.value for name, meter in meters.items()}
                rate = {"learning_rate": status["learning_rate"], "epoch": status["epoch_id"]}
                recorder.scalars({**losses, **rate}, step)

        def on_epoch_end(self, status: _Status) -> None:
            if status["mode"] == "eval":
                with recorder.guard("eval scalars"):
                    for metric in self.model._metrics:
                        recorder.scalars(_results(metric.get_results()), step)
                with recorder.guard("boxes"):
                    for metric in self.model._metrics:
                        boxes.record(tracker, metric, self.model.cfg.get("EvalDataset"), step)

        def on_train_end(self, status: _Status) -> None:
            recorder.flush()

    return TrackerCallback(trainer)


def _settings(config: Mapping[str, object]) -> dict[str, object]:
    """Return the plain values and some sections of a config, without the defaults of every module."""
    plain = {name: value for name, value in config.items() if isinstance(value, (bool, int, float, str))}
    sections = {name: config[name] for name in _SECTIONS if isinstance(config.get(name), Mapping)}
    return {**plain, **{name: as_settings(section) for name, section in sections.items()}}


def _results(results: object) -> dict[str, ScalarLike]:
    """Return the numbers of a metric's results: the first of each list is the mAP."""
    out: dict[str, ScalarLike] = {}
    for key, value in results.items() if isinstance(results, Mapping) else ():
        if isinstance(value, (list, tuple, np.ndarray)) and len(value):
            names = ("mAP", "AP50", "AP75") if len(value) in _COCO else ("mAP",)
            out.update({f"eval_{key}-{name}": number for name, number in zip(names, value, strict=False)})
        elif isinstance(value, (int, float)):
            out[f"eval_{key}"] = value
    return out
