"""Rank of this process in a distributed Paddle training, from its launcher's environment variables."""

from __future__ import annotations

import multiprocessing
import os

__all__ = ["assignment", "is_importing", "rank", "rank_in_node", "world_size"]


def rank() -> int:
    """The rank of this process; 0 outside of a distributed training."""
    return _number("PADDLE_TRAINER_ID", 0)


def rank_in_node() -> int:
    """The rank among the processes of this machine; by default the rank, since `spawn` uses one machine."""
    return _number("PADDLE_RANK_IN_NODE", rank())


def world_size() -> int:
    """The number of ranks."""
    return _number("PADDLE_TRAINERS_NUM", 1)


def assignment() -> dict[str, str]:
    """The launcher's variables; `paddle.distributed.spawn` sets them after the imports of the process."""
    return {name: value for name, value in os.environ.items() if name.startswith("PADDLE_")}


def is_importing() -> bool:
    """True while a process that `multiprocessing` has spawned imports its parent's program."""
    return getattr(multiprocessing.current_process(), "_inheriting", False)


def _number(variable: str, default: int) -> int:
    try:
        return int(os.environ.get(variable, default))
    except ValueError:
        return default
