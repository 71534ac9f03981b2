"""``vizkit check``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import vizkit

from .commands import Command, record


def test_check_reports_and_repairs(vk: Command, tmp_path: Path) -> None:
    record(tmp_path / "good", 32, 0)
    record(tmp_path / "torn", 32, 0)
    (log,) = tmp_path.glob("torn/*vdlrecords*")
    with log.open("ab") as file:
        file.write(b"\x30\0\0\0\0\0\0\0\x0a")
    said = vk("check", at=tmp_path)
    assert said.code == 1 and [row[:2] for row in said.rows[1:]] == [["torn", "torn"]]
    assert "--repair" in said.rows[1][5] and "1 problem in" in said.err
    said = vk("check", tmp_path, "--repair", "--json", at=None)
    assert said.code == 0 and said.data["findings"] == []
    (mended,) = said.data["repaired"]
    assert mended["run"] == "torn" and all(Path(path).exists() for path in mended["kept"])
    assert vk("check", at=tmp_path) == (0, "", f"vizkit: no problems in {tmp_path}\n")


def test_a_log_that_is_named_and_moved_aside_is_no_wrong_name(vk: Command, tmp_path: Path) -> None:
    log = tmp_path / "run" / "vdlrecords.1.log"
    log.parent.mkdir()
    log.write_bytes(b"\x40\x01")  # killed amid its first record
    os.utime(log, (0, 0))
    said = vk("check", log, "--repair", at=None)
    assert said.code == 0 and "moved vdlrecords.1.log aside" in said.err
    assert not log.exists() and len(list(log.parent.iterdir())) == 1
    assert vk("check", log, at=None).code == 2


def test_repair_tells_what_it_did_and_left(
    vk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path / "torn", 32, 0)
    (log,) = tmp_path.glob("torn/*vdlrecords*")
    whole = log.read_bytes()
    log.write_bytes(whole + b"\x30\0\0\0\0\0\0\0\x0a")
    said = vk("check", "--repair", at=tmp_path)  # into a pipe: data on stdout alone
    assert said.code == 0 and said.out == "" and "torn: " in said.err and "    kept: " in said.err
    assert log.read_bytes().startswith(whole)
    with vizkit.LogWriter(tmp_path / "live") as writer:
        writer.add_scalar("loss", 0.5, 0)
        (tmp_path / "live" / "vdlrecords.0.log").touch()
        assert "live: left alone: " in vk("check", "--repair", at=tmp_path).err


@pytest.mark.usefixtures("terminal")
def test_check_in_a_terminal_says_what_each_problem_means(vk: Command, tmp_path: Path) -> None:
    record(tmp_path / "torn", 32, 0)
    (log,) = tmp_path.glob("torn/*vdlrecords*")
    log.write_bytes(log.read_bytes()[:-5])
    said = vk("check", at=tmp_path)
    assert said.code == 1 and said.out.startswith("torn: ")
    assert "    stock VisualDL: " in said.out and "    to do: " in said.out
