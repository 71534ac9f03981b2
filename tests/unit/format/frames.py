"""Frames as bytes, and as stock VisualDL's protobuf reads them."""

from __future__ import annotations

import struct

from hypothesis import settings
from hypothesis import strategies as st
from visualdl.proto.record_pb2 import Record as Proto

from vizkit._protocols import StepLike
from vizkit.format import encode

STEPS = st.integers(-(2**63), 2**63 - 1)


TIMES = st.integers(0, 2**63 - 1)


TAGS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)


fast = settings(max_examples=150)


def body(frame: bytes) -> bytes:
    """A frame's record, its length checked."""
    (length,) = struct.unpack_from("<Q", frame)
    assert length == len(frame) - 8
    return frame[8:]


def scalar(tag: str, value: float, step: StepLike, walltime: int) -> bytes:
    return encode.encode_scalar(
        encode.tag_field(tag), value, encode.step_field(step), encode.walltime_field(walltime)
    )


def proto_value(frame: bytes) -> Proto.Value:
    record = Proto()
    record.ParseFromString(body(frame))
    assert len(record.values) == 1
    return record.values[0]
