"""Reads of log files that are counted, or that fail."""

from __future__ import annotations

from typing import Any

import pytest

from vizkit._files import FileReader

read_into = FileReader.read_into


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each read from now on."""
    asked: list[int] = []

    def counted(self: Any, view: memoryview, at: int) -> int:
        asked.append(len(view))
        return read_into(self, view, at)

    monkeypatch.setattr(FileReader, "read_into", counted)
    return asked


def fail_behind_the_beginning(self: Any, view: memoryview, at: int) -> int:
    if at > 0:
        raise OSError(5, "Input/output error")
    return read_into(self, view, at)
