"""The JSON of VisualDL's dynamic-graph page, from a plain list of operators.

The page draws one node for each operator and for each layer, a layer being a part of its
operators' paths: ``/LeNet[model]/Sequential[features]/conv2d_0``. Layers open and close, so
every connection is listed once for each level at which it can be seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

__all__ = ["Operator", "Variable", "visualdl_graph"]

_VERSION = "1.0.0"
_LONGEST_LIST = 64
_LONG = 2**31


@dataclass(frozen=True)
class Variable:
    """A tensor between operators, or a weight (``persistable``: made by no operator).

    ``shape`` has -1 where a size is not known. A weight that counts as a parameter (a buffer
    does not) says in ``attrs`` whether it is trainable.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    type: str
    persistable: bool = False
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """How many numbers the optimizer or the layer keeps in it."""
        return math.prod(self.shape) if "trainable" in self.attrs else 0


@dataclass(frozen=True)
class Operator:
    """One operator. ``inputs`` and ``outputs`` give the names of variables for each slot.

    ``scope`` is the path of the layer that it runs in, or the empty string. The types
    ``feed`` and ``fetch`` are drawn as the inputs and outputs of the graph.
    """

    scope: str
    name: str
    type: str
    inputs: dict[str, list[str]]
    outputs: dict[str, list[str]]
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its unique name in the graph."""
        return f"{self.scope}/{self.name}"


def visualdl_graph(operators: Sequence[Operator], variables: Sequence[Variable]) -> dict[str, Any]:
    """The content of a ``vdlgraph`` file, ready for ``json.dumps``.

    Args:
        operators: in the order in which they run, with unique paths.
        variables: all that the operators name, with unique names.

    Returns:
        ``version``, ``nodes``, ``vars`` and ``edges`` with VisualDL's fields.
    """
    nodes: dict[str, dict[str, Any]] = {"/": _layer("/")}
    for operator in operators:
        nodes[operator.path] = _leaf(operator)
        for child, parent in pairwise(_upwards(operator.path)):
            nodes[child]["parent_node"] = parent
            known = parent in nodes
            nodes.setdefault(parent, _layer(parent))["children_node"].append(child)
            if known:
                break  # and so are all above it

    sources = {name: op.path for op in operators for name in chain(*op.outputs.values())}
    targets: dict[str, dict[str, None]] = {}
    for operator in operators:
        for name in chain(*operator.inputs.values()):
            targets.setdefault(name, {})[operator.path] = None

    through: dict[tuple[str, str], dict[str, None]] = {}
    for variable in variables:
        source = sources.get(variable.name, "")
        for target in targets.get(variable.name, {}):
            if source != target:
                _connect(nodes, variable, source, target, through)

    by_name = {variable.name: variable for variable in variables}
    edges = [_edge(ends, [by_name[name] for name in names]) for ends, names in through.items()]
    for start, end in through:
        nodes[start]["edge_output_nodes"].append(end)
        nodes[end]["edge_input_nodes"].append(start)
    return {
        "version": _VERSION,
        "nodes": [_finished(node) for node in nodes.values()],
        "vars": [
            _variable(variable, sources.get(variable.name, ""), list(targets.get(variable.name, {})))
            for variable in variables
        ],
        "edges": edges,
    }


def _upwards(path: str) -> Iterator[str]:
    """``path``, the layers that it is in, and the root."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield "/"


def _connect(
    nodes: dict[str, dict[str, Any]],
    variable: Variable,
    source: str,
    target: str,
    through: dict[tuple[str, str], dict[str, None]],
) -> None:
    """Lead ``variable`` out of the layers of ``source`` and into those of ``target``."""
    above_source = list(_upwards(source)) if source else []
    above_target = list(_upwards(target))
    leaves = [path for path in above_source if path not in above_target]
    enters = [path for path in above_target if path not in above_source]
    for path in leaves:
        nodes[path]["output_nodes"][target] = None
        if not nodes[path]["is_leaf_node"]:
            nodes[path]["output_vars"]["Y"][variable.name] = None
    for path in enters:
        node = nodes[path]
        if source:
            node["input_nodes"][source] = None
        if not node["is_leaf_node"] and variable.name not in node["input_vars"]["X"]:
            node["input_vars"]["X"][variable.name] = None
            if variable.parameters:
                node["attrs"]["parameters"] = node["attrs"].get("parameters", 0) + variable.parameters
    if source:
        for ends in pairwise(leaves + enters[::-1]):
            through.setdefault(ends, {})[variable.name] = None


def _leaf(operator: Operator) -> dict[str, Any]:
    return {
        "name": operator.path,
        "show_name": _show_name(operator.path),
        "type": operator.type,
        "input_vars": operator.inputs,
        "is_leaf_node": True,
        "output_vars": operator.outputs,
        "attrs": operator.attrs,
        "children_node": [],
        "input_nodes": {},
        "output_nodes": {},
        "edge_input_nodes": [],
        "edge_output_nodes": [],
        "parent_node": "",
    }


def _layer(path: str) -> dict[str, Any]:
    return {
        "children_node": [],
        "name": path,
        "show_name": _show_name(path),
        "attrs": {},
        "input_nodes": {},
        "output_nodes": {},
        # The page colours a layer by its class.
        "type": path.rpartition("/")[2].partition("[")[0],
        "input_vars": {"X": {}},
        "output_vars": {"Y": {}},
        "parent_node": "",
        "edge_input_nodes": [],
        "edge_output_nodes": [],
        "is_leaf_node": False,
    }


def _finished(node: dict[str, Any]) -> dict[str, Any]:
    attrs = {name: _attribute(value) for name, value in node["attrs"].items()}
    return {
        **node,
        "input_vars": {slot: list(names) for slot, names in node["input_vars"].items()},
        "output_vars": {slot: list(names) for slot, names in node["output_vars"].items()},
        "input_nodes": list(node["input_nodes"]),
        "output_nodes": list(node["output_nodes"]),
        "attrs": {name: value for name, (value, _) in attrs.items()},
        "attr_types": {name: kind for name, (_, kind) in attrs.items()},
    }


def _edge(ends: tuple[str, str], variables: list[Variable]) -> dict[str, Any]:
    shape = str(list(variables[0].shape))
    return {
        "from_node": ends[0],
        "to_node": ends[1],
        "vars": [variable.name for variable in variables],
        "label": shape if len(variables) == 1 else f"{len(variables)} tensors",
    }


def _variable(variable: Variable, source: str, targets: list[str]) -> dict[str, Any]:
    return {
        "name": variable.name,
        "shape": list(variable.shape),
        "type": variable.type,
        "dtype": variable.dtype,
        "value": [],
        "persistable": variable.persistable,
        "attrs": variable.attrs,
        "from_node": source,
        "to_nodes": targets,
    }


def _show_name(path: str) -> str:
    """The path without the attribute names of the layers."""
    return re.sub(r"\[[^\]]*\]", "", path)


def _attribute(value: Any) -> tuple[Any, str]:
    """A value for JSON and what VisualDL calls its type."""
    if isinstance(value, (list, tuple)):
        items = [_attribute(item) for item in value[:_LONGEST_LIST]]
        kinds = {kind for _, kind in items}
        kind = kinds.pop() if len(kinds) == 1 else "LONG" if kinds == {"INT", "LONG"} else "INT"
        cut = [f"... {len(value)} in all"] if len(value) > _LONGEST_LIST else []
        return [item for item, _ in items] + cut, f"{kind}S"
    if isinstance(value, bool):
        return value, "BOOL"
    if isinstance(value, int):
        return value, "INT" if -_LONG <= value < _LONG else "LONG"
    if isinstance(value, float):
        # A bare NaN or Infinity is not JSON: the page would stay empty.
        return value if math.isfinite(value) else str(value), "FLOAT"
    return str(value), "STRING"
