"""`ValidateEvery`: quick validation within an epoch that does not change the training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, cast

from vizkit._checks import describe, whole_number
from vizkit.errors import DataError
from vizkit.hooks._fit.callback_logs import Logs
from vizkit.hooks._fit.fit_evaluation import MeanLoss
from vizkit.hooks._fit.step_counter import StepCounter
from vizkit.hooks._guard import Guard
from vizkit.hooks._network.random_states import (
    host_random_states,
    paddle_random_states_kept,
    random_states_kept,
)
from vizkit.hooks._paddle import paddle
from vizkit.hooks.steering._steering import Steering, checked_tracker, over_ranks
from vizkit.metrics.arrays import to_float

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["LoadedBatch", "ValidateEvery"]

LoadedBatch = object
"""A batch of data: tensors or arrays, or nested sequences or dicts of these."""

_Value = TypeVar("_Value")

_PATH = "validation"


class ValidateEvery(paddle.callbacks.Callback):
    """A callback that evaluates every so many training steps, and records at the step just trained.

    ::

        validate = ValidateEvery(200, batches=10, tracker=tracker)
        model.fit(data, eval_data, callbacks=[tracker.callback(), validate])

        validate = ValidateEvery(200, data, network=net, loss=loss_fn, tracker=tracker)  # in your own loop
        for step, (x, y) in enumerate(loader):
            ...
            validate.update(step)

    Loss (mean over the samples) and metrics are computed on copies of the metrics, in eval mode and
    without gradients. Modes, metrics and random states are restored, and the weights are bit-identical
    to those of a training without validation. An evaluation of ``fit`` at the same step and with the same
    tags is recorded instead.

    Args:
        steps: how many training steps apart.
        data: a ``paddle.io.Dataset``, a ``DataLoader`` or another collection of batches; by default
            ``fit``'s ``eval_data``.
        batches: how many of the first batches. They are read once, when training begins, and kept in
            memory. None: all, which are read anew every time. If reading them draws random numbers of
            NumPy or Python, their states are restored; training data that draws some in a thread of
            Paddle's at that moment can draw them twice.
        batch_size: the batch size of a ``Dataset``.
        prefix: the beginning of the tags.
        steering: `EarlyStop` and `HalveOnPlateau` that are to decide by these evaluations, within the
            epoch, rather than by those of ``fit``. They are not passed to ``fit`` as well.
        network: the network to evaluate, in your own loop.
        loss: its loss function; None: only metrics.
        metrics: its ``paddle.metric.Metric``. In your own loop a batch's last part is the label.
        tracker: the tracker that records; None: nothing is recorded.

    Attributes:
        last: the numbers of the last validation by tag.

    Raises:
        DataError: an argument out of range; no data, or data that can be read only once; when ``fit``
            begins, a monitor of ``steering`` that will not be measured.
    """

    def __init__(
        self,
        steps: int = 200,
        data: paddle.io.Dataset | paddle.io.DataLoader | Iterable[LoadedBatch] | None = None,
        batches: int | None = None,
        *,
        batch_size: int = 64,
        prefix: str = "eval",
        steering: Steering | Sequence[Steering] = (),
        network: paddle.nn.Layer | None = None,
        loss: Callable[..., object] | None = None,
        metrics: Sequence[paddle.metric.Metric] = (),
        tracker: Tracker | None = None,
    ) -> None:
        super().__init__()
        whole_number("steps", steps)
        whole_number("batch_size", batch_size)
        if batches is not None:
            whole_number("batches", batches)
        self.last: dict[str, float] = {}
        self._every = steps
        self._data = None if data is None else _readable(data, batch_size)
        self._count = batches
        self._prefix = prefix
        self._steering = [steering] if isinstance(steering, Steering) else list(steering)
        for steered in self._steering:
            if not isinstance(steered, Steering):
                raise DataError(
                    "steering takes EarlyStop and HalveOnPlateau, got {steered}", steered=describe(steered)
                )
        self._tracker = checked_tracker(tracker)
        self._guard = Guard(self._tracker)
        self._steps = StepCounter(self._tracker)
        self._source: Iterable[LoadedBatch] = ()
        self._kept: Callable[[], AbstractContextManager[None]] = paddle_random_states_kept
        self._inputs = -1  # how many parts of a batch are inputs; all but the last
        self._held: tuple[int, dict[str, float]] | None = None
        self._network: paddle.nn.Layer | None = None
        if network is not None:
            if self._data is None:
                raise DataError("{type} needs data in your own loop", type=type(self).__name__)
            self._begin(network, loss, metrics, self._data)

    def update(self, step: int) -> dict[str, float] | None:
        """Validate if it is time, in your own loop. Call it after each batch.

        Args:
            step: the step of the batch, from 0; it is time after every ``steps`` batches.

        Returns:
            tag -> number; None if it was not time, or if it failed with a warning.

        Raises:
            DataError: no network was given.
        """
        if self._network is None:
            raise DataError("there is no network to validate: pass network=")
        if (step + 1) % self._every:
            return None
        scalars = self._validate()
        if scalars:
            self._record(scalars, step)
            self._steer(scalars, step)
        return scalars or None

    # -- within Model.fit ---------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Read the batches.

        Raises:
            DataError: there are none, or ``steering`` cannot use them.
        """
        model = self.model
        if not paddle.in_dynamic_mode():
            raise DataError("validation works in dynamic mode: call paddle.disable_static() first")
        data = self._data if self._data is not None else model._test_dataloader
        if data is None:
            raise DataError("{type} has no data: pass data=, or eval_data to fit", type=type(self).__name__)
        self._inputs = len(model._inputs)
        self._begin(model.network, model._loss, model._metrics, data)
        with self._guard(_PATH):
            self._steps.begin(self.params.get("metrics") or ())
        for steered in self._steering:
            steered.set_model(model)
            steered.set_params(self.params)
            steered.begin(fed=True)

    def on_train_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        """Record the numbers that were held back for an evaluation of ``fit``."""
        self._release()

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Validate if it is time."""
        self._steps.advance()
        now = self._steps.current
        if (now + 1) % self._every:
            return
        scalars = self._validate()
        if not scalars:
            return
        with self._guard(_PATH):
            self.last = scalars = {tag: over_ranks(value) for tag, value in scalars.items()}
        if step + 1 == self.params.get("steps"):
            self._held = (now, scalars)  # fit may evaluate in full after the epoch's last batch
        else:
            self._record(scalars, now)
        if self._steer(scalars, now):
            self.model.stop_training = True
            self.model.num_iters = 1  # which ends the epoch, too; fit sets it anew

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Record the numbers that were held back, and release the batches."""
        self._release()
        self._source = ()
        for steered in self._steering:
            steered.on_train_end(logs)

    # -- the measuring ------------------------------------------------------------------------------

    def _begin(
        self,
        network: paddle.nn.Layer,
        loss: Callable[..., object] | None,
        metrics: Sequence[paddle.metric.Metric],
        data: Iterable[LoadedBatch],
    ) -> None:
        if loss is None and not metrics:
            raise DataError("nothing to validate: there is neither a loss nor a metric")
        self._network, self._loss = network, loss
        self._metrics = [copy.deepcopy(metric) for metric in metrics]
        before = host_random_states()
        with random_states_kept():
            read = list(islice(_batches(data), self._count or 1))
            draws = host_random_states() != before
        if not read:
            raise DataError("the data to validate on has no batches")
        self._source = data if self._count is None else read
        # Only if needed: threads that read the training's data may draw meanwhile.
        self._kept = random_states_kept if draws and self._count is None else paddle_random_states_kept

    def _validate(self) -> dict[str, float]:
        network = cast("paddle.nn.Layer", self._network)
        with self._guard(_PATH), self._kept(), _in_eval_mode(network), paddle.no_grad():
            self.last = self._measure(network, _batches(self._source))
            return dict(self.last)
        return {}

    def _measure(self, network: paddle.nn.Layer, batches: Iterable[LoadedBatch]) -> dict[str, float]:
        loss = MeanLoss()
        for metric in self._metrics:
            metric.reset()
        for batch in batches:
            parts = [
                part if isinstance(part, paddle.Tensor) else paddle.to_tensor(part)
                for part in paddle.utils.flatten(batch)
            ]
            inputs, labels = parts[: self._inputs], parts[self._inputs :]
            outputs = _as_list(network(*inputs))
            if self._loss is not None:
                loss.add(_as_list(self._loss(*outputs, *labels)), int(inputs[0].shape[0]))
            for metric in self._metrics:
                found = _as_list(metric.compute(*outputs, *labels))
                metric.update(*[value.numpy() if hasattr(value, "numpy") else value for value in found])
        losses = loss.scalars(self._prefix) if self._loss is not None else {}
        scalars = {tag: to_float(value) for tag, value in losses.items()}
        for metric in self._metrics:
            for name, value in zip(_as_list(metric.name()), _as_list(metric.accumulate()), strict=True):
                scalars[f"{self._prefix}/{name}"] = float(value)
        return scalars

    def _steer(self, scalars: dict[str, float], step: int) -> bool:
        stop = False
        for steered in self._steering:
            with self._guard(steered.monitor):
                name = steered.monitor.partition("/")[2]
                stop |= steered.update(scalars[f"{self._prefix}/{name}"], step)
        return stop

    def _record(self, scalars: dict[str, float], step: int) -> None:
        with self._guard(_PATH):
            self._tracker.log(scalars, step)

    def _release(self) -> None:
        if self._held is None:
            return
        (step, scalars), self._held = self._held, None
        with self._guard(_PATH):
            last_step_of = self._tracker.writer.last_step_of
            self._record({tag: value for tag, value in scalars.items() if last_step_of(tag) < step}, step)


def _readable(
    data: paddle.io.Dataset | paddle.io.DataLoader | Iterable[LoadedBatch], batch_size: int
) -> Iterable[LoadedBatch]:
    if isinstance(data, paddle.io.Dataset):
        return cast("Iterable[LoadedBatch]", paddle.io.DataLoader(data, batch_size=batch_size))
    if not isinstance(data, Iterable) or isinstance(data, Iterator):
        raise DataError(
            "data must be a paddle.io.Dataset, a DataLoader or a list of batches, which can be "
            "read more than once; got {data}",
            data=describe(data),
        )
    return data


def _batches(data: Iterable[LoadedBatch]) -> Iterator[LoadedBatch]:
    """Yield the batches, read on this thread: Paddle's would read ahead, and draw random numbers later."""
    if not _can_be_indexed(data):
        yield from data
        return
    loader: paddle.io.DataLoader = data
    from paddle.io.dataloader.collate import default_collate_fn

    collate = loader.collate_fn or default_collate_fn
    for indices in loader.batch_sampler:
        yield collate([loader.dataset[index] for index in indices])


def _can_be_indexed(data: object) -> bool:
    return (
        isinstance(data, paddle.io.DataLoader)
        and data.batch_sampler is not None
        and not isinstance(data.dataset, paddle.io.IterableDataset)
        and not data.num_workers
    )


@contextmanager
def _in_eval_mode(network: paddle.nn.Layer) -> Iterator[None]:
    """Put every layer in eval mode, and restore its mode afterwards."""
    training = network.training
    modes = [(layer, layer.training) for layer in network.sublayers()]
    network.eval()
    try:
        yield
    finally:
        if training:
            network.train()
        for layer, mode in modes:
            layer.training = mode


def _as_list(value: _Value | list[_Value] | tuple[_Value, ...]) -> list[_Value]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
