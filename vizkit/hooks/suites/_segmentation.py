"""The ``train`` of PaddleSeg."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit._checks import checked_class_names
from vizkit._protocols import ArrayLike, ScalarLike
from vizkit._visualdl import import_visualdl
from vizkit.errors import MissingDependencyError
from vizkit.hooks._patching import overridden
from vizkit.hooks.suites._recorder import Recorder
from vizkit.metrics.arrays import to_real
from vizkit.writing.evaluation import MAX_CURVE_CLASSES, ClassNames

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["paddleseg"]

_NAMES = {
    "Train/lr": "learning_rate",
    "Evaluate/mIoU": "eval_miou",
    "Evaluate/Acc": "eval_pixel acc",
    "Evaluate/Ema_mIoU": "eval_ema miou",
    "Evaluate/Ema_Acc": "eval_ema pixel acc",
}


@contextmanager
def paddleseg(tracker: Tracker, *, class_names: Sequence[str] | None = None) -> Iterator[None]:
    """Record a training of PaddleSeg: ``with paddleseg(tracker): train(..., use_vdl=True)``.

    It records ``train/loss``, ``train/learning rate`` and what else PaddleSeg logs, ``eval/miou`` and
    ``eval/pixel acc``; and of every evaluation ``eval/kappa``, ``eval/iou/<class>``,
    ``eval/precision/<class>`` (up to 20 classes) and the table ``eval/classes``, as PaddleSeg's ``evaluate``
    computes them, at its iterations.

    Args:
        tracker: the tracker that records; it stays open.
        class_names: of the classes; by default their numbers.

    Raises:
        MissingDependencyError: PaddleSeg cannot be imported.
    """
    names = checked_class_names(class_names)
    try:
        trainer: Any = importlib.import_module("paddleseg.core.train")
    except ImportError as error:
        raise MissingDependencyError(
            "PaddleSeg cannot be imported ({error}): pip install paddleseg", error=error
        ) from error
    writer = SegWriter(Recorder(tracker), tracker, names)
    put_back = [
        overridden(trainer, "evaluate", writer.keeping(trainer.evaluate)),
        overridden(import_visualdl(), "LogWriter", lambda *args, **kwargs: writer),
    ]
    try:
        yield
    finally:
        for each in put_back:
            each()
        writer.close()


class SegWriter:
    """The writer that PaddleSeg's ``train`` logs to."""

    def __init__(self, recorder: Recorder, tracker: Tracker, names: Sequence[str] | None) -> None:
        self._recorder = recorder
        self._tracker = tracker
        self._names = names
        self._found: tuple[object, ...] | None = None  # of the first evaluation since the last record

    def keeping(self, evaluate: Callable[..., tuple[object, ...]]) -> Callable[..., tuple[object, ...]]:
        """Return ``evaluate`` that keeps what it finds."""

        @functools.wraps(evaluate)
        def kept(*args: object, **kwargs: object) -> tuple[object, ...]:
            found = evaluate(*args, **kwargs)
            self._found = self._found or found  # a second one is of averaged weights
            return found

        return kept

    def add_scalar(self, tag: str, value: ScalarLike, step: int, walltime: int | None = None) -> None:
        """Record a number, by VizKit's name."""
        with self._recorder.guard("scalars"):
            self._recorder.scalars({_NAMES.get(tag, tag.removeprefix("Train/")): value}, step)
        if tag == "Evaluate/mIoU":
            found, self._found = self._found, None
            with self._recorder.guard("classes"):
                if found is not None and len(found) >= 5:
                    self._record_classes(found, step)

    def _record_classes(self, found: tuple[Any, ...], step: int) -> None:
        iou, precision = (_column(part) for part in found[2:4])
        names = ClassNames(len(iou), self._names, MAX_CURVE_CLASSES)
        numbers = {"eval/kappa": found[4]}
        for name, shares in (("iou", iou), ("precision", precision)):
            numbers |= {f"eval/{name}{end}": share for end, share in zip(names.parts, shares, strict=False)}
        self._tracker.log(numbers, step)
        rows = [
            f"{' '.join(names.shown[k].split())}\t{iou[k]:.4f}\t{precision[k]:.4f}"
            for k in np.argsort(iou, kind="stable").tolist()
        ]
        self._tracker.log_text("eval/classes", "\n".join(["class\tIoU\tprecision", *rows]), step)

    def close(self) -> None:
        """Wait until all is in the log."""
        self._recorder.flush()


def _column(values: ArrayLike) -> list[float]:
    return [float(value) for value in to_real(values, "values").reshape(-1)]
