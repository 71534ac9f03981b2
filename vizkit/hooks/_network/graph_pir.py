"""Operators and variables from a program in Paddle's intermediate representation (PIR)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from vizkit.hooks._network.graph_json import Attribute, Operator, Variable
from vizkit.hooks._paddle import paddle

__all__ = ["Scopes", "read_program"]

_HIDDEN_ATTRIBUTES = {"op_callstack", "place", "stop_gradient", "struct_name"}


def read_program(
    program: paddle.static.Program,
    outputs: object = None,
    network: paddle.nn.Layer | None = None,
    scopes: Scopes | None = None,
) -> tuple[list[Operator], list[Variable]]:
    """The operators and variables of ``program``, with weights under their names in ``network``, if given.

    Weights, lists of tensors and constants are operators in PIR. Here, weights are persistable
    variables, lists are given by their members, and a constant that sets an operator up (a
    kernel size, a dropout rate) is one of its attributes. A branch or a loop is one operator.

    Args:
        program: the program; its values must not be used after it is gone.
        outputs: its results; by default the values that no operator uses.
        network: the network that it was traced from.
        scopes: the layers of its operators.
    """
    return _Reader(network, scopes).read(program, outputs)


class Scopes:
    """The layer in which each operator of a program was made.

    Operators have growing ids. Hooks on every layer keep the id of the last operator whenever
    a layer is entered or left.
    """

    def __init__(self, network: paddle.nn.Layer) -> None:
        self._ids = [-1]
        self._paths = [""]
        self._running: list[tuple[paddle.nn.Layer, str]] = []
        self._calls: Counter[str] = Counter()
        labels = {id(network): f"{type(network).__name__}[model]"}
        for parent in network.sublayers(include_self=True):
            for name, layer in parent.named_children():
                labels.setdefault(id(layer), f"{type(layer).__name__}[{name.replace('/', '_')}]")
        for layer in network.sublayers(include_self=True):
            hook = layer.register_forward_pre_hook(self._enter(labels[id(layer)]))
            layer._forward_pre_hooks.move_to_end(hook._hook_id, last=False)  # weight norm is inside
            layer.register_forward_post_hook(self._leave)

    def _enter(self, label: str) -> Callable[[paddle.nn.Layer, object], None]:
        def enter(layer: paddle.nn.Layer, inputs: object) -> None:
            path = f"{self._paths[-1]}/{label}"
            self._calls[path] += 1
            if self._calls[path] > 1:  # a layer that is called again is drawn again
                path = f"{path}_{self._calls[path] - 1}"
            self._running.append((layer, path))
            self._mark()

        return enter

    def _leave(self, layer: paddle.nn.Layer, inputs: object, outputs: object) -> None:
        while self._running.pop()[0] is not layer:
            pass  # inner layers that were left by an exception
        self._mark()

    def _mark(self) -> None:
        block = paddle.static.default_main_program().global_block()
        self._ids.append(block.back().id() if block.num_ops() else -1)
        self._paths.append(self._running[-1][1] if self._running else "")

    def of(self, op: paddle.pir.Operation) -> str:
        """The path of the layer in which ``op`` was made."""
        return self._paths[bisect_left(self._ids, op.id()) - 1]


class _Reader:
    def __init__(self, network: paddle.nn.Layer | None, scopes: Scopes | None) -> None:
        self._scopes = scopes
        self._weights: dict[str, str] = {}
        self._trainable: dict[str, bool] = {}
        if network is not None:
            self._weights |= {tensor.name: name for name, tensor in network.named_buffers()}
            for name, tensor in network.named_parameters():
                self._weights[tensor.name] = name
                self._trainable[name] = not tensor.stop_gradient
        self._operators: list[Operator] = []
        self._variables: dict[str, Variable] = {}
        self._counts: Counter[str] = Counter()
        # By id: `==` of two PIR values makes an operator. A list of tensors has several names.
        self._names: dict[str, list[str]] = {}
        self._constants: dict[str, Attribute] = {}

    def read(self, program: paddle.static.Program, outputs: object) -> tuple[list[Operator], list[Variable]]:
        ops = program.global_block().ops
        if outputs is None:
            outputs = [
                value for op in ops for value in op.results() if value.initialized() and value.use_empty()
            ]
        results = list(_values(outputs))
        needed = {_key(value) for value in results}
        for op in ops:
            if op.name().startswith("builtin.") or _slots(op) is None:
                needed.update(_key(value) for value in (*op.operands_source(), *_inner_operands(op)))
        for op in reversed([*_with_inner(ops)]):  # of the weights, the last used stands first
            if op.name() == "builtin.parameter":
                self._define_weight(op.attrs()["parameter_name"], op.result(0))
        for op in ops:
            if op.name() != "builtin.parameter":
                self._read_op(op, needed)
        for value in results:
            self._add("fetch", "", {"X": self._names.get(_key(value), [])}, {})
        return self._operators, list(self._variables.values())

    def _read_op(self, op: paddle.pir.Operation, needed: set[str]) -> None:
        kind, attrs = op.name(), op.attrs()
        operands, results = op.operands_source(), op.results()
        if kind == "builtin.combine":
            self._names[results[0].id] = [name for value in operands for name in self._of(value)]
        elif kind == "builtin.split":
            for value, name in zip(results, self._of(operands[0]), strict=False):
                self._names[_key(value)] = [name]
        elif kind == "builtin.slice":
            self._names[results[0].id] = [self._of(operands[0])[attrs["index"]]]
        elif kind == "pd_op.data":
            self._add("feed", "", {}, {"Out": self._define(results[0], attrs["name"])})
        elif _is_constant(kind, attrs) and results[0].id not in needed:
            self._constants[results[0].id] = _tidy(attrs["value"])
        else:
            # The underscore of `pd_op.batch_norm_` says that it works in place.
            self._add_op(op, kind.partition(".")[2].rstrip("_"), attrs)

    def _add_op(self, op: paddle.pir.Operation, kind: str, attrs: dict[str, object]) -> None:
        shown = {key: _tidy(value) for key, value in attrs.items() if key not in _HIDDEN_ATTRIBUTES}
        slots = _slots(op)
        inputs: dict[str, list[str]] = {}
        for slot, value in zip(slots or ["x"] * op.num_operands(), op.operands_source(), strict=False):
            if _key(value) in self._constants:
                shown.setdefault(slot, self._constants[_key(value)])
            elif names := self._of(value):
                inputs.setdefault(slot, []).extend(names)
        # Branches and loops use what they need from outside without naming it as an input.
        captured = {name: None for value in _inner_operands(op) for name in self._of(value)}
        if names := [name for name in captured if name not in inputs.get("x", [])]:
            inputs["captured"] = names
        name = f"{kind}_{self._counts[kind]}"
        outputs: dict[str, list[str]] = {}
        output_slots = op.get_output_names() if slots else ["out"] * op.num_results()
        for slot, value in zip(output_slots, op.results(), strict=False):
            outputs.setdefault(slot, []).extend(self._define(value, f"{name}.{slot}"))
        self._add(kind, self._scopes.of(op) if self._scopes else "", inputs, outputs, shown)

    def _add(
        self,
        kind: str,
        scope: str,
        inputs: dict[str, list[str]],
        outputs: dict[str, list[str]],
        attrs: dict[str, Attribute] | None = None,
    ) -> None:
        name = f"{kind}_{self._counts[kind]}"
        self._counts[kind] += 1
        self._operators.append(Operator(scope, name, kind, inputs, outputs, attrs or {}))

    def _of(self, value: paddle.pir.Value) -> list[str]:
        return self._names.get(_key(value), [])

    def _define(
        self,
        value: paddle.pir.Value,
        name: str,
        *,
        persistable: bool = False,
        attrs: dict[str, Attribute] | None = None,
    ) -> list[str]:
        """Add variables for ``value``: several for a list of tensors, none for a missing one."""
        if not value.initialized():
            return []
        types = value.type().as_vec_type().as_list() if value.is_combine() else None
        parts = [value.type()] if types is None else types
        names = []
        for i, part in enumerate(parts):
            unique = base = name if types is None else f"{name}.{i}"
            suffix = 0
            while unique in self._variables:
                suffix += 1
                unique = f"{base}_{suffix}"
            shape = tuple(int(size) for size in part.shape)
            dtype = _plain(part.dtype)
            self._variables[unique] = Variable(unique, shape, dtype, str(part), persistable, attrs or {})
            names.append(unique)
        self._names[value.id] = names
        return names

    def _define_weight(self, name: str, value: paddle.pir.Value) -> None:
        name = self._weights.get(name, name)
        trainable = self._trainable.get(name)
        if self._scopes is None and not value.stop_gradient:  # a buffer looks like a frozen weight there
            trainable = True
        attrs: dict[str, Attribute] = {} if trainable is None else {"trainable": trainable}
        self._define(value, name, persistable=True, attrs=attrs)


def _values(outputs: object) -> Iterator[paddle.pir.Value]:
    """The PIR values in nested containers."""
    if isinstance(outputs, paddle.pir.Value):
        yield outputs
    elif isinstance(outputs, (Mapping, list, tuple)):
        for item in outputs.values() if isinstance(outputs, Mapping) else outputs:
            yield from _values(item)


def _with_inner(ops: Iterable[paddle.pir.Operation]) -> Iterator[paddle.pir.Operation]:
    """Operators, and those within their blocks: in Paddle 3.0 weights stand where they are used."""
    for op in ops:
        yield op
        for block in op.blocks():
            yield from _with_inner(block.ops)


def _inner_operands(op: paddle.pir.Operation) -> Iterator[paddle.pir.Value]:
    """The values that the operators in the branches or the loop body of ``op`` use."""
    for block in op.blocks():
        for inner in block.ops:
            yield from inner.operands_source()
            yield from _inner_operands(inner)


def _key(value: paddle.pir.Value) -> str:
    """The unique id of a PIR value; empty for an optional input that is not given."""
    key: str = value.id if value.initialized() else ""
    return key


def _slots(op: paddle.pir.Operation) -> list[str] | None:
    """The names of the inputs of ``op``; None for control flow and the like."""
    try:
        names: list[str] = op.get_input_names()
    except ValueError:
        return None
    return names


def _is_constant(kind: str, attrs: dict[str, Sequence[int]]) -> bool:
    """True if an operator only makes a number, or a shape, that others take as an attribute."""
    if kind == "pd_op.full_int_array":
        return True
    return kind == "pd_op.full" and math.prod(attrs["shape"]) == 1


def _tidy(value: object) -> Attribute:
    """An attribute as plain Python; a float32 as its shortest decimal."""
    if isinstance(value, (list, tuple)):
        return [_tidy(item) for item in value]
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            single = np.float32(value)
        return float(str(single)) if single == value else value
    return value if isinstance(value, (bool, int, str)) else _plain(value)


def _plain(value: object) -> str:
    return str(value).rpartition(".")[2].lower()
