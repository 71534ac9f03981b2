"""Tensors of a network, snapshotted here and recorded by the tracker's worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit.format.tags import clean_tag
from vizkit.hooks._guard import Guard
from vizkit.metrics.arrays import to_array
from vizkit.metrics.norms import TensorNorms, tensor_norms

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Tensors", "gradient_snapshot", "record_histograms", "record_tensors", "snapshot", "tag_of"]

Arrays = dict[str, NDArray[Any]]


@dataclass(eq=False)
class Tensors:
    """Snapshots of one kind, to be recorded.

    Attributes:
        kind: what their tags begin with: ``weights``.
        arrays: name -> values, owned by this.
        before: name -> the weights before an update, for its size.
        ratio: what the tags of that begin with.
        histograms: whether to record more than that.
    """

    kind: str
    arrays: Arrays
    before: Arrays = field(default_factory=dict)
    ratio: str = ""
    histograms: bool = True


def tag_of(kind: str, name: str) -> str:
    """The tag of a parameter: ``weights`` and ``fc.0.weight`` give ``weights/fc/0/weight``."""
    return clean_tag(f"{kind}/{name.replace('.', '/')}")


def snapshot(tensor: Any) -> NDArray[Any]:
    """A copy of a tensor's values on the host."""
    return to_array(tensor, copy=True)


def gradient_snapshot(gradient: Any, parameter: Any) -> NDArray[Any]:
    """A copy of a gradient's values on the host; of a sparse one with all the parameter's rows."""
    if not gradient.is_selected_rows():
        return snapshot(gradient)
    values = to_array(gradient)
    dense = np.zeros(parameter.shape, values.dtype)
    np.add.at(dense, np.asarray(gradient.rows()), values)
    return dense


def record_histograms(tracker: Tracker, kind: str, arrays: Mapping[str, Any], step: int) -> None:
    """Records the histogram of each named tensor that holds a number."""
    copies = {name: snapshot(array) for name, array in arrays.items() if 0 not in array.shape}

    def job() -> None:
        for name, array in copies.items():
            tracker.log_histogram(tag_of(kind, name), array, step)

    _defer(tracker, kind, job, step, _size(copies))


def record_tensors(tracker: Tracker, guard: Guard, kinds: list[Tensors], step: int, per_layer: bool) -> None:
    """Records histograms, and as scalars norm, share of zeros and of non-finite values.

    Args:
        tracker: what records.
        guard: what keeps trouble from the training; its paths are the kinds.
        kinds: what to record.
        step: at which step.
        per_layer: whether to record scalars of each tensor, besides those of all together.
    """

    def job() -> None:
        scalars: dict[str, float] = {}
        for tensors in kinds:
            if tensors.histograms:
                scalars.update(_record(tracker, guard, tensors, step, per_layer))
            if tensors.before:
                with guard(tensors.ratio):
                    scalars.update(_ratios(tensors, per_layer))
        with guard("norms"):
            tracker.log(scalars, step)

    size = sum(_size(tensors.arrays) + _size(tensors.before) for tensors in kinds)
    _defer(tracker, "norms", job, step, size)


def _defer(tracker: Tracker, name: str, job: Callable[[], None], step: int, size: int) -> None:
    if step > tracker.step:
        tracker.log({}, step)  # sets the clock, which is this thread's to set
    tracker.writer.defer(name, job, size)


def _record(tracker: Tracker, guard: Guard, tensors: Tensors, step: int, per_layer: bool) -> dict[str, float]:
    scalars: dict[str, float] = {}
    total = TensorNorms()
    for name, array in tensors.arrays.items():
        with guard(tensors.kind):  # one that fails leaves the others be
            tag = tag_of(tensors.kind, name)
            tracker.log_histogram(tag, array, step)
            sums = tensor_norms(array)
            total += sums
            if per_layer:
                scalars.update(_scalars(tag, sums))
    if total.size:
        scalars.update(_scalars(tensors.kind, total))
    return scalars


def _scalars(tag: str, sums: TensorNorms) -> dict[str, float]:
    return {
        f"norm/{tag}": sums.norm,
        f"zeros/{tag}": sums.zero_fraction,
        f"nonfinite/{tag}": sums.nonfinite_fraction,
    }


def _ratios(tensors: Tensors, per_layer: bool) -> dict[str, float]:
    """||after - before|| / ||before||, where there was something before."""
    ratios: dict[str, float] = {}
    moved = was = TensorNorms()
    for name, before in tensors.before.items():
        after = tensors.arrays.get(name)
        if after is None or after.shape != before.shape:
            continue
        change, base = tensor_norms(after, before), tensor_norms(before)
        moved, was = moved + change, was + base
        if per_layer and base.norm:
            ratios[tag_of(tensors.ratio, name)] = change.norm / base.norm
    if was.norm:
        ratios[tensors.ratio] = moved.norm / was.norm
    return ratios


def _size(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays.values())
