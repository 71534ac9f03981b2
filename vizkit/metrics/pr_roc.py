"""Precision-recall and ROC curves from labels and scores.

A sample is predicted positive when its score is at or above the threshold. The areas (AP, AUC)
come from all scores, the points from an even grid of thresholds:

- ``k / (n - 1)`` for ``k = 0 .. n - 1`` when all scores lie in [0, 1];
- otherwise the same grid stretched over [min, max] of the scores, so that none is left out.

Infinite scores keep their rank but do not move the ends of the grid. Scores and thresholds are
compared as float64; float32 scores are exact in it.

The numbers equal scikit-learn's (``precision_recall_curve``, ``average_precision_score``,
``roc_curve``, ``roc_auc_score``) at these thresholds. Where a denominator is zero:

- precision is 1 where nothing is predicted positive;
- without positives, tpr is 0 (to be drawn; scikit-learn: NaN), AP is 0 and AUC is NaN; recall is 1
  where anything is predicted positive and 0 elsewhere, as in scikit-learn;
- without negatives, fpr is 0 (scikit-learn: NaN) and AUC is NaN;
- without samples, precision is 1, recall, tpr and fpr are 0, AP and AUC are NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vizkit._checks import one_of, whole_number
from vizkit._language import mark, tr
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.activation import activate
from vizkit.metrics.arrays import AnyArray, Bools, Floats, to_real
from vizkit.metrics.inputs import check_lengths, check_weights, flatten, refuse_nan, refuse_where
from vizkit.metrics.ranking import Tally, tally

__all__ = [
    "PRCurve",
    "ROCCurve",
    "compute_class_curves",
    "compute_pr_curve",
    "compute_pr_roc_curves",
    "compute_roc_curve",
    "curves_of",
    "mean_areas",
]

_CLASSES_HINT = mark("; flatten them, or compute a curve for each class")


@dataclass(frozen=True, eq=False)
class PRCurve:
    """Precision and recall at ``thresholds``; arrays are float64 of shape (num_thresholds,).

    Attributes:
        thresholds: ascending, in the unit of the scores.
        tp, fp, tn, fn: samples (or their weights) at each threshold.
        precision: tp / (tp + fp).
        recall: tp / (tp + fn).
        ap: average precision of all scores (scikit-learn's ``average_precision_score``).
    """

    thresholds: Floats
    tp: Floats
    fp: Floats
    tn: Floats
    fn: Floats
    precision: Floats
    recall: Floats
    ap: float


@dataclass(frozen=True, eq=False)
class ROCCurve:
    """True and false positive rates at ``thresholds``; arrays are float64 of shape (num_thresholds,).

    Attributes:
        thresholds: ascending, in the unit of the scores.
        tp, fp, tn, fn: samples (or their weights) at each threshold.
        tpr: tp / (tp + fn).
        fpr: fp / (fp + tn).
        auc: area under the ROC curve of all scores (scikit-learn's ``roc_auc_score``).
    """

    thresholds: Floats
    tp: Floats
    fp: Floats
    tn: Floats
    fn: Floats
    tpr: Floats
    fpr: Floats
    auc: float


def compute_pr_curve(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    num_thresholds: int = 127,
    weights: ArrayLike | None = None,
    activation: Literal["sigmoid"] | None = None,
) -> PRCurve:
    """Compute the precision-recall curve of one class; arguments are those of `compute_pr_roc_curves`."""
    return compute_pr_roc_curves(
        labels, predictions, num_thresholds=num_thresholds, weights=weights, activation=activation
    )[0]


def compute_roc_curve(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    num_thresholds: int = 127,
    weights: ArrayLike | None = None,
    activation: Literal["sigmoid"] | None = None,
) -> ROCCurve:
    """Compute the ROC curve of one class; arguments are those of `compute_pr_roc_curves`."""
    return compute_pr_roc_curves(
        labels, predictions, num_thresholds=num_thresholds, weights=weights, activation=activation
    )[1]


def compute_pr_roc_curves(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    num_thresholds: int,
    weights: ArrayLike | None = None,
    activation: Literal["sigmoid"] | None = None,
) -> tuple[PRCurve, ROCCurve]:
    """Compute the precision-recall and the ROC curve of one class; they share their counts.

    Args:
        labels: bools, or the numbers 0 and 1, of shape (n,) or (n, 1).
        predictions: scores of shape (n,) or (n, 1), in any range; higher is more positive.
            Integers past 2**53 are rounded to float64.
        num_thresholds: points on each curve, 2 or more.
        weights: sample weights of shape (n,) or (n, 1), or one number for all. A sample of weight 0
            does not count.
        activation: "sigmoid" if ``predictions`` are logits; computed in float64.

    Returns:
        Both curves, as the module's docstring defines them.

    Raises:
        DataError: labels other than 0 and 1, NaN scores, weights that are negative or not finite,
            unequal lengths, other shapes, or a bad ``num_thresholds`` or ``activation``.
    """
    scores = flatten(_scores(predictions), "predictions", tr(_CLASSES_HINT))
    scores = activate(scores, one_of("activation", activation, (None, "sigmoid")))
    positive = _indicator(flatten(to_real(labels, "labels"), "labels", tr(_CLASSES_HINT)))
    check_lengths(positive, "predictions", scores)
    return _curves(positive[None], scores[None], num_thresholds, weights)[0]


def compute_class_curves(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    num_thresholds: int = 127,
    weights: ArrayLike | None = None,
    activation: Literal["sigmoid", "softmax"] | None = None,
) -> list[tuple[PRCurve, ROCCurve]]:
    """Compute a precision-recall and a ROC curve for each class against the rest.

    Args:
        labels: class ids 0 .. c - 1 of shape (n,) or (n, 1), or an indicator matrix of 0 and 1 of
            shape (n, c), one-hot or multi-label. With a single column of scores, labels are 0 or 1,
            as in `compute_pr_roc_curves`.
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
            "scores must be of shape [samples, classes], got {shape}; for a single class "
            "compute_pr_curve and compute_roc_curve take [samples]",
            shape=list(matrix.shape),
        )
    matrix = activate(matrix, one_of("activation", activation, (None, "sigmoid", "softmax")))
    given = to_real(labels, "labels")
    check_lengths(given, "scores", matrix)
    members = _members(given, matrix.shape[1])
    return _curves(members, np.ascontiguousarray(matrix.T), num_thresholds, weights)


def mean_areas(pairs: Sequence[tuple[PRCurve, ROCCurve]]) -> tuple[float, float]:
    """Return the means of AP and AUC (scikit-learn's ``average="macro"``) over PR and ROC curves.

    Classes without positives or without negatives are left out; both are NaN if none remains.
    """
    areas = np.array([(pr.ap, roc.auc) for pr, roc in pairs]).reshape(-1, 2)
    known = areas[~np.isnan(areas).any(axis=1)]
    ap, auc = known.mean(axis=0).tolist() if len(known) else (math.nan, math.nan)
    return ap, auc


def _curves(
    members: Bools, columns: AnyArray, num_thresholds: int, weights: ArrayLike | None
) -> list[tuple[PRCurve, ROCCurve]]:
    """Compute the curves of ``columns``, scores of shape (c, n); ``members`` are the positives."""
    count = whole_number("num_thresholds", num_thresholds, least=2)
    each, scale = _weights_and_scale(weights, columns.T)
    if each is not None and not each.all():
        kept = each > 0
        members, columns, each = members[:, kept], columns[:, kept], each[kept]
    grids = _grids(columns, count)
    return curves_of(grids, tally(columns, members, grids, each), scale)


def curves_of(grids: Floats, found: Tally, scale: float = 1.0) -> list[tuple[PRCurve, ROCCurve]]:
    """Return the curves of each class from its counts at thresholds, which are multiplied by ``scale``."""
    predicted = found.tp + found.fp
    precision = np.divide(found.tp, predicted, out=np.ones_like(predicted), where=predicted > 0)
    tpr = found.tp / np.where(found.positives > 0, found.positives, 1.0)
    fpr = found.fp / np.where(found.negatives > 0, found.negatives, 1.0)
    recall = np.where(found.positives > 0, tpr, predicted > 0)
    tp, fp = found.tp * scale, found.fp * scale
    fn, tn = found.positives * scale - tp, found.negatives * scale - fp
    ap = np.where(found.positives[:, 0] + found.negatives[:, 0] > 0, found.ap, np.nan)
    return [
        (
            PRCurve(grids[k], tp[k], fp[k], tn[k], fn[k], precision[k], recall[k], float(ap[k])),
            ROCCurve(grids[k], tp[k], fp[k], tn[k], fn[k], tpr[k], fpr[k], float(found.auc[k])),
        )
        for k in range(len(grids))
    ]


def _grids(columns: AnyArray, count: int) -> Floats:
    """Even thresholds for each column: over [0, 1], or over its finite scores if some lie outside."""
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


def _weights_and_scale(weights: ArrayLike | None, scores: AnyArray) -> tuple[Floats | None, float]:
    """A weight for each sample if they may differ, and one factor for all."""
    if weights is None:
        return None, 1.0
    array = check_weights(weights, scores)
    with np.errstate(over="ignore"):
        total = array.sum() if array.ndim else array * len(scores)
    if not np.isfinite(total):
        raise DataError(
            "the sum of the weights, up to {most:g} each, does not fit a float64", most=array.max()
        )
    if array.ndim:
        return array, 1.0
    return (None, float(array)) if array else (np.zeros(len(scores)), 1.0)


def _scores(value: ArrayLike) -> AnyArray:
    """Scores without NaN, as float32 if they cannot hold more, else as float64."""
    array = to_real(value, "scores")
    narrow = array.dtype in (np.float16, np.float32)
    array = array.astype(np.float32 if narrow else np.float64, copy=False)
    refuse_nan(array)
    return array


def _indicator(labels: AnyArray) -> Bools:
    """Labels of 0 and 1 as bools, of the same shape."""
    positive: Bools = labels == 1
    refuse_where(~(positive | (labels == 0)), labels, "labels", tr("be 0 or 1"))
    return positive


def _members(labels: AnyArray, classes: int) -> Bools:
    """Membership of each sample in each class, shape (classes, n)."""
    if classes == 1:
        return _indicator(flatten(labels, "labels", tr(_CLASSES_HINT)))[None]
    if labels.ndim == 2 and labels.shape[1] == classes:
        return np.ascontiguousarray(_indicator(labels).T)
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise DataError(
            "labels must be class ids of shape [n] or an indicator matrix of shape [n, "
            "{classes}], got shape {shape}",
            classes=classes,
            shape=list(labels.shape),
        )
    ids = labels.reshape(-1)
    known = (ids >= 0) & (ids < classes) & (np.floor(ids) == ids)
    refuse_where(~known, ids, "class ids", tr("be whole numbers from 0 to {last}", last=classes - 1))
    members: Bools = ids == np.arange(classes)[:, None]
    return members
