"""A server under a stream of records and among hostile clients; `tests.faults.soak` goes on for longer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.soak import soak

MOST_MORE = 100 << 20  # bytes of memory


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="memory is read from /proc")
def test_answers_are_right_and_memory_is_bounded(tmp_path: Path) -> None:
    outcome = soak(tmp_path, 6)
    print(outcome)
    assert max(outcome.memory) - outcome.memory[0] < MOST_MORE
