"""``vizkit best``."""

from __future__ import annotations

from .commands import Command


def test_best_names_the_run(vk: Command) -> None:
    said = vk("best", "eval/acc", "--where", "`batch size` == 64")
    assert said.rows[0] == ["run", "eval/acc", "step", "batch size", "seed"]
    assert said.rows[1][0] == "batch64-0" and said.rows[1][2:] == ["29", "64", "0"]
    found = vk("best", "eval/acc", "--mode", "min", "--json").data
    assert (found["run"], found["mode"], found["step"]) == ("batch64-2", "min", 29)
