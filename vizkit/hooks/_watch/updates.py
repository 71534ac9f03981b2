"""What happens around each update of an optimizer: gradients before, and as they were clipped."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._paddle import paddle
from vizkit.hooks._patching import overridden

__all__ = ["Updates", "check_optimizer", "gradient_of", "parameters_of"]

Clipped = Callable[[list[tuple[Any, Any]]], None]


class Updates:
    """Calls back around every ``step`` or ``minimize`` of an optimizer, until it is removed.

    By then a ``GradScaler`` has unscaled the gradients, and those of several backward passes and of
    several processes are one. The callbacks must not raise.

    Args:
        optimizer: one that passed `check_optimizer`.
        before: called before an update; says whether to watch the clipping.
        clipped: called with pairs of a parameter and its clipped gradient.
        after: called after the update, unless that raised.
    """

    def __init__(
        self, optimizer: Any, before: Callable[[Any], bool], clipped: Clipped, after: Callable[[Any], None]
    ) -> None:
        self.optimizer = optimizer
        self._before = before
        self._clipped = clipped
        self._after = after
        self._within = False
        self._undo = [self._wrap(name) for name in ("step", "minimize") if hasattr(optimizer, name)]

    def remove(self) -> None:
        """The optimizer is as it was. If somebody else has wrapped it since, that stays."""
        for undo in self._undo:
            undo()
        self._undo = []

    def _wrap(self, name: str) -> Callable[[], None]:
        run = getattr(self.optimizer, name)

        @functools.wraps(run)
        def around(*args: Any, **kwargs: Any) -> Any:
            if self._within or not self._undo or not paddle.in_dynamic_mode():
                return run(*args, **kwargs)
            self._within = True
            try:
                clips = _clips_of(self.optimizer) if self._before(self.optimizer) else []
                with _tapped(clips, self._clipped):
                    result = run(*args, **kwargs)
                self._after(self.optimizer)
                return result
            finally:
                self._within = False

        return overridden(self.optimizer, name, around)


def check_optimizer(optimizer: Any, net: Any) -> None:
    """Makes sure that it is an optimizer, or wraps one, and trains something of a network.

    Raises:
        DataError: it does not.
    """
    if not callable(getattr(optimizer, "step", None)) or not parameters_of(optimizer):
        raise DataError(
            f"optimizer must be a paddle.optimizer.Optimizer or a list of them, got {describe(optimizer)}"
        )
    if not {id(each) for each in parameters_of(optimizer)} & {id(each) for each in net.parameters()}:
        raise DataError(
            f"the {type(optimizer).__name__} trains no parameter of this {type(net).__name__}; pass the "
            "optimizer that was made with parameters=net.parameters()"
        )


def parameters_of(optimizer: Any) -> list[Any]:
    """The parameters that an optimizer updates, those of all its groups."""
    listed = getattr(optimizer, "_parameter_list", None) or []
    return [
        parameter for item in listed for parameter in (item["params"] if isinstance(item, dict) else [item])
    ]


def gradient_of(parameter: Any) -> Any:
    """The gradient that an optimizer would meet now; None if there is none."""
    main = getattr(parameter, "main_grad", None)  # in float32, of mixed precision in float16
    return parameter.grad if main is None else main


def _clips_of(optimizer: Any) -> list[Any]:
    groups = getattr(optimizer, "_param_groups", None) or []
    clips = [getattr(optimizer, "_grad_clip", None)]
    clips += [group.get("grad_clip") for group in groups if isinstance(group, dict)]
    different = {id(clip): clip for clip in clips}.values()
    return [clip for clip in different if hasattr(clip, "_dygraph_clip") and hasattr(clip, "__dict__")]


@contextmanager
def _tapped(clips: list[Any], clipped: Clipped) -> Iterator[None]:
    """Shows what comes out of gradient clips, which stay what they are."""

    def tapped(clip: Any) -> Callable[[Any], Any]:
        run = clip._dygraph_clip

        def around(gradients: Any) -> Any:
            result = run(gradients)
            clipped(result)
            return result

        return around

    undo = [overridden(clip, "_dygraph_clip", tapped(clip)) for clip in clips]
    try:
        yield
    finally:
        for put_back in undo:
            put_back()
