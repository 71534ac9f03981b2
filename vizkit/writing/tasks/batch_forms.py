"""Batches in other forms than whole arrays: without samples, or lists of samples of unequal sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from vizkit._protocols import ArrayLike
from vizkit.metrics.arrays import shape_of, to_array
from vizkit.writing.tasks.task import LabelledBatch, TaskName

__all__ = ["is_empty", "samples_apart", "with_sample_axis"]

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


def with_sample_axis(batch: LabelledBatch) -> LabelledBatch:
    """The batch; of a label that is a single number, as a batch of one sample."""
    label, output = batch.labels, batch.outputs
    if not (_is_number(label) and hasattr(output, "shape")):
        return batch
    shape = shape_of(output)
    labels = np.asarray(to_array(cast("ArrayLike", label))).reshape(1)
    if len(shape) > 1 or shape == [1]:
        return replace(batch, labels=labels)
    given = cast("Any", batch.inputs)
    inputs = given[None] if hasattr(given, "shape") else None if given is None else [given]
    return replace(batch, labels=labels, outputs=to_array(cast("ArrayLike", output))[None], inputs=inputs)


def _is_number(value: object) -> bool:
    """True of a number, also one in an array or tensor without axes."""
    return isinstance(value, (int, float)) or getattr(value, "shape", None) in ((), [])


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
