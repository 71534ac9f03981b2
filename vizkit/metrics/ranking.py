"""Counts at thresholds, average precision (AP) and area under the ROC curve (AUC) from ranked scores.

Scores come as columns, one row of an array of shape (classes, samples) for each class, float32 or
float64 and without NaN. A sample is predicted positive when its score is at or above the threshold.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from vizkit.metrics.arrays import AnyArray, Bools, Floats, Indices

__all__ = ["Tally", "tally"]

_TOGETHER = 1 << 20  # scores whose classes are counted together: fewer calls, and not much memory


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts (or sums of weights) and areas of c classes.

    Attributes:
        tp: positives at or above each threshold, shape (c, num_thresholds).
        fp: negatives at or above each threshold, shape (c, num_thresholds).
        positives: all positives, shape (c, 1).
        negatives: all negatives, shape (c, 1).
        ap: average precision, shape (c,); 0 without positives.
        auc: area under the ROC curve, shape (c,); NaN without positives or without negatives.
    """

    tp: Floats
    fp: Floats
    positives: Floats
    negatives: Floats
    ap: Floats
    auc: Floats


def tally(columns: AnyArray, members: Bools, thresholds: Floats, weights: Floats | None) -> Tally:
    """Count positives and negatives at the thresholds, and compute AP and AUC from all scores.

    AP is the sum of (R_k - R_(k-1)) * P_k over the distinct scores (scikit-learn,
    ``average_precision_score``); recall moves at scores of positives only. AUC is the Mann-Whitney
    statistic, ties counting one half, over positives * negatives (Hanley and McNeil, Radiology 143,
    1982); with weights, the same area by trapezoids (Fawcett, Pattern Recognition Letters 27, 2006).

    Args:
        columns: scores of shape (c, n).
        members: True where a sample is positive, shape (c, n).
        thresholds: shape (c, num_thresholds).
        weights: positive numbers of shape (n,), or None if all samples count 1.
    """
    classes, count = thresholds.shape
    tp, fp = np.empty((classes, count)), np.empty((classes, count))
    totals = np.empty((4, classes))
    exact = _rounded_up(thresholds, columns.dtype)
    if weights is None:
        step = max(_TOGETHER // max(columns.shape[1], 1), 1)
        for start in range(0, classes, step):
            some = slice(start, start + step)
            tp[some], fp[some], totals[:, some] = _counted(columns[some], members[some], exact[some])
    else:
        for k in range(classes):
            tp[k], fp[k], totals[:, k] = _weighed(columns[k], members[k], exact[k], weights)
    positives, negatives, ap, auc = totals
    return Tally(tp, fp, positives[:, None], negatives[:, None], ap, auc)


def _counted(columns: AnyArray, members: Bools, thresholds: AnyArray) -> tuple[Floats, Floats, Floats]:
    """Return TP and FP at the thresholds; and positives, negatives, AP and AUC of each class."""
    classes, samples = columns.shape
    places = np.flatnonzero(members)  # class by class
    bounds = places.searchsorted(np.arange(classes + 1) * samples)
    positives = np.diff(bounds)
    negatives = samples - positives
    parts = [slice(*pair) for pair in itertools.pairwise(bounds.tolist())]
    ranked = columns.take(places)
    below, up_to = np.empty((2, places.size), dtype=np.intp)  # negatives, for each positive
    tp, fp = np.empty(thresholds.shape), np.empty(thresholds.shape)
    spans = _bit_spans(columns)
    for k, part in enumerate(parts):
        own = ranked[part]
        own.sort()
        marks = np.concatenate((own, thresholds[k]))
        under, not_above = _ranks(columns[k], ~members[k], marks, spans[k])
        below[part], up_to[part] = under[: own.size], not_above[: own.size]
        tp[k] = own.size - own.searchsorted(thresholds[k])
        fp[k] = negatives[k] - under[own.size :]

    new = np.ones(places.size, dtype=np.bool_)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    new[bounds[:-1][positives > 0]] = True
    first = np.maximum.accumulate(np.where(new, np.arange(places.size), 0))  # of equal positives
    at_or_above = np.repeat(bounds[1:], positives) - first
    precision = at_or_above / (at_or_above + np.repeat(negatives, positives) - below)
    pairs = (positives * negatives).tolist()
    up_to += below
    ap = [precision[part].sum() / max(part.stop - part.start, 1) for part in parts]
    auc = [int(up_to[part].sum()) / (2 * n) if n else np.nan for part, n in zip(parts, pairs, strict=True)]
    return tp, fp, np.array((positives, negatives, ap, auc))


def _weighed(
    scores: AnyArray, member: Bools, thresholds: AnyArray, weights: Floats
) -> tuple[Floats, Floats, tuple[float, float, float, float]]:
    order = np.argsort(scores)
    ranked, member, weights = scores[order], member[order], weights[order]
    # Entry i sums the i highest scores.
    tp_of_top, fp_of_top = np.zeros(scores.size + 1), np.zeros(scores.size + 1)
    np.cumsum(np.where(member, weights, 0.0)[::-1], out=tp_of_top[1:])
    np.cumsum(np.where(member, 0.0, weights)[::-1], out=fp_of_top[1:])
    positives, negatives = float(tp_of_top[-1]), float(fp_of_top[-1])

    top = scores.size - ranked.searchsorted(thresholds)
    ends = np.append(0, scores.size - _run_starts(ranked)[::-1])
    tps, fps = tp_of_top[ends], fp_of_top[ends]
    ap, auc = 0.0, float("nan")
    if positives:
        ap = float(np.diff(tps).dot(tps[1:] / (tps[1:] + fps[1:]))) / positives
    if positives and negatives:
        auc = float((np.diff(fps) / negatives).dot((tps[1:] + tps[:-1]) / positives)) / 2
    return tp_of_top[top], fp_of_top[top], (positives, negatives, ap, auc)


def _bit_spans(columns: AnyArray) -> list[tuple[int, int]]:
    """The least and the greatest of each row's floats, their bits read as integers."""
    if not columns.size:
        return [(0, 0)] * len(columns)
    bits = columns.view(_integers(columns.dtype))
    return list(zip(bits.min(axis=1).tolist(), bits.max(axis=1).tolist(), strict=True))


def _integers(dtype: np.dtype[np.generic]) -> str:
    return "i4" if dtype == np.float32 else "i8"


def _ranks(
    values: AnyArray, chosen: Bools, marks: AnyArray, span: tuple[int, int]
) -> tuple[Indices, Indices]:
    """Count, for each mark, the chosen values below it and those not above it.

    Sorting is the cost of a curve. If marks are few, only the values that share a narrow bucket with
    a mark are sorted, and the others are counted by bucket: for the probabilities of one class in
    ten, that takes about half the time.

    Args:
        values: shape (n,).
        chosen: shape (n,); each value that is not chosen must be a mark.
        marks: shape (m,), in any order, of the same dtype.
        span: of the values, as `_bit_spans` gives it.
    """
    integers = _integers(values.dtype)
    low, high = span
    # Nonnegative floats are ordered as their bits: buckets that are even in the logarithm.
    if 4 * marks.size > values.size or low < 0:
        near, far = values[chosen], np.zeros(marks.size, dtype=np.intp)
    else:
        shift = max((high - low).bit_length() - values.size.bit_length() - 1, 0)  # 2 n to 4 n buckets
        low, high = low >> shift, high >> shift
        codes = np.subtract(values.view(integers) >> shift, low, dtype=np.intp)
        mark_codes = np.minimum(np.maximum(marks.view(integers) >> shift, low), high) - low
        marked = np.zeros(high - low + 1, dtype=np.bool_)
        marked[mark_codes] = True
        near = values.compress(marked.take(codes) & chosen)
        others = np.bincount(codes, minlength=marked.size)
        others[mark_codes] = 0
        far = others.cumsum(out=others).take(mark_codes)
    near.sort()
    found = near.searchsorted(marks)
    below = far + found
    up_to = below
    if near.size:
        met = np.flatnonzero(near.take(found, mode="clip") == marks)
        if met.size:
            up_to = below.copy()
            up_to[met] += near.searchsorted(marks[met], side="right") - found[met]
    return below, up_to


def _run_starts(ascending: AnyArray) -> Indices:
    """The index at which each run of equal values starts."""
    starts = np.ones(ascending.size, dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=starts[1:])
    return np.flatnonzero(starts)


def _rounded_up(thresholds: Floats, dtype: np.dtype[np.generic]) -> AnyArray:
    """The least numbers of ``dtype`` at or above the thresholds: they separate the same scores."""
    exact: AnyArray = thresholds.astype(dtype)
    np.nextafter(exact, dtype.type(np.inf), out=exact, where=exact < thresholds)
    return exact
