"""Running a network beside its training, in eval mode, so that the training cannot tell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from vizkit.hooks._paddle import paddle

__all__ = ["host_random_states", "paddle_random_kept", "random_states_kept", "undisturbed"]


@contextmanager
def random_states_kept() -> Iterator[None]:
    """What draws random numbers within leaves those of Paddle, NumPy and Python as they were.

    Not while data is loaded: its threads draw from NumPy and Python, and would draw the same again.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with paddle_random_kept():
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


def host_random_states() -> tuple[Any, ...]:
    """The random states of Python and NumPy, to be compared."""
    return random.getstate(), *(np.asarray(part).tobytes() for part in np.random.get_state())  # noqa: NPY002


@contextmanager
def paddle_random_kept() -> Iterator[None]:
    """What draws random numbers within leaves those of Paddle as they were."""
    paddle_states = [(device, paddle.get_rng_state(device)) for device in (None, "cpu")]
    try:
        yield
    finally:
        for device, state in paddle_states:
            paddle.set_rng_state(state, device)


@contextmanager
def undisturbed(net: Any) -> Iterator[None]:
    """Within, ``net`` is in eval mode, runs in dynamic mode layer by layer, and gradients are on.

    Afterwards each sublayer's mode, the buffers and Paddle's random states are as before.
    """
    modes = [(layer, layer.training) for layer in net.sublayers(include_self=True)]
    buffers = [(buffer, buffer.numpy()) for buffer in net.buffers()]
    forwards = [(layer, vars(layer).get("forward")) for layer, _ in modes if _is_static(layer)]
    try:
        for layer, _ in modes:
            layer.training = False
        for layer, _ in forwards:  # there, hooks of sublayers would not see what runs
            vars(layer)["forward"] = layer.forward.dygraph_function
        with paddle_random_kept(), paddle.enable_grad():
            yield
    finally:
        for layer, forward in forwards:
            del vars(layer)["forward"]
            if forward is not None:
                vars(layer)["forward"] = forward
        for layer, training in modes:
            layer.training = training
        for buffer, before in buffers:
            # Only what changed: a set value would spoil a backward pass that waits for its turn.
            if not np.array_equal(buffer.numpy(), before, equal_nan=before.dtype.kind == "f"):
                buffer.set_value(before)


def _is_static(layer: Any) -> bool:
    """Whether its ``forward`` is one of ``paddle.jit.to_static``."""
    return hasattr(layer.forward, "dygraph_function")
