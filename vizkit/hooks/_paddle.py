"""Paddle, or an error with the line that installs it."""

from __future__ import annotations

from vizkit._language import tr
from vizkit.errors import MissingDependencyError

try:
    import paddle
except ImportError as error:
    raise MissingDependencyError.for_extra(
        "paddle",
        tr("hooks need PaddlePaddle"),
        tr("or paddlepaddle-gpu, see https://www.paddlepaddle.org.cn"),
    ) from error

__all__ = ["paddle"]
