"""Conversion of Paddle 3's models (``.json``) to the ``.pdmodel`` of Paddle 2, which VisualDL's page draws.

The result is for viewing alone: each operator with its attributes, inputs and outputs under Paddle 3's
names. The fields are those of ``paddle/fluid/framework/framework.proto``.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from vizkit.errors import DataError
from vizkit.format.wire import FIXED32, VARINT, key, length_delimited, varint

__all__ = ["pdmodel"]

_TYPES = {"bool": 0, "i16": 1, "i32": 2, "i64": 3, "f16": 4, "f32": 5, "f64": 6, "ui8": 20, "i8": 21}
_TENSOR, _FEED, _FETCH, _RAW = 7, 9, 10, 17
_CONSTANTS = ("full", "full_int_array")

JSON: TypeAlias = dict[str, Any]
"""An object of Paddle's JSON; whatever is not as expected makes the file no model."""

# Names of an operator's inputs, where they are not X, Y and so on.
_SLOTS = {
    "batch_norm": ("X", "Mean", "Variance", "Scale", "Bias"),
    "concat": ("X", "axis"),
    "conv2d": ("Input", "Filter"),
    "conv2d_transpose": ("Input", "Filter", "output_size"),
    "depthwise_conv2d": ("Input", "Filter"),
    "dropout": ("X", "seed", "p"),
    "embedding": ("Ids", "W"),
    "group_norm": ("X", "Scale", "Bias"),
    "layer_norm": ("X", "Scale", "Bias"),
    "max": ("X", "axis"),
    "mean": ("X", "axis"),
    "pool2d": ("X", "kernel_size"),
    "reshape": ("X", "shape"),
    "scale": ("X", "scale"),
    "slice": ("Input", "starts", "ends"),
    "split": ("X", "sections", "axis"),
    "sum": ("X", "axis"),
    "tile": ("X", "repeat_times"),
}


def pdmodel(path: str | os.PathLike[str]) -> bytes:
    """Convert the model of a ``.json`` file to the format of Paddle 2, without its weights.

    Constants become attributes of the operators that they are inputs of; lists are expanded; the operators
    of a loop or a branch stand beside it, and its results are inputs of the operator ``while`` or ``if``.

    Raises:
        DataError: the file is not a model of Paddle 3.
        OSError: the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document["base_code"]["magic"] != "pir":
            raise ValueError("no PIR program")
        program = _Program()
        for block in _blocks(document["program"]):
            program.add(block)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise DataError(
            "{path!r} is not a model that Paddle 3 saved: {error!r}", path=os.fspath(path), error=error
        ) from error
    return program.encoded()


def _blocks(holder: JSON) -> Iterator[JSON]:
    for region in holder.get("regions", ()):
        yield from region["blocks"]


class _Program:
    """A single block of variables and operators, filled from the blocks of a program."""

    def __init__(self) -> None:
        self._variables: list[bytes] = []
        self._operators: list[bytes] = []
        self._names: dict[int, list[str]] = {0: []}  # 0 stands for an input that is not given
        self._constants: dict[int, JSON] = {}  # operators that are not drawn yet
        self._fed = 0
        for name, kind in (("feed", _FEED), ("fetch", _FETCH)):
            self._variable(name, _number(1, kind))

    def add(self, block: JSON) -> list[list[str]]:
        """Add a block's operators, and those of the blocks within.

        Returns:
            The names of the values that the block yields.
        """
        for operator in block["ops"]:
            kind = _kind(operator)
            if kind == "p":
                self._add_parameter(operator)
            elif kind == "data":
                self._add_input(operator)
            elif kind == "combine":
                (output,) = operator["O"]
                parts = [name for value in operator["I"] for name in self._drawn(value["%"])]
                self._names[output["%"]] = parts
            elif kind in _CONSTANTS and not operator["I"]:
                self._constants[operator["O"][0]["%"]] = operator
            elif kind == "yield":
                return [self._drawn(value["%"]) for value in operator["I"]]
            else:
                if kind == "fetch":
                    self._drawn(operator["I"][0]["%"])
                self._add_operator(operator)
        return []

    def encoded(self) -> bytes:
        """The program, encoded."""
        fields = [(3, part) for part in self._variables] + [(4, part) for part in self._operators]
        block = b"".join([_number(1, 0), _number(2, -1), *(length_delimited(*field) for field in fields)])
        return length_delimited(1, block)

    def _add_parameter(self, operator: JSON) -> None:
        output = operator["O"]
        (name,) = (about for about in operator["A"] if isinstance(about, str))
        self._names[output["%"]] = [name]
        self._variable(name, _tensor(output["TT"]), persistable=True)

    def _add_input(self, operator: JSON) -> None:
        (output,) = operator["O"]
        name = next(about["AT"]["D"] for about in operator["A"] if about["N"] == "name")
        self._names[output["%"]] = [name]
        self._variable(name, _tensor(output["TT"]))
        column = _attribute("col", {"#": "0.a_i32", "D": self._fed})
        self._operator("feed", {"X": ["feed"]}, {"Out": [name]}, [column])
        self._fed += 1

    def _add_operator(self, operator: JSON) -> None:
        kind = _kind(operator)
        attributes = [_attribute(a["N"], a["AT"]) for a in operator["A"] if a["N"] != "place"]
        inputs: dict[str, list[str]] = {}
        for number, value in enumerate(operator["I"]):
            slots = _SLOTS.get(kind, ("X", "Y"))
            slot = slots[number] if number < len(slots) else f"X{number + 1}"
            constant = self._constants.get(value["%"])
            if constant is None:
                inputs[slot] = self._names[value["%"]]
            else:
                attributes.append(_attribute(slot, _value(constant)))
        for number, block in enumerate(_blocks(operator)):
            for argument, value in zip(block["args"], operator["I"][1:], strict=False):  # after the condition
                self._names[argument["#"]] = self._drawn(value["%"])
            for position, names in enumerate(self.add(block)):
                inputs[f"block {number}, result {position}"] = names
        outputs = {
            f"Out{number + 1}" if number else "Out": self._made(kind, output)
            for number, output in enumerate(operator["O"])
        }
        if kind == "fetch":
            outputs = {"Out": ["fetch"]}
        self._operator(kind, inputs, outputs, attributes)

    def _drawn(self, value: int) -> list[str]:
        """The names of a value; a constant becomes an operator of its own."""
        constant = self._constants.pop(value, None)
        if constant is not None:
            self._add_operator(constant)
        return self._names[value]

    def _made(self, kind: str, output: JSON) -> list[str]:
        name = f"{kind}:{output['%']}"
        self._names[output["%"]] = [name]
        self._variable(name, _tensor(output["TT"]))
        return [name]

    def _variable(self, name: str, type_: bytes, persistable: bool = False) -> None:
        self._variables.append(_text(1, name) + length_delimited(2, type_) + _number(3, persistable))

    def _operator(
        self, kind: str, inputs: dict[str, list[str]], outputs: dict[str, list[str]], attributes: list[bytes]
    ) -> None:
        parts = [_text(3, kind)]
        for number, slots in ((1, inputs), (2, outputs)):
            for slot, names in slots.items():
                variable = _text(1, slot) + b"".join(_text(2, name) for name in names)
                parts.append(length_delimited(number, variable))
        parts += [length_delimited(4, attribute) for attribute in attributes]
        self._operators.append(b"".join(parts))


def _kind(operator: JSON) -> str:
    """``conv2d`` of ``1.conv2d``, and of the in-place ``1.conv2d_``."""
    name: str = operator["#"].rpartition(".")[2]
    return name.rstrip("_") or name


def _value(constant: JSON) -> JSON:
    value: JSON = next(about["AT"] for about in constant["A"] if about["N"] == "value")
    return value


# -- encoding -----------------------------------------------------------------------------------------


def _number(field: int, value: int) -> bytes:
    return key(field, VARINT) + varint(value)


def _text(field: int, text: str) -> bytes:
    return length_delimited(field, text.encode("utf-8", "replace"))


def _float(field: int, value: float) -> bytes:
    return key(field, FIXED32) + struct.pack("<f", value)


def _tensor(type_: JSON) -> bytes:
    """The type of a variable: raw unless it is a tensor of a type that the page knows."""
    if not type_["#"].endswith("t_dtensor"):
        return _number(1, _RAW)
    about = type_["D"]
    number = _TYPES.get(about[0]["#"].rpartition("t_")[2])
    if number is None:
        return _number(1, _RAW)
    shape = b"".join(_number(2, size) for size in about[1])
    return _number(1, _TENSOR) + length_delimited(3, length_delimited(1, _number(1, number) + shape))


_Encoding = tuple[int, int, Callable[[int, Any], bytes]]

# Python's type -> the numbers of AttrType and of the field, for one value and for a list.
_ATTRIBUTES: dict[type, tuple[_Encoding, _Encoding]] = {
    int: ((0, 3, _number), (3, 6, _number)),
    float: ((1, 4, _float), (4, 7, _float)),
    str: ((2, 5, _text), (5, 8, _text)),
    bool: ((6, 10, _number), (7, 11, _number)),
}


def _attribute(name: str, value: JSON) -> bytes:
    """An attribute; a value that Paddle 2 has no type for becomes text."""
    data = value.get("D")
    parts: list[Any] = data if isinstance(data, list) else [data]
    parts = [part["D"] if isinstance(part, dict) else part for part in parts]
    kinds: set[type] = {type(part) for part in parts} or {int}
    kind = kinds.pop() if len(kinds) == 1 else str
    if kind not in _ATTRIBUTES or (kind is int and not all(-(2**31) <= part < 2**31 for part in parts)):
        kind = str
    type_, field, encode = _ATTRIBUTES[kind][isinstance(data, list)]
    return _text(1, name) + _number(2, type_) + b"".join(encode(field, kind(part)) for part in parts)
