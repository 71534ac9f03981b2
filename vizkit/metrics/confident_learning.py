"""Confident learning: labels that a classifier's scores speak against.

Source: C. Northcutt, L. Jiang and I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70 (2021), sections 3.1 and 3.2: the confident joint, calibrated,
says how many samples of each class belong to each other one; so many are taken, those with the greatest
margins ("prune by noise rate").
"""

from __future__ import annotations

import numpy as np

from vizkit.metrics.arrays import AnyArray, Floats, Indices, Ints

__all__ = ["class_thresholds", "confident_classes", "likely_errors"]

_ROUNDING = 1e-6  # by which the mean of equal float32 scores may lie above them


def class_thresholds(labels: Ints, label_scores: AnyArray, classes: int) -> Floats:
    """How sure the classifier is of a class's own samples: the mean score of their label (equation 2).

    Args:
        labels: (n,) class numbers.
        label_scores: (n,) probabilities of these classes, from a network that was not trained on the samples.
        classes: their number, c.

    Returns:
        (c,) thresholds; infinite for a class without samples.
    """
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, weights=label_scores, minlength=classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def confident_classes(scores: AnyArray, thresholds: Floats) -> Ints:
    """The class that each sample counts for in the confident joint (equation 1).

    Of the classes whose probability reaches their threshold, the one with the highest.

    Args:
        scores: (n, c) probabilities.
        thresholds: (c,), of `class_thresholds`.

    Returns:
        (n,) class numbers, -1 where no class reaches its threshold.
    """
    confident = np.where(scores >= thresholds - _ROUNDING, scores, -1.0)
    found = confident.argmax(axis=1)
    return np.where(confident[np.arange(len(found)), found] < 0, -1, found)


def likely_errors(
    labels: Ints, confident: Ints, classes: int, rows: Indices, others: Ints, margins: AnyArray
) -> Indices:
    """The pairs of a sample and another class to which it is likely to belong.

    Of the samples of class i, as many are taken for class j as the calibrated confident joint counts
    (equation 3, rounded), those with the greatest margins.

    Args:
        labels: (n,) class numbers.
        confident: (n,) of `confident_classes`.
        classes: their number, c.
        rows, others, margins: (m,) pairs: places of samples, other classes, and how much higher their
            scores are than those of the labels, above 0.

    Returns:
        Places of the pairs that are taken.
    """
    sure = confident >= 0
    codes, counts = np.unique(labels[sure] * classes + confident[sure], return_counts=True)
    own = np.bincount(labels, minlength=classes)
    counted = np.bincount(labels[sure], minlength=classes)
    expected = np.rint(counts * own[codes // classes] / counted[codes // classes]).astype(np.int64)
    pairs = labels[rows] * classes + others
    order = np.lexsort((rows, -margins, pairs))
    begins = np.searchsorted(pairs[order], pairs[order])  # where each pair of classes begins
    rank = np.arange(len(order)) - begins
    place = np.minimum(np.searchsorted(codes, pairs[order]), max(len(codes) - 1, 0))
    if not len(codes):
        return order[:0]
    allowed = np.where(codes[place] == pairs[order], expected[place], 0)
    return order[rank < allowed]
