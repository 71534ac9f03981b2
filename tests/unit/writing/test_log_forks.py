"""Forks of a process some of whose logs stay locked: they are waited for once, all together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers import PATIENCE
from vizkit.writing import log_forks
from vizkit.writing.log_file import LogFile


class Lock:
    """The lock of a log, which others have for so many seconds yet."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds, self.held = clock, seconds, 0

    def acquire(self, timeout: float = -1) -> bool:
        waited = self.seconds if timeout < 0 else min(self.seconds, timeout)
        self.clock.now += waited
        self.seconds -= waited
        self.held += self.seconds == 0
        return self.seconds == 0

    def release(self) -> None:
        self.held -= 1


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(log_forks, "time", made)
    return made


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[LogFile]:
    """Four logs, the only ones of this process for who asks within a fork."""
    made = [LogFile(str(tmp_path / f"{number}.log")) for number in range(4)]
    monkeypatch.setattr(log_forks, "live_logs", lambda: made)
    return made


def fork(clock: Clock) -> float:
    """The seconds that a fork waits."""
    begin = clock.now
    log_forks.hold_all()
    log_forks.release_all()
    return clock.now - begin


def test_logs_of_a_disk_that_hangs_are_waited_for_once(
    logs: list[LogFile], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = [Lock(clock, seconds) for seconds in (0.0, 3600.0, 3600.0, 3600.0)]
    for log, lock in zip(logs, locks, strict=True):
        monkeypatch.setattr(log, "lock", lock)
    assert [fork(clock) for _ in range(3)] == [log_forks._FORK_SECONDS, 0.0, 0.0]
    locks[1].seconds = 0.0  # its write came back
    fork(clock)
    locks[1].seconds = 1.0
    assert fork(clock) == 1.0
    assert [lock.held for lock in locks] == [0, 0, 0, 0]


def test_short_writes_are_waited_for(
    logs: list[LogFile], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = [Lock(clock, 0.5) for _ in logs]
    for log, lock in zip(logs, locks, strict=True):
        monkeypatch.setattr(log, "lock", lock)
    log_forks.hold_all()
    assert clock.now == 1002.0
    assert [lock.held for lock in locks] == [1, 1, 1, 1]
    log_forks.release_all()
    assert [lock.held for lock in locks] == [0, 0, 0, 0]


@pytest.fixture
def locked(logs: list[LogFile]) -> Iterator[list[LogFile]]:
    """The logs, three of them in a write of another thread that does not come back."""
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        with ExitStack() as held:
            for log in logs[1:]:
                held.enter_context(log.lock)
            begun.set()
            assert done.wait(PATIENCE)

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(PATIENCE)
    yield logs
    done.set()
    thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_of_a_locked_log_can_close_it(locked: list[LogFile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_forks, "_FORK_SECONDS", 0.01)
    for _ in range(3):
        child = os.fork()
        if not child:
            for log in locked:
                log.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert locked[0].lock.acquire(blocking=False)  # free again in the parent
    locked[0].lock.release()
