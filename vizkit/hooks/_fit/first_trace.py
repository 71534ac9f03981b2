"""The graph and the summary of a network, traced once, with inputs of the first batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._guard import Guard
from vizkit.hooks._model_call import trains_alone
from vizkit.hooks._network.graph import record_graph
from vizkit.hooks._network.model_summary import record_summary
from vizkit.hooks._network.random_states import data_is_loaded
from vizkit.hooks._paddle import paddle

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["FirstTrace"]


class FirstTrace:
    """The one trace of a training.

    Attributes:
        wanted: False once it was taken, or if it is not asked for.
    """

    def __init__(self, tracker: Tracker, guard: Guard, *, wanted: bool) -> None:
        self.wanted = wanted
        self._tracker = tracker
        self._guard = guard
        self._kept: list[paddle.Tensor] = []

    def due(self) -> bool:
        """True if the next batch is to be traced: in this thread alone, Paddle could crash otherwise."""
        return self.wanted and trains_alone()

    def take(self, model: paddle.Model, batch: Batch) -> None:
        """Trace a batch, or keep its inputs for `late` if the network draws random numbers."""
        self.wanted = False
        if batch.draws:  # a trace would take numbers of the training's or of its data's
            self._kept = [array[:1].clone() for array in batch.inputs]
        else:
            self._record(model, batch.inputs)

    def late(self, model: paddle.Model) -> None:
        """Trace a network that draws random numbers once no data is loaded: they can be kept then."""
        if self._kept and trains_alone() and not data_is_loaded():
            inputs, self._kept = self._kept, []
            self._record(model, inputs)

    def _record(self, model: paddle.Model, inputs: Sequence[paddle.Tensor]) -> None:
        with self._guard("graph"):
            record_graph(self._tracker, model, inputs)
        with self._guard("summary"):
            record_summary(self._tracker, model.network, inputs)
