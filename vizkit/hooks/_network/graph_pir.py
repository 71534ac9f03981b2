"""Operators and variables from a program in Paddle's intermediate representation (PIR)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from vizkit.hooks._network.graph_json import Operator, Variable

__all__ = ["Scopes", "read_program"]

_HIDDEN_ATTRIBUTES = {"op_callstack", "place", "stop_gradient", "struct_name"}


def read_program(
    program: Any, outputs: Any, network: Any, scopes: Scopes
) -> tuple[list[Operator], list[Variable]]:
    """What ``program`` runs, with weights under the names they have in ``network``.

    Weights, lists of tensors and constants are operators in PIR. Here, weights are persistable
    variables, lists are given by their members, and a constant that sets an operator up (a
    kernel size, a dropout rate) is one of its attributes. A branch or a loop is one operator.

    Args:
        program: a ``paddle.static.Program``; its values must not be used after it is gone.
        outputs: its results, nested in any way.
        network: the layer that it was traced from.
        scopes: what watched the layers during the trace.
    """
    return _Reader(network, scopes).read(program, outputs)


class Scopes:
    """Which layer was running when an operator was made.

    Operators have growing ids. Hooks on every layer note the id of the last operator whenever
    a layer is entered or left.
    """

    def __init__(self, network: Any) -> None:
        self._ids = [-1]
        self._paths = [""]
        self._running: list[tuple[Any, str]] = []
        self._calls: Counter[str] = Counter()
        labels = {id(network): f"{type(network).__name__}[model]"}
        for parent in network.sublayers(include_self=True):
            for name, layer in parent.named_children():
                labels.setdefault(id(layer), f"{type(layer).__name__}[{name.replace('/', '_')}]")
        for layer in network.sublayers(include_self=True):
            hook = layer.register_forward_pre_hook(self._enter(labels[id(layer)]))
            layer._forward_pre_hooks.move_to_end(hook._hook_id, last=False)  # weight norm is inside
            layer.register_forward_post_hook(self._leave)

    def _enter(self, label: str) -> Any:
        def enter(layer: Any, inputs: Any) -> None:
            path = f"{self._paths[-1]}/{label}"
            self._calls[path] += 1
            if self._calls[path] > 1:  # a layer that is called again is drawn again
                path = f"{path}_{self._calls[path] - 1}"
            self._running.append((layer, path))
            self._note()

        return enter

    def _leave(self, layer: Any, inputs: Any, outputs: Any) -> None:
        while self._running.pop()[0] is not layer:
            pass  # inner layers that were left by an exception
        self._note()

    def _note(self) -> None:
        import paddle

        block = paddle.static.default_main_program().global_block()
        self._ids.append(block.back().id() if block.num_ops() else -1)
        self._paths.append(self._running[-1][1] if self._running else "")

    def of(self, op: Any) -> str:
        """The path of the layer that ``op`` was made in."""
        return self._paths[bisect_left(self._ids, op.id()) - 1]


class _Reader:
    def __init__(self, network: Any, scopes: Scopes) -> None:
        self._scopes = scopes
        self._weights = {tensor.name: name for name, tensor in network.named_buffers()}
        self._trainable = {}
        for name, tensor in network.named_parameters():
            self._weights[tensor.name] = name
            self._trainable[name] = not tensor.stop_gradient
        self._operators: list[Operator] = []
        self._variables: dict[str, Variable] = {}
        self._counts: Counter[str] = Counter()
        # By id: `==` of two PIR values makes an operator. A list of tensors has several names.
        self._names: dict[str, list[str]] = {}
        self._constants: dict[str, Any] = {}

    def read(self, program: Any, outputs: Any) -> tuple[list[Operator], list[Variable]]:
        ops = program.global_block().ops
        outputs = list(_values(outputs))
        needed = {_key(value) for value in outputs}
        for op in ops:
            if op.name().startswith("builtin.") or _slots(op) is None:
                needed.update(_key(value) for value in (*op.operands_source(), *_inner_operands(op)))
        for op in reversed(ops):  # of the weights, the last used stands first
            if op.name() == "builtin.parameter":
                self._define_weight(op.attrs()["parameter_name"], op.result(0))
        for op in ops:
            if op.name() != "builtin.parameter":
                self._read_op(op, needed)
        for value in outputs:
            self._add("fetch", "", {"X": self._names.get(_key(value), [])}, {})
        return self._operators, list(self._variables.values())

    def _read_op(self, op: Any, needed: set[str]) -> None:
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
            # `pd_op.batch_norm_`: the last character only says that it works in place.
            self._add_op(op, kind.partition(".")[2].rstrip("_"), attrs)

    def _add_op(self, op: Any, kind: str, attrs: dict[str, Any]) -> None:
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
        self._add(kind, self._scopes.of(op), inputs, outputs, shown)

    def _add(self, kind: str, scope: str, inputs: Any, outputs: Any, attrs: Any = None) -> None:
        name = f"{kind}_{self._counts[kind]}"
        self._counts[kind] += 1
        self._operators.append(Operator(scope, name, kind, inputs, outputs, attrs or {}))

    def _of(self, value: Any) -> list[str]:
        return self._names.get(_key(value), [])

    def _define(self, value: Any, name: str, **extra: Any) -> list[str]:
        """New variables for ``value``: several for a list of tensors, none for a missing one."""
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
            self._variables[unique] = Variable(unique, shape, _plain(part.dtype), str(part), **extra)
            names.append(unique)
        self._names[value.id] = names
        return names

    def _define_weight(self, name: str, value: Any) -> None:
        name = self._weights.get(name, name)
        attrs = {"trainable": self._trainable[name]} if name in self._trainable else {}
        self._define(value, name, persistable=True, attrs=attrs)


def _values(outputs: Any) -> Iterator[Any]:
    """The PIR values in nested containers."""
    import paddle

    if isinstance(outputs, paddle.pir.Value):
        yield outputs
    elif isinstance(outputs, (Mapping, list, tuple)):
        for item in outputs.values() if isinstance(outputs, Mapping) else outputs:
            yield from _values(item)


def _inner_operands(op: Any) -> Iterator[Any]:
    """All that the operators in the branches or loop body of ``op`` use."""
    for block in op.blocks():
        for inner in block.ops:
            yield from inner.operands_source()
            yield from _inner_operands(inner)


def _key(value: Any) -> str:
    """What tells one PIR value from another; empty for an optional input that is not given."""
    key: str = value.id if value.initialized() else ""
    return key


def _slots(op: Any) -> list[str] | None:
    """The names of the inputs of ``op``; None for control flow and the like."""
    try:
        names: list[str] = op.get_input_names()
    except ValueError:
        return None
    return names


def _is_constant(kind: str, attrs: dict[str, Any]) -> bool:
    """Whether an operator only makes a number, or a shape, that others take as an attribute."""
    if kind == "pd_op.full_int_array":
        return True
    return kind == "pd_op.full" and math.prod(attrs["shape"]) == 1


def _tidy(value: Any) -> Any:
    """An attribute as plain Python; a float32 as its shortest decimal."""
    if isinstance(value, (list, tuple)):
        return [_tidy(item) for item in value]
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            single = np.float32(value)
        return float(str(single)) if single == value else value
    return value if isinstance(value, (bool, int, str)) else _plain(value)


def _plain(value: Any) -> str:
    return str(value).rpartition(".")[2].lower()
