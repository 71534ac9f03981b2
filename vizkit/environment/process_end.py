"""How the process ends: the error or exit code that the interpreter ends it with."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["ending_error", "watch_exit_code", "watch_threads"]

_code: object = None  # of the SystemExit that ends the process


def watch_exit_code() -> None:
    """Keep the code of the `SystemExit` that ends the process, however it is raised.

    Python tells nobody: it has no hook for it, and `atexit` functions run when the exception is gone. It
    reads the attribute ``code`` of the exception, though, and nothing else does so from outside of any frame.
    """
    member = vars(SystemExit)["code"]
    if isinstance(member, property):
        return

    def read(error: SystemExit) -> object:
        global _code
        value = member.__get__(error)
        try:
            sys._getframe(1)
        except ValueError:  # no function of Python has called
            if threading.current_thread() is threading.main_thread():
                _code = value
        return value

    with contextlib.suppress(Exception):  # another interpreter than CPython
        modified = ctypes.pythonapi.PyType_Modified
        names: dict[str, Any] = gc.get_referents(vars(SystemExit))[0]
        names["code"] = property(read, member.__set__, member.__delete__, member.__doc__)
        modified(ctypes.py_object(SystemExit))
        if sys.version_info < (3, 12):  # there `sys.exit` raises no instance yet, which has attributes
            sys.exit = _exit


def _exit(status: Any = None, /) -> NoReturn:  # noqa: ANN401  (as sys.exit)
    """Exit the interpreter by raising SystemExit(status)."""
    raise SystemExit(*status) if isinstance(status, tuple) else SystemExit(status)


def watch_threads(ended: Callable[[threading.Thread, BaseException], None]) -> None:
    """Call a function with each thread that an uncaught error ends from now on, before Python prints it."""
    following = threading.excepthook

    def hook(args: threading.ExceptHookArgs, /) -> None:
        with contextlib.suppress(Exception):
            if args.thread is not None and args.exc_value is not None:
                ended(args.thread, args.exc_value)
        following(args)

    threading.excepthook = hook


def ending_error() -> BaseException | None:
    """The error that ends the process, asked at its exit; None if there is none, or nobody can know."""
    error = sys.exc_info()[1]  # in a process of multiprocessing
    if error is None and _code is not None:
        return SystemExit(_code)
    if error is None and not hasattr(sys, "ps1") and "ipykernel" not in sys.modules:
        error = getattr(sys, "last_value", None)
    return error
