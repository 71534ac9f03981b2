"""Decoding of single records; `vizkit.columns` decodes scalars many at once."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from vizkit._json import parse_json
from vizkit.format import encode, wire
from vizkit.format.types import KINDS, MODES, WIRE_TYPES, Embeddings, HParams, Record, SessionMark, SubScalar
from vizkit.media.audio import Wave
from vizkit.metrics.arrays import Floats
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve, ROCCurve

__all__ = ["decode_head", "decode_record", "has_layers"]


def decode_record(data: bytes) -> Record:
    """Decode one record: the bytes of a frame without its length.

    Raises:
        ValueError: the bytes are not a record of VisualDL.
    """
    try:
        kind, tag, step, walltime, payload, extra = _value(data)
        layers = b""
        if kind == "scalar":
            exact = extra.get(encode.EXACT_VALUE)
            content: object = _double(exact) if exact else struct.unpack("<f", payload)[0]
        elif kind == "image":
            parts = _grouped(payload)
            content, layers = _bytes(parts, 4), _bytes(parts, encode.LAYERS)
        else:
            content = _READERS[kind](payload)
    except _BROKEN as error:
        raise ValueError(str(error)) from error
    return Record(kind, tag, step, walltime, content, _session(extra), _lost(extra), layers)


def decode_head(data: bytes) -> Record:
    """Decode a record but for its content, which is None.

    Raises:
        ValueError: the bytes are not a record of VisualDL.
    """
    try:
        kind, tag, step, walltime, *_ = _value(data)
    except _BROKEN as error:
        raise ValueError(str(error)) from error
    return Record(kind, tag, step, walltime, None)


def has_layers(read: Callable[[int, int], bytes], start: int, end: int) -> bool:
    """True if the record in the bytes [start, end) is an image with layers; only its heads are read."""
    try:
        _, _, first, last = next(wire.spans(read, start, end))
        fields = islice(wire.spans(read, first, last), _MOST_FIELDS)
        place = next(((at, to) for number, _, at, to in fields if number == _IMAGE), None)
        return place is not None and next(wire.spans(read, *place))[0] == encode.LAYERS
    except (StopIteration, ValueError):
        return False


_IMAGE = 5  # field number
_MOST_FIELDS = 64  # no writer comes near it

# Fields of the wrong type, and truncated contents.
_BROKEN = (struct.error, TypeError, AttributeError, OverflowError, MemoryError)


def _value(data: bytes) -> tuple[str, str, int | float, int, bytes, dict[int, bytes]]:
    kind, tag, step, walltime, payload = "", "", 0, 0, b""
    extra: dict[int, bytes] = {}
    outer = next(wire.fields(data), None)
    if outer is None or outer[:2] != (1, wire.BYTES):
        raise ValueError("not a record")
    for number, wire_type, value in wire.fields(outer[2]):
        if WIRE_TYPES.get(number, wire_type) != wire_type:
            raise ValueError(f"field {number} has the wire type {wire_type}")
        if number == 1:
            step = wire.signed(value)
        elif number == 2:
            tag = _text(value)
        elif number == 3:
            walltime = wire.signed(value)
        elif number in KINDS:
            kind, payload = KINDS[number], value
        elif number >= 1000:
            extra[number] = value
    if not kind:
        raise ValueError(f"a record of tag {tag!r} without content")
    if encode.EXACT_STEP in extra:
        return kind, tag, _double(extra[encode.EXACT_STEP]), walltime, payload, extra
    return kind, tag, step, walltime, payload, extra


def _session(extra: dict[int, bytes]) -> SessionMark:
    mark: object = extra.get(encode.SESSION)
    return SessionMark(mark) if isinstance(mark, int) and mark in list(SessionMark) else SessionMark.NONE


def _lost(extra: dict[int, bytes]) -> dict[str, tuple[int, str]]:
    data: object = extra.get(encode.LOST)
    if not isinstance(data, bytes):
        return {}
    try:
        content: Any = parse_json(data)
        pairs = {tag: (count, str(reason)) for tag, (count, reason) in content.items()}
        return {
            tag: pair for tag, pair in pairs.items() if isinstance(pair[0], int) and 0 < pair[0] < 1 << 63
        }
    except (AttributeError, TypeError, ValueError):
        return {}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _double(data: bytes) -> float:
    return float(struct.unpack("<d", data)[0])


_Fields = dict[int, list[tuple[int, Any]]]
"""Field number -> (wire type, value) of every occurrence; a value is an int or bytes by its wire type."""


def _grouped(payload: bytes) -> _Fields:
    out: _Fields = {}
    for number, wire_type, value in wire.fields(payload):
        out.setdefault(number, []).append((wire_type, value))
    return out


def _bytes(grouped: _Fields, number: int, default: bytes = b"") -> bytes:
    """The last occurrence of a field of bytes; of several, protobuf takes the last."""
    return grouped[number][-1][1] if number in grouped else default


def _int(grouped: _Fields, number: int) -> int:
    """The last occurrence of a varint, 0 by default."""
    return grouped[number][-1][1] if number in grouped else 0


def _doubles(grouped: _Fields, number: int) -> Floats:
    return np.frombuffer(b"".join(value for _, value in grouped.get(number, ())), dtype="<f8")


def _ints(grouped: _Fields, number: int) -> list[int]:
    return [n for _, value in grouped.get(number, ()) for n in wire.read_packed(value)]


def _histogram(payload: bytes) -> Histogram:
    parts = _grouped(payload)
    counts, edges = _doubles(parts, 1), _doubles(parts, 2)
    if len(edges) != len(counts) + bool(len(counts)):
        raise ValueError(f"{len(counts)} bins with {len(edges)} edges")
    if not (np.abs(counts) < 1 << 63).all():
        raise ValueError("a count of a bin is no number")
    return Histogram(
        counts=counts.astype(np.int64),
        edges=edges,
        nan=_int(parts, encode.NAN),
        posinf=_int(parts, encode.POSINF),
        neginf=_int(parts, encode.NEGINF),
    )


def _curve(payload: bytes) -> tuple[list[Floats], float]:
    """Thresholds, TP, FP, TN, FN and the two rates; and the area, NaN if none was recorded."""
    parts = _grouped(payload)
    first, second = _doubles(parts, 5), _doubles(parts, 6)
    thresholds = _doubles(parts, encode.THRESHOLDS)
    if not len(thresholds):  # written by stock VisualDL, which floors scores onto this grid
        thresholds = np.arange(len(first)) / max(len(first) - 1, 1)
    counts = []
    for number, own in enumerate(encode.WEIGHTED, start=1):
        exact = _doubles(parts, own)
        counts.append(exact if len(exact) else np.asarray(_ints(parts, number), dtype=np.float64))
    lengths = [len(column) for column in (thresholds, *counts, first, second)]
    if len({*lengths} - {0}) > 1:  # other writers may leave some out
        raise ValueError(f"a curve with columns of {lengths} numbers")
    area = _bytes(parts, encode.AREA)
    return [thresholds, *counts, first, second], _double(area) if area else float("nan")


def _pr_curve(payload: bytes) -> PRCurve:
    (thresholds, tp, fp, tn, fn, precision, recall), area = _curve(payload)
    return PRCurve(thresholds, tp, fp, tn, fn, precision, recall, ap=area)


def _roc_curve(payload: bytes) -> ROCCurve:
    (thresholds, tp, fp, tn, fn, tpr, fpr), area = _curve(payload)
    return ROCCurve(thresholds, tp, fp, tn, fn, tpr, fpr, auc=area)


def _audio(payload: bytes) -> Wave:
    parts = _grouped(payload)
    rate = struct.unpack("<f", _bytes(parts, 1, bytes(4)))[0]
    return Wave(
        data=_bytes(parts, 4), sample_rate=round(rate), channels=_int(parts, 2), frames=_int(parts, 3)
    )


def _embeddings(payload: bytes) -> Embeddings:
    labels, vectors, header = [], [], []
    for number, _, value in wire.fields(payload):
        if number == 1:
            row = _grouped(value)
            labels.append([_text(text) for _, text in row.get(1, ())])
            vectors.append(np.frombuffer(b"".join(part for _, part in row.get(2, ())), dtype="<f4"))
        elif number == 2:
            header.append(_text(value))
    return Embeddings(np.array(vectors, dtype=np.float32), labels, header)


def _hparams(payload: bytes) -> HParams:
    hparams: dict[str, object] = {}
    metrics = []
    name = ""
    bare = []
    modes = {}
    for number, _, value in wire.fields(payload):
        if number == 3:
            name = _text(value)
            continue
        parts = _grouped(value)
        key = _text(_bytes(parts, 4))
        if number == 2:
            metrics.append(key)
            if mode := MODES.get(_text(_bytes(parts, encode.MODE))):
                modes[key] = mode
        elif encode.EXACT_HPARAM in parts:
            hparams[key] = _exact_hparam(parts)
        elif 1 in parts:
            hparams[key] = wire.signed(_int(parts, 1))
        elif 2 in parts:
            hparams[key] = real = _double(_bytes(parts, 2))
            if not math.isfinite(real):
                bare.append(key)
        else:
            hparams[key] = _text(_bytes(parts, 3))
    return HParams(hparams, metrics, name, bare, modes)


def _exact_hparam(parts: _Fields) -> object:
    """The JSON of a value; where it cannot be parsed, the text beside it that VisualDL shows."""
    try:
        return parse_json(_bytes(parts, encode.EXACT_HPARAM))
    except ValueError as error:
        return _text(_bytes(parts, 3)) or f"unreadable: {error}"


def _sub_scalar(payload: bytes) -> SubScalar:
    parts = _grouped(payload)
    exact = _bytes(parts, encode.EXACT_VALUE)
    value = _double(exact) if exact else struct.unpack("<f", _bytes(parts, 2, bytes(4)))[0]
    return SubScalar(_text(_bytes(parts, 1)), value)


_READERS: dict[str, Callable[[bytes], object]] = {
    "audio": _audio,
    "embeddings": _embeddings,
    "histogram": _histogram,
    "pr_curve": _pr_curve,
    "meta_data": lambda payload: _text(_bytes(_grouped(payload), 1)),
    "roc_curve": _roc_curve,
    "text": lambda payload: _text(_bytes(_grouped(payload), 1)),
    "hparams": _hparams,
    "scalars": _sub_scalar,
}
