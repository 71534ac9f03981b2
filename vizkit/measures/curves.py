"""Precision-recall and ROC curves from labels and scores.

A sample is predicted positive when its score is at or above the threshold. The areas (AP, AUC)
come from all scores, the points from an even grid of thresholds:

- ``k / (n - 1)`` for ``k = 0 .. n - 1`` when all scores lie in [0, 1];
- otherwise the same grid stretched over [min, max] of the scores, so that none is left out.

Infinite scores keep their rank, and do not move the ends of the grid. Scores and thresholds are
compared as float64: float32 scores are taken exactly, never thresholds rounded to float32.

Numbers equal scikit-learn's. Where a ratio has no denominator:

==================  =========  ======  ===  ===  ===  ===
case                precision  recall  tpr  fpr  ap   auc
==================  =========  ======  ===  ===  ===  ===
nothing predicted   1          0
no positives                   1 [1]_  0         0    NaN
no negatives                                0         NaN
no samples          1          0       0    0    NaN  NaN
==================  =========  ======  ===  ===  ===  ===

.. [1] 0 where nothing is predicted positive. This is scikit-learn's recall; its tpr would be NaN.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import DataError
from vizkit.measures.arrays import describe, to_array

__all__ = ["PRCurve", "ROCCurve", "class_curves", "pr_curve", "pr_roc_curves", "roc_curve"]

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PRCurve:
    """Precision and recall at ``thresholds``; arrays are float64 of shape (num_thresholds,).

    Attributes:
        thresholds: ascending, in the unit of the scores.
        tp, fp, tn, fn: samples (or their weights) counted at each threshold.
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
        tp, fp, tn, fn: samples (or their weights) counted at each threshold.
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


def pr_curve(
    labels: Any,
    predictions: Any,
    *,
    num_thresholds: int = 127,
    weights: Any = None,
    activation: Literal["sigmoid"] | None = None,
) -> PRCurve:
    """The precision-recall curve of one class; arguments and errors as in `pr_roc_curves`."""
    return pr_roc_curves(
        labels, predictions, num_thresholds=num_thresholds, weights=weights, activation=activation
    )[0]


def roc_curve(
    labels: Any,
    predictions: Any,
    *,
    num_thresholds: int = 127,
    weights: Any = None,
    activation: Literal["sigmoid"] | None = None,
) -> ROCCurve:
    """The ROC curve of one class; arguments and errors as in `pr_roc_curves`."""
    return pr_roc_curves(
        labels, predictions, num_thresholds=num_thresholds, weights=weights, activation=activation
    )[1]


def pr_roc_curves(
    labels: Any,
    predictions: Any,
    *,
    num_thresholds: int,
    weights: Any = None,
    activation: Literal["sigmoid"] | None = None,
) -> tuple[PRCurve, ROCCurve]:
    """The precision-recall and the ROC curve of one class; they share their counts.

    Args:
        labels: shape (n,) or (n, 1): bools, or the numbers 0 and 1.
        predictions: scores of shape (n,) or (n, 1), in any range; higher is more positive.
            Float32 stays exact, float64 too; integers past 2**53 are rounded.
        num_thresholds: points on the curve, 2 or more.
        weights: how much each sample counts, shape (n,) or (n, 1), or one number for all.
            A sample of weight 0 is as good as absent.
        activation: "sigmoid" if ``predictions`` are logits; it is taken in float64.

    Returns:
        Both curves, as the module's docstring defines them.

    Raises:
        DataError: labels other than 0 and 1, NaN scores, weights that are negative or not
            finite, lengths that differ, other shapes, or a bad ``num_thresholds`` or ``activation``.
    """
    num_thresholds = _checked_count(num_thresholds)
    scores = _flat(_scores(predictions), "predictions")
    scores = _activated(scores, activation, allowed=("sigmoid",))
    positive = _indicator(_flat(to_array(labels), "labels"))
    _check_length(positive, scores, "labels", "predictions")
    each, scale = _checked_weights(weights, scores)
    if each is not None:
        kept = each > 0
        positive, scores, each = positive[kept], scores[kept], each[kept]
    return _curves(positive, scores, num_thresholds, each, scale)


def class_curves(
    labels: Any,
    scores: Any,
    *,
    num_thresholds: int = 127,
    weights: Any = None,
    activation: Literal["sigmoid", "softmax"] | None = None,
) -> list[tuple[PRCurve, ROCCurve]]:
    """One precision-recall and one ROC curve per class, each class against the rest.

    Args:
        labels: class ids 0 .. c - 1 of shape (n,) or (n, 1), or an indicator matrix of 0 and 1
            of shape (n, c), one-hot or multi-label. With one column of scores (c = 1), ids would
            say nothing: labels are then always 0 or 1, the indicator of that column.
        scores: shape (n, c), as ``predictions`` in `pr_roc_curves`. Each class has its own grid.
        num_thresholds: points on each curve, 2 or more.
        weights: as in `pr_roc_curves`, the same for all classes.
        activation: "sigmoid" or "softmax" (over axis 1) if ``scores`` are logits.

    Returns:
        c pairs, in the order of the classes; none for an empty list of scores.

    Raises:
        DataError: as in `pr_roc_curves`, or class ids that are not 0 .. c - 1.
    """
    num_thresholds = _checked_count(num_thresholds)
    matrix = _scores(scores)
    if matrix.shape == (0,):
        matrix = matrix.reshape(0, 0)
    if matrix.ndim != 2:
        raise DataError(
            f"scores must have the shape [samples, classes], got {list(matrix.shape)}; "
            "for a single class use pr_curve and roc_curve"
        )
    matrix = _activated(matrix, activation, allowed=("sigmoid", "softmax"))
    given = to_array(labels)
    _check_length(given, matrix, "labels", "scores")
    each, scale = _checked_weights(weights, matrix)
    members = _members(given, matrix.shape[1])
    columns = np.ascontiguousarray(matrix.T)
    if each is not None:
        kept = each > 0
        members, columns, each = (member[kept] for member in members), columns[:, kept], each[kept]
    return [
        _curves(member, column, num_thresholds, each, scale)
        for member, column in zip(members, columns, strict=True)
    ]


# ---- the curves ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tally:
    """What lies at or above each threshold, all there is of each kind, and the areas."""

    tp: NDArray[Any]
    fp: NDArray[Any]
    positives: float
    negatives: float
    ap: float
    auc: float


def _curves(
    positive: _Bools, scores: NDArray[Any], num_thresholds: int, weights: _Floats | None, scale: float
) -> tuple[PRCurve, ROCCurve]:
    if scale == 0.0:  # every sample weighs nothing
        positive, scores = positive[:0], scores[:0]
    thresholds = _grid(scores, num_thresholds)
    if weights is None:
        tally = _tally_plain(positive, scores, thresholds)
    else:
        tally = _tally_weighted(positive, scores, thresholds, weights)

    predicted = tally.tp + tally.fp
    any_predicted = predicted > 0
    precision = np.divide(tally.tp, predicted, out=np.ones(num_thresholds), where=any_predicted)
    tpr = tally.tp / (tally.positives or 1.0)
    recall = tpr if tally.positives else any_predicted.astype(np.float64)
    fpr = tally.fp / (tally.negatives or 1.0)
    tp, fp = tally.tp * scale, tally.fp * scale
    tn, fn = (tally.negatives - tally.fp) * scale, (tally.positives - tally.tp) * scale
    ap = tally.ap if scores.size else np.nan
    return (
        PRCurve(thresholds, tp, fp, tn, fn, precision, recall, ap),
        ROCCurve(thresholds, tp, fp, tn, fn, tpr, fpr, tally.auc),
    )


def _grid(scores: NDArray[Any], num_thresholds: int) -> _Floats:
    """Even thresholds over [0, 1], or over the finite scores when some lie outside."""
    unit = np.arange(num_thresholds) / (num_thresholds - 1)  # linspace would not be k / (n - 1) exactly
    if not scores.size:
        return unit
    low, high = float(scores.min()), float(scores.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = scores[np.isfinite(scores)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0.0 and high <= 1.0:
        return unit
    # high - low could overflow; rounding must not leave [low, high] or go back.
    stretched = np.clip(low * (1.0 - unit) + high * unit, low, high)
    return np.maximum.accumulate(stretched)


def _tally_plain(positive: _Bools, scores: NDArray[Any], thresholds: _Floats) -> _Tally:
    """Counts without weights, with no argsort: both kinds are sorted on their own.

    AP is the step sum of (R_k - R_(k-1)) * P_k, which moves at positive scores only (scikit-learn,
    average_precision_score). AUC is the Mann-Whitney U / (positives * negatives), ties counting
    one half (Hanley and McNeil, Radiology 143, 1982).
    """
    pos, neg = np.sort(scores[positive]), np.sort(scores[~positive])
    # searchsorted compares in the common type, float64, also for float32 scores.
    tp = pos.size - np.searchsorted(pos, thresholds)
    fp = neg.size - np.searchsorted(neg, thresholds)

    first = _group_starts(pos)
    level, tied = pos[first], np.diff(first, append=pos.size)
    below = np.searchsorted(neg, level)
    at_or_above = pos.size - first
    ap = float(tied @ (at_or_above / (at_or_above + (neg.size - below)))) / max(pos.size, 1)

    auc = float("nan")
    if pos.size and neg.size:
        up_to = below.copy()
        met = neg[np.minimum(below, neg.size - 1)] == level
        up_to[met] = np.searchsorted(neg, level[met], side="right")
        auc = int(tied @ (below + up_to)) / (2 * pos.size * neg.size)
    return _Tally(tp, fp, pos.size, neg.size, ap, auc)


def _tally_weighted(positive: _Bools, scores: NDArray[Any], thresholds: _Floats, weights: _Floats) -> _Tally:
    """Sums of positive weights; AP as above, AUC by trapezoids (Fawcett, Pattern Recogn. Lett. 27, 2006)."""
    order = np.argsort(scores)
    ranked, positive, weights = scores[order], positive[order], weights[order]
    # Entry i sums the i highest scores.
    tp_of_top, fp_of_top = np.zeros(scores.size + 1), np.zeros(scores.size + 1)
    np.cumsum(np.where(positive, weights, 0.0)[::-1], out=tp_of_top[1:])
    np.cumsum(np.where(positive, 0.0, weights)[::-1], out=fp_of_top[1:])
    positives, negatives = float(tp_of_top[-1]), float(fp_of_top[-1])

    top = scores.size - np.searchsorted(ranked, thresholds)
    ends = np.append(0, scores.size - _group_starts(ranked)[::-1])
    tps, fps = tp_of_top[ends], fp_of_top[ends]
    ap, auc = 0.0, float("nan")
    if positives:
        ap = float((np.diff(tps) / positives) @ (tps[1:] / (tps[1:] + fps[1:])))
    if positives and negatives:
        auc = float((np.diff(fps) / negatives) @ ((tps[1:] + tps[:-1]) / positives)) / 2
    return _Tally(tp_of_top[top], fp_of_top[top], positives, negatives, ap, auc)


def _group_starts(ascending: NDArray[Any]) -> NDArray[np.intp]:
    """Where each run of equal values starts."""
    starts = np.ones(ascending.size, dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=starts[1:])
    return np.flatnonzero(starts)


# ---- what comes in ---------------------------------------------------------------------------------


def _checked_count(num_thresholds: Any) -> int:
    try:
        count = operator.index(num_thresholds)
    except TypeError:
        count = 0
    if count < 2:
        raise DataError(f"num_thresholds must be an integer of 2 or more, got {describe(num_thresholds)}")
    return count


def _scores(value: Any) -> NDArray[Any]:
    """Scores as float32 if that is exact by type, else as float64, without NaN."""
    array = np.asarray(to_array(value))
    if array.dtype.kind == "c":
        raise DataError(f"scores must be real numbers, got {describe(array)}")
    exact: type[np.floating[Any]] = np.float32 if array.dtype in (np.float16, np.float32) else np.float64
    array = array.astype(exact, copy=False)
    missing = int(np.count_nonzero(np.isnan(array)))
    if missing:
        raise DataError(f"{missing} of {array.size} scores are NaN; leave these samples out")
    return array


def _activated(scores: NDArray[Any], activation: str | None, *, allowed: tuple[str, ...]) -> NDArray[Any]:
    if activation is None:
        return scores
    if activation not in allowed:
        raise DataError(f"activation must be None or one of {', '.join(allowed)}, got {describe(activation)}")
    # Float32 would round all logits above 17 to a probability of 1, and so tie them.
    scores = scores.astype(np.float64)
    if activation == "sigmoid":
        small = np.exp(-np.abs(scores))  # never overflows
        return np.where(scores >= 0, 1.0, small) / (1.0 + small)
    if not scores.size:
        return scores
    highest = scores.max(axis=1, keepdims=True)
    undefined = int(np.count_nonzero(np.isinf(highest)))
    if undefined:
        raise DataError(f"{undefined} of {len(scores)} rows have no softmax: they hold inf, or only -inf")
    powers = np.exp(scores - highest)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _flat(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
        return np.asarray(array).reshape(-1)
    raise DataError(
        f"{name} must have the shape [n] or [n, 1], got {list(array.shape)}; "
        "pick one class, or use class_curves for [samples, classes]"
    )


def _indicator(labels: NDArray[Any]) -> _Bools:
    """Labels of 0 and 1 as bools, of the same shape."""
    positive: _Bools = labels == 1
    _refuse(labels[~(positive | (labels == 0))], "labels must be 0 or 1")
    return positive


def _members(labels: NDArray[Any], classes: int) -> Iterator[_Bools]:
    """For each class, which samples are of it; labels are checked before the first."""
    if classes == 1:
        return iter([_indicator(_flat(labels, "labels"))])
    if labels.ndim == 2 and labels.shape[1] == classes:
        return iter(np.ascontiguousarray(_indicator(labels).T))
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise DataError(
            f"labels must be class ids of shape [n] or an indicator matrix of shape [n, {classes}], "
            f"got shape {list(labels.shape)}"
        )
    ids = _flat(labels, "labels")
    if ids.dtype.kind != "b":
        known = (ids >= 0) & (ids < classes) & (ids == np.floor(ids))
        _refuse(ids[~known], f"class ids must be whole numbers from 0 to {classes - 1}")
    ids = ids.astype(np.intp)
    return (ids == k for k in range(classes))


def _checked_weights(weights: Any, scores: NDArray[Any]) -> tuple[_Floats | None, float]:
    """A weight per sample, if they differ, and one factor for all."""
    if weights is None:
        return None, 1.0
    array = np.asarray(to_array(weights))
    if array.dtype.kind == "c":
        raise DataError(f"weights must be real numbers, got {describe(array)}")
    array = array.astype(np.float64, copy=False)
    _refuse(array[~((array >= 0) & (array < np.inf))], "weights must be finite and not negative")
    one = array.ndim == 0
    if not one:
        array = _flat(array, "weights")
        _check_length(array, scores, "weights", "scores")
    with np.errstate(over="ignore"):
        total = array * len(scores) if one else array.sum()
    if not np.isfinite(total):
        raise DataError(f"the sum of the weights, up to {array.max():g} each, does not fit a float64")
    return (None, float(array)) if one else (array, 1.0)


def _check_length(one: NDArray[Any], other: NDArray[Any], name: str, other_name: str) -> None:
    lengths = [len(array) if array.ndim else 0 for array in (one, other)]
    if one.ndim == 0 or lengths[0] != lengths[1]:
        raise DataError(
            f"{name} and {other_name} must be of one length, got {lengths[0]} {name} and {lengths[1]} {other_name}"
        )


def _refuse(values: NDArray[Any], rule: str) -> None:
    if values.size:
        shown = np.unique(values)[:5].tolist()
        more = "" if values.size == 1 else f" among {values.size} bad ones"
        raise DataError(f"{rule}, got {', '.join(map(str, shown))}{more}")
