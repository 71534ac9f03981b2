"""Precision-recall and ROC curves from labels and scores.

A sample is predicted positive when its score is at or above the threshold. The areas (AP, AUC)
come from all scores, the points from an even grid of thresholds:

- ``k / (n - 1)`` for ``k = 0 .. n - 1`` when all scores lie in [0, 1];
- otherwise the same grid stretched over [min, max] of the scores, so that none is left out.

Infinite scores keep their rank but do not move the ends of the grid. Scores and thresholds are
compared as float64; float32 scores are exact in it.

The numbers equal scikit-learn's. Where a denominator is zero:

- precision is 1 where nothing is predicted positive;
- without positives, tpr is 0 (to be drawn; scikit-learn: NaN), AP is 0 and AUC is NaN; recall is 1
  where anything is predicted positive and 0 elsewhere, as in scikit-learn;
- without negatives, fpr is 0 (scikit-learn: NaN) and AUC is NaN;
- without samples, precision is 1, recall, tpr and fpr are 0, AP and AUC are NaN.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.activation import activated, check_activation
from vizkit.metrics.arrays import to_real
from vizkit.metrics.ranking import tally

__all__ = [
    "PRCurve",
    "ROCCurve",
    "compute_class_curves",
    "compute_pr_curve",
    "compute_pr_roc_curves",
    "compute_roc_curve",
    "mean_areas",
]

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PRCurve:
    """Precision and recall at ``thresholds``; arrays are float64 of shape (num_thresholds,).

    Attributes:
        thresholds: ascending, in the unit of the scores.
        tp, fp, tn, fn: samples (or their weights) at each threshold.
        precision: tp / (tp + fp).
        recall: tp / (tp + fn).
        ap: average precision of all scores.
    """

    thresholds: _Floats
    tp: _Floats
    fp: _Floats
    tn: _Floats
    fn: _Floats
    precision: _Floats
    recall: _Floats
    ap: float


@dataclass(frozen=True, eq=False)
class ROCCurve:
    """True and false positive rates at ``thresholds``; arrays are float64 of shape (num_thresholds,).

    Attributes:
        thresholds: ascending, in the unit of the scores.
        tp, fp, tn, fn: samples (or their weights) at each threshold.
        tpr: tp / (tp + fn).
        fpr: fp / (fp + tn).
        auc: area under the ROC curve of all scores.
    """

    thresholds: _Floats
    tp: _Floats
    fp: _Floats
    tn: _Floats
    fn: _Floats
    tpr: _Floats
    fpr: _Floats
    auc: float


def compute_pr_curve(
    labels: Any,
    predictions: Any,
    *,
    num_thresholds: int = 127,
    weights: Any = None,
    activation: Literal["sigmoid"] | None = None,
) -> PRCurve:
    """The precision-recall curve of one class; arguments and errors as in `compute_pr_roc_curves`."""
    return compute_pr_roc_curves(
        labels, predictions, num_thresholds=num_thresholds, weights=weights, activation=activation
    )[0]


def compute_roc_curve(
    labels: Any,
    predictions: Any,
    *,
    num_thresholds: int = 127,
    weights: Any = None,
    activation: Literal["sigmoid"] | None = None,
) -> ROCCurve:
    """The ROC curve of one class; arguments and errors as in `compute_pr_roc_curves`."""
    return compute_pr_roc_curves(
        labels, predictions, num_thresholds=num_thresholds, weights=weights, activation=activation
    )[1]


def compute_pr_roc_curves(
    labels: Any,
    predictions: Any,
    *,
    num_thresholds: int,
    weights: Any = None,
    activation: Literal["sigmoid"] | None = None,
) -> tuple[PRCurve, ROCCurve]:
    """The precision-recall and the ROC curve of one class; they share their counts.

    Args:
        labels: bools, or the numbers 0 and 1, of shape (n,) or (n, 1).
        predictions: scores of shape (n,) or (n, 1), in any range; higher is more positive.
            Integers past 2**53 are rounded to float64.
        num_thresholds: points on each curve, 2 or more.
        weights: how much each sample counts, shape (n,) or (n, 1), or one number for all.
            A sample of weight 0 is as good as absent.
        activation: "sigmoid" if ``predictions`` are logits; it is taken in float64.

    Returns:
        Both curves, as the module's docstring defines them.

    Raises:
        DataError: labels other than 0 and 1, NaN scores, weights that are negative or not finite,
            unequal lengths, other shapes, or a bad ``num_thresholds`` or ``activation``.
    """
    scores = _flat(_scores(predictions), "predictions")
    check_activation(activation, ("sigmoid",))
    scores = activated(scores, activation)
    positive = _indicator(_flat(to_real(labels, "labels"), "labels"))
    _check_lengths(labels=positive, predictions=scores)
    return _curves(positive[None], scores[None], num_thresholds, weights)[0]


def compute_class_curves(
    labels: Any,
    scores: Any,
    *,
    num_thresholds: int = 127,
    weights: Any = None,
    activation: Literal["sigmoid", "softmax"] | None = None,
) -> list[tuple[PRCurve, ROCCurve]]:
    """One precision-recall and one ROC curve per class, each class against the rest.

    Args:
        labels: class ids 0 .. c - 1 of shape (n,) or (n, 1), or an indicator matrix of 0 and 1 of
            shape (n, c), one-hot or multi-label. With a single column of scores ids would say
            nothing: there, labels are 0 or 1, as in `compute_pr_roc_curves`.
        scores: shape (n, c), in any range. Each class has its own grid of thresholds.
        num_thresholds: points on each curve, 2 or more.
        weights: as in `compute_pr_roc_curves`, the same for all classes.
        activation: "sigmoid", or "softmax" over axis 1, if ``scores`` are logits.

    Returns:
        c pairs, in the order of the classes; none for an empty list of scores.

    Raises:
        DataError: as `compute_pr_roc_curves`, and for class ids outside 0 .. c - 1.
    """
    matrix = _scores(scores)
    if matrix.shape == (0,):
        matrix = matrix.reshape(0, 0)
    if matrix.ndim != 2:
        raise DataError(
            f"scores must have the shape [samples, classes], got {list(matrix.shape)}; "
            "for a single class use compute_pr_curve and compute_roc_curve"
        )
    check_activation(activation, ("sigmoid", "softmax"))
    matrix = activated(matrix, activation)
    given = to_real(labels, "labels")
    _check_lengths(labels=given, scores=matrix)
    members = _members(given, matrix.shape[1])
    return _curves(members, np.ascontiguousarray(matrix.T), num_thresholds, weights)


def mean_areas(pairs: Sequence[tuple[PRCurve, ROCCurve]]) -> tuple[float, float]:
    """Means of AP and AUC over the classes that have both kinds of samples; NaN without any."""
    areas = np.array([(pr.ap, roc.auc) for pr, roc in pairs]).reshape(-1, 2)
    known = areas[~np.isnan(areas).any(axis=1)]
    ap, auc = known.mean(axis=0).tolist() if len(known) else (math.nan, math.nan)
    return ap, auc


def _curves(
    members: _Bools, columns: NDArray[Any], num_thresholds: Any, weights: Any
) -> list[tuple[PRCurve, ROCCurve]]:
    """The curves of ``columns``, scores of shape (c, n); ``members`` are the positives."""
    count = _checked_count(num_thresholds)
    each, scale = _checked_weights(weights, columns.shape[1])
    if each is not None and not each.all():
        kept = each > 0
        members, columns, each = members[:, kept], columns[:, kept], each[kept]
    grids = _grids(columns, count)
    found = tally(columns, members, grids, each)

    predicted = found.tp + found.fp
    precision = np.divide(found.tp, predicted, out=np.ones_like(predicted), where=predicted > 0)
    tpr = found.tp / np.where(found.positives > 0, found.positives, 1.0)
    fpr = found.fp / np.where(found.negatives > 0, found.negatives, 1.0)
    recall = np.where(found.positives > 0, tpr, predicted > 0)
    tp, fp = found.tp * scale, found.fp * scale
    fn, tn = found.positives * scale - tp, found.negatives * scale - fp
    ap = found.ap if columns.shape[1] else np.full_like(found.ap, np.nan)
    return [
        (
            PRCurve(grids[k], tp[k], fp[k], tn[k], fn[k], precision[k], recall[k], float(ap[k])),
            ROCCurve(grids[k], tp[k], fp[k], tn[k], fn[k], tpr[k], fpr[k], float(found.auc[k])),
        )
        for k in range(len(columns))
    ]


def _grids(columns: NDArray[Any], count: int) -> _Floats:
    """Even thresholds for each column: over [0, 1], or its finite scores when some lie outside."""
    unit = np.arange(count) / (count - 1)  # linspace would not be exactly k / (n - 1)
    grids = np.tile(unit, (len(columns), 1))
    if not columns.size:
        return grids
    lows, highs = columns.min(axis=1), columns.max(axis=1)
    for k in np.flatnonzero((lows < 0) | (highs > 1)):
        finite = columns[k][np.isfinite(columns[k])]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if low < 0 or high > 1:
            shrink = 0.5 if high - low == np.inf else 1.0  # nothing may overflow
            low, high = low * shrink, high * shrink
            grids[k] = np.minimum(low + (high - low) * unit, high) / shrink
            grids[k, -1] = high / shrink
    return grids


def _checked_count(num_thresholds: Any) -> int:
    try:
        count = operator.index(num_thresholds)
    except TypeError:
        count = 0
    if count < 2:
        raise DataError(f"num_thresholds must be an integer of 2 or more, got {describe(num_thresholds)}")
    return count


def _checked_weights(weights: Any, samples: int) -> tuple[_Floats | None, float]:
    """A weight per sample, if they may differ, and one factor for all."""
    if weights is None:
        return None, 1.0
    array = to_real(weights, "weights").astype(np.float64, copy=False)
    _refuse(array[~((array >= 0) & (array < np.inf))], "weights must be finite and not negative")
    if array.ndim == 0:
        one = float(array)
        array = np.full(samples, one)
    else:
        one = 0.0
        array = _flat(array, "weights")
        if array.size != samples:
            raise DataError(f"there must be one weight per sample, got {array.size} weights for {samples}")
    with np.errstate(over="ignore"):
        total = array.sum()
    if not np.isfinite(total):
        raise DataError(f"the sum of the weights, up to {array.max():g} each, does not fit a float64")
    return (None, one) if one else (array, 1.0)


def _scores(value: Any) -> NDArray[Any]:
    """Scores without NaN, as float32 if they cannot hold more, else as float64."""
    array = to_real(value, "scores")
    narrow = array.dtype in (np.float16, np.float32)
    array = array.astype(np.float32 if narrow else np.float64, copy=False)
    if array.size and np.isnan(array.min()):
        missing = np.count_nonzero(np.isnan(array))
        raise DataError(f"{missing} of {array.size} scores are NaN; leave these samples out")
    return array


def _flat(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
        return array.reshape(-1)
    raise DataError(
        f"{name} must have the shape [n] or [n, 1], got {list(array.shape)}; "
        "flatten them, or use compute_class_curves for [samples, classes]"
    )


def _indicator(labels: NDArray[Any]) -> _Bools:
    """Labels of 0 and 1 as bools, of the same shape."""
    positive: _Bools = labels == 1
    _refuse(labels[~(positive | (labels == 0))], "labels must be 0 or 1")
    return positive


def _members(labels: NDArray[Any], classes: int) -> _Bools:
    """Which samples belong to each class, shape (classes, n)."""
    if classes == 1:
        return _indicator(_flat(labels, "labels"))[None]
    if labels.ndim == 2 and labels.shape[1] == classes:
        return np.ascontiguousarray(_indicator(labels).T)
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise DataError(
            f"labels must be class ids of shape [n] or an indicator matrix of shape [n, {classes}], "
            f"got shape {list(labels.shape)}"
        )
    ids = labels.reshape(-1)
    known = (ids >= 0) & (ids < classes) & (np.floor(ids) == ids)
    _refuse(ids[~known], f"class ids must be whole numbers from 0 to {classes - 1}")
    members: _Bools = ids == np.arange(classes)[:, None]
    return members


def _check_lengths(**arrays: NDArray[Any]) -> None:
    (name, one), (other_name, other) = arrays.items()
    if one.ndim == 0 or len(one) != len(other):
        raise DataError(
            f"{name} and {other_name} must be equally long, "
            f"got {one.shape[0] if one.ndim else 'one number'} {name} and {len(other)} {other_name}"
        )


def _refuse(values: NDArray[Any], rule: str) -> None:
    if values.size:
        shown = ", ".join(str(value) for value in np.unique(values)[:5].tolist())
        raise DataError(f"{rule}, got {shown}" + (f" ({values.size} in all)" if values.size > 1 else ""))
