"""The states of random number generators, kept while a network runs beside its training."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from vizkit.hooks._paddle import paddle

__all__ = ["data_is_loaded", "host_random_states", "paddle_random_states_kept", "random_states_kept"]


@contextmanager
def random_states_kept(*, but_of_data: bool = False) -> Iterator[None]:
    """Restore the random states of Paddle, NumPy and Python afterwards.

    Not for use while data is loaded: the loader's threads draw from NumPy and Python, and would draw the
    same numbers again.

    Args:
        but_of_data: whether those of NumPy and Python go on instead if data is loaded before or after.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    go_on = but_of_data and data_is_loaded()
    try:
        with paddle_random_states_kept():
            yield
    finally:
        if not (go_on or (but_of_data and data_is_loaded())):
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
    """True while a thread of Paddle loads data, which may draw random numbers.

    An iterator of a ``DataLoader`` that nobody reads to its end, ``next(iter(loader))``, keeps its thread for
    ever: it waits for room in its queue, and draws nothing.
    """
    loaders = [thread for thread in threading.enumerate() if _is_loader(thread)]
    if not loaders or any(map(_may_draw, loaders)):
        return bool(loaders)
    time.sleep(0.001)  # one that has just filled its queue begins with the next batch
    return any(map(_may_draw, loaders))


def host_random_states() -> tuple[object, ...]:
    """The random states of Python and NumPy, to compare with others."""
    return random.getstate(), *(np.asarray(part).tobytes() for part in np.random.get_state())  # noqa: NPY002


def _is_loader(thread: threading.Thread) -> bool:
    owner = getattr(getattr(thread, "_target", None), "__self__", None)
    return type(owner).__name__ == "_DataLoaderIterSingleProcess"


def _may_draw(thread: threading.Thread) -> bool:
    """True unless a loader's thread waits for room in its queue, or has ended."""
    loader: Any = getattr(getattr(thread, "_target", None), "__self__", None)
    if loader is None or not thread.is_alive():  # a thread that has ended has no target
        return False
    frame = sys._current_frames().get(thread.ident or 0)
    within = frame is None or frame.f_code is not loader._thread_loop.__code__  # sampler or dataset
    return within or loader._blocking_queue.size() < loader._blocking_queue.capacity()
