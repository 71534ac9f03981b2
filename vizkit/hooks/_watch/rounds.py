"""What is gathered from one update of a network to the next, and recorded."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from vizkit.hooks._guard import Guard
from vizkit.hooks._paddle import paddle
from vizkit.hooks._spacing import Spacing
from vizkit.hooks._watch.activations import first_samples, hook_outputs
from vizkit.hooks._watch.selection import Chosen
from vizkit.hooks._watch.tensors import Tensors, gradient_snapshot, record_tensors, snapshot, tag_of
from vizkit.hooks._watch.updates import Updates, gradient_of, parameters_of

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Watch"]

Arrays = dict[str, NDArray[Any]]

_UNSEEN = (
    "no layer that was asked for gave an output in a training pass; layers compiled by "
    "paddle.jit.to_static(full_graph=True) cannot be seen, those with full_graph=False can"
)


@dataclass(eq=False)
class _Round:
    """What is gathered of one pass, or of one update by each optimizer."""

    due: bool
    started_at: int | None = None  # the step at which the weights before all training were recorded
    passed: bool = False
    updated: set[int] = field(default_factory=set)  # optimizers, by id
    before: Arrays = field(default_factory=dict)
    gradients: Arrays = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)  # gradients that are about to be clipped by hand
    clipped: Arrays = field(default_factory=dict)
    outputs: Arrays = field(default_factory=dict)


class Watch:
    """The hooks of `vizkit.hooks.watch` on one network; `remove` takes them off."""

    def __init__(
        self,
        tracker: Tracker,
        net: Any,
        optimizers: list[Any],
        spacing: Spacing,
        chosen: Chosen,
        *,
        per_layer: bool,
        name: str,
    ) -> None:
        self._tracker = tracker
        self._net = net
        self._spacing = spacing
        self._chosen = chosen
        self._per_layer = per_layer
        self._name = name
        self._guard = Guard(tracker)
        self._count = 0
        self._next_step = 0
        self._round: _Round | None = None
        self._receivers: list[Any] = []  # hooks of parameters, for one round
        self._output_hooks: list[Any] = []
        self._wanted: set[int] = set()  # optimizers whose next update is recorded, by id
        self._updates: list[Updates] = []
        self._hook: Any = None
        if tracker.enabled:
            self._attach(optimizers)

    def _attach(self, optimizers: list[Any]) -> None:
        self._updates = [
            Updates(each, self._before_update, self._on_clipped, self._after_update) for each in optimizers
        ]

        # A function, not a method: a deep copy of the network takes it along, and is not counted.
        def on_forward(layer: Any, inputs: Any) -> None:
            trains = layer.training and paddle.is_grad_enabled() and paddle.in_dynamic_mode()
            if layer is self._net and trains:
                self._on_forward()

        self._hook = self._net.register_forward_pre_hook(on_forward)

    def remove(self) -> None:
        """Records what is still due and takes all hooks off; calling it again does nothing."""
        if self._hook is None:
            return
        self._hook.remove()
        self._hook = None
        for updates in self._updates:
            updates.remove()
        try:
            self._finish()
        finally:
            self._stop()
            self._updates = []
            self._net = None

    def records_weights_of(self, net: Any) -> bool:
        """Whether it records weights of ``net``, under the tags ``weights/<parameter>``."""
        return self._net is net and not self._name and bool(self._chosen.weights)

    def note_gradients(self) -> None:
        """Takes the gradients as they are now for those before clipping; needs ``optimizer=``.

        Call it before clipping by hand, and after ``scaler.unscale_``: what the optimizer then meets
        is recorded as ``clipped gradients``.
        """
        if self._updates and self._hook is not None:
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
        """Advances once every optimizer has made its update."""
        if self._round is None or len(self._round.updated) == len(self._updates):
            self._advance()

    def _before_update(self, optimizer: Any) -> bool:
        if self._round is None or id(optimizer) in self._round.updated:
            self._advance()
        if id(optimizer) not in self._wanted or self._round is None:
            return False
        with self._guard("gradients"), self._spacing.timed():
            self._take_gradients(optimizer)
        with self._guard("weights"), self._spacing.timed():
            updated = {id(parameter) for parameter in parameters_of(optimizer)}
            self._round.before.update(self._weights(updated))
        return bool(self._chosen.gradients)

    def _after_update(self, optimizer: Any) -> None:
        if self._round is not None:
            self._round.updated.add(id(optimizer))
        self._wanted.discard(id(optimizer))

    def _advance(self) -> None:
        """Ends a round and begins the next."""
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
            if self._chosen.activations:
                with self._guard("activations"):
                    layers = self._chosen.layers(self._net)
                    self._output_hooks = hook_outputs(layers, self._on_output)

    def _finish(self) -> bool:
        """Records the round; False if its gradients are still to come."""
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

    # -- what is gathered ---------------------------------------------------------------------------

    def _weights(self, which: Container[int | str] | None = None) -> Arrays:
        """Copies of the chosen weights, of all or of those whose id or name is among ``which``."""
        return {
            name: snapshot(each)
            for name, each in self._chosen.parameters(self._net, self._chosen.weights)
            if which is None or id(each) in which or name in which
        }

    def _receive(self, gathering: _Round) -> None:
        """Has ``backward`` hand over gradients, which are summed if it runs several times."""

        def receiver(name: str, parameter: Any) -> Any:
            def receive(gradient: Any) -> None:
                with self._guard("gradients"), self._spacing.timed():
                    array = gradient_snapshot(gradient, parameter)
                    before = gathering.gradients.get(name)
                    gathering.gradients[name] = array if before is None else before + array

            return receive

        for name, parameter in self._chosen.parameters(self._net, self._chosen.gradients):
            if not parameter.stop_gradient:
                self._receivers.append(parameter.register_hook(receiver(name, parameter)))

    def _take_gradients(self, optimizer: Any, note: bool = False) -> None:
        """Copies the gradients that an optimizer meets; those noted before are clipped by now."""
        if self._round is None:
            return
        trained = {id(parameter) for parameter in parameters_of(optimizer)}
        for name, parameter in self._chosen.parameters(self._net, self._chosen.gradients):
            gradient = gradient_of(parameter) if id(parameter) in trained else None
            if gradient is not None:
                clipped = name in self._round.noted and not note
                kept = self._round.clipped if clipped else self._round.gradients
                kept[name] = gradient_snapshot(gradient, parameter)
                if note:
                    self._round.noted.add(name)

    def _on_clipped(self, pairs: list[tuple[Any, Any]]) -> None:
        with self._guard("clipped gradients"), self._spacing.timed():
            gradients = {id(parameter): gradient for parameter, gradient in pairs}
            for name, parameter in self._chosen.parameters(self._net, self._chosen.gradients):
                gradient = gradients.get(id(parameter))
                if gradient is not None and self._round is not None:
                    self._round.clipped[name] = gradient_snapshot(gradient, parameter)

    def _on_output(self, name: str, output: Any) -> None:
        if self._round is not None and self._net.training and name not in self._round.outputs:
            with self._guard("activations"), self._spacing.timed():
                self._round.outputs[name] = snapshot(first_samples(output.detach()))

    # -- what is recorded ---------------------------------------------------------------------------

    def _kind(self, kind: str) -> str:
        return f"{kind}/{self._name}".rstrip("/")

    def _record_start(self, started: _Round) -> None:
        """Records the weights that training starts from."""
        self._tracker.writer.flush()  # what was watched before may still be on its way
        names = [name for name, _ in self._net.named_parameters()]
        tags = [tag_of(self._kind(kind), name) for kind in ("weights", "gradients") for name in names]
        self._next_step = 1 + max((int(self._tracker.writer.last_step_of(tag)) for tag in tags), default=-1)
        if self._chosen.weights:
            started.started_at = self._free_step()
            weights = Tensors(self._kind("weights"), self._weights())
            record_tensors(self._tracker, self._guard, [weights], started.started_at, self._per_layer)

    def _record(self, ended: _Round) -> None:
        step = self._free_step()
        self._next_step = step + 1
        after: Arrays = {}
        with self._guard("weights"):
            after = self._weights(None if ended.due else ended.before)
        kinds = [
            Tensors(
                self._kind("weights"),
                after,
                before=ended.before,
                ratio=self._kind("update ratio"),
                histograms=step != ended.started_at,
            ),
            Tensors(self._kind("gradients"), ended.gradients),
            Tensors(self._kind("clipped gradients"), ended.clipped),
            Tensors(self._kind("activations"), ended.outputs),
        ]
        record_tensors(self._tracker, self._guard, kinds, step, self._per_layer)
        if self._chosen.activations and ended.due and ended.passed and not ended.outputs:
            self._guard.warn("activations", _UNSEEN)

    def _free_step(self) -> int:
        """The clock's step, or a later one: no tag is recorded twice at a step."""
        return max(self._tracker.step, self._next_step)
