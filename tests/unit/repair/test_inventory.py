"""The files of a run directory."""

from __future__ import annotations

from pathlib import Path

import vizkit
from tests.unit.repair.logs import aged, written
from vizkit.repair._inventory import being_written, inventory


def test_files_are_sorted_by_their_content(tmp_path: Path) -> None:
    log = written(tmp_path, "vdlrecords.5.log", range(5))
    (tmp_path / "vdlrecords.1.log").write_bytes(log.read_bytes())
    (tmp_path / "vdlrecords.2.log.bak").write_bytes(log.read_bytes()[:64])
    (tmp_path / "vdlrecords.3.log").write_bytes(b"PK")
    (tmp_path / "vdlrecords.9.log").touch()
    other = written(tmp_path, "vdlrecords.4.log", range(1), tag="acc")
    run = vizkit.load(tmp_path)[0]
    files = inventory(run.directory, run.logs.files, run.logs.problems)
    assert [Path(path).name for path in files.empty] == ["vdlrecords.9.log"] == [Path(files.last).name]
    assert [Path(path).name for path in files.foreign] == ["vdlrecords.3.log"]
    assert str(other) in files.logs and len(files.logs) == 2
    originals = {Path(copy).name: Path(original).name for copy, original in files.copies.items()}
    assert len(originals) == 2 and len(set(originals.values())) == 1


def test_logs_that_are_gone_are_not_being_written(tmp_path: Path) -> None:
    log = written(tmp_path, "vdlrecords.1.log", range(2))
    run = vizkit.load(tmp_path)[0]
    assert "seconds ago" in being_written(run)
    aged(tmp_path)
    assert being_written(run) == ""
    log.unlink()
    assert being_written(run) == ""
