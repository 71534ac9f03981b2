"""Weights and gradients of a network that is trained in a loop of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from vizkit.errors import DataError
from vizkit.hooks._guard import Guard, Spacing
from vizkit.hooks._paddle import paddle
from vizkit.hooks.parameters import record_histograms, tag_of
from vizkit.measures.arrays import describe, to_array

if TYPE_CHECKING:
    from vizkit.tracker import Tracker

__all__ = ["Watch", "watch"]


def watch(
    tracker: Tracker,
    net: Any,
    *,
    every: int | str = 100,
    weights: bool = True,
    gradients: bool = True,
    name: str = "",
) -> Watch:
    """Records histograms of the weights and gradients of ``net`` while it is trained.

    ::

        tracker.watch(net)
        for step, (x, y) in enumerate(loader):
            loss = loss_fn(net(x), y)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            tracker.log({"train/loss": loss}, step=step)

    What belongs to a pass is recorded when the next one begins, at the step that the tracker's
    clock shows by then: gradients as ``backward`` gave them (summed if it ran several times,
    before any clipping), weights as the update left them, and before all the weights that
    training started from.

    Args:
        tracker: what records.
        net: the network; its sublayers and parameters may change later.
        every: how many training passes of ``net`` apart; passes in eval mode or without gradients
            are not counted. ``"auto"``: 100, and more where that would cost over 1 % of the time.
        weights: whether to record ``weights/<name>`` of every parameter.
        gradients: whether to record ``gradients/<name>`` of every parameter that is trained.
        name: put before the parameters' names, to tell several watched networks apart.

    Returns:
        A handle; its ``remove()`` records what is still due and takes all hooks off.

    Raises:
        DataError: ``net`` is no layer or has no parameters, a bad ``every``, nothing to record, or
            Paddle's static mode.
    """
    if not isinstance(net, paddle.nn.Layer):
        hint = "; pass model.network, or use tracker.callback()" if isinstance(net, paddle.Model) else ""
        raise DataError(f"only a paddle.nn.Layer can be watched, got {describe(net)}{hint}")
    if not paddle.in_dynamic_mode():
        raise DataError("a network is watched in dynamic mode: call paddle.disable_static() first")
    if not net.parameters():
        raise DataError(f"{type(net).__name__} has no parameters to watch")
    if not weights and not gradients:
        raise DataError("nothing to watch: weights and gradients are both off")
    if every is None:
        raise DataError("every must be a whole number of passes or 'auto', got None")
    return Watch(tracker, net, Spacing(every, "every"), weights, gradients, name)


class Watch:
    """The hooks of `watch` on one network; `remove` takes them off."""

    def __init__(
        self, tracker: Tracker, net: Any, spacing: Spacing, weights: bool, gradients: bool, name: str
    ) -> None:
        self._tracker = tracker
        self._net = net
        self._spacing = spacing
        self._weights = f"weights/{name}".rstrip("/") if weights else None
        self._gradients = f"gradients/{name}".rstrip("/") if gradients else None
        self._guard = Guard(tracker)
        self._passes = 0
        self._due = False
        self._start: int | None = None
        self._received: dict[str, NDArray[Any]] = {}
        self._handles: list[Any] = []

        # A function, not a method: a deep copy of the network takes it along, and is not counted.
        def on_forward(layer: Any, inputs: Any) -> None:
            if layer is self._net and layer.training and paddle.is_grad_enabled():
                self._on_forward()

        self._hook = net.register_forward_pre_hook(on_forward) if tracker.enabled else None

    def remove(self) -> None:
        """Records what is still due and takes all hooks off; calling it again does nothing."""
        if self._hook is None:
            return
        self._hook.remove()
        self._hook = None
        try:
            with self._guard("weights and gradients"):
                self._finish()
        finally:
            self._stop_receiving()
            self._net = None

    def _on_forward(self) -> None:
        with self._guard("weights and gradients"):
            self._finish()
            if self._spacing.due(self._passes):
                self._begin()
        self._passes += 1

    def _begin(self) -> None:
        """The pass that begins now is to be recorded."""
        self._stop_receiving()
        parameters = dict(self._net.named_parameters())
        if self._passes == 0 and self._weights:
            self._start = self._free_step(self._weights, parameters)
            record_histograms(self._tracker, self._weights, parameters, self._start)
        self._due = True
        if self._gradients:
            for name, parameter in parameters.items():
                if not parameter.stop_gradient:
                    self._handles.append(parameter.register_hook(self._receiver(name)))

    def _receiver(self, name: str) -> Any:
        def receive(gradient: Any) -> None:
            with self._guard("gradients"):
                array = to_array(gradient, copy=True)
                before = self._received.get(name)
                self._received[name] = array if before is None else before + array

        return receive

    def _finish(self) -> None:
        """Records the pass that was due, if its gradients are there."""
        if not self._due or (self._handles and not self._received):
            return
        gradients = self._received
        self._stop_receiving()
        with self._spacing.timed():
            if self._gradients:
                step = self._free_step(self._gradients, gradients)
                record_histograms(self._tracker, self._gradients, gradients, step)
            if self._weights and self._start != self._tracker.step:
                parameters = dict(self._net.named_parameters())
                step = self._free_step(self._weights, parameters)
                record_histograms(self._tracker, self._weights, parameters, step)
            self._start = None

    def _stop_receiving(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._received = {}
        self._due = False

    def _free_step(self, kind: str, names: Iterable[str]) -> int:
        """The clock's step, or a later one: no tag is recorded twice at a step."""
        last_step_of = self._tracker.writer.last_step_of
        last = max((int(last_step_of(tag_of(kind, name))) for name in names), default=-1)
        return max(self._tracker.step, last + 1)
