"""One call of `paddle.Model.fit`, `evaluate` or `predict` while it runs: how long it takes, how it ends."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from vizkit.hooks._paddle import paddle
from vizkit.hooks._patching import overridden

__all__ = ["Fitting", "current_fitting", "fits_now", "trains_alone"]


class Fitting:
    """What Paddle's callbacks are not told of the ``fit``, ``evaluate`` or ``predict`` that they are part of.

    All that such a call does between its begin and its end is done in its callbacks, whose list it makes
    for itself, or in the model's ``_run_one_epoch``. Both are passed through here until it ends in
    whatever way; then the model is as before. Exceptions pass through as they are.

    Attributes:
        batch_seconds: of the last trained batch, with the loading of its data and without what
            callbacks did (recording, validation, printing ...); None before the first.
        seconds: the same of all batches.
    """

    def __init__(self, model: Any, callbacks: Any) -> None:
        self.batch_seconds: float | None = None
        self.seconds = 0.0
        self.thread = threading.get_ident()
        self._model = model
        self._callbacks = callbacks
        self._told: list[Callable[[BaseException], object]] = []
        self._put_back: Callable[[], None] | None = None
        self._last = ""  # the event that ends it
        self._left = time.perf_counter()
        self._loading = 0.0
        callbacks._call = self._caller(callbacks._call)

    @property
    def runs(self) -> bool:
        """Whether it has begun, and has not ended."""
        return self in _running

    def on_error(self, tell: Callable[[BaseException], object]) -> None:
        """Has ``tell`` called with what ends the call before its end."""
        self._told.append(tell)

    def _begin(self, event: str) -> None:
        self._last = event.replace("begin", "end")
        run = self._runner(self._model._run_one_epoch)
        self._put_back = overridden(self._model, "_run_one_epoch", run)
        _running.add(self)

    def _runner(self, run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def _run_one_epoch(*args: Any, **kwargs: Any) -> Any:
            try:
                return run(*args, **kwargs)
            except BaseException as error:
                self._end(error)
                raise

        return _run_one_epoch

    def _caller(self, call: Callable[..., None]) -> Callable[..., None]:
        def _call(event: str, *args: Any) -> None:
            now = time.perf_counter()
            if event in _BEGINS and self._put_back is None:  # fit evaluates, too
                self._begin(event)
            elif event == "on_train_batch_begin":
                self._loading = now - self._left
            elif event == "on_train_batch_end":
                self.batch_seconds = self._loading + now - self._left
                self.seconds += self.batch_seconds
            try:
                call(event, *args)
            except BaseException as error:
                self._end(error)
                raise
            if event == self._last:
                self._end()
            self._left = time.perf_counter()

        vars(_call)["fitting"] = self
        return _call

    def _end(self, error: BaseException | None = None) -> None:
        told, self._told = self._told, []
        vars(self._callbacks).pop("_call", None)
        if self._put_back is not None:
            self._put_back()
        _running.discard(self)
        if error is not None:
            for tell in told:
                with contextlib.suppress(BaseException):  # error is what counts
                    tell(error)


_BEGINS = ("on_train_begin", "on_eval_begin", "on_predict_begin")
_running: weakref.WeakSet[Fitting] = weakref.WeakSet()


def current_fitting(model: Any) -> Fitting | None:
    """The call that the calling callback is part of; None if it is none of ``paddle.Model``.

    A callback has to ask in its ``set_model``, too: later is too late for what fails in the begin.
    """
    frame = sys._getframe(1)
    while frame is not None:
        callbacks = frame.f_locals.get("self")
        if isinstance(callbacks, paddle.hapi.callbacks.CallbackList):
            found = getattr(vars(callbacks).get("_call"), "fitting", None)
            return found or Fitting(model, callbacks)
        frame = frame.f_back  # type: ignore[assignment]
    return None


def fits_now() -> bool:
    """Whether a ``fit``, ``evaluate`` or ``predict`` that is recorded runs."""
    return bool(_running)


def trains_alone() -> bool:
    """Whether this is the main thread, and no other runs a model that is recorded.

    Paddle can crash when one thread traces a network while another trains.
    """
    here = threading.get_ident()
    return threading.current_thread() is threading.main_thread() and all(
        fitting.thread == here for fitting in list(_running)
    )
