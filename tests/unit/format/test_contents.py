"""Contents of records: what protobuf, and so stock VisualDL, refuses."""

from __future__ import annotations

import random

import numpy as np
import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from visualdl.proto import record_pb2

from tests.logs import NOW, scalar
from vizkit.format import encode, wire
from vizkit.format.contents import NO_TEXT, why_broken, with_texts
from vizkit.format.decode import decode_record
from vizkit.format.types import Embeddings, HParams, SessionMark
from vizkit.media.audio import Wave
from vizkit.media.png import encode_png
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve

HALVES = np.linspace(0, 1, 5)
RECORDS = [
    frame[8:]
    for frame in (
        scalar("loss", 0.1, -3),
        encode.encode_sub_scalar("group", "成员", 0.1, 300, NOW),
        encode.encode_meta_data("meta_data_tag", "名", 0, NOW, SessionMark.BEGINS, {"a": (3, "full")}),
        encode.encode_hparams(HParams({"lr": 0.1, "n": 3, "o": "å", "l": [1]}, ["loss"]), NOW),
        encode.encode_text("note", "文字 text", 7, NOW),
        encode.encode_image("image", encode_png(np.eye(3, dtype=np.uint8)), 7, NOW),
        encode.encode_histogram("h", Histogram(np.array([1, 2]), HALVES[:3], 1, 0, 0), 7, NOW),
        encode.encode_pr_curve("c", PRCurve(*(300 * HALVES,) * 5, HALVES, HALVES, ap=0.5), 0.5, NOW),
        encode.encode_embeddings("e", Embeddings(np.ones((2, 3), np.float32), [["a"], ["é"]], ["h"]), 0, NOW),
        encode.encode_audio("a", Wave(b"RIFF", 8000, 1, 2), 7, NOW),
    )
]


def why(record: bytes) -> str:
    return why_broken(lambda start, end: record[start:end], 0, len(record))


def is_parsed(record: bytes) -> bool:
    """Whether stock VisualDL reads a record."""
    found = record_pb2.Record()
    try:
        found.ParseFromString(record)
    except DecodeError:
        return False
    return len(found.values) == 1 and found.values[0].WhichOneof("one_value") is not None


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: decode_record(record).kind)
def test_what_protobuf_refuses_is_broken(record: bytes) -> None:
    assert why(record) == "" and with_texts(record) == record
    r = random.Random(0)
    refused = 0
    for _ in range(5000):
        changed = bytearray(record)
        for _ in range(r.choice([1, 1, 2])):
            changed[r.randrange(2, len(changed))] = r.choice([r.randrange(256), 0, 0x80, 0xFF])
        data = bytes(changed)
        reason = why(data)
        if not reason:
            assert is_parsed(data) or "\ufffd" in decode_record(data).tag, data
            decode_record(data)
        elif reason == NO_TEXT:
            assert not is_parsed(data) and is_parsed(with_texts(data)), data
            assert why(with_texts(data)) == ""
        refused += bool(reason)
    assert refused > 200


def test_a_text_that_is_not_utf_8_is_written_as_it_is_read() -> None:
    record = encode.encode_text("note", "x", 7, NOW)[8:].replace(b"x", b"\xff")
    assert why(record) == NO_TEXT
    assert decode_record(with_texts(record)).data == decode_record(record).data == "\ufffd"


@pytest.mark.parametrize("count", [np.nan, np.inf, 1e300])
def test_a_count_of_a_histogram_that_is_no_number_is_broken(count: float) -> None:
    record = encode.encode_histogram("h", Histogram(np.array([5, 2]), HALVES[:3], 0, 0, 0), 7, NOW)[8:]
    five = np.array([5.0]).tobytes()
    assert record.count(five) == 1
    assert why(record.replace(five, np.array([count]).tobytes())) == "a count of a bin is no number"


@pytest.mark.parametrize("number", [0, 1 << 29])
def test_numbers_that_no_field_has_are_refused(number: int) -> None:
    """Protobuf refuses them, so they are no record to VizKit either."""
    record = scalar("loss", 0.5)[8:]
    value = record[2:] + wire.key(number, 0) + b"\x05"
    with pytest.raises(ValueError, match=f"no field {number}"):
        decode_record(wire.length_delimited(1, value))
