"""The inputs, labels and output of one batch of a ``paddle.Model``, which callbacks do not get to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from vizkit.hooks._network.random_states import host_random_states
from vizkit.hooks._paddle import paddle
from vizkit.hooks._patching import overridden

__all__ = ["Batch", "capture_next"]


def _nothing() -> None:
    """Do nothing: there is no method to put back."""


@dataclass(eq=False)
class Batch:
    """A batch, without copies of its tensors.

    Attributes:
        inputs: the arguments of the network.
        labels: the arguments of the loss after the outputs.
        outputs: what the network gave; empty until the batch has run.
        draws: True if NumPy or Python gave random numbers while the network ran: to it, or to the loading of
            data meanwhile. Known if it was asked for.
        cancel: puts the model's method back if the batch has not run.
    """

    inputs: list[paddle.Tensor] = field(default_factory=list)
    labels: list[paddle.Tensor] = field(default_factory=list)
    outputs: list[paddle.Tensor] = field(default_factory=list)
    draws: bool = False
    cancel: Callable[[], None] = field(default=_nothing, repr=False)

    @property
    def output(self) -> paddle.Tensor:
        """The first output that has samples, as a loss among them has not; None until the batch has run."""
        return next((one for one in self.outputs if getattr(one, "ndim", 1)), None)

    @property
    def first_label(self) -> paddle.Tensor:
        """The labels of the first output; None if the batch has no labels."""
        return self.labels[0] if self.labels else None


def capture_next(model: paddle.Model, mode: Literal["train", "eval"], *, draws: bool = False) -> Batch:
    """Capture the next batch that ``model`` trains on or evaluates.

    ``model.train_batch`` (``eval_batch``) is replaced until it is called. That call puts it back before
    anything else, and takes its hook off the network however it ends: nothing stays behind when training
    is interrupted between batches or within one.

    Args:
        model: the model.
        mode: which batch.
        draws: whether to find out if the network draws random numbers.

    Returns:
        The batch, which is filled when it runs.
    """
    name = f"{mode}_batch"
    states: list[object] = []
    batch = Batch()
    run = getattr(model, name)

    def run_captured(inputs: object, labels: object = None, *args: object, **kwargs: object) -> object:
        batch.cancel()
        batch.cancel = _nothing  # or both would hold each other until the garbage is collected
        batch.inputs, batch.labels = _as_list(inputs), _as_list(labels)
        network = model.network

        # A function, not a method: a deep copy of the network copies it as it is.
        def keep(layer: paddle.nn.Layer, inputs: object, outputs: paddle.Tensor) -> None:
            if layer is network and not batch.outputs:
                batch.outputs = _as_list(outputs)
                batch.draws = draws and states[:1] != [host_random_states()]

        def begin(layer: paddle.nn.Layer, inputs: object) -> None:
            if layer is network and not states:
                states.append(host_random_states())

        hooks = [network.register_forward_post_hook(keep)]
        if draws:
            hooks.append(network.register_forward_pre_hook(begin))
        try:
            return run(inputs, labels, *args, **kwargs)
        finally:
            for hook in hooks:
                hook.remove()

    batch.cancel = overridden(model, name, run_captured)
    return batch


def _as_list(value: object) -> list[paddle.Tensor]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
