"""The ``tools/train.py`` of PaddleOCR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from vizkit._protocols import ScalarLike
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["paddleocr"]

_NAMES = {"lr": "learning_rate"}


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
    `Tracker.evaluation` records of texts, as ``eval/cer``, ``eval/samples`` and ``eval/worst``.

    Args:
        tracker: the tracker that records; it stays open.
        config: PaddleOCR's.
        metric: its metric, which goes on as it is.
    """
    recorder = Recorder(tracker)
    with recorder.guard("hyper-parameters"):
        recorder.settings(config, [f"eval_{metric.main_indicator}"])
    return OcrWriter(tracker, recorder, metric)


class OcrWriter:
    """The logger that ``program.train`` calls.

    Attributes:
        metric: the metric to give it, which also keeps the texts of an evaluation.
    """

    def __init__(self, tracker: Tracker, recorder: Recorder, metric: _Metric) -> None:
        self.metric = KeepingMetric(metric)
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
        texts = [pair for pair in batches if _are_texts(pair)]
        if not texts or len(texts) != len(batches):
            return
        evaluation = self._tracker.evaluation("eval", task="generation")
        for found, labels in texts:
            evaluation.add(labels, found)
        evaluation.record(step)

    def log_model(self, is_best: bool, prefix: str, metadata: object = None) -> None:
        """Do nothing: models stay where PaddleOCR saves them."""

    def close(self) -> None:
        """Wait until all is in the log."""
        self._recorder.flush()


class KeepingMetric:
    """A metric of PaddleOCR that keeps what it is given until its numbers are asked for.

    Attributes:
        last: the results that the last numbers are of; each is what a decoder returned.
    """

    def __init__(self, metric: _Metric) -> None:
        self._metric = metric
        self._given: list[object] = []
        self.last: list[Any] = []

    def __call__(self, found: object, *args: object, **kwargs: object) -> object:
        """Add a batch."""
        self._given.append(found)
        return self._metric(found, *args, **kwargs)

    def get_metric(self) -> Mapping[str, ScalarLike]:
        """The numbers of all batches since the last time."""
        self.last, self._given = self._given, []
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
