"""Records of stock VisualDL, and those that are broken."""

from __future__ import annotations

import math

import numpy as np
import pytest
from visualdl.proto.record_pb2 import Record as Proto

from vizkit.format import encode, wire
from vizkit.format.decode import decode_head, decode_record


def test_curves_of_stock_visualdl_are_read_with_the_thresholds_it_means() -> None:
    stock = Proto.PRCurve(TP=[2, 1], FP=[1, 0], TN=[0, 1], FN=[0, 1], precision=[0.5, 1], recall=[1, 0.5])
    data = Proto(values=[Proto.Value(id=3, tag="a", timestamp=5, pr_curve=stock)]).SerializeToString()
    curve = decode_record(data).data
    assert curve.thresholds.tolist() == [0.0, 1.0]
    assert curve.tp.tolist() == [2.0, 1.0]
    assert math.isnan(curve.ap)


def value(*fields: bytes) -> bytes:
    """A record of these fields."""
    return wire.length_delimited(1, b"".join(fields))


TAG = wire.length_delimited(2, b"a")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "not a record"),
        (wire.length_delimited(2, b"x"), "not a record"),
        (value(TAG), "a record of tag 'a' without content"),
        (value(b"\x10\x05", b"\x25" + bytes(4)), "wire type 0"),  # a number for a tag
        (value(TAG, wire.length_delimited(1, b"x"), b"\x25" + bytes(4)), r"\w"),  # a text for a step
        (value(TAG, wire.length_delimited(4, b"no float")), "wire type 2"),
        (value(TAG, b"\x2d" + bytes(4)), "wire type 5"),  # an image's number, a scalar's type
        (value(TAG, wire.length_delimited(1002, b"abc"), b"\x25" + bytes(4)), r"\w"),  # a short double
    ],
)
def test_a_head_that_is_none_is_refused(data: bytes, match: str) -> None:
    for decode in (decode_head, decode_record):
        with pytest.raises(ValueError, match=match):
            decode(data)


@pytest.mark.parametrize(
    "content",
    [
        wire.length_delimited(8, wire.length_delimited(1, b"five5")),
        wire.length_delimited(6, b"\x0a\x01x"),
        wire.length_delimited(13, wire.length_delimited(1, b"\x0a\x05x")),
        wire.length_delimited(14, b"\x08\x05"),
    ],
    ids=["histogram", "audio", "hparams", "scalars"],
)
def test_a_broken_content_is_refused_and_its_head_read(content: bytes) -> None:
    data = value(TAG, content)
    assert decode_head(data).tag == "a"
    with pytest.raises(ValueError, match=r"\w"):
        decode_record(data)


def test_fields_of_later_versions_are_skipped() -> None:
    new = wire.length_delimited(99, b"new")
    row = wire.length_delimited(1, b"x") + wire.packed(2, np.array([1, 2], "<f4").tobytes())
    embeddings = decode_record(value(TAG, wire.length_delimited(7, wire.length_delimited(1, row) + new))).data
    assert (embeddings.labels, embeddings.vectors.tolist(), embeddings.header) == ([["x"]], [[1, 2]], [])
    stock = Proto.Histogram(hist=[1], bin_edges=[0, 1]).SerializeToString()
    histogram = decode_record(value(TAG, new, wire.length_delimited(8, stock + new))).data
    assert (histogram.counts.tolist(), histogram.nan) == ([1], 0)


def test_numbers_that_visualdl_cannot_show_are_named() -> None:
    infos = [
        Proto.HParam.HparamInfo(name=name, float_value=value) for name, value in (("a", math.nan), ("b", 1))
    ]
    data = value(TAG, wire.length_delimited(13, Proto.HParam(hparamInfos=infos).SerializeToString()))
    assert decode_record(data).data.bare == ["a"]


def test_counts_that_are_not_packed_are_read() -> None:
    counts = b"".join(bytes([number << 3, count]) for number in (1, 2, 3, 4) for count in (3, 1))
    curve = decode_record(value(TAG, wire.length_delimited(9, counts))).data
    assert (curve.tp.tolist(), curve.fn.tolist()) == ([3, 1], [3, 1])


@pytest.mark.parametrize("deep", [b"[" * 300 + b"]" * 300, b"[" * 100_000, b"{", b"\xff"])
def test_a_hyper_parameter_that_cannot_be_parsed_leaves_the_others_of_its_record(deep: bytes) -> None:
    def hparam(name: bytes, *held: bytes) -> bytes:
        return wire.length_delimited(1, b"".join(held) + wire.length_delimited(4, name))

    bad = wire.length_delimited(encode.EXACT_HPARAM, deep)
    record = value(
        wire.length_delimited(
            13,
            hparam(b"lr", wire.double(2, 0.5))
            + hparam(b"shown", wire.length_delimited(3, b"[[1]]"), bad)
            + hparam(b"odd", bad)
            + hparam(b"seed", b"\x08\x07"),
        )
    )
    found = decode_record(record).data.hparams
    assert (found["lr"], found["shown"], found["seed"]) == (0.5, "[[1]]", 7)
    assert found["odd"].startswith("unreadable: ") and len(found) == 4
