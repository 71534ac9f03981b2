"""Programs that die with the process that started them, however it dies.

Run as a script of its own, ``python _tied.py PARENT COMMAND...`` becomes the command. Linux alone has a
signal for it (``PR_SET_PDEATHSIG`` of ``prctl(2)``, which outlives ``execve``).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

__all__ = ["tied"]

_PR_SET_PDEATHSIG = 1


def tied(command: Sequence[str]) -> list[str]:
    """The command line that starts a command which dies with this thread; on Linux alone, else as it is."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _become(parent: int, command: list[str]) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has died before
        sys.exit(1)
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and programs inherit that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
