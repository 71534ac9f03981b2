"""The states of random number generators, kept while a network runs beside its training."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from vizkit.hooks._paddle import paddle

__all__ = ["data_is_loaded", "host_random_states", "paddle_random_states_kept", "random_states_kept"]


@contextmanager
def random_states_kept(*, unless: Callable[[], bool] | None = None) -> Iterator[None]:
    """Restore the random states of Paddle, NumPy and Python afterwards.

    Not for use while data is loaded: the loader's threads draw from NumPy and Python, and would draw the
    same numbers again.

    Args:
        unless: returns True afterwards if those of NumPy and Python are to go on instead.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with paddle_random_states_kept():
            yield
    finally:
        if unless is None or not unless():
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002


@contextmanager
def paddle_random_states_kept() -> Iterator[None]:
    """Restore Paddle's random states afterwards."""
    of_cpu = paddle.framework.core.default_cpu_generator()  # Paddle 3.0 cannot set it by name
    states, cpu_state = paddle.get_rng_state(), of_cpu.get_state()
    try:
        yield
    finally:
        paddle.set_rng_state(states)
        of_cpu.set_state(cpu_state)


def data_is_loaded() -> bool:
    """True while a thread of Paddle loads data, which may draw random numbers."""
    loaders = (
        getattr(getattr(thread, "_target", None), "__self__", None) for thread in threading.enumerate()
    )
    return any(type(loader).__name__ == "_DataLoaderIterSingleProcess" for loader in loaders)


def host_random_states() -> tuple[object, ...]:
    """The random states of Python and NumPy, to compare with others."""
    return random.getstate(), *(np.asarray(part).tobytes() for part in np.random.get_state())  # noqa: NPY002
