"""The error that ends a ``fit``, ``evaluate`` or ``predict``, told to the callbacks of the call.

Paddle's callbacks hear nothing of it, and of an error before the first event not even that there was a call.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

from vizkit.hooks._paddle import paddle

__all__ = ["watch_failures"]

_watched: set[str] = set()


@runtime_checkable
class _Told(Protocol):
    in_call: bool

    def failed(self, error: BaseException) -> None: ...


def watch_failures() -> None:
    """Have the methods of ``paddle.Model`` tell failures from now on.

    It must be done before a callback is made: ``model.fit(data, callbacks=tracker.callback())`` looks ``fit``
    up first.
    """
    for name in {"fit", "evaluate", "predict"} - _watched:
        _watched.add(name)
        setattr(paddle.Model, name, _telling(vars(paddle.Model)[name]))


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that tells an error to the callbacks of the call, unless it runs within a ``fit``."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(*args: object, **kwargs: object) -> object:
        told: list[_Told] = []
        with suppress(TypeError):  # Paddle raises it
            given = signature.bind_partial(*args, **kwargs).arguments.get("callbacks") or ()
            every = given if isinstance(given, (list, tuple)) else [given]
            told = [item for item in every if isinstance(item, _Told) and not item.in_call]
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            for item in told:
                with suppress(BaseException):  # error is the one to raise
                    item.failed(error)
            raise

    return call
