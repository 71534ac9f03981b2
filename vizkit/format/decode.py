"""Bytes of one record back to what was recorded; the slow, general way, record by record."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit.format import encode, wire
from vizkit.format.types import KINDS, Embeddings, HParams, Record, SubScalar
from vizkit.media.audio import Wave
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve, ROCCurve

__all__ = ["decode_head", "decode_record"]


def decode_record(data: bytes) -> Record:
    """Decodes one record, the bytes of a frame without its length.

    Raises:
        ValueError: these bytes are no record of VisualDL.
    """
    try:
        kind, tag, step, walltime, payload, extra = _value(data)
        if kind == "scalar":
            exact = extra.get(encode.EXACT_VALUE)
            content: Any = _double(exact) if exact else struct.unpack("<f", payload)[0]
        else:
            content = _READERS[kind](payload)
    except _BROKEN as error:
        raise ValueError(str(error)) from error
    return Record(kind, tag, step, walltime, content)


def decode_head(data: bytes) -> Record:
    """A record without its content.

    Raises:
        ValueError: these bytes are no record of VisualDL.
    """
    try:
        kind, tag, step, walltime, *_ = _value(data)
    except _BROKEN as error:
        raise ValueError(str(error)) from error
    return Record(kind, tag, step, walltime, None)


# Fields of another type than theirs, and contents that are cut.
_BROKEN = (struct.error, TypeError, AttributeError, OverflowError, MemoryError)


def _value(data: bytes) -> tuple[str, str, int | float, int, bytes, dict[int, bytes]]:
    kind, tag, step, walltime, payload = "", "", 0, 0, b""
    extra: dict[int, bytes] = {}
    outer = next(wire.fields(data), None)
    if outer is None or outer[:2] != (1, wire.BYTES):
        raise ValueError("not a record")
    for number, _, value in wire.fields(outer[2]):
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


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _double(data: bytes) -> float:
    return float(struct.unpack("<d", data)[0])


def _grouped(payload: bytes) -> dict[int, list[tuple[int, Any]]]:
    """Field number -> (wire type, value) of every occurrence."""
    out: dict[int, list[tuple[int, Any]]] = {}
    for number, wire_type, value in wire.fields(payload):
        out.setdefault(number, []).append((wire_type, value))
    return out


def _last(grouped: dict[int, list[tuple[int, Any]]], number: int, default: Any) -> Any:
    return grouped[number][-1][1] if number in grouped else default


def _doubles(grouped: dict[int, list[tuple[int, Any]]], number: int) -> NDArray[np.float64]:
    return np.frombuffer(b"".join(value for _, value in grouped.get(number, ())), dtype="<f8")


def _ints(grouped: dict[int, list[tuple[int, Any]]], number: int) -> list[int]:
    return [n for wire_type, value in grouped.get(number, ()) for n in wire.read_packed(wire_type, value)]


def _histogram(payload: bytes) -> Histogram:
    parts = _grouped(payload)
    return Histogram(
        counts=_doubles(parts, 1).astype(np.int64),
        edges=_doubles(parts, 2),
        nan=_last(parts, encode.NAN, 0),
        posinf=_last(parts, encode.POSINF, 0),
        neginf=_last(parts, encode.NEGINF, 0),
    )


def _curve(payload: bytes) -> tuple[list[NDArray[np.float64]], float]:
    """Thresholds, TP, FP, TN, FN and the two rates; and the area (NaN where none was recorded)."""
    parts = _grouped(payload)
    first, second = _doubles(parts, 5), _doubles(parts, 6)
    thresholds = _doubles(parts, encode.THRESHOLDS)
    if not len(thresholds):  # stock VisualDL's own, which floors scores onto this grid
        thresholds = np.arange(len(first)) / max(len(first) - 1, 1)
    counts = []
    for number, own in enumerate(encode.WEIGHTED, start=1):
        exact = _doubles(parts, own)
        counts.append(exact if len(exact) else np.asarray(_ints(parts, number), dtype=np.float64))
    area = _last(parts, encode.AREA, None)
    return [thresholds, *counts, first, second], _double(area) if area else float("nan")


def _pr_curve(payload: bytes) -> PRCurve:
    (thresholds, tp, fp, tn, fn, precision, recall), area = _curve(payload)
    return PRCurve(thresholds, tp, fp, tn, fn, precision, recall, ap=area)


def _roc_curve(payload: bytes) -> ROCCurve:
    (thresholds, tp, fp, tn, fn, tpr, fpr), area = _curve(payload)
    return ROCCurve(thresholds, tp, fp, tn, fn, tpr, fpr, auc=area)


def _audio(payload: bytes) -> Wave:
    parts = _grouped(payload)
    rate = struct.unpack("<f", _last(parts, 1, b"\0\0\0\0"))[0]
    return Wave(
        data=_last(parts, 4, b""),
        sample_rate=round(rate),
        channels=_last(parts, 2, 0),
        frames=_last(parts, 3, 0),
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
    hparams: dict[str, Any] = {}
    metrics = []
    name = ""
    bare = []
    for number, _, value in wire.fields(payload):
        if number == 3:
            name = _text(value)
            continue
        parts = _grouped(value)
        key = _text(_last(parts, 4, b""))
        if number == 2:
            metrics.append(key)
        elif encode.EXACT_HPARAM in parts:
            hparams[key] = json.loads(_last(parts, encode.EXACT_HPARAM, b"null"))
        elif 1 in parts:
            hparams[key] = wire.signed(_last(parts, 1, 0))
        elif 2 in parts:
            hparams[key] = _double(_last(parts, 2, bytes(8)))
            if not math.isfinite(hparams[key]):
                bare.append(key)
        else:
            hparams[key] = _text(_last(parts, 3, b""))
    return HParams(hparams, metrics, name, bare)


def _sub_scalar(payload: bytes) -> SubScalar:
    parts = _grouped(payload)
    exact = _last(parts, encode.EXACT_VALUE, None)
    value = _double(exact) if exact else struct.unpack("<f", _last(parts, 2, bytes(4)))[0]
    return SubScalar(_text(_last(parts, 1, b"")), value)


_READERS: dict[str, Callable[[bytes], Any]] = {
    "image": lambda payload: _last(_grouped(payload), 4, b""),
    "audio": _audio,
    "embeddings": _embeddings,
    "histogram": _histogram,
    "pr_curve": _pr_curve,
    "meta_data": lambda payload: _text(_last(_grouped(payload), 1, b"")),
    "roc_curve": _roc_curve,
    "text": lambda payload: _text(_last(_grouped(payload), 1, b"")),
    "hparams": _hparams,
    "scalars": _sub_scalar,
}
