"""``vizkit diff``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .commands import Command, record


def test_diff_shows_what_differs(vk: Command) -> None:
    said = vk("diff", "batch32-0", "batch64-0")
    assert said.code == 0
    assert said.rows == [["part", "name", "batch32-0", "batch64-0"], ["hparams", "batch size", "32", "64"]]
    assert vk("diff", "batch32-*", "--json").data["hparams"] == {
        "seed": {"batch32-0": 0, "batch32-1": 1, "batch32-2": 2}
    }
    assert vk("diff", "batch32-0").code == 2


def test_diff_of_equal_runs_is_a_negative_answer(vk: Command, tmp_path: Path) -> None:
    for name in "ab":
        record(tmp_path / name, 32, 0)
    said = vk("diff", at=tmp_path)
    assert (said.code, said.out) == (1, "") and "nothing differs" in said.err


@pytest.mark.usefixtures("terminal")
def test_diff_says_for_how_many_runs_there_is_no_room(vk: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    said = vk("diff")
    assert said.code == 0 and "batch32-0" in said.out and "batch64-2" not in said.out
    assert re.search(r"no room for \d more runs; name two, or see all with --json", said.err)
