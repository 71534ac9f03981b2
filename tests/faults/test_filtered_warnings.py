"""Scripts that filter all warnings away: what is lost is told in the run, and at the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers import python
from vizkit import load

MAKE = {
    "tracker": "writer = vizkit.Tracker(run); add = writer.log_scalar",
    "writer": "writer = vizkit.LogWriter(run); add = writer.add_scalar",
    "autolog": "vizkit.autolog(); import visualdl; writer = visualdl.LogWriter(run); add = writer.add_scalar",
}


@pytest.mark.parametrize(
    ("make", "end"),
    [
        ("tracker", "writer.close()"),
        ("tracker", "del writer, add"),
        ("writer", "1 / 0"),
        ("autolog", "sys.exit(3)"),
    ],
)
def test_what_is_lost_is_told(tmp_path: Path, make: str, end: str) -> None:
    code = (
        "import sys, warnings; warnings.filterwarnings('ignore')\n"
        "import vizkit; run = sys.argv[1]\n"
        f"{MAKE[make]}\n"
        "add('train/loss', 1.0, 0)\n"
        "for step in range(3): writer.losses.count('train/loss', ValueError('no number'))\n"
        f"{end}\n"
    )
    done = python(code, tmp_path / "run")
    line = f"{tmp_path}/run: not recorded: 3 x train/loss (ValueError: no number)"
    assert done.stderr.splitlines().count(line) == 1, done.stderr
    (run,) = load(tmp_path)
    (problem,) = run.problems
    assert "3 of train/loss were not recorded: ValueError: no number" in problem.message


def test_a_value_that_a_suite_writes_wrong_is_told(tmp_path: Path) -> None:
    code = (
        "import sys, warnings; warnings.filterwarnings('ignore')\n"
        "import vizkit; vizkit.autolog(); import visualdl\n"
        "writer = visualdl.LogWriter(sys.argv[1])\n"
        "writer.add_scalar('loss', '0.5', 0)\n"
        "writer.add_scalar('loss', 'n/a', 1); writer.add_image('i', [], 0)\n"
    )
    done = python(code, tmp_path / "run")
    assert done.returncode == 0 and "1 x loss (a scalar must be" in done.stderr, done.stderr
    messages = [problem.message for problem in load(tmp_path)[0].problems]
    assert len(messages) == 2 and any("'n/a'" in message for message in messages)


def test_a_killed_process_has_told_already(tmp_path: Path) -> None:
    code = (
        "import os, sys, warnings; warnings.filterwarnings('ignore')\n"
        "import vizkit; tracker = vizkit.Tracker(sys.argv[1])\n"
        "tracker.log({'a': 'x'}); os.kill(os.getpid(), 9)\n"
    )
    python(code, tmp_path / "run")
    (run,) = load(tmp_path)
    assert run.status == "killed" and len(run.problems) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("make", MAKE)
def test_records_of_forked_children_are_counted_and_told(tmp_path: Path, make: str) -> None:
    code = (
        "import os, sys, warnings; warnings.filterwarnings('ignore')\n"
        "import vizkit; run = sys.argv[1]\n"
        f"{MAKE[make]}\n"
        "add('loss', 1.0, 0)\n"
        "for child in range(3):\n"
        "    if (pid := os.fork()) == 0:\n"
        "        for step in range(5): add('acc', 0.5, step)\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "add('loss', 2.0, 1)\n"
    )
    done = python(code, tmp_path / "run")
    why = "15 x records of forked children (the log belongs to the parent process)"
    line = f"{tmp_path}/run: not recorded: {why}"
    assert done.stderr.splitlines().count(line) == 1, done.stderr
    (run,) = load(tmp_path)
    (problem,) = run.problems
    assert "15 of records of forked children were not recorded" in problem.message
    assert run.columns("loss").values.tolist() == [1.0, 2.0] and "acc" not in run.scalar_tags
