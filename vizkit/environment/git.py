"""The state of the git repository from which a training was started."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
import time

from vizkit._protocols import JSONObject
from vizkit.environment.masking import mask

__all__ = ["git_state"]

# Read-only: takes no lock, asks no question and runs nothing that the repository configures.
_GIT = (
    "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}",
    "-c", "diff.relative=false", "-c", "core.quotePath=false",
)  # fmt: skip
_DIFF = (
    "diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
_STATUS_BYTES = 1 << 20
_MOST_UNTRACKED = 100


def git_state(directory: str, *, seconds: float = 5.0, diff_bytes: int = 200_000) -> JSONObject:
    """Read commit, branch and changes of the repository that holds a directory.

    Args:
        directory: any directory of the work tree.
        seconds: time limit; whatever is not known by then is absent.
        diff_bytes: the maximum size of the diff; 0 for none.

    Returns:
        An empty dict without git or a repository, otherwise ``root``, ``commit`` (absent before the first
        one), ``branch`` (absent if detached), ``remote``, ``dirty`` (True if tracked files differ from the
        commit), ``diff`` (against the commit, with secrets masked by their form), ``diff_truncated`` and
        ``untracked`` (the first 100 files and directories that are neither tracked nor ignored).
    """
    deadline = time.monotonic() + seconds

    def git(*arguments: str, most: int = _STATUS_BYTES) -> bytes | None:
        return _run((*_GIT, *arguments), directory, deadline - time.monotonic(), most)

    root = git("rev-parse", "--show-toplevel")
    if root is None:
        return {}
    state: JSONObject = {"root": _text(root)}
    for key, arguments in {
        "commit": ("rev-parse", "--verify", "--quiet", "HEAD"),
        "branch": ("symbolic-ref", "--quiet", "--short", "HEAD"),
        "remote": ("config", "--get", "remote.origin.url"),
    }.items():
        if answer := git(*arguments):
            state[key] = mask(_text(answer))
    changes = git("status", "--porcelain", "--untracked-files=no")
    if changes is not None:
        state["dirty"] = bool(changes)
    if changes and "commit" in state and diff_bytes:
        diff = git(*_DIFF, most=diff_bytes + 1)
        if diff is not None:
            state["diff_truncated"] = len(diff) > diff_bytes
            if len(diff) > diff_bytes:  # whole lines
                diff = diff[: diff.rfind(b"\n", 0, diff_bytes) + 1] or diff[:diff_bytes]
            state["diff"] = mask(diff.decode("utf-8", "replace"))
    untracked = git("ls-files", "--others", "--exclude-standard", "--directory", "--full-name", "-z", ":/")
    if untracked is not None:
        names = untracked.decode("utf-8", "replace").split("\0")
        state["untracked"] = names[:-1][:_MOST_UNTRACKED]
    return state


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").rstrip("\r\n")


def _run(command: tuple[str, ...], directory: str, seconds: float, most: int) -> bytes | None:
    """Run a command; return the first ``most`` bytes of its output, None if it fails or takes too long."""
    if seconds <= 0:
        return None
    try:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            start_new_session=True,  # Ctrl-C must reach only the training
        )
    except OSError:
        return None
    _running.add(process)
    late = threading.Event()

    def give_up() -> None:
        late.set()
        _end(process)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    with process:
        assert process.stdout
        output = process.stdout.read(most)
        enough = len(output) == most
        if enough:
            _end(process)
    timer.cancel()
    _running.discard(process)
    return None if late.is_set() or (process.returncode and not enough) else output


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and the processes that it has started."""
    with contextlib.suppress(OSError):
        if os.name == "nt":
            process.kill()
        elif process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)


_running: set[subprocess.Popen[bytes]] = set()


def _end_all() -> None:
    """Kill all commands: at exit their output is not needed."""
    for process in list(_running):
        _end(process)


atexit.register(_end_all)
