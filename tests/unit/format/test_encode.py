"""Records as bytes: equal to protobuf's own, and read back as they were written."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from visualdl.proto.record_pb2 import Record as Proto

from tests.unit.format.frames import STEPS, TAGS, TIMES, body, fast, proto_value, scalar
from vizkit._protocols import StepLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.types import Record, SubScalar
from vizkit.media.audio import to_wave
from vizkit.metrics.histograms import Histogram, compute_histogram
from vizkit.metrics.pr_roc import compute_pr_roc_curves


@fast
@given(TAGS, st.floats(width=32), STEPS, TIMES)
def test_a_float32_scalar_is_protobufs_own_bytes(tag: str, value: float, step: int, walltime: int) -> None:
    stock = Proto(values=[Proto.Value(id=step, tag=tag, timestamp=walltime, value=value)])
    if math.isnan(value):  # many bit patterns: compare what they mean
        assert math.isnan(proto_value(scalar(tag, value, step, walltime)).value)
        return
    assert body(scalar(tag, value, step, walltime)) == stock.SerializeToString()


@fast
@given(TAGS, st.floats(), STEPS, TIMES)
def test_a_float64_scalar_comes_back_exactly_and_stock_sees_its_float32(
    tag: str, value: float, step: int, walltime: int
) -> None:
    frame = scalar(tag, value, step, walltime)
    record = decode_record(body(frame))
    assert (record.kind, record.tag, record.step, record.walltime) == ("scalar", tag, step, walltime)
    assert record.data == value or (math.isnan(record.data) and math.isnan(value))
    assert decode_head(body(frame)) == Record("scalar", tag, step, walltime, None)
    stock = proto_value(frame)
    with np.errstate(over="ignore"):
        np.testing.assert_equal(np.float32(stock.value), np.float32(value))
    assert (stock.id, stock.tag, stock.timestamp) == (step, tag, walltime)


@pytest.mark.parametrize(("step", "seen"), [(0.5, 0), (2.75, 2), (-0.5, -1), (np.float32(1.5), 1)])
def test_a_fractional_step_is_kept_and_rounded_down_for_stock(step: float, seen: int) -> None:
    frame = scalar("a", 1.0, step, 5)
    assert proto_value(frame).id == seen
    assert decode_record(body(frame)).step == float(step)


@pytest.mark.parametrize(
    "step", [3, 3.0, np.int64(3), np.float32(3), np.array(3), np.array([3]), "3", b"3", "3.0", [3], ([3],)]
)
def test_whole_steps_of_any_type_are_integers(step: StepLike) -> None:
    assert scalar("a", 1.0, step, 5) == scalar("a", 1.0, 3, 5)


def test_a_message_of_a_huge_step_is_short() -> None:
    with pytest.raises(DataError) as told:
        encode.step_field(10**300)
    assert len(str(told.value)) < 150


def test_large_numpy_steps_keep_all_digits() -> None:
    assert proto_value(scalar("a", 1.0, np.int64(2**62 + 1), 5)).id == 2**62 + 1
    assert proto_value(scalar("a", 1.0, np.array([2**62 + 1]), 5)).id == 2**62 + 1
    assert proto_value(scalar("a", 1.0, cast("Any", str(2**62 + 1)), 5)).id == 2**62 + 1


@pytest.mark.parametrize("step", [math.nan, math.inf, 2**63, 1e300, "x", "", None, [1, 2], [], 3j])
def test_bad_steps_are_refused_by_name(step: object) -> None:
    with pytest.raises(DataError, match=r"step|scalar"):
        encode.step_field(step)  # type: ignore[arg-type]


@fast
@given(
    TAGS, st.text(st.characters(exclude_categories=["Cs"]), max_size=50), st.floats(width=32), STEPS, TIMES
)
def test_a_group_member_is_protobufs_own_bytes(
    tag: str, sub: str, value: float, step: int, walltime: int
) -> None:
    stock = Proto(
        values=[
            Proto.Value(id=step, tag=tag, timestamp=walltime, tag_value=Proto.TagValue(tag=sub, value=value))
        ]
    )
    frame = encode.encode_sub_scalar(tag, sub, value, step, walltime)
    if not math.isnan(value):
        assert body(frame) == stock.SerializeToString()
    read = decode_record(body(frame)).data
    assert read.tag == sub
    np.testing.assert_equal(read.value, value)


@fast
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), TAGS, STEPS, TIMES)
def test_text_and_display_name_are_protobufs_own_bytes(text: str, tag: str, step: int, walltime: int) -> None:
    stock = Proto(
        values=[Proto.Value(id=step, tag=tag, timestamp=walltime, text=Proto.Text(encoded_text_string=text))]
    )
    frame = encode.encode_text(tag, text, step, walltime)
    assert body(frame) == stock.SerializeToString()
    assert decode_record(body(frame)).data == text
    stock = Proto(
        values=[
            Proto.Value(id=step, tag=tag, timestamp=walltime, meta_data=Proto.MetaData(display_name=text))
        ]
    )
    frame = encode.encode_meta_data(tag, text, step, walltime)
    assert body(frame) == stock.SerializeToString()
    assert decode_record(body(frame)).data == text


@fast
@given(st.binary(max_size=300))
def test_an_image_is_protobufs_own_bytes(png: bytes) -> None:
    stock = Proto(
        values=[Proto.Value(id=1, tag="a", timestamp=5, image=Proto.Image(encoded_image_string=png))]
    )
    frame = encode.encode_image("a", png, 1, 5)
    assert body(frame) == stock.SerializeToString()
    assert decode_record(body(frame)).data == png


def test_audio_is_protobufs_own_bytes() -> None:
    wave = to_wave(np.arange(100, dtype=np.int16), 16000)
    stock = Proto.Audio(
        sample_rate=16000,
        num_channels=1,
        length_frames=100,
        encoded_audio_string=wave.data,
        content_type="audio/wav",
    )
    frame = encode.encode_audio("a", wave, 1, 5)
    assert (
        body(frame)
        == Proto(values=[Proto.Value(id=1, tag="a", timestamp=5, audio=stock)]).SerializeToString()
    )
    assert decode_record(body(frame)).data == wave


def test_a_finite_histogram_is_protobufs_own_bytes_and_the_rest_is_kept_beside() -> None:
    values = np.array([0.0, 1, 2, 3])
    stock = Proto.Histogram(hist=[2, 2], bin_edges=[0, 1.5, 3])
    frame = encode.encode_histogram("a", compute_histogram(values, 2), 1, 5)
    proto = Proto(values=[Proto.Value(id=1, tag="a", timestamp=5, histogram=stock)])
    assert body(frame) == proto.SerializeToString()
    frame = encode.encode_histogram("a", Histogram(np.array([1]), np.array([0.0, 1]), 3, 200, 1), 1, 5)
    read = decode_record(body(frame)).data
    assert (read.nan, read.posinf, read.neginf) == (3, 200, 1)
    assert (read.counts.tolist(), read.edges.tolist()) == ([1], [0.0, 1.0])
    assert list(proto_value(frame).histogram.hist) == [1.0]


@pytest.mark.parametrize("weights", [None, np.array([0.5, 1, 2, 0.25])])
def test_curves_carry_thresholds_areas_and_exact_weights(weights: np.ndarray | None) -> None:
    pr, roc = compute_pr_roc_curves([0, 1, 1, 0], [0.1, 0.8, 0.6, 0.7], num_thresholds=5, weights=weights)
    for frame, curve, rates in (
        (encode.encode_pr_curve("a", pr, 1, 5), pr, ("precision", "recall")),
        (encode.encode_roc_curve("a", roc, 1, 5), roc, ("tpr", "fpr")),
    ):
        read = decode_record(body(frame)).data
        for name in ("thresholds", "tp", "fp", "tn", "fn", *rates):
            np.testing.assert_array_equal(getattr(read, name), getattr(curve, name), err_msg=name)
        area = "ap" if rates[0] == "precision" else "auc"
        assert getattr(read, area) == getattr(curve, area)
        value = proto_value(frame)
        stock = getattr(value, value.WhichOneof("one_value"))
        assert list(getattr(stock, rates[0])) == getattr(curve, rates[0]).tolist()
        assert list(stock.TP) == np.rint(curve.tp).tolist()


def test_sub_scalar_keeps_float64() -> None:
    assert decode_record(body(encode.encode_sub_scalar("a", "b", 1e300, 1, 5))).data == SubScalar("b", 1e300)
