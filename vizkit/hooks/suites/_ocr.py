"""The ``tools/train.py`` of PaddleOCR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from vizkit._protocols import ScalarLike
from vizkit.hooks.suites._recorder import Recorder
from vizkit.metrics.arrays import AnyArray

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["paddleocr"]

_NAMES = {"lr": "learning_rate"}
_MOST_BYTES = 16_000_000  # of the images of an evaluation


class _Metric(Protocol):
    """A metric of PaddleOCR."""

    main_indicator: str

    def __call__(self, found: Any, *args: Any, **kwargs: Any) -> object: ...  # noqa: ANN401
    def get_metric(self) -> Mapping[str, ScalarLike]: ...


def paddleocr(tracker: Tracker, config: Mapping[str, object], metric: _Metric) -> OcrWriter:
    """Return a logger and a metric for PaddleOCR's ``program.train``.

    ::

        writer = paddleocr(tracker, config, build_metric(config["Metric"]))
        program.train(..., eval_class=writer.metric, ..., log_writer=writer)

    It records ``train/loss``, ``train/learning rate`` and the metrics that PaddleOCR logs, ``eval/acc``
    and so on at its steps, the config as hyper-parameters; and of recognised texts all that
    `Tracker.evaluation` records of texts, as ``eval/cer``, ``eval/samples`` and ``eval/worst``, with the
    first 16 MB of their images in the table of predictions.

    Args:
        tracker: the tracker that records; it stays open.
        config: PaddleOCR's.
        metric: its metric, which goes on as it is.
    """
    recorder = Recorder(tracker)
    with recorder.guard("hyper-parameters"):
        recorder.settings(config, [f"eval_{metric.main_indicator}"])
    return OcrWriter(tracker, recorder, metric, blue_first=_reads_bgr(config))


class OcrWriter:
    """The logger that ``program.train`` calls.

    Attributes:
        metric: the metric to give it, which also keeps the texts of an evaluation.
    """

    def __init__(self, tracker: Tracker, recorder: Recorder, metric: _Metric, *, blue_first: bool) -> None:
        self.metric = KeepingMetric(metric)
        self._blue_first = blue_first
        self._tracker = tracker
        self._recorder = recorder

    def log_metrics(
        self, metrics: Mapping[str, ScalarLike], prefix: str | None = None, step: int | None = None
    ) -> None:
        """Record numbers of a training or an evaluation."""
        mode = "eval_" if prefix == "EVAL" else ""
        names = {mode + _NAMES.get(name, name): value for name, value in metrics.items()}
        with self._recorder.guard("scalars"):
            self._recorder.scalars(names, int(step or 0))
        if mode and not any(name.startswith("best_") for name in metrics):
            with self._recorder.guard("texts"):
                self._record_texts(int(step or 0))

    def _record_texts(self, step: int) -> None:
        batches, self.metric.last = self.metric.last, []
        if not batches or not all(_are_texts(batch.found) for batch in batches):
            return
        evaluation = self._tracker.evaluation("eval", task="generation")
        for (found, labels), images in batches:
            if images is not None and len(images) == len(labels):
                evaluation.add(labels, found, images[:, ::-1] if self._blue_first else images)
            else:
                evaluation.add(labels, found)
        evaluation.record(step)

    def log_model(self, is_best: bool, prefix: str, metadata: object = None) -> None:
        """Do nothing: models stay where PaddleOCR saves them."""

    def close(self) -> None:
        """Wait until all is in the log."""
        self._recorder.flush()


class _Batch(NamedTuple):
    """A decoder's result, and the images (n, 3, h, w) that it is of."""

    found: Any
    images: AnyArray | None


class KeepingMetric:
    """A metric of PaddleOCR that keeps what it is given until its numbers are asked for.

    Attributes:
        last: the batches that the last numbers are of.
    """

    def __init__(self, metric: _Metric) -> None:
        self._metric = metric
        self._given: list[_Batch] = []
        self.last: list[_Batch] = []
        self._bytes = 0  # of the images

    def __call__(self, found: object, *args: object, **kwargs: object) -> object:
        """Add a batch."""
        images = _images(args[0]) if args else None
        if images is not None and self._bytes + images.nbytes > _MOST_BYTES:
            images = None
        self._bytes += 0 if images is None else images.nbytes
        self._given.append(_Batch(found, images))
        return self._metric(found, *args, **kwargs)

    def get_metric(self) -> Mapping[str, ScalarLike]:
        """The numbers of all batches since the last time."""
        self.last, self._given, self._bytes = self._given, [], 0
        return self._metric.get_metric()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._metric, name)


def _are_texts(found: object) -> bool:
    """True of pairs of decoded texts and labels, each a list of texts with their scores."""
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return False
    return all(
        isinstance(side, list)
        and bool(side)
        and all(isinstance(one, tuple) and isinstance(one[0], str) for one in side)
        for side in found
    )


def _images(batch: object) -> AnyArray | None:
    """The images (n, 3, h, w), which come first in a batch of arrays."""
    first = batch[0] if isinstance(batch, (list, tuple)) and batch else None
    return first if isinstance(first, np.ndarray) and first.ndim == 4 and first.shape[1] == 3 else None


def _reads_bgr(config: Mapping[str, Any]) -> bool:
    """True if the images of an evaluation come with blue first."""
    part: Any = config
    for name in ("Eval", "dataset", "transforms"):
        part = part.get(name) if isinstance(part, Mapping) else None
    steps = [
        each["DecodeImage"] for each in part or [] if isinstance(each, Mapping) and "DecodeImage" in each
    ]
    return any(isinstance(step, Mapping) and step.get("img_mode") == "BGR" for step in steps)
