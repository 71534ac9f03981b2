"""VisualDL's records as bytes; ``docs/format.md`` writes the format down.

Every function returns one whole frame, ready to be appended to a log. Field numbers from 1000 on
are VizKit's own: stock VisualDL skips them.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.format import tags, wire
from vizkit.format.types import Embeddings, HParams
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
EXACT_STEP = 1002  # Value: the fractional step that field 1 holds rounded down
THRESHOLDS, AREA = 1001, 1002  # PRCurve, ROC_Curve
WEIGHTED = (1003, 1004, 1005, 1006)  # their TP, FP, TN, FN where weights make them fractional
NAN, POSINF, NEGINF = 1001, 1002, 1003  # Histogram: values that no bucket holds
EXACT_HPARAM = 1001  # HparamInfo: JSON of a value that VisualDL's three types cannot hold

_INT64 = range(-(1 << 63), 1 << 63)
EXACT_KEY = wire.key(EXACT_VALUE, wire.FIXED64)
_pack_both = struct.Struct("<Bf2sd").pack
_single = struct.Struct("<xf").unpack_from
_pack_single = struct.Struct("<Bf").pack
_three_bytes = struct.Struct("4B").pack
_SMALL_STEPS = [b"", *(b"\x08" + step for step in wire.SMALL[1:])]


def tag_field(tag: str) -> bytes:
    """The tag's bytes within a record; worth keeping, since tags repeat."""
    return wire.length_delimited(2, tag.encode("utf-8", "replace"))


def walltime_field(walltime: int) -> bytes:
    """The bytes of a walltime in milliseconds."""
    return b"\x18" + wire.varint(walltime) if walltime else b""


def plain_step(step: Any) -> int | float:
    """``step`` as an int, or as a float where it is a fraction.

    Args:
        step: an integer; any number that is one (``3.0``, a NumPy or Paddle scalar); a fraction.

    Raises:
        DataError: not a finite number.
    """
    if type(step) is int:
        return step
    number = to_float(step)
    if not math.isfinite(number):
        raise DataError(f"a step must be a finite number, got {describe(step)}")
    if number != math.floor(number):
        return number
    # Integers of NumPy and Paddle are not to lose digits in a float.
    return int(step.item() if hasattr(step, "item") else step)


def step_field(step: Any) -> bytes:
    """The bytes of a step, of which stock readers see a fraction rounded down.

    Raises:
        DataError: not a finite number, or beyond 64 bit.
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
        raise DataError(f"step {step} does not fit 64 bit")
    return b"\x08" + wire.varint(step) if step else b""


def _head(size: int) -> bytes:
    """Frame length, key and length before the ``size`` bytes of a ``Value``."""
    inner = b"\x0a" + wire.varint(size)
    return struct.pack("<Q", len(inner) + size) + inner


_HEADS = [_head(size) for size in range(512)]


def encode_scalar(tag: bytes, value: float, step: bytes, walltime: bytes) -> bytes:
    """A scalar from its already encoded tag, step and walltime.

    The float64 goes along whenever float32 would change the value (or overflow).
    """
    try:
        number = _pack_both(0x25, value, EXACT_KEY, value)
        # Any of the float64's last 24 bits is beyond float32. A NaN is unequal to itself, and needs no more.
        if number[7:10] == b"\0\0\0" and (_single(number)[0] == value or value != value):
            number = number[:5]
    except OverflowError:
        number = _pack_single(0x25, math.copysign(math.inf, value)) + wire.double(EXACT_VALUE, value)
    record = step + tag + walltime + number
    try:
        return _HEADS[len(record)] + record
    except IndexError:
        return _head(len(record)) + record


def _frame(number: int, tag: str, step: Any, walltime: int, payload: bytes) -> bytes:
    content = wire.length_delimited(number, payload)
    record = b"".join((step_field(step), tag_field(tag), walltime_field(walltime), content))
    return _head(len(record)) + record


def encode_sub_scalar(tag: str, sub_tag: str, value: float, step: Any, walltime: int) -> bytes:
    """One member of an ``add_scalars`` group."""
    with np.errstate(over="ignore"):
        single = float(np.float32(value))
    payload = wire.length_delimited(1, sub_tag.encode("utf-8", "replace")) if sub_tag else b""
    # As in protobuf, +0.0 is what a reader assumes; -0.0 is written.
    if struct.pack("<f", single) != b"\0\0\0\0":
        payload += b"\x15" + struct.pack("<f", single)
    if single != value and not math.isnan(value):
        payload += wire.double(EXACT_VALUE, value)
    return _frame(14, tag, step, walltime, payload)


def encode_meta_data(tag: str, display_name: str, step: Any, walltime: int) -> bytes:
    """The record that names a run; the first of a log."""
    return _frame(10, tag, step, walltime, wire.packed(1, display_name.encode("utf-8", "replace")))


def encode_image(tag: str, png: bytes, step: Any, walltime: int) -> bytes:
    """An image from the bytes of its PNG file."""
    return _frame(5, tag, step, walltime, wire.packed(4, png))


def encode_text(tag: str, text: str, step: Any, walltime: int) -> bytes:
    """A text."""
    return _frame(12, tag, step, walltime, wire.packed(1, text.encode("utf-8", "replace")))


def encode_audio(tag: str, wave: Wave, step: Any, walltime: int) -> bytes:
    """A sound as the WAV file that a browser plays."""
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


def encode_histogram(tag: str, histogram: Histogram, step: Any, walltime: int) -> bytes:
    """A histogram; NaN and infinite values are counted beside it."""
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
    """TP, FP, TN, FN as the integers that VisualDL holds, and exactly where that loses weights.

    They are the same for the PR and the ROC curve of one class, and cost the most of both. The curves
    have as many thresholds.
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
    tag: str, curve: PRCurve, step: Any, walltime: int, counts: Counts | None = None
) -> bytes:
    """A precision-recall curve with its thresholds and average precision."""
    whole, exact = counts or encode_counts([curve])[0]
    rates = [wire.doubles(5, curve.precision), wire.doubles(6, curve.recall)]
    own = [wire.doubles(THRESHOLDS, curve.thresholds), wire.double(AREA, curve.ap)]
    return _frame(9, tag, step, walltime, b"".join(whole + rates + own + exact))


def encode_roc_curve(
    tag: str, curve: ROCCurve, step: Any, walltime: int, counts: Counts | None = None
) -> bytes:
    """A receiver operating characteristic with its thresholds and the area under it."""
    whole, exact = counts or encode_counts([curve])[0]
    rates = [wire.doubles(5, curve.tpr), wire.doubles(6, curve.fpr)]
    own = [wire.doubles(THRESHOLDS, curve.thresholds), wire.double(AREA, curve.auc)]
    return _frame(11, tag, step, walltime, b"".join(whole + rates + own + exact))


def encode_embeddings(tag: str, embeddings: Embeddings, step: Any, walltime: int) -> bytes:
    """Vectors with their labels."""
    rows = np.ascontiguousarray(embeddings.vectors, dtype="<f4")
    parts = []
    for labels, vector in zip(embeddings.labels, rows, strict=True):
        texts = b"".join(wire.length_delimited(1, text.encode("utf-8", "replace")) for text in labels)
        parts.append(wire.length_delimited(1, texts + wire.packed(2, vector.tobytes())))
    parts += [wire.length_delimited(2, name.encode("utf-8", "replace")) for name in embeddings.header]
    return _frame(7, tag, step, walltime, b"".join(parts))


def encode_hparams(hparams: HParams, walltime: int) -> bytes:
    """Hyper-parameters, under the tag and step that VisualDL expects."""
    parts = [wire.length_delimited(1, _hparam(name, value)) for name, value in hparams.hparams.items()]
    for metric in hparams.metrics:
        info = wire.double(2, 0.0) + wire.length_delimited(4, metric.encode("utf-8", "replace"))
        parts.append(wire.length_delimited(2, info))
    parts.append(wire.packed(3, hparams.name.encode("utf-8", "replace")))
    return _frame(13, tags.HPARAMS, 1, walltime, b"".join(parts))


def _hparam(name: str, value: Any) -> bytes:
    """One hyper-parameter: int64, float64 or text as VisualDL knows them, all else as its JSON."""
    exact = b""
    if isinstance(value, str):
        held = wire.length_delimited(3, value.encode("utf-8", "replace"))
    elif isinstance(value, float) and math.isfinite(value):
        held = wire.double(2, value)
    elif isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        held = wire.key(1, wire.VARINT) + wire.varint(value)
    else:
        # True, None, NaN, a list: VisualDL's page shows the text, VizKit reads the value.
        held = wire.length_delimited(3, str(value).encode("utf-8", "replace"))
        exact = wire.length_delimited(EXACT_HPARAM, json.dumps(value, ensure_ascii=False).encode())
    return held + wire.length_delimited(4, name.encode("utf-8", "replace")) + exact
