"""``vizkit compare``."""

from __future__ import annotations

import math

from .commands import Command


def test_compare_tells_and_its_exit_code_too(vk: Command) -> None:
    said = vk("compare", "batch64-*", "`batch size` == 32", "eval/acc", "--json")
    assert said.code == 0 and said.data["better"] is True and said.data["n_a"] == said.data["n_b"] == 3
    assert math.isclose(said.data["difference"], 0.032)
    said = vk("compare", "batch32-*", "batch64-*", "eval/acc")
    assert said.code == 1 and "B is worse" in said.out
    assert vk("compare", "batch32-0", "batch64-0", "eval/acc").code == 1  # one run a side tells nothing
