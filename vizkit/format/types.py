"""Contents of records as plain data: the contract between writing and reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vizkit.format import wire

__all__ = [
    "KINDS",
    "MODES",
    "WIRE_TYPES",
    "Better",
    "Embeddings",
    "HParams",
    "Record",
    "SessionMark",
    "SubScalar",
]

KINDS = {
    4: "scalar",
    5: "image",
    6: "audio",
    7: "embeddings",
    8: "histogram",
    9: "pr_curve",
    10: "meta_data",
    11: "roc_curve",
    12: "text",
    13: "hparams",
    14: "scalars",
}
"""Field number of ``Record.Value`` -> kind of record."""

WIRE_TYPES = {
    1: wire.VARINT,
    2: wire.BYTES,
    3: wire.VARINT,
    **{number: wire.FIXED32 if kind == "scalar" else wire.BYTES for number, kind in KINDS.items()},
}
"""Field number of ``Record.Value`` -> wire type of its value."""


Better = Literal["min", "max"]
"""The better direction of a metric."""

MODES: dict[str, Better] = {"min": "min", "max": "max"}


class SessionMark(IntEnum):
    """The mark that a writer leaves where a session begins: one process's stretch of a run."""

    NONE = 0
    BEGINS = 1
    """Begins, or goes on: its steps tell."""
    RESUMES = 2
    """Goes on with the training of the sessions before."""


@dataclass(frozen=True)
class SubScalar:
    """One member of a group of scalars (``add_scalars``)."""

    tag: str
    value: float


@dataclass(frozen=True)
class HParams:
    """The hyper-parameters of a run and the tags of its metrics.

    Attributes:
        hparams: name -> value.
        metrics: tags.
        name: the run's.
        modes: metric -> "min" or "max", the better direction that was declared.
        bare: names whose NaN or infinity is written as a number, which VisualDL's page cannot show.
    """

    hparams: dict[str, Any]
    metrics: list[str] = field(default_factory=list)
    name: str = ""
    bare: list[str] = field(default_factory=list)
    modes: dict[str, Better] = field(default_factory=dict)


@dataclass(frozen=True)
class Embeddings:
    """Vectors and their labels.

    Attributes:
        vectors: (n, d) float32.
        labels: n rows of texts.
        header: names of the labels' columns.
    """

    vectors: NDArray[np.float32]
    labels: list[list[str]]
    header: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Record:
    """One record of a log.

    Attributes:
        kind: one of the values of `KINDS`.
        tag: such as ``train/loss``.
        step: a float where a fractional one was recorded.
        walltime: milliseconds since 1970.
        data: a float (scalar), `SubScalar`, text, PNG bytes (image), display name (meta_data),
            `HParams`, `Embeddings`, `Wave`, `Histogram`, `PRCurve` or `ROCCurve`.
        session: the mark of a session that begins with this record.
        lost: of a session that lost records: tag -> (number so far, reason).
        layers: of an image that was recorded with some: see `vizkit.format.packed_layers`.
    """

    kind: str
    tag: str
    step: int | float
    walltime: int
    data: Any
    session: SessionMark = SessionMark.NONE
    lost: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    layers: bytes = b""
