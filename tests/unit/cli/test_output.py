"""Output of all commands: plain text, tables in a terminal, names that cannot break them."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit

from .commands import Command


@pytest.mark.usefixtures("terminal")
def test_tables_in_a_terminal_have_no_colours_with_NO_COLOR(vk: Command) -> None:  # noqa: N802
    for command in (["ls"], ["show"], ["best", "eval/acc"], ["diff"], ["plot", "train/loss"], ["tail"]):
        said = vk(*command)
        assert said.code == 0 and "\x1b" not in said.out and "\t" not in said.out
        assert all(len(line) <= 100 for line in said.out.splitlines()), command
    assert "▁" in vk("ls", "-m", "train/loss").out


def test_names_cannot_move_the_cursor_or_break_rows(vk: Command, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run", hparams={"note": "a\tb\nc\x1b[31m", "list": [1, 2]}) as tracker:
        tracker.log({"loss": 1.0})
    for command in (["ls"], ["show"], ["best", "loss"]):
        said = vk(*command, at=tmp_path)
        assert "\x1b" not in said.out and "a\\tb\\nc" in said.out
