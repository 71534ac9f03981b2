"""The parameters and layers of a network to watch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vizkit.errors import DataError
from vizkit.hooks._network.name_patterns import NamePatterns
from vizkit.hooks._paddle import paddle
from vizkit.hooks._watch.activations import named_layers

__all__ = ["Selection"]


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
        layers = [(name, type(layer).__name__) for name, layer in named_layers(net)]
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
            for name, layer in named_layers(net)
            if self.activations.match(name, type(layer).__name__) and not (self._leaves and layer.sublayers())
        }
