"""Files are replaced at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from vizkit import _atomic_writes


def test_a_file_is_replaced_at_once_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    _atomic_writes.write_atomic(path, b"old")
    _atomic_writes.write_atomic(str(path), b"new")
    assert path.read_bytes() == b"new"

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        _atomic_writes.write_atomic(path, b"newer")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
