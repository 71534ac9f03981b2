"""Batches in other forms than whole arrays: without samples, or lists of samples of unequal sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from vizkit._protocols import ArrayLike
from vizkit.metrics.arrays import shape_of, to_array
from vizkit.writing.tasks.task import LabelledBatch, TaskName

__all__ = ["is_empty", "samples_apart"]

_MAPS: tuple[TaskName, ...] = (
    "segmentation",
    "labelling",
)  # samples have places, which may be unequally many


def is_empty(batch: LabelledBatch) -> bool:
    """True of a batch without samples, such as one of which all were filtered out."""
    return all(_length(one) == 0 for one in (batch.labels, batch.outputs))


def _length(values: object) -> int | None:
    if isinstance(values, (list, tuple)):
        return len(values)
    shape = getattr(values, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) else None


def samples_apart(batch: LabelledBatch, task: TaskName) -> Iterator[LabelledBatch]:
    """The batch; or, if it is lists of maps or sequences of unequal sizes, each sample as a batch of one."""
    pairs = _unequal(batch) if task in _MAPS else None
    if pairs is None:
        yield batch
        return
    slices = cast("Mapping[str, Sequence[Any]]", batch.slices or {})
    for row, pair in enumerate(pairs):
        label, output = (to_array(one)[np.newaxis] for one in pair)
        given = batch.input(row)
        yield LabelledBatch(
            label,
            output,
            None if given is None else cast("Any", [given]),
            None if batch.ids is None else batch.ids[row : row + 1],
            {name: values[row : row + 1] for name, values in slices.items()} or None,
        )


def _unequal(batch: LabelledBatch) -> list[tuple[ArrayLike, ArrayLike]] | None:
    """The label and the output of each sample; None if all outputs are of one size, or are no list."""
    labels, outputs = cast("Any", batch.labels), cast("Any", batch.outputs)
    if not (isinstance(labels, (list, tuple)) and isinstance(outputs, (list, tuple))):
        return None
    same = len({tuple(shape_of(one)) for one in outputs}) < 2
    return None if same or len(labels) != len(outputs) else list(zip(labels, outputs, strict=True))
