"""SIGKILL at random moments: whatever was acknowledged is in the log, and stock VisualDL opens it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import python

CODE = """
import random, sys
from pathlib import Path
from tests.faults import killed_writers as kills

write, threads, count = getattr(kills, sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
r = random.Random(sys.argv[2] + sys.argv[3])
for number in range(count):
    run = Path(sys.argv[1]) / str(number)
    found = kills.trial(run, r, write, threads)
    assert found.acknowledged and not found.lost, (number, found)
    if found.torn or number % 10 == 0:
        kills.assert_stock_reads(run)
"""


@pytest.mark.parametrize(
    ("write", "threads", "count"),
    [("by_writer", 1, 70), ("by_writer", 4, 70), ("by_tracker", 4, 30), ("tight", 1, 30)],
)
def test_what_was_acknowledged_is_there_after_a_kill(
    tmp_path: Path, write: str, threads: int, count: int
) -> None:
    done = python(CODE, tmp_path, write, threads, count, timeout=600)
    assert done.returncode == 0, done.stderr
