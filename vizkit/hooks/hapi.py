"""The callback for `paddle.Model`: what ``fit`` and ``evaluate`` do, on one step clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vizkit.errors import DataError
from vizkit.hooks._guard import Guard, Spacing
from vizkit.hooks._paddle import paddle
from vizkit.hooks.capture import Batch, capture_next
from vizkit.hooks.evaluation import LabelledScores, MeanLoss
from vizkit.hooks.metrics import metric_scalars, spread
from vizkit.hooks.parameters import record_histograms
from vizkit.hooks.samples import captioned_input, looks_like_images
from vizkit.hooks.saving import log_model, record_graph
from vizkit.measures.arrays import describe

if TYPE_CHECKING:
    from vizkit.tracker import Tracker

__all__ = ["TrackerCallback", "callback"]

_EPOCH = "train/epoch"
_RATE = "train/learning rate"


def callback(
    tracker: Tracker,
    *,
    weights_every: int | str | None = "auto",
    images_every: int | None = 100,
    curves: bool = True,
    class_names: Sequence[str] | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    graph: bool = True,
    save_model: bool = False,
) -> Any:
    """A callback that records what ``paddle.Model.fit`` and ``evaluate`` do.

    In Paddle's static mode scalars are all that is recorded.

    Steps start at 0 and grow by one a batch, over epochs, over several ``fit`` and over resumed
    runs. An evaluation is recorded at the step of the last batch that was trained before it.

    =========================  ==========================================  =======================
    tag                        what                                        when
    =========================  ==========================================  =======================
    ``train/<metric>``         loss, and metrics as Paddle logs them       every batch
    ``train/learning rate``    that the batch was trained with             every batch
    ``train/epoch``            as Paddle counts, from 0 in every ``fit``   every batch
    ``eval/<metric>``          loss (mean over all samples) and metrics    every evaluation
    ``eval/pr|roc|ap|auc/..``  curves and areas of each class              every evaluation
    ``train/input``            the batch's first image, label, prediction  ``images_every`` steps
    ``weights/<parameter>``    histogram                                   start, spaced, end
    graph                      of the network                              once, at the first batch
    =========================  ==========================================  =======================

    A loss or metric of several numbers is recorded as ``.../0``, ``.../1`` and so on; of several
    losses ``train/loss`` is the sum, which is what training minimises.

    Args:
        tracker: what records. On other ranks than 0 the callback does nothing.
        weights_every: how many steps apart weights are recorded; ``"auto"``: 100, doubled whenever
            that took more than 1 % of the time; None: never.
        images_every: how many steps apart an input image is recorded, if inputs look like images
            (NCHW or NHWC of 1, 3 or 4 channels); None: never.
        curves: whether to record curves, if the network is a classifier: whole-numbered labels of
            shape (n,) or (n, 1), outputs of shape (n, c). The first output and label count.
        class_names: what the classes are called in tags and captions; by default their numbers.
        mean: what was subtracted from the images when they were normalised, for their display.
        std: what they were divided by.
        graph: whether to record the network's graph.
        save_model: whether to save the network for inference when training ends.

    Returns:
        A ``paddle.callbacks.Callback``. It raises into training only if ``tracker.strict``.

    Raises:
        DataError: a bad ``weights_every``, ``images_every`` or ``class_names``.
    """
    if not tracker.enabled:
        return paddle.callbacks.Callback()
    return TrackerCallback(
        tracker,
        weights=Spacing(weights_every, "weights_every"),
        images=Spacing(images_every, "images_every"),
        curves=curves,
        class_names=_checked_names(class_names),
        normalised=(mean, std),
        graph=graph,
        save_model=save_model,
    )


def _checked_names(class_names: Any) -> list[str] | None:
    if class_names is None:
        return None
    if isinstance(class_names, (str, bytes, Mapping)) or not isinstance(class_names, Iterable):
        raise DataError(f"class_names must be a list such as ['cat', 'dog'], got {describe(class_names)}")
    names = [str(name) for name in class_names]
    if len(set(names)) != len(names):
        raise DataError(f"class_names must differ, got {describe(names)}")
    return names


class TrackerCallback(paddle.callbacks.Callback):  # type: ignore[misc]
    """What `callback` returns: translates Paddle's events into records."""

    def __init__(
        self,
        tracker: Tracker,
        *,
        weights: Spacing,
        images: Spacing,
        curves: bool,
        class_names: list[str] | None,
        normalised: tuple[Any, Any],
        graph: bool,
        save_model: bool,
    ) -> None:
        super().__init__()
        self._tracker = tracker
        self._weights = weights
        self._images = images
        self._curves = curves
        self._class_names = class_names
        self._normalised = normalised
        self._graph = graph
        self._save_model = save_model
        self._guard = Guard(tracker)
        self._dynamic = True
        self._step = 0
        self._epoch = 0
        self._rate: float | None = None
        self._weights_step = -1
        self._batch: Batch | None = None
        self._eval_metrics: list[str] = []
        self._eval_loss = MeanLoss()
        self._scores: LabelledScores | None = None

    # -- training ---------------------------------------------------------------------------------

    def on_train_begin(self, logs: Any = None) -> None:
        """Sets the clock, and records the weights that training starts from."""
        with self._guard("training steps"):
            self._begin()
            self._step = max(self._step, self._last_step() + 1, self._tracker.step)
        if self._weights.on and self._dynamic:
            self._record_weights(self._step)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
        """Notes the learning rate, and looks at the batch if something of it is recorded."""
        with self._guard(_RATE):
            # At the batch's end, a scheduler may have moved on.
            get_rate = getattr(self.model._optimizer, "get_lr", None)
            self._rate = None if get_rate is None else get_rate()
        with self._guard("input images"):
            self._forget_batch()
            if self._dynamic and (self._graph or self._images.due(self._step)):
                self._batch = capture_next(self.model, "train")

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        """Records the batch."""
        step = self._step
        self._step += 1
        with self._guard("train scalars"):
            scalars = metric_scalars("train", logs, self.params.get("metrics"))
            scalars[_EPOCH] = self._epoch
            if self._rate is not None:
                scalars[_RATE] = self._rate
            self._tracker.log(scalars, step)
        batch, self._batch = self._batch, None
        if batch is not None:
            self._record_batch(batch, step)
        if self._dynamic and self._weights.due(step) and step != self._weights_step:
            self._record_weights(step)

    def on_train_end(self, logs: Any = None) -> None:
        """Records the final weights, and waits until all is in the log."""
        step = self._step - 1
        if self._dynamic and self._weights.on and step > self._weights_step:
            self._record_weights(step)
        if self._save_model:
            with self._guard("inference model"):
                log_model(self._tracker, self.model)
        with self._guard("the log"):
            self._tracker.flush()

    def _record_batch(self, batch: Batch, step: int) -> None:
        if self._images.due(step):
            with self._guard("input images"):
                if looks_like_images(batch):
                    pixels = captioned_input(batch, self._class_names, *self._normalised)
                    self._tracker.log_image("train/input", pixels, step, value_range=(0, 255))
        if self._graph:
            self._graph = False
            with self._guard("graph"):
                record_graph(self._tracker, self.model, batch.inputs)

    def _record_weights(self, step: int) -> None:
        self._weights_step = step
        with self._guard("weights"), self._weights.timed():
            record_histograms(self._tracker, "weights", dict(self.model.network.named_parameters()), step)

    def _begin(self) -> None:
        self._forget_batch()
        self._dynamic = paddle.in_dynamic_mode()
        if not self._dynamic:
            # There, even reading a weight would add operators to the program.
            what = "weights, images, curves and graph"
            self._guard.warn(what, "Paddle is in static mode; call paddle.disable_static() first")

    def _forget_batch(self) -> None:
        """Drops a batch that did not get to its end."""
        if self._batch is not None:
            self._batch.cancel()
            self._batch = None

    def _last_step(self) -> int:
        """The step of the last batch that any callback recorded in this run; -1 if there is none."""
        tags = [_EPOCH, *(f"train/{name}" for name in self.params.get("metrics") or ())]
        return max(int(self._tracker.writer.last_step_of(tag)) for tag in tags)

    # -- evaluation -------------------------------------------------------------------------------

    def on_eval_begin(self, logs: Any = None) -> None:
        """Starts to gather."""
        self._eval_metrics = list((logs or {}).get("metrics") or ())
        self._eval_loss = MeanLoss()
        self._begin()
        self._scores = LabelledScores() if self._curves and self._dynamic else None

    def on_eval_batch_begin(self, step: int, logs: Any = None) -> None:
        """Looks at the batch if its scores are wanted."""
        with self._guard("curves"):
            self._forget_batch()
            if self._scores is not None and self._scores.wanted:
                self._batch = capture_next(self.model, "eval")

    def on_eval_batch_end(self, step: int, logs: Any = None) -> None:
        """Gathers the batch."""
        logs = dict(logs or {})
        if "loss" in self._eval_metrics and "loss" in logs:
            with self._guard("eval loss"):
                self._eval_loss.add(logs["loss"], int(logs.get("batch_size") or 1))
        batch, self._batch = self._batch, None
        if batch is not None and self._scores is not None:
            with self._guard("curves"):
                self._scores.add(batch.labels[0] if batch.labels else None, batch.output)

    def on_eval_end(self, logs: Any = None) -> None:
        """Records the evaluation."""
        step = 0
        with self._guard("eval steps"):
            step = max(self._step - 1, self._last_step())
            if step < 0:
                step = self._tracker.step
        with self._guard("eval scalars"):
            names = [name for name in self._eval_metrics if name != "loss"]
            scalars = spread("eval/loss", self._eval_loss.means())
            self._tracker.log({**scalars, **metric_scalars("eval", logs, names)}, step)
        scores, self._scores = self._scores, None
        if scores is not None:
            with self._guard("curves"):
                self._record_curves(scores, step)

    def _record_curves(self, gathered: LabelledScores, step: int) -> None:
        if gathered.reason:
            self._guard.warn("curves", gathered.reason)
        result = gathered.result()
        if result is None:
            return
        names = self._class_names
        if names is not None and len(names) != result.scores.shape[1]:
            self._guard.warn(
                "class_names",
                f"{len(names)} names for {result.scores.shape[1]} classes; numbers are used in the curves",
            )
            names = None
        self._tracker.log_curves(
            "eval", result.labels, result.scores, step, class_names=names, activation=result.activation
        )
