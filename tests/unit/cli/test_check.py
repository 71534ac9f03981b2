"""``vizkit check``."""

from __future__ import annotations

from pathlib import Path

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
