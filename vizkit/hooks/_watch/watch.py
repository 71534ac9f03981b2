"""Weights, gradients and activations of a network that is trained in a loop of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._paddle import paddle
from vizkit.hooks._spacing import Spacing
from vizkit.hooks._watch.rounds import Watch
from vizkit.hooks._watch.selection import Chosen
from vizkit.hooks._watch.updates import check_optimizer

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Watch", "watch"]

_EVERY = 100
_OVERHEAD = 0.02


def watch(
    tracker: Tracker,
    net: paddle.nn.Layer,
    *,
    optimizer: paddle.optimizer.Optimizer | Sequence[paddle.optimizer.Optimizer] | None = None,
    every: int | None = None,
    overhead: float | None = None,
    weights: bool | str | Sequence[str] = True,
    gradients: bool | str | Sequence[str] = True,
    activations: bool | str | Sequence[str] = False,
    per_layer: bool = False,
    name: str = "",
) -> Watch:
    """Records weights, gradients and activations of ``net`` while it is trained.

    ::

        tracker.watch(net, optimizer=optimizer)
        for step, (x, y) in enumerate(loader):
            loss = loss_fn(net(x), y)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            tracker.log({"train/loss": loss}, step=step)

    ==================================  ========================================================
    tag                                 what
    ==================================  ========================================================
    ``weights/<parameter>``             histogram: what training started from, and after updates
    ``gradients/<parameter>``           histogram
    ``clipped gradients/<parameter>``   histogram, as the optimizer's ``grad_clip`` leaves them
    ``activations/<layer>``             histogram of the layer's first output in a pass
    ``norm/<kind>``                     L2 norm of all tensors of a kind (``weights`` ...) together
    ``zeros/<kind>``                    share of zeros in them, from 0 to 1
    ``nonfinite/<kind>``                share of NaN and infinite values
    ``update ratio``                    size of the update: ||after - before|| / ||before|| of the
                                        weights that are trained; about 1e-3 is usual (Karpathy,
                                        CS231n, "Ratio of weights:updates")
    ==================================  ========================================================

    **With an optimizer**, its updates are what is counted. Gradients are those that it meets: summed
    over accumulated backward passes, unscaled by a ``GradScaler``, averaged over processes, before its
    ``grad_clip``. Of several optimizers each gives those of its own parameters.

    **Without**, passes of ``net`` in training mode are counted, and gradients are as ``backward`` gave
    them in that pass: before any clipping, and scaled if a ``GradScaler`` scaled the loss.

    All is recorded when the next pass begins, at the step that the tracker's clock shows by then.

    Args:
        tracker: what records.
        net: the network; its sublayers and parameters may change later.
        optimizer: what trains it, or a list of several.
        every: how many updates (or passes) apart.
        overhead: the share of the training's time that recording may take, such as 0.02: it measures
            itself and records as often as that allows, or every so many updates if ``every`` is given
            too. By default ``every=100, overhead=0.02``; with ``every`` alone it is any.
        weights: whether to record weights, or a pattern (or several) of parameters: ``"*.weight"``.
        gradients: the same for gradients.
        activations: the same for outputs of layers, by name or class: ``"*relu*"``; True is every
            layer that has no sublayers. Of outputs with more than 2**20 values the first samples
            are taken. Layers compiled with ``full_graph=True`` cannot be seen.
        per_layer: whether to record the scalars of each tensor too: ``norm/gradients/fc/weight``,
            ``update ratio/fc/weight``.
        name: put between kind and parameter to tell several networks apart: ``weights/critic/fc/bias``.

    Returns:
        A handle; its ``remove()`` records what is still due and takes all hooks off.

    Raises:
        DataError: ``net`` is no layer or has no parameters; a pattern that nothing matches; an
            optimizer that is none or trains nothing of ``net``; a bad ``every`` or ``overhead``;
            nothing to record; Paddle's static mode.
    """
    if not isinstance(net, paddle.nn.Layer):
        hint = "; pass model.network, or use tracker.callback()" if isinstance(net, paddle.Model) else ""
        raise DataError(f"only a paddle.nn.Layer can be watched, got {describe(net)}{hint}")
    if not paddle.in_dynamic_mode():
        raise DataError("a network is watched in dynamic mode: call paddle.disable_static() first")
    if not net.parameters():
        raise DataError(f"{type(net).__name__} has no parameters to watch")
    if every is None:
        every, overhead = (_EVERY, _OVERHEAD) if overhead is None else (1, overhead)
    spacing = Spacing(every, "every", overhead)
    chosen = Chosen(net, weights, gradients, activations)
    optimizers = optimizer if isinstance(optimizer, (list, tuple)) else [optimizer]
    optimizers = [each for each in optimizers if each is not None]
    for each in optimizers:
        check_optimizer(each, net)
    return Watch(tracker, net, optimizers, spacing, chosen, per_layer=per_layer, name=name)
