"""Copies of networks to trace, so that the caller's network and Paddle's state stay as they are."""

from __future__ import annotations

import copy
import gc
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from vizkit.hooks._network.random_states import random_states_kept
from vizkit.hooks._paddle import paddle

__all__ = ["copy_network", "global_state_kept"]


@contextmanager
def global_state_kept() -> Iterator[None]:
    """Restore the global state of Paddle, NumPy and Python, and free the memory, afterwards.

    While Paddle loads data in a thread, random numbers of NumPy and Python go on: it must not draw the same
    ones again.
    """
    try:
        from paddle.jit.dy2static import parameter_recorder as recorder
    except ImportError:  # Paddle 3.0
        from paddle.jit.pir_dy2static import parameter_recorder as recorder

    def tables() -> list[dict[int, object]]:
        parameters, inplace = recorder._global_parameter_recorder, recorder._global_inplace_map
        return [parameters.params_dict, parameters.tensor2value, inplace.params_dict]

    known = [set(table) for table in tables()]
    with (
        random_states_kept(but_of_data=True),
        paddle.utils.unique_name.guard(),
        paddle.pir_utils.DygraphPirGuard(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # they are about the copy, and of no use to the caller
        try:
            yield
        finally:
            # A trace that failed leaves entries under the address of its dead program, which
            # would crash the next program at that address.
            for table, keys in zip(tables(), known, strict=True):
                for key in set(table) - keys:
                    del table[key]
            gc.collect()  # tracing ties the copy, with its weights, into reference cycles


def copy_network(network: paddle.nn.Layer) -> paddle.nn.Layer:
    """A deep copy without the hooks of others: they would run, and may hold what cannot be copied."""
    memo: dict[int, object] = {}
    for layer in network.sublayers(include_self=True):
        for hooks in (layer._forward_pre_hooks, layer._forward_post_hooks):
            memo[id(hooks)] = OrderedDict((key, hook) for key, hook in hooks.items() if _is_paddles(hook))
    network = copy.deepcopy(network, memo)
    for layer in network.sublayers(include_self=True):
        if hasattr(layer.forward, "rollback"):  # compiled by paddle.jit.to_static: it cannot be traced again
            layer.forward.rollback()
    return network


def _is_paddles(hook: object) -> bool:
    return str(getattr(hook, "__module__", "")).partition(".")[0] == "paddle"
