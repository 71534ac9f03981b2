"""The journal of a sweep: whole for all its readers, whatever a killed process has left in it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from vizkit.sweeps._journal import FileLock, Journal


def journal(directory: Path) -> Journal:
    return Journal(str(directory / "journal"), FileLock(str(directory / "lock")))


def numbers(found: Journal, start: int = 0) -> list[int]:
    return [entry["n"] for entry in found.read_logs(start)]


def test_entries_are_read_from_any_number_on(tmp_path: Path) -> None:
    ours, theirs = journal(tmp_path), journal(tmp_path)
    ours.append_logs([{"n": 0}, {"n": 1}])
    assert numbers(theirs) == [0, 1] and numbers(theirs, 1) == [1] and numbers(theirs, 2) == []
    theirs.append_logs([{"n": 2}])
    assert numbers(ours, 2) == [2] and numbers(theirs, 2) == [2] and numbers(ours) == [0, 1, 2]


def test_a_torn_line_is_read_by_nobody_and_cut_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    ours, theirs = journal(tmp_path), journal(tmp_path)
    ours.append_logs([{"n": 0}])
    whole = path.read_bytes() + b'{"n":1}\n'
    for end in range(len(whole) - 7, len(whole)):
        path.write_bytes(whole[:end])
        assert numbers(theirs) == [0]
    ours.append_logs([{"n": 2}])
    assert numbers(theirs) == [0, 2] and numbers(ours, 1) == [2]
    assert path.read_bytes() == b'{"n":0}\n{"n":2}\n'


def test_lines_that_are_no_json_count_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b'{"n":0}\n\0\0\0\0\n[1]\n{"n":1}\n')
    found = journal(tmp_path)
    assert numbers(found) == [0, 1] and numbers(found, 1) == [1]
    found.append_logs([{"n": 2}])
    assert numbers(found, 2) == [2] and numbers(journal(tmp_path), 1) == [1, 2]


def test_many_threads_lose_no_entry(tmp_path: Path) -> None:
    """Each with a lock of its own, as processes have."""

    def write(first: int) -> None:
        own = journal(tmp_path)
        for n in range(first, first + 50):
            own.append_logs([{"n": n}])

    threads = [threading.Thread(target=write, args=(50 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = numbers(journal(tmp_path))
    assert sorted(found) == list(range(200))
    assert [n for n in found if n < 50] == list(range(50))


def test_the_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    ready, lead = os.pipe()
    child = os.fork()
    if child == 0:
        with FileLock(str(tmp_path / "lock")):
            os.write(lead, b"1")
            os.kill(os.getpid(), 9)
    assert os.read(ready, 1) == b"1"
    os.waitpid(child, 0)
    lock = FileLock(str(tmp_path / "lock"))
    with lock, lock:
        assert lock._depth == 2
    assert lock._depth == 0
