"""Hooks around each update of an optimizer, and the gradients before and after its clipping."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._paddle import paddle
from vizkit.hooks._patching import overridden

__all__ = ["ClippedGradients", "OptimizerHooks", "check_optimizer", "gradient_of", "parameters_of"]

ClippedGradients = list[tuple[paddle.Tensor, paddle.Tensor]]
"""Pairs of a parameter and its clipped gradient."""


class OptimizerHooks:
    """Hooks around every ``step`` or ``minimize`` of an optimizer, until removed.

    By then a ``GradScaler`` has unscaled the gradients, and those of several backward passes and
    processes have been combined. The listeners must not raise.

    Attributes:
        untold: the number of updates, from the next on, that the listeners are not told of: on the training's
            thread even a few calls a step are felt.

    Args:
        before: called before an update; returns True if the clipping is to be watched.
        clipped: called with pairs of a parameter and its clipped gradient.
        after: called after the update, unless that raised.
    """

    def __init__(
        self,
        optimizer: paddle.optimizer.Optimizer,
        before: Callable[[paddle.optimizer.Optimizer], bool],
        clipped: Callable[[ClippedGradients], None],
        after: Callable[[paddle.optimizer.Optimizer], None],
    ) -> None:
        self.optimizer = optimizer
        self._before = before
        self._clipped = clipped
        self._after = after
        self.untold = 0
        self._within = False
        self._undo = [self._wrap(name) for name in ("step", "minimize") if hasattr(optimizer, name)]

    def remove(self) -> None:
        """Restore the optimizer, unless its methods were wrapped again since."""
        for undo in self._undo:
            undo()
        self._undo = []

    def _wrap(self, name: str) -> Callable[[], None]:
        run = getattr(self.optimizer, name)

        @functools.wraps(run)
        def around(*args: object, **kwargs: object) -> object:
            if self._within or not self._undo or not paddle.in_dynamic_mode():
                return run(*args, **kwargs)
            self._within = True
            try:
                if self.untold:
                    result = run(*args, **kwargs)
                    self.untold -= 1
                    return result
                if self._before(self.optimizer):
                    with _watched_clipping(_clips_of(self.optimizer), self._clipped):
                        result = run(*args, **kwargs)
                else:
                    result = run(*args, **kwargs)
                self._after(self.optimizer)
                return result
            finally:
                self._within = False

        return overridden(self.optimizer, name, around)


def check_optimizer(optimizer: paddle.optimizer.Optimizer, net: paddle.nn.Layer) -> None:
    """Check that an optimizer, or a wrapper of one, trains a parameter of a network.

    Raises:
        DataError: it does not, or is no optimizer.
    """
    if not callable(getattr(optimizer, "step", None)) or not parameters_of(optimizer):
        raise DataError(
            "optimizer must be a paddle.optimizer.Optimizer or a list of them, got {optimizer}",
            optimizer=describe(optimizer),
        )
    if not {id(each) for each in parameters_of(optimizer)} & {id(each) for each in net.parameters()}:
        raise DataError(
            "the {optimizer} trains no parameter of this {net}; pass the optimizer that was made "
            "with parameters=net.parameters()",
            optimizer=type(optimizer).__name__,
            net=type(net).__name__,
        )


def parameters_of(optimizer: paddle.optimizer.Optimizer) -> list[paddle.Tensor]:
    """The parameters that an optimizer updates, of all its groups."""
    listed = getattr(optimizer, "_parameter_list", None) or []
    return [
        parameter for item in listed for parameter in (item["params"] if isinstance(item, dict) else [item])
    ]


def gradient_of(parameter: paddle.Tensor) -> paddle.Tensor:
    """The gradient that an optimizer would use now; None if there is none."""
    main = getattr(parameter, "main_grad", None)  # the float32 gradient of mixed precision
    return parameter.grad if main is None else main


def _clips_of(optimizer: paddle.optimizer.Optimizer) -> list[paddle.nn.ClipGradBase]:
    groups = getattr(optimizer, "_param_groups", None) or []
    clips = [getattr(optimizer, "_grad_clip", None)]
    clips += [group.get("grad_clip") for group in groups if isinstance(group, dict)]
    different = {id(clip): clip for clip in clips}.values()
    return [clip for clip in different if hasattr(clip, "_dygraph_clip") and hasattr(clip, "__dict__")]


@contextmanager
def _watched_clipping(
    clips: list[paddle.nn.ClipGradBase], clipped: Callable[[ClippedGradients], None]
) -> Iterator[None]:
    """Pass on the results of gradient clips, without changing them."""

    def watched(clip: paddle.nn.ClipGradBase) -> Callable[[ClippedGradients], ClippedGradients]:
        run = clip._dygraph_clip

        def around(gradients: ClippedGradients) -> ClippedGradients:
            result: ClippedGradients = run(gradients)
            clipped(result)
            return result

        return around

    undo = [overridden(clip, "_dygraph_clip", watched(clip)) for clip in clips]
    try:
        yield
    finally:
        for put_back in undo:
            put_back()
