"""Launcher of a Python program with `vizkit.autolog`, and of those that it starts.

::

    python -m vizkit.run train.py --epochs 5
    python -m vizkit.run -m package.train
    python -m vizkit.run -m paddle.distributed.launch --nproc_per_node 2 train.py

It replaces itself by the same command without ``-m vizkit.run``: arguments, paths, tracebacks and the exit
code are Python's own. Two environment variables, which child processes inherit, turn autolog on:

- ``VIZKIT_AUTOLOG``: the directory for the runs of ``Model.fit``, by default ``log``; ``0`` turns it off.
- ``PYTHONPATH`` begins with a directory whose ``sitecustomize`` waits for an import of Paddle or VisualDL,
  and runs the one that there is otherwise. ``sys.path`` is left without it.

Programs that import neither import nothing of VizKit.
"""

from __future__ import annotations

# No other modules: if a launcher starts this file, those of VizKit are top-level ones.
import os
import sys

_STARTUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_startup")


def _main() -> None:
    command = _without_this(sys.orig_argv)
    ignored = bool(sys.flags.ignore_environment or sys.flags.no_site)
    if ignored or len(command) < 2 or not sys.executable:
        print(_told(ignored=ignored), file=sys.stderr)
        sys.exit(2)
    directory = os.environ.get("VIZKIT_AUTOLOG") or "log"
    os.environ["VIZKIT_AUTOLOG"] = directory if directory == "0" else os.path.abspath(directory)
    inherited = os.environ.get("PYTHONPATH", "")
    if inherited.partition(os.pathsep)[0] != _STARTUP:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_STARTUP, inherited]))
    command[0] = sys.executable
    if os.name == "nt":  # `execv` would let the shell go on
        import subprocess

        sys.exit(subprocess.call(command))  # noqa: S603 - the user's own command
    os.execv(sys.executable, command)  # noqa: S606


def _told(*, ignored: bool) -> str:
    """The words for a wrong call."""
    try:
        from vizkit._language import tr
    except ImportError:  # this file alone, and Python does not see where packages are
        tr = str  # type: ignore[assignment]
    if ignored:
        return tr("vizkit.run does not work with Python's options -E, -I and -S; call vizkit.autolog()")
    return tr("usage: python -m vizkit.run train.py [argument ...], or -m module instead of train.py")


def _without_this(command: list[str]) -> list[str]:
    """The command that started this process, without what named this module."""
    for index, part in enumerate(command):
        before, after = command[:index], command[index + 1 :]
        if after[:1] == ["vizkit.run"] and part.startswith("-") and part.endswith("m"):
            return [*before, *([part[:-1]] if part != "-m" else []), *after[1:]]
        if part == "-mvizkit.run" or (index and os.path.realpath(part) == os.path.realpath(__file__)):
            return [*before, *after]
    return []


if __name__ == "__main__":
    _main()
