"""The graph of a Paddle model, for VisualDL's dynamic-graph page."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.format.file_names import GRAPH_WORD
from vizkit.hooks._network.graph_json import Graph, visualdl_graph
from vizkit.hooks._network.graph_pir import Scopes, read_program
from vizkit.hooks._network.network_copy import copy_network, global_state_kept
from vizkit.hooks._paddle import paddle

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["record_graph", "trace_graph"]


def trace_graph(
    model: paddle.nn.Layer | paddle.Model | paddle.static.Program, input_spec: object = None
) -> Graph:
    """The graph of ``model`` as VisualDL's dynamic-graph page reads it.

    A deep copy of the model is traced, so it takes the memory of a second set of weights for a
    moment; the model, Paddle's global state and all random states stay as they are. Call it on
    the thread that trains: while it traces, Paddle is in static mode. Forward hooks other than
    Paddle's own (weight norm ...) do not run and are not drawn.

    Args:
        model: the network, drawn in the mode it is in: dropout, for example, differs between
            ``train()`` and ``eval()``. A ``paddle.static.Program`` is drawn as it is, without layers.
        input_spec: the arguments of ``forward``. A list with, for each argument, a
            ``paddle.static.InputSpec``, a tensor or array (its shape and dtype count), or a
            shape: a tuple of int, -1 or None for any size, taken as float32. Other lists and
            dicts are taken by their members, and anything else (flags, None) is passed unchanged.
            A single argument needs no list; a dict gives arguments by name. None: the inputs of
            a ``paddle.Model``, the ``input_spec`` of ``paddle.jit.to_static``, or a ``forward``
            without arguments.

    Returns:
        The JSON-able content of a ``vdlgraph.<time>.log`` file.

    Raises:
        DataError: ``model`` is not a model, does not fit ``input_spec``, or cannot be copied
            or traced; the cause is chained.
    """
    if hasattr(model, "global_block"):
        return _of_program(model)
    network, input_spec = _network(model, input_spec)
    if not paddle.in_dynamic_mode():
        raise DataError("a graph is traced from dynamic mode: call paddle.disable_static() first")
    with global_state_kept():
        return _trace(network, input_spec)


def _of_program(program: paddle.static.Program) -> Graph:
    try:
        if hasattr(program, "desc"):  # of Paddle before PIR
            program = paddle.pir.translate_to_pir(program.desc)
        return visualdl_graph(*read_program(program))
    except Exception as error:
        raise DataError("the operators of a program cannot be read ({brief})", brief=_brief(error)) from error


def record_graph(tracker: Tracker, model: paddle.Model, inputs: Sequence[paddle.Tensor]) -> None:
    """Record a model's graph, unless the run has one; shapes that are not known are those of a batch."""
    if _has_graph(tracker.logdir):
        return
    if model._input_info is not None and not model._is_shape_inferred:
        spec = list(model._inputs)
    else:
        spec = [paddle.static.InputSpec([None, *array.shape[1:]], array.dtype) for array in inputs]
    tracker.log_graph(model.network, spec)


def _has_graph(logdir: str) -> bool:
    try:
        return any(GRAPH_WORD in name for name in os.listdir(logdir))
    except OSError:  # a remote directory
        return False


def _trace(network: paddle.nn.Layer, input_spec: object) -> Graph:
    name = type(network).__name__
    try:
        network = copy_network(network)
    except Exception as error:
        raise DataError(
            "the graph of {name} needs a copy of it, and copy.deepcopy failed ({brief}); keep "
            "files, locks and the like out of its layers, or log the graph of one of its "
            "sublayers",
            name=name,
            brief=_brief(error),
        ) from error
    call = _call(network, input_spec)
    scopes = Scopes(network)

    # to_static of the network itself takes no *args, keyword-only arguments or hooks.
    def run(args: Sequence[object], kwargs: Mapping[str, object]) -> object:
        return network(*args, **kwargs)

    spec = [list(call.args), call.kwargs]
    try:
        traced = paddle.jit.to_static(run, input_spec=spec, full_graph=True).concrete_program
        return visualdl_graph(*read_program(traced.main_program, traced.outputs, network, scopes))
    except Exception as error:
        raise DataError(
            "Paddle cannot trace {name} with {arguments} ({brief}); see that input_spec fits "
            "forward, and that paddle.jit.to_static(model, full_graph=True) can run it",
            name=name,
            arguments=_arguments(call),
            brief=_brief(error),
        ) from error


def _network(model: paddle.nn.Layer | paddle.Model, input_spec: object) -> tuple[paddle.nn.Layer, object]:
    """The layer to trace, and the specification of its inputs, if it is known."""
    if isinstance(model, paddle.Model):
        # Without `_input_info` the shapes of `_inputs` are placeholders.
        if input_spec is None and model._input_info is not None:
            input_spec = list(model._inputs)
        model = model.network
    if isinstance(model, paddle.DataParallel):
        model = model._layers
    if not isinstance(model, paddle.nn.Layer):
        raise DataError(
            "a graph needs a paddle.nn.Layer, a paddle.Model or a program, got {model}", model=describe(model)
        )
    if input_spec is None:
        # Set by paddle.jit.to_static. Plain attribute access would leave traces in the model.
        input_spec = getattr(inspect.getattr_static(model, "forward"), "_input_spec", None)
    return model, input_spec


def _call(network: paddle.nn.Layer, input_spec: object) -> inspect.BoundArguments:
    """The arguments of ``forward``, with an ``InputSpec`` for each tensor."""
    signature = inspect.signature(network.forward)
    head = f"{type(network).__name__}.forward{signature}"
    args: tuple[object, ...] = ()
    kwargs: dict[str, object] = {}
    if isinstance(input_spec, Mapping):
        kwargs = dict(input_spec)
    elif isinstance(input_spec, (list, tuple)) and not _is_shape(input_spec):
        args = tuple(input_spec)
    elif input_spec is not None:
        args = (input_spec,)
    try:
        call = signature.bind(*args, **kwargs)
    except TypeError as error:
        if input_spec is None:
            raise DataError(
                "the shapes that {head} takes are not known: give an input_spec, for example [(None, "
                "1, 28, 28)]",
                head=head,
            ) from error
        raise DataError(
            "input_spec does not fit {head}: {error}; give one entry per argument", head=head, error=error
        ) from error
    for name, value in call.arguments.items():
        kind = signature.parameters[name].kind
        try:
            if kind is inspect.Parameter.VAR_POSITIONAL:
                call.arguments[name] = tuple(_spec(item, f"{name}_{i}") for i, item in enumerate(value))
            elif kind is inspect.Parameter.VAR_KEYWORD:
                call.arguments[name] = {key: _spec(item, key) for key, item in value.items()}
            else:
                call.arguments[name] = _spec(value, name)
        except (TypeError, ValueError) as error:
            raise DataError(
                "no input of {head} can be like {value}: {brief}",
                head=head,
                value=describe(value),
                brief=_brief(error),
            ) from error
    return call


def _spec(value: object, name: str) -> object:
    """``value`` with a named ``InputSpec`` in place of each shape, array and tensor."""
    if isinstance(value, paddle.static.InputSpec):
        spec = copy.copy(value)  # Paddle writes names into it
        spec.name = spec.name or name
        return spec
    if _is_shape(value):
        sizes = [None if size is None else int(size) for size in value]
        return paddle.static.InputSpec(sizes, "float32", name)
    if isinstance(value, Mapping):
        return {key: _spec(item, f"{name}_{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spec(item, f"{name}_{i}") for i, item in enumerate(value)]
    if isinstance(value, paddle.Tensor):
        return paddle.static.InputSpec.from_tensor(value, name)
    if isinstance(value, np.ndarray):
        return paddle.static.InputSpec.from_numpy(value, name)
    return value


def _is_shape(value: object) -> TypeGuard[Sequence[int | None]]:
    if not isinstance(value, (list, tuple)):
        return False
    sizes = [isinstance(item, (int, np.integer)) and not isinstance(item, bool) for item in value]
    full = all(size or item is None for size, item in zip(sizes, value, strict=True))
    return full and (isinstance(value, tuple) or any(sizes))  # [None] is an argument that is None


def _arguments(call: inspect.BoundArguments) -> str:
    return f"forward({', '.join(f'{name}={describe(value)}' for name, value in call.arguments.items())})"


def _brief(error: Exception) -> str:
    """The line of a long message that gives the cause."""
    kind = type(error).__name__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith(f"{kind}: ")]
    line = causes[-1] if causes else f"{kind}: {lines[0]}" if lines else kind
    return line if len(line) <= 300 else line[:297] + "..."
