"""A repair that is killed at any moment loses nothing, and the next one finishes it."""

from __future__ import annotations

import contextlib
import io
import json
import random
from pathlib import Path

import pytest

from tests.faults.killed_closes import trial
from tests.faults.killed_repairs import frames
from tests.helpers import python
from tests.unit.repair.logs import aged
from vizkit.repair import check
from vizkit.repair._repair import repair

CODE = """
import os, sys
import vizkit.repair
from pathlib import Path
from tests.faults.killed_repairs import at_every_call

print(at_every_call(Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.parametrize("damage", ["merge", "merge of torn logs", "merge with renames", "gap", "resume"])
def test_a_repair_killed_before_any_change_of_a_file_loses_nothing(tmp_path: Path, damage: str) -> None:
    done = python(CODE, tmp_path, damage)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 4


def test_a_part_file_is_found_and_removed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "vdlrecords.1.log").write_bytes(b"".join(frames(range(5))))
    for name in ("repairing.1.log", "repairing.1.log.2", ".restoring.1.log.77.part"):
        (run / name).write_bytes(b"".join(frames(range(3))))
    mine = [run / name for name in ("repairing.txt", "merging.md", ".part", "repairing.2.log")]
    for path in mine:
        path.write_text("mine")
    aged(tmp_path)
    found = [finding for finding in check(tmp_path) if finding.is_problem]
    assert [(f.kind, Path(f.path).name) for f in found] == [
        ("interrupted", ".restoring.1.log.77.part"),
        ("interrupted", "repairing.1.log"),
        ("interrupted", "repairing.1.log.2"),
    ]
    (result,) = repair(tmp_path)
    assert len(result.done) == 3 and not result.kept and not result.left
    assert all("interrupted" in text for text in result.done)
    assert check(tmp_path) == [] and repair(tmp_path) == []
    assert sorted(run.iterdir()) == sorted([run / "vdlrecords.1.log", *mine])


@pytest.mark.parametrize(
    "note", [b"", b"[", b"[]", b'{"older": 5}', b'{"older": ["../x"]}', json.dumps([[]] * 9).encode()]
)
def test_a_note_that_is_none_moves_nothing(tmp_path: Path, note: bytes) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for number in (1, 2):
        (run / f"vdlrecords.{number}.log").write_bytes(b"".join(frames(range(5 * number))))
    (run / "merging.2.log.json").write_bytes(note)
    aged(tmp_path)
    (result,) = repair(tmp_path)
    assert "merging.2.log.json" in result.done[0]
    assert "interrupted" not in [finding.kind for finding in check(tmp_path)]


def test_runs_that_are_killed_while_they_are_closed_are_checked_at_once() -> None:
    r = random.Random(5)
    with contextlib.redirect_stderr(io.StringIO()):
        assert [trial(number, r) for number in range(8)] == [[0, 0, 0]] * 8
