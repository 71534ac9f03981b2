"""Copies of networks to trace, so that the caller's network and Paddle's state stay as they are."""

from __future__ import annotations

import copy
import gc
import random
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["copied", "untouched"]


@contextmanager
def untouched() -> Iterator[None]:
    """Leave the global state of Paddle, NumPy and Python, and the memory, as it was.

    Within a ``fit`` random numbers of NumPy and Python go on: Paddle loads data in a thread meanwhile, and
    what that has drawn is not to be drawn again.
    """
    import paddle
    from paddle.jit.dy2static import parameter_recorder as recorder

    from vizkit.hooks._fit.fitting import fits_now
    from vizkit.hooks._network.undisturbed import paddle_random_kept

    def tables() -> list[dict[int, Any]]:
        parameters, inplace = recorder._global_parameter_recorder, recorder._global_inplace_map
        return [parameters.params_dict, parameters.tensor2value, inplace.params_dict]

    known = [set(table) for table in tables()]
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    with (
        paddle.utils.unique_name.guard(),
        paddle.pir_utils.DygraphPirGuard(),
        paddle_random_kept(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # they are about the copy, and of no use to the caller
        try:
            yield
        finally:
            # A trace that failed leaves entries under the address of its dead program, which
            # would crash the next program that gets this address.
            for table, keys in zip(tables(), known, strict=True):
                for key in set(table) - keys:
                    del table[key]
            if not fits_now():
                random.setstate(python_state)
                np.random.set_state(numpy_state)  # noqa: NPY002
            gc.collect()  # tracing ties the copy, with its weights, into reference cycles


def copied(network: Any) -> Any:
    """A deep copy without the hooks of others: they would run, and may hold what cannot be copied."""
    memo: dict[int, Any] = {}
    for layer in network.sublayers(include_self=True):
        for hooks in (layer._forward_pre_hooks, layer._forward_post_hooks):
            memo[id(hooks)] = OrderedDict((key, hook) for key, hook in hooks.items() if _is_paddles(hook))
    network = copy.deepcopy(network, memo)
    for layer in network.sublayers(include_self=True):
        if hasattr(layer.forward, "rollback"):  # of paddle.jit.to_static: it cannot be traced again
            layer.forward.rollback()
    return network


def _is_paddles(hook: Any) -> bool:
    return str(getattr(hook, "__module__", "")).partition(".")[0] == "paddle"
