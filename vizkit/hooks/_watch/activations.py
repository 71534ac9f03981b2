"""What layers give out in one training pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vizkit.hooks._paddle import paddle

__all__ = ["first_samples", "hook_outputs", "named_layers"]

_MOST = 1 << 20  # values of one output that are looked at

Give = Callable[[str, Any], None]


def named_layers(net: Any) -> Iterator[tuple[str, Any]]:
    """Each layer of a network, itself included, by its name; its own is its class's."""
    for name, layer in net.named_sublayers(include_self=True):
        yield name or type(layer).__name__, layer


def hook_outputs(layers: Mapping[str, Any], give: Give) -> list[Any]:
    """Hands on the output of each layer, where gradients are computed.

    ``paddle.jit.to_static(full_graph=True)`` runs such hooks only while it traces, on outputs
    without values: those are left out.

    Args:
        layers: name -> layer.
        give: called with the name and the first tensor of the output.

    Returns:
        The handles that take the hooks off.
    """

    def hook(name: str, watched: Any) -> Any:
        # A function, not a method: a deep copy of the network takes it along, and is not watched.
        def on_output(layer: Any, inputs: Any, output: Any) -> None:
            if layer is watched and paddle.is_grad_enabled():
                tensor = _first_tensor(output)
                if tensor is not None:
                    give(name, tensor)

        return watched.register_forward_post_hook(on_output)

    return [hook(name, layer) for name, layer in layers.items()]


def first_samples(output: Any) -> Any:
    """An output cut to its first samples, along its first axis, if it has more than 2**20 values."""
    if not output.shape or output.size <= _MOST:
        return output
    with paddle.no_grad():
        return output[: max(1, _MOST * output.shape[0] // int(output.size))]


def _first_tensor(output: Any) -> Any:
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, (list, tuple)):
        return next((tensor for each in output if (tensor := _first_tensor(each)) is not None), None)
    return output if paddle.in_dynamic_mode() and isinstance(output, paddle.Tensor) else None
