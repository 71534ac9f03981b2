"""Weights, gradients and activations of a network, recorded while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vizkit._checks import describe
from vizkit._language import mark, tr
from vizkit.errors import DataError
from vizkit.hooks._guard import Guard
from vizkit.hooks._paddle import paddle
from vizkit.hooks._spacing import Spacing
from vizkit.hooks._watch.optimizer_hooks import (
    ClippedGradients,
    OptimizerHooks,
    check_optimizer,
    gradient_of,
    parameters_of,
)
from vizkit.hooks._watch.tensor_records import (
    TensorGroup,
    TensorsByName,
    gradient_snapshot,
    host_copy,
    record_groups,
    tag_of,
)
from vizkit.hooks._watch.watched_layers import Selection, first_samples, hook_outputs

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Watch", "watch"]

_EVERY = 100
_OVERHEAD = 0.02
_UNSEEN = mark(
    "no layer that was asked for gave an output in a training pass; layers compiled by "
    "paddle.jit.to_static(full_graph=True) cannot be seen, those with full_graph=False can"
)


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
    """Record weights, gradients and activations of ``net`` while it is trained.

    ::

        tracker.watch(net, optimizer=optimizer)
        for step, (x, y) in enumerate(loader):
            loss = loss_fn(net(x), y)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            tracker.log({"train/loss": loss}, step=step)

    ==================================  ========================================================
    tag                                 record
    ==================================  ========================================================
    ``weights/<parameter>``             histogram: before training, and after updates
    ``gradients/<parameter>``           histogram, as the optimizer gets them
    ``clipped gradients/<parameter>``   histogram, as the optimizer's ``grad_clip`` leaves them
    ``activations/<layer>``             histogram of the layer's first output in a pass
    ``norm/<kind>``                     L2 norm of all tensors of a kind (``weights`` ...) together
    ``zeros/<kind>``                    fraction of zeros in them
    ``nonfinite/<kind>``                fraction of NaN and infinite values
    ``update ratio``                    size of the update: ||after - before|| / ||before|| of the
                                        weights that are trained; about 1e-3 is usual (Karpathy,
                                        CS231n, "Ratio of weights:updates")
    ==================================  ========================================================

    **With an optimizer**, its updates are counted. Gradients are those that it uses: summed over
    accumulated backward passes, unscaled by a ``GradScaler``, averaged over processes, before its
    ``grad_clip``. Each of several optimizers gives those of its own parameters.

    **Without**, passes of ``net`` in training mode are counted, and gradients are those that ``backward``
    computes in the pass: before any clipping, and scaled if a ``GradScaler`` scaled the loss.

    Everything is recorded when the next pass begins, at the step of the tracker's clock then.

    Args:
        tracker: the tracker to record with.
        net: the network; its sublayers and parameters may change later.
        optimizer: the optimizer that trains it, or a list of several.
        every: the number of updates (or passes) from one record to the next.
        overhead: the fraction of the training's time that recording may take, on its own thread and on
            others, such as 0.02: it measures itself and records as often as that allows, at multiples of
            ``every`` if that is given too. By default ``every=100, overhead=0.02``; ``every`` alone has no
            limit.
        weights: whether to record weights, or a pattern (or several) of parameters: ``"*.weight"``.
        gradients: the same for gradients.
        activations: the same for outputs of layers, by name or class: ``"*relu*"``; True is every
            layer that has no sublayers. An output with more than 2**20 values is cut to its first
            samples. Layers compiled with ``full_graph=True`` cannot be watched.
        per_layer: whether to record the scalars of each tensor too: ``norm/gradients/fc/weight``,
            ``update ratio/fc/weight``.
        name: a name between kind and parameter for one of several networks: ``weights/critic/fc/bias``.

    Returns:
        A handle; its ``remove()`` records what is still due and takes all hooks off.

    Raises:
        DataError: ``net`` is no layer or has no parameters; a pattern that matches nothing; an
            optimizer that is none or trains nothing of ``net``; a bad ``every`` or ``overhead``;
            nothing to record; Paddle's static mode.
    """
    if not isinstance(net, paddle.nn.Layer):
        hint = tr("; pass model.network, or use tracker.callback()") if isinstance(net, paddle.Model) else ""
        raise DataError(
            "only a paddle.nn.Layer can be watched, got {net}{hint}", net=describe(net), hint=hint
        )
    if not paddle.in_dynamic_mode():
        raise DataError("a network is watched in dynamic mode: call paddle.disable_static() first")
    if not net.parameters():
        raise DataError("{type} has no parameters to watch", type=type(net).__name__)
    if every is None:
        every, overhead = (_EVERY, _OVERHEAD) if overhead is None else (1, overhead)
    spacing = Spacing(every, "every", overhead)
    selection = Selection(net, weights, gradients, activations)
    given = optimizer if isinstance(optimizer, (list, tuple)) else [optimizer]
    optimizers = [each for each in given if each is not None]
    for each in optimizers:
        check_optimizer(each, net)
    return Watch(tracker, net, optimizers, spacing, selection, per_layer=per_layer, name=name)


@dataclass(eq=False)
class _Round:
    """The tensors of one pass, or of one update by each optimizer."""

    due: bool
    started_at: int | None = None  # the step at which the weights before all training were recorded
    passed: bool = False
    updated: set[int] = field(default_factory=set)  # optimizers, by id
    before: TensorsByName = field(default_factory=dict)
    gradients: TensorsByName = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)  # names of gradients that are about to be clipped by hand
    clipped: TensorsByName = field(default_factory=dict)
    outputs: TensorsByName = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True if nothing of it is recorded."""
        return not (self.due or self.before or self.gradients or self.clipped)


class Watch:
    """The hooks of `vizkit.hooks.watch` on one network; `remove` takes them off."""

    def __init__(
        self,
        tracker: Tracker,
        net: paddle.nn.Layer,
        optimizers: list[paddle.optimizer.Optimizer],
        spacing: Spacing,
        selection: Selection,
        *,
        per_layer: bool,
        name: str,
    ) -> None:
        self._tracker = tracker
        self._net = net
        self._spacing = spacing
        self._selection = selection
        self._per_layer = per_layer
        self._name = name
        self._guard = Guard(tracker)
        self._count = 0
        self._next_step = 0
        self._round: _Round | None = None
        self._receivers: list[paddle.base.core.eager.TensorHookRemoveHelper] = []  # of one round
        self._output_hooks: list[paddle.nn.layer.layers.HookRemoveHelper] = []
        self._wanted: set[int] = set()  # optimizers whose next update is recorded, by id
        self._updates: list[OptimizerHooks] = []
        self._attached = False
        self._hook: paddle.nn.layer.layers.HookRemoveHelper = None  # while passes are noticed
        if tracker.enabled:
            self._attach(optimizers)

    def _attach(self, optimizers: list[paddle.optimizer.Optimizer]) -> None:
        self._updates = [
            OptimizerHooks(each, self._before_update, self._on_clipped, self._after_update)
            for each in optimizers
        ]

        self._attached = True
        self._see_passes(True)

    def _see_passes(self, see: bool) -> None:
        """Have passes of the network noticed, or not."""
        if see and self._hook is None:
            # A function, not a method: a deep copy of the network copies it, but is not counted.
            def on_forward(layer: paddle.nn.Layer, inputs: object) -> None:
                trains = layer.training and paddle.is_grad_enabled() and paddle.in_dynamic_mode()
                if layer is self._net and trains:
                    self._on_forward()

            self._hook = self._net.register_forward_pre_hook(on_forward)
        elif not see and self._hook is not None:
            self._hook.remove()
            self._hook = None

    def remove(self) -> None:
        """Record what is still due and take all hooks off; another call does nothing."""
        if not self._attached:
            return
        self._attached = False
        self._see_passes(False)
        for updates in self._updates:
            updates.remove()
        try:
            self._finish()
        finally:
            self._stop()
            self._updates = []
            self._net = None

    def records_weights_of(self, net: paddle.nn.Layer) -> bool:
        """True if it records weights of ``net`` under the tags ``weights/<parameter>``."""
        return self._net is net and not self._name and bool(self._selection.weights)

    def note_gradients(self) -> None:
        """Record the gradients as they are now as those before clipping; needs ``optimizer=``.

        Call it before clipping by hand, and after ``scaler.unscale_``: the gradients that the optimizer
        then uses are recorded as ``clipped gradients``.
        """
        if self._updates and self._attached and not self._updates[0].untold:
            self._go_on()
            with self._guard("gradients"):
                for updates in self._updates:
                    if id(updates.optimizer) in self._wanted:
                        with self._spacing.timed():
                            self._take_gradients(updates.optimizer, note=True)

    # -- the course of training ---------------------------------------------------------------------

    def _on_forward(self) -> None:
        if self._updates:
            self._go_on()
        else:
            self._advance()
        if self._round is not None:
            self._round.passed = True

    def _go_on(self) -> None:
        """Advance once every optimizer has made its update."""
        if self._round is None or len(self._round.updated) == len(self._updates):
            self._advance()

    def _before_update(self, optimizer: paddle.optimizer.Optimizer) -> bool:
        if self._round is None or id(optimizer) in self._round.updated:
            self._advance()
        if id(optimizer) not in self._wanted or self._round is None:
            return False
        with self._guard("gradients"), self._spacing.timed():
            self._take_gradients(optimizer)
        with self._guard("weights"), self._spacing.timed():
            updated = {id(parameter) for parameter in parameters_of(optimizer)}
            self._round.before.update(self._weights(updated))
        return bool(self._selection.gradients)

    def _after_update(self, optimizer: paddle.optimizer.Optimizer) -> None:
        ended = self._round
        if ended is not None:
            ended.updated.add(id(optimizer))
            if self._attached and len(ended.updated) == len(self._updates):
                # Else the next pass neither ends nor begins a record: a hook would cost time for nothing.
                idle = 0 if ended.due else self._spacing.steps_to(self._count)
                self._see_passes(not idle)
                if idle > 1 and len(self._updates) == 1 and ended.is_empty:
                    self._updates[0].untold = idle - 1  # but for the last, after which passes are seen again
                    self._count += idle - 1
        self._wanted.discard(id(optimizer))

    def _advance(self) -> None:
        """End a round and begin the next."""
        ended = self._round
        if ended is not None and ended.is_empty and not self._spacing.possible(self._count):
            ended.updated.clear()  # the usual round: nothing was to be recorded, nor is
            ended.passed = False
            self._count += 1
            return
        finished = self._finish()
        due = self._spacing.due(self._count)
        if due or finished:
            self._begin(due)
        self._count += 1

    def _begin(self, due: bool) -> None:
        self._stop()
        self._round = started = _Round(due)
        if not due:
            return
        self._wanted = {id(updates.optimizer) for updates in self._updates}
        with self._spacing.timed():
            if self._count == 0:
                with self._guard("weights"):
                    self._record_start(started)
            if not self._updates:
                with self._guard("weights"):
                    trained = {id(each) for each in self._net.parameters() if not each.stop_gradient}
                    started.before = self._weights(trained)
                with self._guard("gradients"):
                    self._receive(started)
            if self._selection.activations:
                with self._guard("activations"):
                    layers = self._selection.layers(self._net)
                    self._output_hooks = hook_outputs(layers, self._on_output)

    def _finish(self) -> bool:
        """Record the round; return False if its gradients are still to come."""
        ended = self._round
        if self._receivers and ended is not None and not ended.gradients:
            return False
        self._stop()
        updated = ended is not None and (ended.updated or not self._updates)
        if ended is not None and updated and (ended.due or ended.before or ended.gradients):
            with self._guard("norms"), self._spacing.timed():
                self._record(ended)
        return True

    def _stop(self) -> None:
        for handle in [*self._receivers, *self._output_hooks]:
            handle.remove()
        self._receivers, self._output_hooks = [], []
        self._round = None

    # -- gathering ----------------------------------------------------------------------------------

    def _weights(self, which: Container[int | str] | None = None) -> TensorsByName:
        """Copies of the selected weights: all, or those whose id or name is in ``which``."""
        return {
            name: host_copy(each)
            for name, each in self._selection.parameters(self._net, self._selection.weights)
            if which is None or id(each) in which or name in which
        }

    def _receive(self, gathering: _Round) -> None:
        """Gather the gradients that ``backward`` computes, summed if it runs several times."""

        def receiver(name: str, parameter: paddle.Tensor) -> Callable[[paddle.Tensor], None]:
            def receive(gradient: paddle.Tensor) -> None:
                with self._guard("gradients"), self._spacing.timed():
                    array = gradient_snapshot(gradient, parameter)
                    before = gathering.gradients.get(name)
                    gathering.gradients[name] = array if before is None else before + array

            return receive

        for name, parameter in self._selection.parameters(self._net, self._selection.gradients):
            if not parameter.stop_gradient:
                self._receivers.append(parameter.register_hook(receiver(name, parameter)))

    def _take_gradients(self, optimizer: paddle.optimizer.Optimizer, note: bool = False) -> None:
        """Copy the gradients that an optimizer uses; those noted before are clipped by now."""
        if self._round is None:
            return
        trained = {id(parameter) for parameter in parameters_of(optimizer)}
        for name, parameter in self._selection.parameters(self._net, self._selection.gradients):
            gradient = gradient_of(parameter) if id(parameter) in trained else None
            if gradient is not None:
                clipped = name in self._round.noted and not note
                kept = self._round.clipped if clipped else self._round.gradients
                kept[name] = gradient_snapshot(gradient, parameter)
                if note:
                    self._round.noted.add(name)

    def _on_clipped(self, pairs: ClippedGradients) -> None:
        with self._guard("clipped gradients"), self._spacing.timed():
            gradients = {id(parameter): gradient for parameter, gradient in pairs}
            for name, parameter in self._selection.parameters(self._net, self._selection.gradients):
                gradient = gradients.get(id(parameter))
                if gradient is not None and self._round is not None:
                    self._round.clipped[name] = gradient_snapshot(gradient, parameter)

    def _on_output(self, name: str, output: paddle.Tensor) -> None:
        if self._round is not None and self._net.training and name not in self._round.outputs:
            with self._guard("activations"), self._spacing.timed():
                self._round.outputs[name] = host_copy(first_samples(output.detach()))

    # -- recording ----------------------------------------------------------------------------------

    def _kind(self, kind: str) -> str:
        return f"{kind}/{self._name}".rstrip("/")

    def _record_start(self, started: _Round) -> None:
        """Record the weights before training."""
        self._tracker.writer.flush()  # records of an earlier watch may still be on their way
        names = [name for name, _ in self._net.named_parameters()]
        tags = [tag_of(self._kind(kind), name) for kind in ("weights", "gradients") for name in names]
        self._next_step = 1 + max((int(self._tracker.writer.last_step_of(tag)) for tag in tags), default=-1)
        if self._selection.weights:
            started.started_at = self._free_step()
            weights = TensorGroup(self._kind("weights"), self._weights())
            record_groups(
                self._tracker,
                self._guard,
                self._spacing,
                [weights],
                started.started_at,
                per_layer=self._per_layer,
            )

    def _record(self, ended: _Round) -> None:
        step = self._free_step()
        self._next_step = step + 1
        after: TensorsByName = {}
        with self._guard("weights"):
            after = self._weights(None if ended.due else ended.before)
        groups = [
            TensorGroup(
                self._kind("weights"),
                after,
                before=ended.before,
                ratio=self._kind("update ratio"),
                histograms=step != ended.started_at,
            ),
            TensorGroup(self._kind("gradients"), ended.gradients),
            TensorGroup(self._kind("clipped gradients"), ended.clipped),
            TensorGroup(self._kind("activations"), ended.outputs),
        ]
        record_groups(self._tracker, self._guard, self._spacing, groups, step, per_layer=self._per_layer)
        if self._selection.activations and ended.due and ended.passed and not ended.outputs:
            self._guard.warn("activations", tr(_UNSEEN))

    def _free_step(self) -> int:
        """The clock's step, or a later one, so that no tag is recorded twice at a step."""
        return max(self._tracker.step, self._next_step)
