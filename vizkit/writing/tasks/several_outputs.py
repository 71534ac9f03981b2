"""The output that is evaluated, where a network gives several: in a dict, a named tuple or a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from vizkit.errors import DataError
from vizkit.metrics.arrays import shape_of
from vizkit.writing.tasks.task import LabelledBatch, Labels

__all__ = ["evaluated_output"]

_NAMES = (
    "logits",
    "scores",
    "predictions",
    "prediction",
    "preds",
    "pred",
    "probs",
    "outputs",
    "output",
    "out",
)
_BOXES = ("boxes", "bbox")


def evaluated_output(batch: LabelledBatch) -> LabelledBatch:
    """The batch with the output that its labels are of.

    Of a dict or a named tuple that is the one named ``logits``, or else the only one with a usual name, or
    the only one at all; of a list or tuple that has no output a sample, the first one of all samples.

    Raises:
        DataError: a dict of which no name tells.
    """
    labels, outputs = batch.labels, batch.outputs
    if _are_boxes(labels) or _are_boxes(outputs):
        return batch
    named = outputs._asdict() if hasattr(outputs, "_asdict") else outputs
    if isinstance(named, Mapping):
        name = _name_of(list(named))
        if name is not None:
            return replace(batch, outputs=cast("Labels", named[name]))
        if named is outputs:
            raise DataError(
                "outputs are a dict of {names}: give the one to evaluate, such as outputs[{first!r}]",
                names=", ".join(map(repr, named)),
                first=next(iter(named), ""),
            )
    if isinstance(outputs, (list, tuple)) and (hasattr(labels, "shape") or isinstance(labels, (list, tuple))):
        first = _of_all_samples(list(outputs), labels)
        if first is not None:
            return replace(batch, outputs=first)
    return batch


def _are_boxes(values: object) -> bool:
    """True of boxes of an image or of several."""
    if isinstance(values, (list, tuple)) and not hasattr(values, "_asdict"):
        return bool(values) and isinstance(values[0], Mapping)
    return isinstance(values, Mapping) and any(name in key for key in map(str, values) for name in _BOXES)


def _name_of(names: list[Any]) -> Any | None:  # noqa: ANN401
    known = [name for name in names if name in _NAMES]
    if _NAMES[0] in known:
        return _NAMES[0]
    if len(known) == 1:
        return known[0]
    return names[0] if len(names) == 1 else None


def _of_all_samples(outputs: list[Any], labels: Labels) -> Labels | None:
    """The first of several outputs that has all samples; None if they are one a sample, or are no arrays."""
    given = shape_of(labels) if hasattr(labels, "shape") else [len(cast("list[object]", labels))]
    found = next((one for one in outputs if hasattr(one, "shape") and shape_of(one)[:1] == given[:1]), None)
    if found is None or not given or len(outputs) != given[0]:
        return cast("Labels | None", found)
    axes = 1 + sum(side != 1 for side in given[1:])  # those of labels; whole outputs have the classes', too
    whole = hasattr(labels, "shape") and len(shape_of(found)) == axes + 1
    return cast("Labels", found) if whole else None
