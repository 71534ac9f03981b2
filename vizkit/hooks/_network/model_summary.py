"""A summary of a network as text: its layers, their output shapes and parameters."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._network.network_copy import copy_network, global_state_kept
from vizkit.hooks._paddle import paddle

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["record_summary", "summary"]

_TAG = "model/summary"
_HEAD = ("layer", "type", "output", "parameters")


def summary(network: paddle.nn.Layer | paddle.Model, inputs: Sequence[paddle.Tensor] = ()) -> str:
    """A table of the layers of a network, with the number of its parameters.

    Shapes come from one pass of a copy, in eval mode and without gradients: the network, Paddle's
    state and the random numbers stay as they are. The batch axis is ``-``. Parameters that several
    layers share are counted where they come first.

    Args:
        network: the network.
        inputs: a batch of inputs. Without one, or if the network cannot be copied or run, shapes are
            left out.

    Raises:
        DataError: not a network.
    """
    network = network.network if isinstance(network, paddle.Model) else network
    if not isinstance(network, paddle.nn.Layer):
        raise DataError(
            "expected a paddle.nn.Layer or a paddle.Model, got {network}", network=describe(network)
        )
    shapes: dict[str, str] = {}
    if inputs:
        with contextlib.suppress(Exception), global_state_kept():
            shapes = _shapes(copy_network(network), inputs)
    rows = [_HEAD, *_rows(network, shapes)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]
    return "\n".join([*lines, "", *_totals(network)])


def record_summary(tracker: Tracker, network: paddle.nn.Layer, inputs: Sequence[paddle.Tensor]) -> None:
    """Record the `summary` as the text ``model/summary``, unless the run has one."""
    if tracker.writer.kind_of(_TAG) is None:
        tracker.log_text(_TAG, summary(network, inputs), 0)


def _shapes(net: paddle.nn.Layer, inputs: Sequence[paddle.Tensor]) -> dict[str, str]:
    """The output shape of each layer of a copy, by name."""
    shapes: dict[str, str] = {}

    def keeper(name: str) -> Callable[[paddle.nn.Layer, object, object], None]:
        def keep(layer: paddle.nn.Layer, inputs: object, output: object) -> None:
            shapes.setdefault(name, _shape(output))

        return keep

    for name, layer in net.named_sublayers(include_self=True):
        layer.register_forward_post_hook(keeper(name))
    net.eval()
    with paddle.no_grad():
        net(*[array[:1] for array in inputs])
    return shapes


def _shape(output: object) -> str:
    if isinstance(output, (list, tuple)):
        return ", ".join(_shape(part) for part in output)
    if isinstance(output, dict):
        return ", ".join(f"{name} {_shape(part)}" for name, part in output.items())
    shape = getattr(output, "shape", None)
    if shape is None:
        return type(output).__name__
    return f"[{', '.join(['-', *map(str, shape[1:])])}]" if len(shape) else "[]"


def _rows(network: paddle.nn.Layer, shapes: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    seen: set[int] = set()
    for name, layer in network.named_sublayers(include_self=True):
        own = [p for p in layer.parameters(include_sublayers=False) if id(p) not in seen]
        seen.update(map(id, own))
        above, _, last = name.rpartition(".")
        depth = "  " * (above.count(".") + 1) if above else ""
        count = f"{_count(own):,}" if own else ""
        if own and all(parameter.stop_gradient for parameter in own):
            count += " not trained"
        yield depth + (last or "(network)"), type(layer).__name__, shapes.get(name, ""), count


def _totals(network: paddle.nn.Layer) -> Iterator[str]:
    parameters = list({id(parameter): parameter for parameter in network.parameters()}.values())
    trained = [parameter for parameter in parameters if not parameter.stop_gradient]
    size = sum(_count([parameter]) * parameter.element_size() for parameter in parameters)
    yield f"parameters  {_count(parameters):,} ({size / 1e6:,.2f} MB)"
    yield f"trained     {_count(trained):,}"
    yield f"not trained {_count(parameters) - _count(trained):,}"


def _count(parameters: Sequence[paddle.Tensor]) -> int:
    return sum(math.prod(parameter.shape) for parameter in parameters)
