"""Average precision of detected boxes as COCO defines it, added image by image in bounded memory.

The numbers equal pycocotools' ``COCOeval(..., "bbox")``: ten IoU thresholds from 0.5 to 0.95, precision at
101 recalls, at most 100 boxes an image and class, sizes by area (small below 32², large above 96²), crowds
that may be found many times and count neither way. A class without labels has no AP (NaN).

A false positive at an IoU of 0.5 is of the first kind that it fits: a *duplicate* (its object is found
already), of the wrong *class* (on an object of another one), out of *place* (IoU of 0.1 or more with an
object of its class), or on *background*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkit.metrics.arrays import AnyArray, Bools, Floats, Indices, Ints
from vizkit.metrics.boxes import Boxes
from vizkit.metrics.pr_roc import PRCurve

__all__ = [
    "FALSE_POSITIVES",
    "IOU_THRESHOLDS",
    "SIZES",
    "DetectionResult",
    "DetectionScores",
    "ImageMatches",
]

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""The IoU from which on a box is right."""

SIZES = ("all", "small", "medium", "large")
"""The ranges of area that are evaluated."""

FALSE_POSITIVES = ("duplicate", "class", "place", "background")
"""The kinds of false positives."""

_AREAS = np.array([[0, 1e10], [0, 32**2], [32**2, 96**2], [96**2, 1e10]])
_RECALLS = np.linspace(0, 1, 101)
_MOST = 100  # boxes an image and class
_FEW = (1, 10, _MOST)
_NEAR = 0.1  # IoU from which on a box is near an object
_PLACES = (len(IOU_THRESHOLDS), len(SIZES))


@dataclass(frozen=True, eq=False)
class ImageMatches:
    """Detections of an image against its labels at an IoU of 0.5.

    Attributes:
        labels: number of labels but for crowds.
        found: number of them that a detection found.
        found_by_best: number of them that were found by as many of the best detections as there are labels.
    """

    labels: int
    found: int
    found_by_best: int


@dataclass(frozen=True, eq=False)
class DetectionResult:
    """Average precision and recall of k classes, NaN for classes without labels.

    Attributes:
        images: number of images.
        labels: labels of each class, without crowds.
        precision: AP of shape (IoU thresholds, k, sizes).
        recall: highest recall of shape (IoU thresholds, k, sizes, 3), with 1, 10 and 100 boxes an image.
        best_score: for each class the score from which on F1 at an IoU of 0.5 is highest.
        right: right detections from that score on, shape (k,).
        false_positives: likewise, of each kind, shape (k, kinds).
        curves: for each class precision and recall at an IoU of 0.5; ``tn`` is 0.
        dropped: detections that were dropped to save memory, those of the lowest scores.
    """

    images: int
    labels: Ints
    precision: Floats
    recall: Floats
    best_score: Floats
    right: Ints
    false_positives: Ints
    curves: list[PRCurve]
    dropped: int

    def ap(self, iou: float | None = None, size: str = "all") -> float:
        """The mean AP over the classes, and over all IoU thresholds or at one."""
        every = self.precision[:, :, SIZES.index(size)]
        return _mean(every if iou is None else every[np.argmin(np.abs(IOU_THRESHOLDS - iou))])

    def ar(self, most: int = _MOST, size: str = "all") -> float:
        """The mean recall over classes and IoU thresholds, with at most so many boxes an image."""
        return _mean(self.recall[:, :, SIZES.index(size), _FEW.index(most)])


class DetectionScores:
    """The matches of one evaluation's boxes.

    Args:
        limit: detections that are kept; past it those of the lowest scores are dropped.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._images = 0
        self._dropped = 0
        self._count = 0
        self._labels = np.zeros((0, len(SIZES)), np.int64)  # that count, of each class and size
        self._parts: list[_Matches] = []

    @property
    def images(self) -> int:
        """Number of images added."""
        return self._images

    @property
    def classes(self) -> int:
        """One more than the highest class id so far."""
        return len(self._labels)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return sum(part.nbytes for part in self._parts)

    def add(self, labels: Boxes, found: Boxes) -> ImageMatches:
        """Add an image."""
        self._images += 1
        classes = 1 + max(labels.classes.max(initial=-1), found.classes.max(initial=-1), self.classes - 1)
        if classes > self.classes:
            more = np.zeros((classes - self.classes, len(SIZES)), np.int64)
            self._labels = np.concatenate([self._labels, more])
        ignored = (labels.areas < _AREAS[:, :1]) | (labels.areas > _AREAS[:, 1:]) | labels.crowd
        np.add.at(self._labels, labels.classes, (~ignored).T)
        order = np.argsort(-found.scores, kind="stable")
        ranks = _ranks(found.classes[order])
        order, ranks = order[ranks < _MOST], ranks[ranks < _MOST]
        places, kinds = found.places[order], found.classes[order]
        overlaps = _overlaps(places, labels)
        same = kinds[:, None] == labels.classes
        right, skipped = _match(np.where(same, overlaps, -1.0), labels.crowd, ignored)
        areas = (places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1])
        outside = (areas[:, None] < _AREAS[:, 0]) | (areas[:, None] > _AREAS[:, 1])
        skipped |= ~right & outside[:, None, :]
        self._parts.append(
            _Matches(
                found.scores[order],
                kinds.astype(np.int32),
                ranks.astype(np.uint8),
                _packed(right),
                _packed(skipped),
                _kinds(overlaps, same, labels.crowd),
            )
        )
        self._count += len(order)
        if self._count > self._limit:
            self._drop()
        truly = right[:, 0, 0] & ~skipped[:, 0, 0]
        count = int((~ignored[0]).sum())
        return ImageMatches(count, int(truly.sum()), int(truly[:count].sum()))

    def _drop(self) -> None:
        every = _Matches.joined(self._parts)
        kept = np.sort(np.argsort(-every.scores, kind="stable")[: max(1, self._limit * 9 // 10)])
        self._dropped += self._count - len(kept)
        self._parts, self._count = [every.picked(kept)], len(kept)

    def result(self, classes: int | None = None, num_thresholds: int = 127) -> DetectionResult:
        """Compute the result.

        Args:
            classes: number of classes, at least those that were seen.
            num_thresholds: points on each curve.
        """
        k = max(classes or 0, self.classes)
        labels = np.zeros((k, len(SIZES)), np.int64)
        labels[: self.classes] = self._labels
        every = _Matches.joined(self._parts)
        order = np.argsort(-every.scores, kind="stable")  # of equals the earlier image first
        order = order[np.argsort(every.classes[order], kind="stable")]
        bounds = np.searchsorted(every.classes[order], np.arange(k + 1))
        precision = np.full((*_PLACES[:1], k, _PLACES[1]), np.nan)
        recall = np.full((*_PLACES[:1], k, _PLACES[1], len(_FEW)), np.nan)
        best_score, right = np.ones(k), np.zeros(k, np.int64)
        wrong = np.zeros((k, len(FALSE_POSITIVES)), np.int64)
        curves = []
        for i in range(k):
            some = every.picked(order[bounds[i] : bounds[i + 1]])
            hits, skipped = (_unpacked(bits) for bits in (some.right, some.skipped))
            for a in range(len(SIZES)):
                if labels[i, a]:
                    true, false = hits[:, :, a] & ~skipped[:, :, a], ~hits[:, :, a] & ~skipped[:, :, a]
                    precision[:, i, a] = _average_precision(true, false, int(labels[i, a]))
                    for m, most in enumerate(_FEW):
                        recall[:, i, a, m] = true[some.ranks < most].sum(axis=0) / labels[i, a]
            true, false = hits[:, 0, 0] & ~skipped[:, 0, 0], ~hits[:, 0, 0] & ~skipped[:, 0, 0]
            count = int(labels[i, 0])
            if len(some.scores) and count:
                f1 = 2 * true.cumsum() / (true.cumsum() + false.cumsum() + count)
                f1[:-1][some.scores[:-1] == some.scores[1:]] = -1  # not between equals
                best_score[i] = some.scores[f1.argmax()]
            shown = some.scores >= best_score[i]
            right[i] = (true & shown).sum()
            wrong[i] = np.bincount(some.kinds[false & shown], minlength=len(FALSE_POSITIVES))
            ap = float(precision[0, i, 0])
            curves.append(_curve(some.scores, true, false, count, ap, num_thresholds))
        return DetectionResult(
            self._images, labels[:, 0], precision, recall, best_score, right, wrong, curves, self._dropped
        )


@dataclass(frozen=True, eq=False)
class _Matches:
    """Detections: score, class, rank in its image and class, and bits for each IoU threshold and size."""

    scores: Floats
    classes: AnyArray
    ranks: AnyArray
    right: AnyArray
    skipped: AnyArray
    kinds: AnyArray

    @classmethod
    def joined(cls, parts: Sequence[_Matches]) -> _Matches:
        none, bits = np.zeros(0, np.uint8), _packed(np.zeros((0, *_PLACES), bool))
        empty = cls(np.zeros(0), none.astype(np.int32), none, bits, bits, none)
        columns = zip(*(vars(part).values() for part in (parts or [empty])), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def picked(self, rows: Indices) -> _Matches:
        return _Matches(*(column[rows] for column in vars(self).values()))

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in vars(self).values())


def _packed(flags: Bools) -> AnyArray:
    return np.packbits(flags.reshape(len(flags), _PLACES[0] * _PLACES[1]), axis=1)


def _unpacked(bits: AnyArray) -> Bools:
    flags = np.unpackbits(bits, axis=1, count=_PLACES[0] * _PLACES[1])
    return flags.astype(bool).reshape(len(bits), *_PLACES)


def _ranks(classes: Ints) -> Ints:
    """The number of earlier boxes of the same class, for each."""
    order = np.argsort(classes, kind="stable")
    sorted_classes = classes[order]
    starts = np.searchsorted(sorted_classes, sorted_classes)
    ranks = np.empty(len(classes), np.int64)
    ranks[order] = np.arange(len(classes)) - starts
    return ranks


def _overlaps(places: Floats, labels: Boxes) -> Floats:
    """The IoU of each detection with each label; of a crowd the part of the detection within it."""
    low = np.maximum(places[:, None, :2], labels.places[:, :2])
    high = np.minimum(places[:, None, 2:], labels.places[:, 2:])
    sides = (high - low).clip(0)
    both = sides[..., 0] * sides[..., 1]
    own = ((places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1]))[:, None]
    true = (labels.places[:, 2] - labels.places[:, 0]) * (labels.places[:, 3] - labels.places[:, 1])
    union = np.where(labels.crowd, own, own + true - both)
    return np.asarray(np.divide(both, union, out=np.zeros_like(both), where=union > 0))


def _match(overlaps: Floats, crowd: Bools, ignored: Bools) -> tuple[Bools, Bools]:
    """Match detections, in their order, to the free label of the highest IoU; one that counts goes first.

    Returns:
        Whether each detection is matched, and whether it does not count, of shape (detections, IoU
        thresholds, sizes).
    """
    right = np.zeros((len(overlaps), *_PLACES), bool)
    skipped = np.zeros_like(right)
    if not overlaps.size:
        return right, skipped
    thresholds = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)
    taken = np.zeros((*_PLACES, len(crowd)), bool)
    sizes = np.arange(_PLACES[1])
    for d in np.flatnonzero(overlaps.max(axis=1) >= thresholds[0]).tolist():
        near = np.flatnonzero(overlaps[d] >= thresholds[0])
        high = overlaps[d, near, None] >= thresholds  # (labels, thresholds)
        if len(near) == 1:
            g = int(near[0])
            found = high[0][:, None] if crowd[g] else high[0][:, None] & ~taken[:, :, g]
            right[d] = found
            skipped[d] = found & ignored[:, g]
            taken[:, :, g] |= found
            continue
        free = high.T[:, None, :] & (~taken[:, :, near] | crowd[near])
        counting = free & ~ignored[:, near]
        free = np.where(counting.any(axis=2, keepdims=True), counting, free)
        # Of equals the last, as in pycocotools.
        choice = len(near) - 1 - np.where(free, overlaps[d, near], -1.0)[:, :, ::-1].argmax(axis=2)
        found = free.any(axis=2)
        right[d] = found
        skipped[d] = found & ignored[sizes, near[choice]]
        t, a = np.nonzero(found)
        taken[t, a, near[choice[t, a]]] = True
    return right, skipped


def _kinds(overlaps: Floats, same: Bools, crowd: Bools) -> AnyArray:
    """The kind that each detection has if it is a false positive."""
    objects = np.where(crowd, 0.0, overlaps)
    own = np.where(same, objects, 0.0).max(axis=1, initial=0.0)
    other = np.where(same, 0.0, objects).max(axis=1, initial=0.0)
    return np.select([own >= 0.5, other >= 0.5, own >= _NEAR], [0, 1, 2], 3).astype(np.uint8)


def _average_precision(true: Bools, false: Bools, labels: int) -> Floats:
    """AP at each IoU threshold of detections in descending order, shape (n, thresholds)."""
    out = np.zeros(true.shape[1])
    if not len(true):
        return out
    tp, fp = true.cumsum(axis=0), false.cumsum(axis=0)
    precision = tp / (tp + fp + np.spacing(1))
    highest = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    recall = tp / labels
    for t in range(len(out)):
        at = np.searchsorted(recall[:, t], _RECALLS)
        out[t] = highest[at[at < len(true)], t].sum() / len(_RECALLS)
    return out


def _curve(scores: Floats, true: Bools, false: Bools, labels: int, ap: float, points: int) -> PRCurve:
    thresholds = np.arange(points) / (points - 1)
    if len(scores) and (scores.max() > 1 or scores.min() < 0):
        thresholds = scores.min() + thresholds * (scores.max() - scores.min())
    above = len(scores) - np.searchsorted(scores[::-1], thresholds)  # scores descend
    tp, fp = (np.concatenate([[0.0], part.cumsum()])[above] for part in (true, false))
    precision = np.divide(tp, tp + fp, out=np.ones_like(tp), where=tp + fp > 0)
    recall = tp / labels if labels else np.zeros_like(tp)
    return PRCurve(thresholds, tp, fp, np.zeros_like(tp), labels - tp, precision, recall, ap)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
