"""What goes into and comes out of one batch of a `paddle.Model`, which its callbacks are not shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from vizkit.hooks._patching import overridden

__all__ = ["Batch", "capture_next"]


def _done() -> None:
    """In the place of what gives the model its method back."""


@dataclass(eq=False)
class Batch:
    """A batch as the model met it; nothing is copied.

    Attributes:
        inputs: what the network was called with.
        labels: what the loss was called with after the outputs.
        output: the network's first output; None until the batch has run.
        cancel: gives the model back its method, if the batch has not run.
    """

    inputs: list[Any] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    output: Any = None
    cancel: Callable[[], None] = field(default=_done, repr=False)


def capture_next(model: Any, mode: Literal["train", "eval"]) -> Batch:
    """Looks at the next batch that ``model`` trains on or evaluates.

    ``model.train_batch`` (``eval_batch``) is replaced until it is called; that call puts it back
    before anything else, and takes its hook off the network when it ends in whatever way. So
    nothing stays behind when training is interrupted between batches or within one.

    Returns:
        What will hold the batch once it has run.
    """
    name = f"{mode}_batch"
    batch = Batch()
    run = getattr(model, name)

    def run_captured(inputs: Any, labels: Any = None, *args: Any, **kwargs: Any) -> Any:
        batch.cancel()
        batch.cancel = _done  # else both would live on, holding each other, until the garbage is collected
        batch.inputs, batch.labels = _as_list(inputs), _as_list(labels)
        network = model.network

        # A function, not a method: a deep copy of the network takes it along as it is.
        def keep(layer: Any, inputs: Any, outputs: Any) -> None:
            if layer is network and batch.output is None:
                batch.output = outputs[0] if isinstance(outputs, (list, tuple)) and outputs else outputs

        hook = network.register_forward_post_hook(keep)
        try:
            return run(inputs, labels, *args, **kwargs)
        finally:
            hook.remove()

    batch.cancel = overridden(model, name, run_captured)
    return batch


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
