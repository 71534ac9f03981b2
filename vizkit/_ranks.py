"""Which process of a distributed Paddle training this is, from what its launcher sets."""

from __future__ import annotations

import os

__all__ = ["rank", "rank_in_node", "world_size"]


def rank() -> int:
    """This process's rank; 0 outside of a distributed training."""
    return _number("PADDLE_TRAINER_ID", 0)


def rank_in_node() -> int:
    """Its rank among those of the same machine; `spawn` starts them on one machine and names none."""
    return _number("PADDLE_RANK_IN_NODE", rank())


def world_size() -> int:
    """How many ranks there are."""
    return _number("PADDLE_TRAINERS_NUM", 1)


def _number(variable: str, default: int) -> int:
    try:
        return int(os.environ.get(variable, default))
    except ValueError:
        return default
