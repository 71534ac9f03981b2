"""The callback for ``paddle.Model``: records ``fit``, ``evaluate`` and ``predict`` on one step clock."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from vizkit._checks import checked_class_names
from vizkit._language import tr
from vizkit.format.tags import EPOCH
from vizkit.hooks._distributed import reduced
from vizkit.hooks._fit.batch import Batch, capture_next
from vizkit.hooks._fit.callback_logs import LoggedScalars, Logs, batch_size, tagged_scalars
from vizkit.hooks._fit.evaluation_images import EvaluationImages
from vizkit.hooks._fit.first_trace import FirstTrace
from vizkit.hooks._fit.fit_evaluation import EvaluationRecorder, EvaluationSettings
from vizkit.hooks._fit.input_images import InputImages
from vizkit.hooks._fit.loss_facts import facts_of_loss
from vizkit.hooks._fit.rank_callback import RankCallback, TrackerCallback
from vizkit.hooks._fit.sample_images import Display
from vizkit.hooks._fit.step_counter import StepCounter
from vizkit.hooks._guard import Guard
from vizkit.hooks._model_call import ModelCall, current_call
from vizkit.hooks._network.log_model import log_model
from vizkit.hooks._paddle import paddle
from vizkit.hooks._spacing import Spacing
from vizkit.hooks._watch.tensor_records import record_histograms

if TYPE_CHECKING:
    from vizkit.metrics.activation import Activation
    from vizkit.metrics.quantiles import Quantiles
    from vizkit.tracking.tracker import Tracker
    from vizkit.writing.tasks.task import Decode, TaskName

__all__ = ["TrackerCallback", "callback"]

_RATE = "train/learning rate"
_STEP_TIME, _SPEED = "train/step time ms", "train/samples per second"
_OWN = {EPOCH, _RATE, _STEP_TIME, _SPEED}


def callback(
    tracker: Tracker,
    *,
    weights_every: int | Literal["auto"] | None = "auto",
    images: int = 9,
    images_every: int | Literal["auto"] | None = "auto",
    samples: Sequence[int] | None = None,
    worst: int | None = None,
    curves: bool = True,
    predictions: bool | int | None = None,
    slices: Mapping[str, Sequence[object] | Mapping[int | str, object]] | None = None,
    task: TaskName | None = None,
    activation: Activation | None = "auto",
    classes: int | None = None,
    ignore_index: int | None = None,
    quantiles: Quantiles | None = None,
    decode: Decode | None = None,
    class_names: Sequence[str] | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    graph: bool = True,
    save_model: bool = False,
    reduce: bool = False,
) -> TrackerCallback:
    """A callback that records ``paddle.Model.fit``, ``evaluate`` and ``predict``.

    In Paddle's static mode it records scalars only.

    When ``fit`` ends with an error or by Ctrl-C, the run is marked as failed or interrupted, and everything
    recorded so far is in the log; the exception passes through. Another ``fit`` continues the run.

    Steps start at 0 and grow by one a batch, over epochs, over several ``fit`` and over resumed
    runs. An evaluation is recorded at the step of the last training batch before it. The time
    of a step goes from batch to batch, without the callbacks: recording, validation, printing.

    ==================================  ===========================================  ======================
    tag                                 record                                       when
    ==================================  ===========================================  ======================
    ``train/<metric>``                  loss, and metrics as Paddle logs them        every batch
    ``train/learning rate``             the rate that the batch was trained with     every batch
    ``train/epoch``                     counted from 0, like the steps               every batch
    ``train/step time ms``              milliseconds, with the data's loading        every batch
    ``train/samples per second``        batch size over step time                    every batch
    ``train/input``                     the batch's first images, with label and     ``images_every`` steps
                                        prediction
    ``eval/<metric>``                   loss (mean over all samples) and metrics     every evaluation
    ``eval/pr/<class>``                 curves of each class (up to 20), and of all  every evaluation
                                        as one (``micro``)
    ``eval/roc/<class>``                the same                                     every evaluation
    ``eval/ap``, ``eval/ap/<class>``    areas of the PR curves, and their mean       every evaluation
    ``eval/auc``, ``eval/auc/<class>``  areas of the ROC curves, and their mean      every evaluation
    ``eval/confusion``                  confusion matrix, as an image                every evaluation
    ``eval/confusion/counts``           the same as text                             every evaluation
    ``eval/reliability``                reliability diagram, as an image             every evaluation
    ``eval/reliability/bins``           the same as text                             every evaluation
    ``eval/ece``                        expected calibration error                   every evaluation
    ``eval/predictions``                a table with a row of each sample, which     every evaluation
                                        `Run.predictions` reads
    ``eval/predictions/images``         its first images                             every evaluation
    ``eval/samples``                    the ``samples``, with label and prediction   every evaluation
    ``eval/worst mistakes``             the ``worst``, by their loss                 every evaluation
    ``weights/<parameter>``             histogram, unless `watch` records them       start, spaced, end
    ``model/summary``, graph            text: layers, output shapes, parameters      first batch
    ``predict/samples per second``      with the data's loading                      every prediction
    ==================================  ===========================================  ======================

    A loss or metric of several numbers is recorded as ``.../0``, ``.../1`` and so on; ``train/loss`` is the
    sum of several losses, which training minimises. A metric that has one of these names itself, such as
    "epoch", is recorded as ``train/epoch/metric``.

    Args:
        tracker: the tracker to record with. On other ranks than 0 the callback does nothing.
        weights_every: the number of steps between records of the weights; ``"auto"``: 100, or more
            if that would take more than 1 % of the time, on all threads; None: never.
        images: the number of images of a batch to record.
        images_every: the number of steps between records of images, if inputs look like images (NCHW or
            NHWC with 1, 3 or 4 channels); ``"auto"``: as of weights; None: never.
        samples: indices of samples in the evaluation's data to record at every evaluation.
        worst: the number of a classifier's worst mistakes to record at every evaluation.
        curves: whether to record what else the task has, such as curves, confusion and reliability of a
            classifier. Its labels are whole numbers of shape (n,) or (n, 1) for outputs of shape (n, c), or
            0 and 1 in the shape of the outputs. The first output and label count.
        predictions: how many samples ``eval/predictions`` has a row of, as of `Tracker.evaluation`. Their
            ids are the data set's indices, if the loader has a fixed order, or else their places.
        slices: further columns of that table: name -> values over the data set's indices.
        task: what the network is for, as of `Tracker.evaluation`, which lists what is recorded then; by
            default as the loss and the shapes of labels and outputs tell it, and the text ``eval/task`` says
            so where the loss does not. Of other tasks than "classification", ``samples`` and ``worst`` are 4
            unless given.
        activation: the function that makes probabilities of the network's scores: "softmax", "sigmoid" or
            None; "auto": as the loss tells, or else all scores of an evaluation.
        classes: the number of classes, where the network's outputs are class numbers.
        ignore_index: the label of what does not count; by default the loss's.
        quantiles: of a regression: the levels of the quantiles on the outputs' last axis, or "normal" if the
            outputs are mean and variance.
        decode: a function of the outputs and the labels of an evaluation's batch, as two lists, which returns
            labels and outputs as `Tracker.evaluation` takes them, such as texts, or boxes of each image.
        class_names: the names of the classes in tags and captions; by default their numbers.
        mean: the mean that the images were normalised with, for their display: one number or one a channel.
        std: the standard deviation that they were normalised with.
        graph: whether to record the network's graph and summary. They wait while other threads train,
            and are left out in a thread other than the main one: Paddle could crash. Those of a network that
            draws random numbers of NumPy or Python come at the end of the first epoch.
        save_model: whether to save the network for inference when training ends.
        reduce: whether to record the mean of loss and metrics over the ranks of a distributed training
            instead of rank 0's own; then all ranks need the callback. (Paddle itself gathers an
            evaluation's metrics from all ranks.)

    Returns:
        A ``paddle.callbacks.Callback``. It raises into training only if ``tracker.strict``.

    Raises:
        DataError: a bad value of an option.
    """
    if not tracker.enabled:
        return RankCallback(tracker) if reduce else TrackerCallback(tracker)
    return _RecordingCallback(
        tracker,
        weights=Spacing(weights_every, "weights_every"),
        images=images,
        images_every=images_every,
        settings=EvaluationSettings(
            Display(checked_class_names(class_names), mean, std),
            task,
            activation,
            classes,
            ignore_index,
            quantiles,
            decode,
            curves,
            samples,
            worst,
            predictions,
            slices,
        ),
        graph=graph,
        save_model=save_model,
        reduce=reduce,
    )


class _RecordingCallback(TrackerCallback):
    """The callback that translates Paddle's events into records."""

    def __init__(
        self,
        tracker: Tracker,
        *,
        weights: Spacing,
        images: int,
        images_every: int | Literal["auto"] | None,
        settings: EvaluationSettings,
        graph: bool,
        save_model: bool,
        reduce: bool,
    ) -> None:
        super().__init__(tracker)
        self._weights = weights
        self._settings = settings
        settings.check()
        self._guard = Guard(tracker)
        self._images = InputImages(tracker, images, images_every, settings.display)
        self._trace = FirstTrace(tracker, self._guard, wanted=graph)
        self._save_model = save_model
        self._reduce = reduce
        self._train_guard = self._guard("train scalars")  # of every step, as the next
        self._rate_guard = self._guard(_RATE)
        self._tags: dict[str, str] = {}
        self._evaluation = EvaluationRecorder(
            tracker,
            self._guard,
            EvaluationImages(tracker, self._guard, settings.samples, settings.worst, settings.display),
            settings,
            reduce=self._reduced,
        )
        self._dynamic = True
        self._steps = StepCounter(tracker)
        self._call: ModelCall | None = None
        self._epoch = self._first_epoch = 0
        self._rate: float | None = None
        self._weights_step = -1
        self._batch: Batch | None = None
        self._predicted = 0  # samples
        self._prediction_began = 0.0

    # -- training ---------------------------------------------------------------------------------

    def set_params(self, params: dict[str, object]) -> None:
        """Take the names of the loss and the metrics."""
        super().set_params(params)
        with self._guard("train scalars"):
            tags = {name: f"train/{name}" for name in self._metrics()}
            self._tags = {name: f"{tag}/metric" if tag in _OWN else tag for name, tag in tags.items()}

    def set_model(self, model: paddle.Model) -> None:
        """Take the model of a ``fit``, ``evaluate`` or ``predict``."""
        super().set_model(model)
        with self._guard("how training ends"):
            current_call(model)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Set the clock, and record the weights that training starts from.

        Raises:
            DataError: the evaluation's data does not have the images to record.
        """
        self._evaluation.check(self.model)
        with self._guard("training steps"):
            self._begin()
            self._steps.begin(self._metrics())
            self._first_epoch = self._steps.epochs
        self._call = self._begin_call()
        if self._weights.on and self._dynamic:
            self._record_weights(self._steps.next)

    def _begin_call(self) -> ModelCall | None:
        """The call of the model; an evaluation within a ``fit`` belongs to that."""
        with self._guard("how training ends"):
            call = current_call(self.model)
            if not self.in_call:
                self.tracker.go_on()
            return call
        return None

    @property
    def in_call(self) -> bool:
        """True between the first and the last event of a ``fit``, ``evaluate`` or ``predict``."""
        return self._call is not None and self._call.runs

    def failed(self, error: BaseException) -> None:
        """Mark the run, whose call has ended with an error."""
        if self._call is not None:
            self._call.end()
        self._forget_batch()
        self.tracker.fail(error)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the epoch's number."""
        self._epoch = self._first_epoch + epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record the graph that the first batch could not tell."""
        self._trace.late(self.model)

    def on_train_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        """Keep the learning rate, and capture the batch if its images or graph are recorded."""
        with self._rate_guard:
            # Before a scheduler moves on, at the batch's end.
            get_rate = getattr(self.model._optimizer, "get_lr", None)
            self._rate = None if get_rate is None else get_rate()
        if self._trace.wanted or self._images.due(self._steps.next) or self._batch is not None:
            with self._guard("input images"):
                self._forget_batch()
                traces = self._trace.due()
                if self._dynamic and (traces or self._images.due(self._steps.next)):
                    self._batch = capture_next(self.model, "train", draws=traces)

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Record the batch."""
        step = self._steps.next
        self._steps.advance()
        with self._train_guard:
            scalars = self._reduced(tagged_scalars(self._tags, logs))
            scalars[EPOCH] = float(self._epoch)
            if self._rate is not None:
                scalars[_RATE] = self._rate
            if self._call is not None and (seconds := self._call.batch_seconds):
                scalars[_STEP_TIME] = seconds * 1000
                scalars[_SPEED] = batch_size(logs, 0) / seconds
            self.tracker.log(scalars, step)
        batch, self._batch = self._batch, None
        if batch is not None:
            self._record_batch(batch, step)
        if self._dynamic and self._weights.due(step) and step != self._weights_step:
            self._record_weights(step)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Record the final weights, and wait until everything is in the log."""
        self._trace.late(self.model)
        step = self._steps.next - 1
        if self._dynamic and self._weights.on and step > self._weights_step:
            self._record_weights(step)
        if self._save_model:
            with self._guard("inference model"):
                log_model(self.tracker, self.model)
        with self._guard("the log"):
            self.tracker.flush()

    def _record_batch(self, batch: Batch, step: int) -> None:
        if self._images.due(step):
            with self._guard("input images"):
                self._images.record(batch, step, self._activation())
        if self._trace.due():
            self._trace.take(self.model, batch)

    def _activation(self) -> Activation | None:
        """The function that makes probabilities of the network's scores, as far as it is told."""
        return self._settings.told(facts_of_loss(getattr(self.model, "_loss", None))).activation

    def _record_weights(self, step: int) -> None:
        self._weights_step = step
        if any(watch.records_weights_of(self.model.network) for watch in self.tracker.watches):
            return
        with self._guard("weights"), self._weights.timed():
            parameters = dict(self.model.network.named_parameters())
            record_histograms(self.tracker, self._weights, "weights", parameters, step)

    def _begin(self) -> None:
        self._forget_batch()
        self._dynamic = paddle.in_dynamic_mode()
        if not self._dynamic:
            # In it, even reading a weight would add operators to the program.
            what = "weights, images, curves and graph"
            self._guard.warn(what, tr("Paddle is in static mode; call paddle.disable_static() first"))

    def _forget_batch(self) -> None:
        """Drop a captured batch that has not run to its end."""
        if self._batch is not None:
            self._batch.cancel()
            self._batch = None

    def _reduced(self, scalars: LoggedScalars) -> LoggedScalars:
        return reduced(scalars, "mean", self._guard.warn) if self._reduce else scalars

    # -- evaluation -------------------------------------------------------------------------------

    def on_eval_begin(self, logs: Logs | None = None) -> None:
        """Begin an evaluation.

        Raises:
            DataError: its data does not have the images to record.
        """
        self._evaluation.check(self.model)
        self._begin_call()
        self._begin()
        self._evaluation.begin(self.model, logs)

    def on_eval_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        """Capture the batch if its scores or images are wanted."""
        with self._guard("curves"):
            self._forget_batch()
            if self._evaluation.wants(step):
                self._batch = capture_next(self.model, "eval")

    def on_eval_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Add the batch to the evaluation."""
        batch, self._batch = self._batch, None
        self._evaluation.add(step, logs, batch)

    def on_eval_end(self, logs: Logs | None = None) -> None:
        """Record the evaluation."""
        step = 0
        with self._guard("eval steps"):
            step = self._steps.last(self._metrics())
        self._evaluation.record(step, logs)

    # -- prediction -------------------------------------------------------------------------------

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begin to count samples."""
        self._begin_call()
        self._predicted, self._prediction_began = 0, time.perf_counter()

    def on_predict_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Count the samples of the batch."""
        self._predicted += batch_size(logs, 0)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Record the samples per second."""
        rate = self._predicted / max(time.perf_counter() - self._prediction_began, 1e-9)
        with self._guard("predict scalars"):
            self.tracker.log({"predict/samples per second": rate}, self._steps.last(self._metrics()))
