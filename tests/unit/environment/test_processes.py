"""Processes are known by more than their numbers."""

from __future__ import annotations

import builtins
import os
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from vizkit.environment.processes import is_alive, process_identity


def test_a_process_keeps_its_identity_until_it_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        identity = process_identity(child.pid)
        assert identity is not None
        assert identity == process_identity(child.pid) != process_identity(os.getpid())
        session = {"pid": child.pid, "process": identity, "host": socket.gethostname()}
        assert is_alive(session) is True
    assert is_alive(session) is False


@pytest.mark.parametrize("change", [{"pid": "7"}, {"process": None}, {"host": "elsewhere"}])
def test_a_session_without_a_process_of_this_machine_is_unknown(change: dict[str, object]) -> None:
    session = {"pid": os.getpid(), "process": process_identity(os.getpid()), "host": socket.gethostname()}
    assert is_alive(session) is True
    assert is_alive({**session, **change}) is None


def test_elsewhere_psutil_knows_when_a_process_started(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = builtins.open

    def without_proc(path: Any, *args: Any, **options: Any) -> Any:
        if str(path).startswith("/proc"):
            raise FileNotFoundError(path)
        return opened(path, *args, **options)

    class Process:
        def __init__(self, pid: int) -> None:
            if pid != os.getpid():
                raise ValueError("no such process")

        def create_time(self) -> float:
            return 1234.5

    monkeypatch.setattr(builtins, "open", without_proc)
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    monkeypatch.setitem(sys.modules, "psutil", SimpleNamespace(Process=Process))
    assert process_identity(os.getpid()) == "1234.50"
    assert process_identity(os.getpid() + 1) is None
    session = {"pid": os.getpid(), "process": "1234.50", "host": socket.gethostname()}
    assert is_alive(session) is True
    assert is_alive({**session, "process": "1234.49"}) is False
