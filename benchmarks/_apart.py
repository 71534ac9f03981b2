"""Libraries that are compared, each in a process of its own, as a user has them.

With all of them in one process, the threads, garbage and heaps of the others slow each one down.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from benchmarks._libraries import offline

__all__ = ["apart"]

_T = TypeVar("_T")


@contextmanager
def apart(root: str, names: Iterable[str]) -> Iterator[Callable[..., Any]]:
    """A process for each name; they live as long as the context and sleep while they are not asked.

    Yields:
        ``there(name, work, *args)``: what ``work(*args)`` gives in the process of that name. ``work`` is
        a function of a module. It starts with no garbage, and what it times is not to include the way.
    """
    with ExitStack() as stack:
        pools = {
            name: stack.enter_context(ProcessPoolExecutor(1, get_context("spawn"), offline, (root,)))
            for name in names
        }
        yield lambda name, work, *args: pools[name].submit(_collected, work, args).result()


def _collected(work: Callable[..., _T], args: tuple[Any, ...]) -> _T:
    gc.collect()
    return work(*args)
