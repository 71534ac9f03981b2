"""Paddle, or an error with the line that installs it."""

from __future__ import annotations

from vizkit.errors import MissingDependencyError

try:
    import paddle
except ImportError as error:
    raise MissingDependencyError.for_extra(
        "paddle", "hooks need PaddlePaddle", "or paddlepaddle-gpu, see https://www.paddlepaddle.org.cn"
    ) from error

__all__ = ["paddle"]
