"""Ranks of a distributed training, from what its launcher sets."""

from __future__ import annotations

import pytest

from vizkit import _ranks


def test_ranks_are_those_of_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PADDLE_TRAINER_ID", "PADDLE_RANK_IN_NODE", "PADDLE_TRAINERS_NUM"):
        monkeypatch.delenv(name, raising=False)
    assert (_ranks.rank(), _ranks.rank_in_node(), _ranks.world_size()) == (0, 0, 1)
    monkeypatch.setenv("PADDLE_TRAINER_ID", "5")
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "8")
    assert (_ranks.rank(), _ranks.rank_in_node(), _ranks.world_size()) == (5, 5, 8)
    monkeypatch.setenv("PADDLE_RANK_IN_NODE", "1")
    assert _ranks.rank_in_node() == 1
    monkeypatch.setenv("PADDLE_TRAINER_ID", "none")
    assert _ranks.rank() == 0
