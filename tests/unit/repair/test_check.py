"""Findings about logs."""

from __future__ import annotations

import os
import shutil
import tempfile
import textwrap
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.helpers import python
from tests.unit.repair.logs import aged, kinds, written
from vizkit import LogWriter
from vizkit.errors import DataError, LogNotFoundError
from vizkit.format.encode import encode_scalar, step_field, tag_field, walltime_field
from vizkit.repair._check import check
from vizkit.repair._repair import repair


def test_a_good_log_has_no_problems(tmp_path: Path) -> None:
    written(tmp_path / "stock", "vdlrecords.1.log", range(5))
    with vizkit.Tracker(tmp_path / "own", hparams={"a": 1}) as tracker:
        tracker.log({"loss": 1.0})
        assert kinds(tmp_path) == []
    assert kinds(tmp_path) == [] and repair(tmp_path) == []
    for run in vizkit.load(tmp_path):
        assert kinds(Path(run.logs.files[0])) == []


def test_runs_of_one_display_name(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        written(tmp_path / name, "vdlrecords.1.log", range(2), display_name="" if name == "a" else "a")
    found = check(tmp_path)
    assert [(f.run, f.kind, f.repairable) for f in found] == [
        ("b", "display name", False),
        ("c", "display name", False),
    ]
    assert "a, b, c" in found[0].what and repair(tmp_path) == []


def test_a_run_that_was_killed_is_told_and_is_no_problem(tmp_path: Path) -> None:
    code = """
import os, signal, sys, time, vizkit
tracker = vizkit.Tracker(sys.argv[1])
tracker.log({"loss": 1.0}, step=0)
while not os.path.exists(sys.argv[1] + "/environment.json"):
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""
    python(code, tmp_path / "run")
    assert [(f.kind, f.is_problem) for f in check(tmp_path)] == [("killed", False)]


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_what_cannot_be_read() -> None:
    # Root may read everything: it looks as another user, in a directory that is open to that one.
    look = """
        import os, sys
        from vizkit.repair._check import check
        check(sys.argv[1])  # all that it imports, which another user may not be able to read
        if os.geteuid() == 0:
            os.setuid(65534)
        print(sorted((finding.run, finding.kind) for finding in check(sys.argv[1])))
    """
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        log = written(Path(root) / "run", "vdlrecords.1.log", range(3))
        closed = Path(root) / "closed"
        closed.mkdir(mode=0)
        log.chmod(0)
        try:
            found = python(textwrap.dedent(look), root)
        finally:
            closed.chmod(0o700)
    assert found.stdout.strip() == "[('closed', 'unreadable'), ('run', 'unreadable')]", found.stderr


def test_a_broken_environment_is_told(tmp_path: Path) -> None:
    written(tmp_path / "run", "vdlrecords.1.log", range(3))
    (tmp_path / "run" / "environment.json").write_text("{")
    (finding,) = check(tmp_path)
    assert finding.kind == "environment" and not finding.repairable


def test_where_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert check(tmp_path) == [] and repair(tmp_path) == []
    with pytest.raises(LogNotFoundError):
        check(tmp_path / "nowhere")
    with pytest.raises(DataError, match="remote"):
        repair("memory://log")


def test_remote_logs_are_checked_and_not_repaired() -> None:
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    frame = encode_scalar(tag_field("loss"), 0.5, step_field(1), walltime_field(1000))
    try:
        for name, content in (("1", frame), ("2", frame + b"\x40"), ("3", b"PK no log")):
            files.pipe(f"/repair/run/vdlrecords.{name}.log", content)
        found = check("memory://repair")
        assert {(finding.kind, finding.repairable) for finding in found if finding.is_problem} >= {
            ("torn", False), ("no log", False), ("hidden", False),
        }  # fmt: skip
        with pytest.raises(DataError, match="remote"):
            repair("memory://repair")
    finally:
        files.rm("/repair", recursive=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
@pytest.mark.parametrize("where", ["", "odd", "odd/deeper"])
def test_a_pipe_or_broken_link_where_there_is_no_run_is_found(tmp_path: Path, where: str) -> None:
    written(tmp_path / "run", "vdlrecords.1.log", range(2))
    directory = tmp_path / where
    directory.mkdir(parents=True, exist_ok=True)
    os.mkfifo(directory / "vdlrecords.pipe.log")
    (directory / "vdlrecords.gone.log").symlink_to(tmp_path / "gone")
    found = check(f"{tmp_path}/")
    assert [(f.run, f.kind, Path(f.path).name) for f in found] == [
        (where or ".", "no run", f"vdlrecords.{name}.log") for name in ("gone", "pipe")
    ]
    assert all(f.is_problem and not f.repairable and f.todo == "move the file away" for f in found)
    assert repair(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_pipes_and_links_that_are_called_logs_are_found_and_moved(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    os.mkfifo(tmp_path / "run" / "vdlrecords.pipe.log")
    (tmp_path / "run" / "vdlrecords.loop.log").symlink_to("vdlrecords.loop.log")
    found = {os.path.basename(finding.path): finding.kind for finding in check(tmp_path)}
    assert found == {"vdlrecords.pipe.log": "no log", "vdlrecords.loop.log": "no log"}
    os.utime(vizkit.load(tmp_path)[0].logs.files[0], (0, 0))  # it is not being written any more
    (result,) = repair(tmp_path)
    assert len(result.done) == 2 and check(tmp_path) == []


def test_walltimes_that_are_no_times_are_found(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
        writer.add_scalar("loss", 1.0, 1, walltime=2**62)
        writer.add_text("note", "hello", 1, walltime=time.time_ns())
    (finding,) = check(tmp_path)
    assert finding.kind == "walltime" and finding.is_problem and not finding.repairable
    assert "2 records of 2 tags" in finding.what


def test_damaged_tables_are_problems_and_those_without_a_record_are_notes(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        for step in range(3):
            writer.add_table(
                "eval/a", {"value": [step], "image": [np.full((4, 4), 9 * step, np.uint8)]}, step
            )
    assert [finding for finding in check(tmp_path) if finding.kind != "killed"] == []
    tables = tmp_path / "run/vizkit.tables"
    first, second, third = sorted((tables / "eval%2Fa").iterdir())
    first.write_bytes(first.read_bytes()[:-9])
    second.unlink()
    shutil.copy(third, third.with_name("7-1.npz"))
    (tables / ".inputs/1-2.pack").write_bytes(b"no pack")
    aged(tmp_path)
    found = {finding.kind: finding for finding in check(tmp_path)}
    by_kind = Counter(finding.kind for finding in check(tmp_path))
    assert by_kind == {"table": 2, "table gone": 1, "left over": 1}
    assert found["table"].is_problem and not found["table"].repairable
    assert not found["table gone"].is_problem and not found["left over"].is_problem
    assert found["left over"].path.endswith("7-1.npz")
