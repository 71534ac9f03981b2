"""The JSON of VisualDL's dynamic-graph page, from a plain list of operators.

The page draws one node for each operator and for each layer. The layers of an operator are the parts of its
path: ``/LeNet[model]/Sequential[features]/conv2d_0``. Layers open and close, so every connection is
listed once for each level at which it can be seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import TypedDict

__all__ = [
    "Attribute",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "GraphVariable",
    "Operator",
    "Variable",
    "visualdl_graph",
]

_VERSION = "1.0.0"
_LONGEST_LIST = 64
_LONG = 2**31

Attribute = bool | int | float | str | list["Attribute"]
"""The value of an operator's attribute, as JSON holds it."""

_Names = dict[str, None]  # a set that keeps its order


@dataclass(frozen=True)
class Variable:
    """A tensor between operators, or a weight or buffer of the network.

    Attributes:
        name: its unique name.
        shape: the length of each axis, -1 where it is not known.
        dtype: the type of its elements.
        type: its full type, as text.
        persistable: True for a weight or a buffer, which no operator computes.
        attrs: shown attributes; ``trainable`` for parameters, which buffers are not.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    type: str
    persistable: bool = False
    attrs: dict[str, Attribute] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """The number of its elements if it is a parameter, else 0."""
        return math.prod(self.shape) if "trainable" in self.attrs else 0


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        scope: the path of the layer that it runs in, or the empty string.
        name: its name, unique within the scope.
        type: its type; ``feed`` and ``fetch`` are drawn as the inputs and outputs of the graph.
        inputs: the names of the variables for each input slot.
        outputs: the names of the variables for each output slot.
        attrs: shown attributes.
    """

    scope: str
    name: str
    type: str
    inputs: dict[str, list[str]]
    outputs: dict[str, list[str]]
    attrs: dict[str, Attribute] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its unique name in the graph."""
        return f"{self.scope}/{self.name}"


class GraphNode(TypedDict):
    """An operator or a layer, with VisualDL's fields."""

    name: str
    show_name: str
    type: str
    is_leaf_node: bool
    attrs: dict[str, Attribute]
    attr_types: dict[str, str]
    input_vars: dict[str, list[str]]
    output_vars: dict[str, list[str]]
    parent_node: str
    children_node: list[str]
    input_nodes: list[str]
    output_nodes: list[str]
    edge_input_nodes: list[str]
    edge_output_nodes: list[str]


class GraphVariable(TypedDict):
    """A tensor, with VisualDL's fields."""

    name: str
    shape: list[int]
    type: str
    dtype: str
    value: list[float]
    persistable: bool
    attrs: dict[str, Attribute]
    from_node: str
    to_nodes: list[str]


class GraphEdge(TypedDict):
    """A connection of two nodes, with VisualDL's fields."""

    from_node: str
    to_node: str
    vars: list[str]
    label: str


class Graph(TypedDict):
    """The content of a ``vdlgraph`` file."""

    version: str
    nodes: list[GraphNode]
    vars: list[GraphVariable]
    edges: list[GraphEdge]


@dataclass(eq=False)
class _Node:
    """An operator, or a layer: then variables and nodes are those that cross its border."""

    name: str
    operator: Operator | None = None
    attrs: dict[str, Attribute] = field(default_factory=dict)
    parent: str = ""
    children: list[str] = field(default_factory=list)
    entering: _Names = field(default_factory=dict)  # variables
    leaving: _Names = field(default_factory=dict)
    sources: _Names = field(default_factory=dict)  # operators
    targets: _Names = field(default_factory=dict)
    edges_from: list[str] = field(default_factory=list)  # nodes
    edges_to: list[str] = field(default_factory=list)

    def as_json(self) -> GraphNode:
        """The node with VisualDL's fields."""
        operator = self.operator
        typed = {name: _typed(value) for name, value in self.attrs.items()}
        return {
            "name": self.name,
            "show_name": _show_name(self.name),
            # The page colours a layer by its class.
            "type": operator.type if operator else self.name.rpartition("/")[2].partition("[")[0],
            "is_leaf_node": operator is not None,
            "attrs": {name: value for name, (value, _) in typed.items()},
            "attr_types": {name: kind for name, (_, kind) in typed.items()},
            "input_vars": operator.inputs if operator else {"X": list(self.entering)},
            "output_vars": operator.outputs if operator else {"Y": list(self.leaving)},
            "parent_node": self.parent,
            "children_node": self.children,
            "input_nodes": list(self.sources),
            "output_nodes": list(self.targets),
            "edge_input_nodes": self.edges_from,
            "edge_output_nodes": self.edges_to,
        }


def visualdl_graph(operators: Sequence[Operator], variables: Sequence[Variable]) -> Graph:
    """The content of a ``vdlgraph`` file, ready for ``json.dumps``.

    Args:
        operators: the operators in the order in which they run, with unique paths.
        variables: all variables that the operators name, with unique names.
    """
    nodes = {"/": _Node("/")}
    for operator in operators:
        nodes[operator.path] = _Node(operator.path, operator, operator.attrs)
        for child, parent in pairwise(_upwards(operator.path)):
            nodes[child].parent = parent
            known = parent in nodes
            nodes.setdefault(parent, _Node(parent)).children.append(child)
            if known:
                break  # and so are all above it

    sources = {name: op.path for op in operators for name in chain(*op.outputs.values())}
    targets: dict[str, _Names] = {}
    for operator in operators:
        for name in chain(*operator.inputs.values()):
            targets.setdefault(name, {})[operator.path] = None

    through: dict[tuple[str, str], _Names] = {}
    for variable in variables:
        source = sources.get(variable.name, "")
        for target in targets.get(variable.name, {}):
            if source != target:
                _connect(nodes, variable, source, target, through)

    by_name = {variable.name: variable for variable in variables}
    for start, end in through:
        nodes[start].edges_to.append(end)
        nodes[end].edges_from.append(start)
    return {
        "version": _VERSION,
        "nodes": [node.as_json() for node in nodes.values()],
        "vars": [
            _variable(variable, sources.get(variable.name, ""), list(targets.get(variable.name, {})))
            for variable in variables
        ],
        "edges": [_edge(ends, [by_name[name] for name in names]) for ends, names in through.items()],
    }


def _upwards(path: str) -> Iterator[str]:
    """``path``, the layers around it, and the root."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield "/"


def _connect(
    nodes: dict[str, _Node],
    variable: Variable,
    source: str,
    target: str,
    through: dict[tuple[str, str], _Names],
) -> None:
    """Connect ``source`` to ``target``, out of the layers of the one and into those of the other."""
    above_source = list(_upwards(source)) if source else []
    above_target = list(_upwards(target))
    leaves = [path for path in above_source if path not in above_target]
    enters = [path for path in above_target if path not in above_source]
    for path in leaves:
        nodes[path].targets[target] = None
        nodes[path].leaving[variable.name] = None
    for path in enters:
        node = nodes[path]
        if source:
            node.sources[source] = None
        if variable.parameters and node.operator is None and variable.name not in node.entering:
            counted = node.attrs.get("parameters", 0)
            node.attrs["parameters"] = (counted if isinstance(counted, int) else 0) + variable.parameters
        node.entering[variable.name] = None
    if source:
        for ends in pairwise(leaves + enters[::-1]):
            through.setdefault(ends, {})[variable.name] = None


def _edge(ends: tuple[str, str], variables: list[Variable]) -> GraphEdge:
    shape = str(list(variables[0].shape))
    return {
        "from_node": ends[0],
        "to_node": ends[1],
        "vars": [variable.name for variable in variables],
        "label": shape if len(variables) == 1 else f"{len(variables)} tensors",
    }


def _variable(variable: Variable, source: str, targets: list[str]) -> GraphVariable:
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


def _typed(value: Attribute) -> tuple[Attribute, str]:
    """An attribute for JSON, with VisualDL's name of its type."""
    if isinstance(value, (list, tuple)):
        items = [_typed(item) for item in value[:_LONGEST_LIST]]
        kinds = {kind for _, kind in items}
        kind = kinds.pop() if len(kinds) == 1 else "LONG" if kinds == {"INT", "LONG"} else "INT"
        cut: list[Attribute] = [f"... {len(value)} in all"] if len(value) > _LONGEST_LIST else []
        return [item for item, _ in items] + cut, f"{kind}S"
    if isinstance(value, bool):
        return value, "BOOL"
    if isinstance(value, int):
        return value, "INT" if -_LONG <= value < _LONG else "LONG"
    if isinstance(value, float):
        # A bare NaN or Infinity is not JSON: the page would stay empty.
        return value if math.isfinite(value) else str(value), "FLOAT"
    return str(value), "STRING"
