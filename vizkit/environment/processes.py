"""Identity of processes across reuse of their numbers."""

from __future__ import annotations

import importlib
import os
import socket
from collections.abc import Mapping

__all__ = ["is_alive", "process_identity"]


def process_identity(pid: int) -> str | None:
    """An identifier that no other process with the same number has; None if there is no such process.

    On Linux it holds the machine's boot, the namespace of process numbers and the start time in clock ticks
    (``proc(5)``); elsewhere the start time from psutil.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in brackets may contain anything; the state is field 3, the start time field 22.
            fields = file.read().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):  # ended, and not yet waited for
            return None
        return f"{_machine()}/{fields[19].decode()}"
    except (OSError, IndexError):
        pass
    if os.path.exists("/proc/self/stat"):
        return None
    try:
        return f"{importlib.import_module('psutil').Process(pid).create_time():.2f}"
    except Exception:
        return None


def _machine() -> str:
    """The machine's boot and the namespace of process numbers."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    namespace = "".join(c for c in os.readlink("/proc/self/ns/pid") if c.isdigit())
    return f"{boot}/{namespace}"


def is_alive(session: Mapping[str, object]) -> bool | None:
    """True if a session's process is running; None if that cannot be known from here."""
    pid, process = session.get("pid"), session.get("process")
    if (
        not isinstance(pid, int)
        or not isinstance(process, str)
        or session.get("host") != socket.gethostname()
    ):
        return None
    here = process_identity(os.getpid()) or ""
    if here.count("/") == process.count("/") == 2:
        boot, namespace, _ = process.split("/")
        our_boot, our_namespace, _ = here.split("/")
        if boot == our_boot and namespace != our_namespace:  # a container beside this one
            return None
    return process_identity(pid) == process
