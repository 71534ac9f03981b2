"""Files and directories are locked against other processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vizkit import _locks


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_a_directory_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with _locks.hold_directory(tmp_path, 1) as first, _locks.hold_directory(tmp_path, 0.01) as second:
        assert first is True
        assert second is False
    with _locks.hold_directory(tmp_path, 0) as again:
        assert again is True
    with pytest.raises(FileNotFoundError), _locks.hold_directory(tmp_path / "none", 0):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_a_file_system_without_locks_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    path = tmp_path / "a"
    path.touch()
    fd = os.open(path, os.O_RDWR)
    try:
        assert _locks.lock_exclusive(fd) is True
        monkeypatch.setattr("vizkit._locks.fcntl.flock", refuse)
        assert _locks.lock_exclusive(fd) is None
        _locks.lock_shared(fd)
        monkeypatch.setattr(_locks, "fcntl", None)
        assert _locks.lock_exclusive(fd) is None
        _locks.lock_shared(fd)
    finally:
        os.close(fd)
