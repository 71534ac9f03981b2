"""Encoding of records; ``docs/format.md`` describes the format.

Each ``encode_`` function returns one whole frame, ready to be appended to a log. Field numbers from 1000
on are VizKit's own; stock VisualDL skips them.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import SupportsInt, cast

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import StepLike
from vizkit.errors import DataError
from vizkit.format import tags, wire
from vizkit.format.types import Embeddings, HParams, SessionMark
from vizkit.media.audio import Wave
from vizkit.metrics.arrays import to_float
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve, ROCCurve

__all__ = [
    "encode_audio",
    "encode_counts",
    "encode_embeddings",
    "encode_histogram",
    "encode_hparams",
    "encode_image",
    "encode_meta_data",
    "encode_pr_curve",
    "encode_roc_curve",
    "encode_scalar",
    "encode_sub_scalar",
    "encode_text",
    "plain_step",
    "step_field",
    "tag_field",
    "walltime_field",
]

EXACT_VALUE = 1001  # Value, TagValue: the float64 that field 4 holds as float32
EXACT_STEP = 1002  # Value: the fractional step that field 1 rounds down
SESSION = 1003  # Value of meta_data: a session begins here; a `SessionMark`
LOST = 1004  # Value of meta_data: JSON of the records that the session has lost
THRESHOLDS, AREA = 1001, 1002  # PRCurve, ROC_Curve
WEIGHTED = (1003, 1004, 1005, 1006)  # their TP, FP, TN, FN if weights make them fractional
NAN, POSINF, NEGINF = 1001, 1002, 1003  # Histogram: counts of values that fit no bucket
MODE = 1002  # HparamInfo of a metric: "min" or "max", its better direction
LAYERS = 1001  # Image: what is drawn over it, and the bare image, see `vizkit.format.packed_layers`
EXACT_HPARAM = 1001  # HparamInfo: JSON of a value that VisualDL's three types cannot hold

_INT64 = range(-(1 << 63), 1 << 63)
EXACT_KEY = wire.key(EXACT_VALUE, wire.FIXED64)
_pack_both = struct.Struct("<Bf2sd").pack
_single = struct.Struct("<xf").unpack_from
_pack_single = struct.Struct("<Bf").pack
_three_bytes = struct.Struct("4B").pack
_seven_bytes = struct.Struct("7B").pack
_SMALL_STEPS = [b"", *(b"\x08" + step for step in wire.SMALL[1:])]


def tag_field(tag: str) -> bytes:
    """The tag's field of a record; callers keep it, since tags repeat."""
    return wire.length_delimited(2, tag.encode("utf-8", "replace"))


def walltime_field(walltime: int) -> bytes:
    """The walltime's field of a record, from milliseconds."""
    if 1 << 35 <= walltime < 1 << 42:  # from 1971 to 2109: asked for in every step
        return _seven_bytes(
            0x18,
            walltime & 0x7F | 0x80,
            walltime >> 7 & 0x7F | 0x80,
            walltime >> 14 & 0x7F | 0x80,
            walltime >> 21 & 0x7F | 0x80,
            walltime >> 28 & 0x7F | 0x80,
            walltime >> 35,
        )
    return b"\x18" + wire.varint(walltime) if walltime else b""


def plain_step(step: StepLike) -> int | float:
    """Convert a step to an int, or to a float if it is a fraction.

    Args:
        step: a whole number of any type (``3``, ``3.0``, ``"3"``, a NumPy or Paddle scalar, an array or list
            of one), or a fraction.

    Raises:
        DataError: ``step`` is not a finite number.
    """
    if type(step) is int:
        return step
    inner: object = step
    while isinstance(inner, (list, tuple)) and len(inner) == 1:
        inner = inner[0]
    try:
        number = to_float(cast("float", inner))
    except DataError:
        raise DataError("a step must be one number, got {step}", step=describe(step)) from None
    if not math.isfinite(number):
        raise DataError("a step must be a finite number, got {step}", step=describe(step))
    if number != math.floor(number):
        return number
    # Not int(number) at once: a large integer would lose digits in the float.
    try:
        return int(cast("SupportsInt", inner.item() if hasattr(inner, "item") else inner))
    except ValueError:  # a text such as "1e3"
        return int(number)


def step_field(step: StepLike) -> bytes:
    """The step's field of a record; stock readers see a fraction rounded down.

    Raises:
        DataError: ``step`` is not a finite number, or does not fit 64 bits.
    """
    if type(step) is int:
        if 0 <= step < 1 << 14:
            return _SMALL_STEPS[step]
        if 0 < step < 1 << 21:
            return _three_bytes(8, step & 0x7F | 0x80, step >> 7 & 0x7F | 0x80, step >> 14)
        return _step(step)
    step = plain_step(step)
    if isinstance(step, float):
        return _step(math.floor(step)) + wire.double(EXACT_STEP, step)
    return _step(step)


def _step(step: int) -> bytes:
    if step not in _INT64:
        raise DataError("step {step} does not fit 64 bits", step=describe(step))
    return b"\x08" + wire.varint(step) if step else b""


def _head(size: int) -> bytes:
    """The frame's length, and key and length of its ``Value`` of ``size`` bytes."""
    inner = b"\x0a" + wire.varint(size)
    return struct.pack("<Q", len(inner) + size) + inner


_HEADS = [_head(size) for size in range(512)]


def encode_scalar(tag: bytes, value: float, step: bytes, walltime: bytes) -> bytes:
    """Encode a scalar from its encoded tag, step and walltime.

    The float64 is added whenever float32 would change the value or overflow.
    """
    try:
        number = _pack_both(0x25, value, EXACT_KEY, value)
        # float32 has none of the float64's last 24 bits. A NaN is unequal to itself, and needs no float64.
        if number[7:10] == b"\0\0\0" and (_single(number)[0] == value or value != value):
            number = number[:5]
    except OverflowError:
        number = _pack_single(0x25, math.copysign(math.inf, value)) + wire.double(EXACT_VALUE, value)
    record = step + tag + walltime + number
    try:
        return _HEADS[len(record)] + record
    except IndexError:
        return _head(len(record)) + record


def _frame(number: int, tag: str, step: StepLike, walltime: int, payload: bytes, more: bytes = b"") -> bytes:
    content = wire.length_delimited(number, payload) + more
    record = b"".join((step_field(step), tag_field(tag), walltime_field(walltime), content))
    return _head(len(record)) + record


def encode_sub_scalar(tag: str, sub_tag: str, value: float, step: StepLike, walltime: int) -> bytes:
    """Encode one member of a group of scalars."""
    with np.errstate(over="ignore"):
        single = float(np.float32(value))
    payload = wire.length_delimited(1, sub_tag.encode("utf-8", "replace")) if sub_tag else b""
    # As in protobuf, +0.0 is what a reader assumes; -0.0 is written.
    if struct.pack("<f", single) != b"\0\0\0\0":
        payload += b"\x15" + struct.pack("<f", single)
    if single != value and not math.isnan(value):
        payload += wire.double(EXACT_VALUE, value)
    return _frame(14, tag, step, walltime, payload)


def encode_meta_data(
    tag: str,
    display_name: str,
    step: StepLike,
    walltime: int,
    session: SessionMark = SessionMark.NONE,
    lost: Mapping[str, tuple[int, str]] | None = None,
) -> bytes:
    """Encode the record that names a run: the first of a log, the mark of each session, and what it lost."""
    payload = wire.packed(1, display_name.encode("utf-8", "replace"))
    more = wire.key(SESSION, wire.VARINT) + wire.varint(session) if session else b""
    if lost:
        more += wire.length_delimited(LOST, json.dumps(lost).encode())
    return _frame(10, tag, step, walltime, payload, more)


def encode_image(tag: str, png: bytes, step: StepLike, walltime: int, layers: bytes = b"") -> bytes:
    """Encode an image from the bytes of its PNG file, and of its layers if it has some."""
    # The picture comes last: its end tells readers that the record is whole.
    return _frame(5, tag, step, walltime, wire.packed(LAYERS, layers) + wire.packed(4, png))


def encode_text(tag: str, text: str, step: StepLike, walltime: int) -> bytes:
    """Encode a text."""
    return _frame(12, tag, step, walltime, wire.packed(1, text.encode("utf-8", "replace")))


def encode_audio(tag: str, wave: Wave, step: StepLike, walltime: int) -> bytes:
    """Encode audio as a WAV file, which browsers play."""
    payload = b"".join(
        (
            b"\x0d" + struct.pack("<f", wave.sample_rate),
            b"\x10" + wire.varint(wave.channels),
            b"\x18" + wire.varint(wave.frames),
            wire.packed(4, wave.data),
            wire.packed(5, b"audio/wav"),
        )
    )
    return _frame(6, tag, step, walltime, payload)


def encode_histogram(tag: str, histogram: Histogram, step: StepLike, walltime: int) -> bytes:
    """Encode a histogram; NaN and infinite values are counted beside the buckets."""
    apart = ((NAN, histogram.nan), (POSINF, histogram.posinf), (NEGINF, histogram.neginf))
    payload = b"".join(
        (
            wire.doubles(1, histogram.counts),
            wire.doubles(2, histogram.edges),
            *(wire.key(number, wire.VARINT) + wire.varint(count) for number, count in apart if count),
        )
    )
    return _frame(8, tag, step, walltime, payload)


Counts = tuple[list[bytes], list[bytes]]


def encode_counts(curves: Sequence[PRCurve | ROCCurve]) -> list[Counts]:
    """Encode TP, FP, TN and FN: as VisualDL's integers, and also exactly if weights make them fractional.

    The PR and ROC curve of a class share them, and they are the costly part of both.

    Args:
        curves: curves with equally many thresholds.

    Returns:
        For each curve the fields of the integers and those of the exact counts.
    """
    counts = np.array([(curve.tp, curve.fp, curve.tn, curve.fn) for curve in curves])
    rounded = np.rint(counts)
    whole = iter(wire.varint_rows(rounded.astype(np.int64).reshape(-1, rounded.shape[-1])))
    lossy = (rounded != counts).any(axis=2).tolist()
    return [
        (
            [wire.packed(number, next(whole)) for number in range(1, 5)],
            [wire.doubles(own, row) for own, row, loss in zip(WEIGHTED, rows, losses, strict=True) if loss],
        )
        for rows, losses in zip(counts, lossy, strict=True)
    ]


def encode_pr_curve(
    tag: str, curve: PRCurve, step: StepLike, walltime: int, counts: Counts | None = None
) -> bytes:
    """Encode a precision-recall curve with its thresholds and average precision."""
    whole, exact = counts or encode_counts([curve])[0]
    rates = [wire.doubles(5, curve.precision), wire.doubles(6, curve.recall)]
    own = [wire.doubles(THRESHOLDS, curve.thresholds), wire.double(AREA, curve.ap)]
    return _frame(9, tag, step, walltime, b"".join(whole + rates + own + exact))


def encode_roc_curve(
    tag: str, curve: ROCCurve, step: StepLike, walltime: int, counts: Counts | None = None
) -> bytes:
    """Encode an ROC curve with its thresholds and the area under it."""
    whole, exact = counts or encode_counts([curve])[0]
    rates = [wire.doubles(5, curve.tpr), wire.doubles(6, curve.fpr)]
    own = [wire.doubles(THRESHOLDS, curve.thresholds), wire.double(AREA, curve.auc)]
    return _frame(11, tag, step, walltime, b"".join(whole + rates + own + exact))


def encode_embeddings(tag: str, embeddings: Embeddings, step: StepLike, walltime: int) -> bytes:
    """Encode vectors with their labels."""
    rows = np.ascontiguousarray(embeddings.vectors, dtype="<f4")
    parts = []
    for labels, vector in zip(embeddings.labels, rows, strict=True):
        texts = b"".join(wire.length_delimited(1, text.encode("utf-8", "replace")) for text in labels)
        parts.append(wire.length_delimited(1, texts + wire.packed(2, vector.tobytes())))
    parts += [wire.length_delimited(2, name.encode("utf-8", "replace")) for name in embeddings.header]
    return _frame(7, tag, step, walltime, b"".join(parts))


def encode_hparams(hparams: HParams, walltime: int) -> bytes:
    """Encode hyper-parameters under the tag and step that VisualDL expects."""
    parts = [wire.length_delimited(1, _hparam(name, value)) for name, value in hparams.hparams.items()]
    for metric in hparams.metrics:
        info = wire.double(2, 0.0) + wire.length_delimited(4, metric.encode("utf-8", "replace"))
        if metric in hparams.modes:
            info += wire.length_delimited(MODE, hparams.modes[metric].encode())
        parts.append(wire.length_delimited(2, info))
    parts.append(wire.packed(3, hparams.name.encode("utf-8", "replace")))
    return _frame(13, tags.HPARAMS, 1, walltime, b"".join(parts))


def _hparam(name: str, value: object) -> bytes:
    """One hyper-parameter: int64, float64 or text as in VisualDL, any other value as JSON."""
    exact = b""
    if isinstance(value, str):
        held = wire.length_delimited(3, value.encode("utf-8", "replace"))
    elif isinstance(value, float) and math.isfinite(value):
        held = wire.double(2, value)
    elif isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        held = wire.key(1, wire.VARINT) + wire.varint(value)
    else:
        # True, None, NaN, lists: VisualDL's page shows the text, VizKit reads the JSON.
        held = wire.length_delimited(3, str(value).encode("utf-8", "replace"))
        text = json.dumps(value, ensure_ascii=False)
        exact = wire.length_delimited(EXACT_HPARAM, text.encode("utf-8", "replace"))
    return held + wire.length_delimited(4, name.encode("utf-8", "replace")) + exact
