"""Records as bytes: equal to protobuf's own, read back by VizKit as they were written."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visualdl.proto.record_pb2 import Record as Proto

from vizkit.errors import DataError
from vizkit.format import encode, wire
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.frames import Damage, Frame, read_frames, scan
from vizkit.format.types import Embeddings, HParams, Record, SubScalar
from vizkit.media.audio import to_wave
from vizkit.media.png import encode_png
from vizkit.metrics.histograms import Histogram, compute_histogram
from vizkit.metrics.pr_roc import compute_class_curves, compute_pr_roc_curves
from vizkit.writing import evaluation

GOLDEN = Path(__file__).parents[2] / "golden"
STEPS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(0, 2**63 - 1)
TAGS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
fast = settings(max_examples=150)
RNG = np.random.default_rng(3)


def body(frame: bytes) -> bytes:
    """A frame's record, its length checked."""
    (length,) = struct.unpack_from("<Q", frame)
    assert length == len(frame) - 8
    return frame[8:]


def scalar(tag: str, value: float, step: object, walltime: int) -> bytes:
    return encode.encode_scalar(
        encode.tag_field(tag), value, encode.step_field(step), encode.walltime_field(walltime)
    )


def proto_value(frame: bytes) -> Proto.Value:
    record = Proto()
    record.ParseFromString(body(frame))
    assert len(record.values) == 1
    return record.values[0]


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


@pytest.mark.parametrize("step", [3, 3.0, np.int64(3), np.float32(3), np.array(3), np.array([3])])
def test_whole_steps_of_any_type_are_integers(step: object) -> None:
    assert scalar("a", 1.0, step, 5) == scalar("a", 1.0, 3, 5)


def test_large_numpy_steps_keep_all_digits() -> None:
    assert proto_value(scalar("a", 1.0, np.int64(2**62 + 1), 5)).id == 2**62 + 1


@pytest.mark.parametrize("step", [math.nan, math.inf, 2**63, "3", None, [1, 2]])
def test_bad_steps_are_refused_by_name(step: object) -> None:
    with pytest.raises(DataError, match=r"step|scalar"):
        encode.step_field(step)


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


@pytest.mark.parametrize("weights", [None, RNG.random(30)])
def test_curves_of_many_classes_are_the_records_of_each(weights: np.ndarray | None) -> None:
    pairs = compute_class_curves(
        RNG.integers(0, 3, 30), RNG.random((30, 3)), num_thresholds=7, weights=weights
    )
    tags = [(f"pr/{k}", f"roc/{k}") for k in range(3)]
    each = [
        encode.encode_pr_curve(pr_tag, pr, 1, 5) + encode.encode_roc_curve(roc_tag, roc, 1, 5)
        for (pr_tag, roc_tag), (pr, roc) in zip(tags, pairs, strict=True)
    ]
    assert evaluation.encode_pairs(tags, pairs, 1, 5) == b"".join(each)
    assert evaluation.encode_pairs([], [], 1, 5) == b""


@fast
@given(st.integers(0, 3), st.integers(0, 5), st.data())
def test_rows_of_varints_are_those_of_each_number(rows: int, columns: int, data: st.DataObject) -> None:
    numbers = st.one_of(STEPS, st.integers(0, 300), st.integers(0, 10).map(lambda k: (1 << 7 * k) - 1))
    row = st.lists(numbers.filter(lambda n: n < 2**63), min_size=columns, max_size=columns)
    values = np.array(data.draw(st.lists(row, min_size=rows, max_size=rows)), np.int64).reshape(rows, columns)
    assert wire.varint_rows(values) == [b"".join(map(wire.varint, row)) for row in values.tolist()]


def test_curves_of_stock_visualdl_are_read_with_the_thresholds_it_means() -> None:
    stock = Proto.PRCurve(TP=[2, 1], FP=[1, 0], TN=[0, 1], FN=[0, 1], precision=[0.5, 1], recall=[1, 0.5])
    data = Proto(values=[Proto.Value(id=3, tag="a", timestamp=5, pr_curve=stock)]).SerializeToString()
    curve = decode_record(data).data
    assert curve.thresholds.tolist() == [0.0, 1.0]
    assert curve.tp.tolist() == [2.0, 1.0]
    assert math.isnan(curve.ap)


def test_embeddings_are_protobufs_own_bytes() -> None:
    embeddings = Embeddings(np.array([[1, 2], [3, 4]], np.float32), [["a", "x"], ["b", "y"]], ["one", "two"])
    rows = [
        Proto.Embedding(label=["a", "x"], vectors=[1, 2]),
        Proto.Embedding(label=["b", "y"], vectors=[3, 4]),
    ]
    stock = Proto.Embeddings(embeddings=rows, label_meta=["one", "two"])
    frame = encode.encode_embeddings("a", embeddings, 0, 5)
    assert (
        body(frame) == Proto(values=[Proto.Value(tag="a", timestamp=5, embeddings=stock)]).SerializeToString()
    )
    read = decode_record(body(frame)).data
    np.testing.assert_array_equal(read.vectors, embeddings.vectors)
    assert (read.labels, read.header) == (embeddings.labels, embeddings.header)


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.integers(), max_size=3),
)  # fmt: skip


@fast
@given(st.dictionaries(TAGS, PLAIN, max_size=6))
def test_hparams_of_every_type_come_back_as_they_were(hparams: dict[str, object]) -> None:
    frame = encode.encode_hparams(HParams(hparams, ["acc"], "name"), 5)
    read = decode_record(body(frame)).data
    np.testing.assert_equal(read.hparams, hparams)
    assert {key: type(value) for key, value in read.hparams.items()} == {
        k: type(v) for k, v in hparams.items()
    }
    assert (read.metrics, read.name) == (["acc"], "name")
    for info in proto_value(frame).hparam.hparamInfos:  # no NaN where the page would choke on it
        assert info.WhichOneof("type") != "float_value" or math.isfinite(info.float_value)


def golden_frames() -> dict[str, bytes]:
    pr, roc = compute_pr_roc_curves([0, 1, 1, 0], [0.1, 0.8, 0.6, 0.7], num_thresholds=5)
    now = 1_700_000_000_123
    hparams = {
        "lr": 0.001,
        "batch size": 64,
        "optimizer": "Adam",
        "bias": True,
        "seed": None,
        "betas": [0.9, 0.99],
    }
    return {
        "meta_data": encode.encode_meta_data("meta_data_tag", "第一次", 0, now),
        "scalar": scalar("train/loss", 0.5, 300, now),
        "scalar_exact": scalar("train/loss", 0.1, 0.5, now),
        "scalars": encode.encode_sub_scalar("loss", "train", 0.1, 7, now),
        "text": encode.encode_text("note", "hello 世界", 1, now),
        "image": encode.encode_image("input", encode_png(np.zeros((2, 2), np.uint8))[:40], 1, now),
        "audio": encode.encode_audio("sound", to_wave(np.array([0, 1, -1], np.int16), 8000), 1, now),
        "histogram": encode.encode_histogram(
            "weights", compute_histogram([0.0, 1.0, np.nan, np.inf], 2), 1, now
        ),
        "pr_curve": encode.encode_pr_curve("pr", pr, 1, now),
        "roc_curve": encode.encode_roc_curve("roc", roc, 1, now),
        "embeddings": encode.encode_embeddings(
            "words", Embeddings(np.eye(2, dtype="f4"), [["a"], ["b"]]), 0, now
        ),
        "hparams": encode.encode_hparams(HParams(hparams, ["eval/acc"], "run"), now),
    }


@pytest.mark.parametrize("kind", sorted(golden_frames()))
def test_the_format_is_pinned(kind: str) -> None:
    """Logs written today are read for ever: these files change only with ``docs/format.md``."""
    frame = golden_frames()[kind]
    assert frame.hex() == (GOLDEN / f"{kind}.hex").read_text().strip()
    assert decode_record(body(frame)).kind == kind.removesuffix("_exact")


FRAMES = [scalar("train/loss", i / 3, i, 1000 + i) for i in range(50)]


def test_whole_frames_are_walked() -> None:
    data = b"".join(FRAMES)
    assert all(isinstance(part, Frame) for part in scan(data))
    assert [decode_record(part).step for part in read_frames(data)] == list(range(50))


@pytest.mark.parametrize("cut", range(1, len(FRAMES[-1])))
def test_a_torn_tail_costs_its_record_only(cut: int) -> None:
    data = b"".join(FRAMES)[:-cut]
    *frames, torn = scan(data)
    assert len(frames) == 49
    assert torn == Damage(len(data) - len(FRAMES[-1]) + cut, len(data))


@pytest.mark.parametrize(
    "junk", [b"\0" * 100, b"\xff" * 100, b"\n" * 100, FRAMES[7][:20], FRAMES[7][9:], b"x"]
)
def test_damage_within_costs_itself_only(junk: bytes) -> None:
    data = b"".join(FRAMES[:20]) + junk + b"".join(FRAMES[20:])
    parts = list(scan(data))
    assert [decode_record(part).step for part in read_frames(data)] == list(range(50))
    start = len(b"".join(FRAMES[:20]))
    assert [part for part in parts if isinstance(part, Damage)] == [Damage(start, start + len(junk))]


@fast
@given(st.binary(max_size=400))
def test_any_bytes_are_walked_to_their_end(data: bytes) -> None:
    parts = list(scan(data))
    position = 0
    for part in parts:
        assert part.start == position + (8 if isinstance(part, Frame) else 0)
        position = part.end
    assert position == len(data)


def test_sub_scalar_keeps_float64() -> None:
    assert decode_record(body(encode.encode_sub_scalar("a", "b", 1e300, 1, 5))).data == SubScalar("b", 1e300)
