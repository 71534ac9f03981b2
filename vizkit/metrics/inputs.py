"""Checks of labels, scores and weights, shared by the metrics.

Each names the argument, the values that are wrong and how many there are.
"""

from __future__ import annotations

from collections.abc import Sized

import numpy as np

from vizkit._language import tr
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Bools, Floats, to_real

__all__ = ["check_lengths", "check_weights", "flatten", "refuse_nan", "refuse_where"]


def flatten(array: AnyArray, name: str, hint: str = "") -> AnyArray:
    """Reshape (n,) or (n, 1) to (n,).

    Raises:
        DataError: another shape; ``hint`` is added to the message.
    """
    if array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
        return array.reshape(-1)
    raise DataError(
        "{name} must be of shape [n] or [n, 1], got {shape}{hint}",
        name=name,
        shape=list(array.shape),
        hint=hint,
    )


def check_lengths(labels: Sized, name: str, other: Sized) -> None:
    """Check that labels and another argument, arrays or sequences, have one entry a sample.

    Raises:
        DataError: they are not equally long, or one is a single number.
    """
    one, two = (len(each) if getattr(each, "ndim", 1) else "one number" for each in (labels, other))
    if one != two or one == "one number":
        raise DataError(
            "labels and {name} must be of equal length, got {one} and {two}", name=name, one=one, two=two
        )


def check_weights(weights: ArrayLike, labels: AnyArray) -> Floats:
    """Convert sample weights to float64 of shape (n,), or () for one number that all samples share.

    Raises:
        DataError: weights that are negative or not finite, or not one a sample.
    """
    array = to_real(weights, "weights").astype(np.float64, copy=False)
    refuse_where(~((array >= 0) & (array < np.inf)), array, "weights", tr("be finite and not negative"))
    if array.ndim:
        array = flatten(array, "weights")
        check_lengths(labels, "weights", array)
    return array


def refuse_nan(scores: AnyArray) -> None:
    """Raise an error if scores of shape (n, ...) have NaN; classes are the second axis."""
    if scores.dtype.kind == "f" and scores.size and np.isnan(scores.min()):
        missing = np.isnan(scores)
        rows = missing.any(axis=1) if scores.ndim > 1 else missing
        raise DataError(
            "{count} of {size} scores are NaN, in {rows} of {samples} samples; leave these samples out",
            count=np.count_nonzero(missing),
            size=scores.size,
            rows=np.count_nonzero(rows),
            samples=rows.size,
        )


def refuse_where(wrong: Bools, values: AnyArray, name: str, rule: str, hint: str = "") -> None:
    """Raise an error that shows up to five of the wrong values, if there are any.

    Args:
        wrong: True where a value is wrong, in the shape of ``values``.
        values: all values of the argument.
        name: the argument.
        rule: the end of "labels must ...".
        hint: added to the message.
    """
    count = int(np.count_nonzero(wrong))
    if count:
        found = np.unique(values[wrong]).tolist()
        shown = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
        raise DataError(
            "{name} must {rule}, got {shown} in {count} of {size} {name}{hint}",
            name=name,
            rule=rule,
            shown=shown,
            count=count,
            size=values.size,
            hint=hint,
        )
