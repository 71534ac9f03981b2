"""One call of ``paddle.Model.fit``, ``evaluate`` or ``predict``, and its time."""

from __future__ import annotations

import functools
import sys
import threading
import time
import weakref
from collections.abc import Callable

from vizkit.hooks._paddle import paddle
from vizkit.hooks._patching import overridden

__all__ = ["ModelCall", "calling_callbacks", "current_call", "trains_alone"]


class ModelCall:
    """The ``fit``, ``evaluate`` or ``predict`` that a callback is part of, timed and watched.

    Everything in such a call between its first and last event happens in its callback list, which it
    makes for itself, or in the model's ``_run_one_epoch``. Both are wrapped until the call ends, however
    it ends; then the model is as before. Exceptions pass through unchanged.

    Attributes:
        batch_seconds: the time of the last training batch, with the loading of its data and without
            the callbacks (recording, validation, printing ...); None before the first.
        seconds: the same for all batches together.
    """

    def __init__(self, model: paddle.Model, callbacks: paddle.hapi.callbacks.CallbackList) -> None:
        self.batch_seconds: float | None = None
        self.seconds = 0.0
        self.thread = threading.get_ident()
        self._model = model
        self._callbacks = callbacks
        self._put_back: Callable[[], None] | None = None
        self._last = ""  # the event that ends the call
        self._left = time.perf_counter()
        self._loading = 0.0
        callbacks._call = self._timed_events(callbacks._call)

    @property
    def runs(self) -> bool:
        """True between its first and its last event."""
        return self in _running

    def _begin(self, event: str) -> None:
        self._last = event.replace("begin", "end")
        run = self._watched_epoch(self._model._run_one_epoch)
        self._put_back = overridden(self._model, "_run_one_epoch", run)
        _running.add(self)

    def _watched_epoch(self, run: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(run)
        def _run_one_epoch(*args: object, **kwargs: object) -> object:
            try:
                return run(*args, **kwargs)
            except BaseException:
                self.end()
                raise

        return _run_one_epoch

    def _timed_events(self, call: Callable[..., None]) -> Callable[..., None]:
        def _call(event: str, *args: object) -> None:
            now = time.perf_counter()
            if event == "on_train_batch_begin":
                self._loading = now - self._left
            elif event == "on_train_batch_end":
                self.batch_seconds = self._loading + now - self._left
                self.seconds += self.batch_seconds
            elif event in _BEGINS and self._put_back is None:  # an evaluation within a fit is no new call
                self._begin(event)
            try:
                call(event, *args)
            except BaseException:
                self.end()
                raise
            if event == self._last:
                self.end()
            self._left = time.perf_counter()

        vars(_call)["model_call"] = self
        return _call

    def end(self) -> None:
        """Put the model and its callback list back as they were."""
        vars(self._callbacks).pop("_call", None)
        if self._put_back is not None:
            self._put_back()
        _running.discard(self)


_BEGINS = ("on_train_begin", "on_eval_begin", "on_predict_begin")
_running: weakref.WeakSet[ModelCall] = weakref.WeakSet()


def current_call(model: paddle.Model) -> ModelCall | None:
    """The call that runs the calling callback; None if it is not one of ``paddle.Model``.

    A callback has to ask in its ``set_model``: later, the call's first event would go unnoticed.
    """
    callbacks = calling_callbacks()
    if callbacks is None:
        return None
    found = getattr(vars(callbacks).get("_call"), "model_call", None)
    return found or ModelCall(model, callbacks)


def calling_callbacks() -> paddle.hapi.callbacks.CallbackList | None:
    """The callback list that runs the calling callback; None if it is not one of ``paddle.Model``."""
    frame = sys._getframe(1)
    while frame is not None:
        callbacks = frame.f_locals.get("self")
        if isinstance(callbacks, paddle.hapi.callbacks.CallbackList):
            return callbacks
        frame = frame.f_back  # type: ignore[assignment]
    return None


def trains_alone() -> bool:
    """True if this is the main thread, and no other thread runs a model that is recorded.

    Paddle can crash when one thread traces a network while another trains.
    """
    here = threading.get_ident()
    return threading.current_thread() is threading.main_thread() and all(
        call.thread == here for call in list(_running)
    )
