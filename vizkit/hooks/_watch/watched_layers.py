"""The parameters and layers of a network to watch, and the outputs of layers in a training pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from vizkit.errors import DataError
from vizkit.hooks._network.name_patterns import NamePatterns
from vizkit.hooks._paddle import paddle

__all__ = ["Selection", "first_samples", "hook_outputs"]

_MAX_VALUES = 1 << 20  # of one output


class Selection:
    """The parameters and layers of a network that patterns select, including those added later.

    Raises:
        DataError: a bad pattern, one that matches nothing, or nothing to watch.
    """

    def __init__(
        self,
        net: paddle.nn.Layer,
        weights: bool | str | Sequence[str],
        gradients: bool | str | Sequence[str],
        activations: bool | str | Sequence[str],
    ) -> None:
        parameters = [(name,) for name, _ in net.named_parameters()]
        layers = [(name, type(layer).__name__) for name, layer in _named_layers(net)]
        self.weights = NamePatterns(weights, "weights", parameters)
        self.gradients = NamePatterns(gradients, "gradients", parameters)
        self.activations = NamePatterns(activations, "activations", layers)
        self._leaves = activations is True
        if not (self.weights or self.gradients or self.activations):
            raise DataError("nothing to watch: weights, gradients and activations are all off")

    def parameters(self, net: paddle.nn.Layer, patterns: NamePatterns) -> Iterator[tuple[str, paddle.Tensor]]:
        """The parameters that match ``patterns`` and are not empty; shared ones once."""
        for name, parameter in net.named_parameters():
            if patterns.match(name) and 0 not in parameter.shape:
                yield name, parameter

    def layers(self, net: paddle.nn.Layer) -> dict[str, paddle.nn.Layer]:
        """The layers whose outputs are recorded, by name."""
        return {
            name: layer
            for name, layer in _named_layers(net)
            if self.activations.match(name, type(layer).__name__) and not (self._leaves and layer.sublayers())
        }


def _named_layers(net: paddle.nn.Layer) -> Iterator[tuple[str, paddle.nn.Layer]]:
    """The layers of a network with their names; the network itself has the name of its class."""
    for name, layer in net.named_sublayers(include_self=True):
        yield name or type(layer).__name__, layer


def hook_outputs(
    layers: Mapping[str, paddle.nn.Layer], listener: Callable[[str, paddle.Tensor], None]
) -> list[paddle.nn.layer.layers.HookRemoveHelper]:
    """Pass on the name and first output tensor of each layer in passes that compute gradients.

    ``paddle.jit.to_static(full_graph=True)`` runs such hooks only while it traces, on outputs
    without values: those are left out.

    Returns:
        The handles that remove the hooks.
    """

    def hook(name: str, watched: paddle.nn.Layer) -> paddle.nn.layer.layers.HookRemoveHelper:
        # A function, not a method: a deep copy of the network copies it, but is not watched.
        def on_output(layer: paddle.nn.Layer, inputs: object, output: object) -> None:
            if layer is watched and paddle.is_grad_enabled():
                tensor = _first_tensor(output)
                if tensor is not None:
                    listener(name, tensor)

        return watched.register_forward_post_hook(on_output)

    return [hook(name, layer) for name, layer in layers.items()]


def first_samples(output: paddle.Tensor) -> paddle.Tensor:
    """The first samples of an output, along its first axis, if it has more than 2**20 values."""
    if not output.shape or output.size <= _MAX_VALUES:
        return output
    with paddle.no_grad():
        return output[: max(1, _MAX_VALUES * output.shape[0] // int(output.size))]


def _first_tensor(output: object) -> paddle.Tensor:
    """The first tensor in nested containers; None if there is none."""
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, (list, tuple)):
        return next((tensor for each in output if (tensor := _first_tensor(each)) is not None), None)
    return output if paddle.in_dynamic_mode() and isinstance(output, paddle.Tensor) else None
