"""Contents of records, whole down to their last fields or broken.

Reading decodes the contents of images, curves and the like when they are asked for. Stock VisualDL parses
every record when it starts, with protobuf, and does not start if one cannot be parsed: `why_broken` has
protobuf's rules, and those of `vizkit.format.decode`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Union

from vizkit.format import wire
from vizkit.format.decode import decode_record
from vizkit.format.types import KINDS, WIRE_TYPES

__all__ = ["NO_TEXT", "why_broken", "with_texts"]

NO_TEXT = "a text is not UTF-8"
"""The reason if it is the only one; `with_texts` mends it."""

_Shape = Mapping[int, Union[str, "_Shape"]]

_TAG = 2
_TEXT, _VARINTS, _FOURS, _EIGHTS = "text", "varints", "4", "8"
_CURVE: _Shape = {**dict.fromkeys((1, 2, 3, 4), _VARINTS), 5: _EIGHTS, 6: _EIGHTS}
_SETTING: _Shape = {3: _TEXT, 4: _TEXT}
_VALUE: _Shape = {
    _TAG: _TEXT,
    5: {},
    6: {5: _TEXT},
    7: {1: {1: _TEXT, 2: _FOURS}, 2: _TEXT},
    8: {1: _EIGHTS, 2: _EIGHTS},
    9: _CURVE,
    10: {1: _TEXT},
    11: _CURVE,
    12: {1: _TEXT},
    13: {1: _SETTING, 2: _SETTING, 3: _TEXT},
    14: {1: _TEXT},
}
"""The fields of bytes in a ``Value``, as VisualDL declares them; a message is the shape of its fields."""

_CONTENTS = {number: shape for number, shape in _VALUE.items() if number != _TAG}
_NAMELESS = ("meta_data", "hparams")  # others' tags are a matter of `vizkit.repair._renames`

_Read = Callable[[int, int], bytes]


def why_broken(read: _Read, start: int, end: int) -> str:
    """The reason why a record cannot be parsed; empty if it can, or if only its tag is not UTF-8.

    Args:
        read: reads the bytes [start, end) of a log.
        start: the record's first byte.
        end: the byte after it.
    """
    try:
        number, wire_type, first, last = next(wire.spans(read, start, end), (0, 0, 0, 0))
        if (number, wire_type, last) != (1, wire.BYTES, end):
            raise ValueError("not a record")
        kind = ""
        for number, wire_type, _, _ in wire.spans(read, first, last):
            if WIRE_TYPES.get(number, wire_type) != wire_type:
                raise ValueError(f"field {number} has the wire type {wire_type}")
            kind = KINDS.get(number, kind)
        if not kind:
            raise ValueError("it has no content")
        texts = _check(read, first, last, _VALUE if kind in _NAMELESS else _CONTENTS)
        if kind != "image":  # whose pixels need not be read
            decode_record(read(start, end))
    except ValueError as error:
        return str(error) or "not a record"
    return "" if texts else NO_TEXT


def _check(read: _Read, start: int, end: int, shape: _Shape) -> bool:
    """True if all texts of a message are UTF-8.

    Raises:
        ValueError: protobuf refuses the message for another reason.
    """
    texts = True
    for number, wire_type, first, last in wire.spans(read, start, end):
        if wire_type == wire.VARINT:
            _check_varints(read(first, last))
        inner = shape.get(number)
        if inner is None or wire_type != wire.BYTES:
            continue  # protobuf passes over fields of another type
        if isinstance(inner, Mapping):
            texts &= _check(read, first, last, inner)
        elif inner == _TEXT:
            texts &= _is_text(read(first, last))
        elif inner == _VARINTS:
            _check_varints(read(first, last))
        elif (last - first) % int(inner):
            raise ValueError(f"field {number} ends within a number")
    return texts


def _check_varints(data: bytes) -> None:
    """Raise a ValueError unless all varints end, and fit into 64 bits."""
    last = -1
    for at in (index for index, byte in enumerate(data) if byte < 0x80):
        if at - last > 10 or (at - last == 10 and data[at] > 1):
            raise ValueError("a number has more than 64 bits")
        last = at
    if last != len(data) - 1:
        raise ValueError("a number has no end")


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def with_texts(record: bytes) -> bytes:
    """A record with U+FFFD for what is no UTF-8 in its texts, as it is read; otherwise unchanged.

    Raises:
        ValueError: the bytes are not a record.
    """
    return _with_texts(record, {1: _VALUE})


def _with_texts(data: bytes, shape: _Shape) -> bytes:
    out = []
    for number, wire_type, value in wire.fields(data):
        inner = shape.get(number) if wire_type == wire.BYTES else None
        if isinstance(inner, Mapping):
            value = _with_texts(value, inner)
        elif inner == _TEXT:
            value = value.decode("utf-8", "replace").encode()
        out.append(wire.field(number, wire_type, value))
    return b"".join(out)
