"""A network in eval mode beside its training, which does not notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from vizkit.hooks._network.random_states import paddle_random_states_kept
from vizkit.hooks._paddle import paddle

__all__ = ["eval_mode", "recurrent_parameters"]


@contextmanager
def eval_mode(net: paddle.nn.Layer) -> Iterator[None]:
    """Run ``net`` in eval mode and in dynamic mode, layer by layer, with gradients on.

    Paddle has no gradients through a recurrent layer in eval mode, or without those of its weights: such
    layers are in train mode, without the dropout that is its only difference, and not frozen.

    Afterwards the mode of each sublayer, the buffers and Paddle's random states are as before.
    """
    modes = [(layer, layer.training) for layer in net.sublayers(include_self=True)]
    buffers = [(buffer, buffer.numpy()) for buffer in net.buffers()]
    forwards = [(layer, vars(layer).get("forward")) for layer, _ in modes if _is_static(layer)]
    recurrent = [layer for layer, _ in modes if isinstance(layer, paddle.nn.layer.rnn.RNNBase)]
    dropouts = [(layer, layer.dropout) for layer in recurrent]
    frozen = [weight for weight in recurrent_parameters(net) if weight.stop_gradient]
    try:
        for layer, _ in modes:
            layer.training = isinstance(layer, paddle.nn.layer.rnn.RNNBase)
        for layer, _ in dropouts:
            layer.dropout = 0.0
        for weight in frozen:
            weight.stop_gradient = False
        for layer, _ in forwards:  # a compiled one would run without the hooks of its sublayers
            vars(layer)["forward"] = layer.forward.dygraph_function
        with paddle_random_states_kept(), paddle.enable_grad():
            yield
    finally:
        for layer, forward in forwards:
            del vars(layer)["forward"]
            if forward is not None:
                vars(layer)["forward"] = forward
        for layer, dropout in dropouts:
            layer.dropout = dropout
        for weight in frozen:
            weight.stop_gradient = True
        for layer, training in modes:
            layer.training = training
        for buffer, before in buffers:
            # Only if it changed: writing to it would spoil a backward pass that is still to come.
            if not np.array_equal(buffer.numpy(), before, equal_nan=before.dtype.kind == "f"):
                buffer.set_value(before)


def recurrent_parameters(net: paddle.nn.Layer) -> list[paddle.Tensor]:
    """The weights of a network's recurrent layers, each once."""
    layers = net.sublayers(include_self=True)
    recurrent = (layer for layer in layers if isinstance(layer, paddle.nn.layer.rnn.RNNBase))
    return list({id(weight): weight for layer in recurrent for weight in layer.parameters()}.values())


def _is_static(layer: paddle.nn.Layer) -> bool:
    """True if its ``forward`` was compiled by ``paddle.jit.to_static``."""
    return hasattr(layer.forward, "dygraph_function")
