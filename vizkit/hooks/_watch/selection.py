"""What of a network is watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vizkit.errors import DataError
from vizkit.hooks._watch.activations import named_layers
from vizkit.hooks._watch.patterns import Patterns

__all__ = ["Chosen"]


class Chosen:
    """Parameters and layers of a network that patterns pick, also those that it gets later.

    Args:
        net: the network as it is now.
        weights, gradients, activations: as for `vizkit.hooks.watch`.

    Raises:
        DataError: a bad pattern, or one that nothing matches; nothing is watched.
    """

    def __init__(self, net: Any, weights: Any, gradients: Any, activations: Any) -> None:
        parameters = [(name,) for name, _ in net.named_parameters()]
        layers = [(name, type(layer).__name__) for name, layer in named_layers(net)]
        self.weights = Patterns(weights, "weights", parameters)
        self.gradients = Patterns(gradients, "gradients", parameters)
        self.activations = Patterns(activations, "activations", layers)
        self._leaves = activations is True
        if not (self.weights or self.gradients or self.activations):
            raise DataError("nothing to watch: weights, gradients and activations are all off")

    def parameters(self, net: Any, patterns: Patterns) -> Iterator[tuple[str, Any]]:
        """The parameters that hold a number and that ``patterns`` pick; shared ones once."""
        for name, parameter in net.named_parameters():
            if patterns.match(name) and 0 not in parameter.shape:
                yield name, parameter

    def layers(self, net: Any) -> dict[str, Any]:
        """The layers whose outputs are recorded."""
        return {
            name: layer
            for name, layer in named_layers(net)
            if self.activations.match(name, type(layer).__name__) and not (self._leaves and layer.sublayers())
        }
