"""Paddle, or the line that installs it."""

from __future__ import annotations

from vizkit.errors import MissingDependencyError

try:
    import paddle
except ImportError as error:
    raise MissingDependencyError(
        "hooks need PaddlePaddle: pip install 'vizkit[paddle]' (or paddlepaddle-gpu, see https://www.paddlepaddle.org.cn)"
    ) from error

__all__ = ["paddle"]
