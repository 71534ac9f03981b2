"""Copies of a network's tensors, recorded by the tracker's worker: histograms, norms, update ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vizkit.format.tags import clean_tag
from vizkit.hooks._guard import Guard
from vizkit.hooks._paddle import paddle
from vizkit.hooks._spacing import Spacing
from vizkit.metrics.arrays import AnyArray, to_array
from vizkit.metrics.norms import TensorNorms, tensor_norms

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = [
    "TensorGroup",
    "TensorsByName",
    "gradient_snapshot",
    "host_copy",
    "record_groups",
    "record_histograms",
    "tag_of",
]

TensorsByName = dict[str, AnyArray]
"""The values of tensors on the host, by the names of parameters or layers."""


@dataclass(eq=False)
class TensorGroup:
    """Tensors of one kind to record.

    Attributes:
        kind: the prefix of their tags, such as ``weights``.
        arrays: their values, which nobody else changes.
        before: the weights before an update, for the update ratio.
        ratio: the prefix of the tags of the update ratio.
        histograms: whether to record histograms and norms too.
    """

    kind: str
    arrays: TensorsByName
    before: TensorsByName = field(default_factory=dict)
    ratio: str = ""
    histograms: bool = True


def tag_of(kind: str, name: str) -> str:
    """The tag of a parameter: ``weights`` and ``fc.0.weight`` give ``weights/fc/0/weight``."""
    return clean_tag(f"{kind}/{name.replace('.', '/')}")


def host_copy(tensor: paddle.Tensor) -> AnyArray:
    """A copy of a tensor's values on the host."""
    return to_array(tensor, copy=True)


def gradient_snapshot(gradient: paddle.Tensor, parameter: paddle.Tensor) -> AnyArray:
    """A copy of a gradient's values on the host; a sparse one gets all rows of the parameter."""
    if not gradient.is_selected_rows():
        return host_copy(gradient)
    values = to_array(gradient)
    dense = np.zeros(parameter.shape, values.dtype)
    np.add.at(dense, np.asarray(gradient.rows()), values)
    return dense


def record_histograms(
    tracker: Tracker, spacing: Spacing, kind: str, tensors: Mapping[str, paddle.Tensor], step: int
) -> None:
    """Record the histogram of each tensor that is not empty."""
    copies = {name: host_copy(tensor) for name, tensor in tensors.items() if 0 not in tensor.shape}

    def job() -> None:
        for name, array in copies.items():
            tracker.log_histogram(tag_of(kind, name), array, step)

    spacing.defer(tracker, kind, job, step, _size(copies))


def record_groups(
    tracker: Tracker,
    guard: Guard,
    spacing: Spacing,
    groups: list[TensorGroup],
    step: int,
    *,
    per_layer: bool,
) -> None:
    """Record histograms, and as scalars norm, fraction of zeros and of non-finite values.

    The scalars are those of all tensors of a kind together, and with ``per_layer`` also those of each.
    """

    def job() -> None:
        scalars: dict[str, float] = {}
        for group in groups:
            if group.histograms:
                scalars.update(_record(tracker, guard, group, step, per_layer))
            if group.before:
                with guard(group.ratio):
                    scalars.update(_ratios(group, per_layer))
        with guard("norms"):
            tracker.log(scalars, step)

    size = sum(_size(group.arrays) + _size(group.before) for group in groups)
    spacing.defer(tracker, "norms", job, step, size)


def _record(
    tracker: Tracker, guard: Guard, group: TensorGroup, step: int, per_layer: bool
) -> dict[str, float]:
    scalars: dict[str, float] = {}
    total = TensorNorms()
    for name, array in group.arrays.items():
        with guard(group.kind):  # an error in one does not keep the others from being recorded
            tag = tag_of(group.kind, name)
            tracker.log_histogram(tag, array, step)
            sums = tensor_norms(array)
            total += sums
            if per_layer:
                scalars.update(_scalars(tag, sums))
    if total.size:
        scalars.update(_scalars(group.kind, total))
    return scalars


def _scalars(tag: str, sums: TensorNorms) -> dict[str, float]:
    return {
        f"norm/{tag}": sums.norm,
        f"zeros/{tag}": sums.zero_fraction,
        f"nonfinite/{tag}": sums.nonfinite_fraction,
    }


def _ratios(group: TensorGroup, per_layer: bool) -> dict[str, float]:
    """The update ratios ||after - before|| / ||before||, without those of zero weights."""
    ratios: dict[str, float] = {}
    moved = was = TensorNorms()
    for name, before in group.before.items():
        after = group.arrays.get(name)
        if after is None or after.shape != before.shape:
            continue
        change, base = tensor_norms(after, before), tensor_norms(before)
        moved, was = moved + change, was + base
        if per_layer and base.norm:
            ratios[tag_of(group.ratio, name)] = change.norm / base.norm
    if was.norm:
        ratios[group.ratio] = moved.norm / was.norm
    return ratios


def _size(arrays: TensorsByName) -> int:
    return sum(array.nbytes for array in arrays.values())
