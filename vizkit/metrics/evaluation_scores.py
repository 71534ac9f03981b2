"""Labels and scores of an evaluation, added batch by batch in bounded memory.

Up to a limit all scores are kept, and results are exact. Past it they are counted in the bins of
`vizkit.metrics.score_bins`, as are those that were kept before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from vizkit._checks import describe, is_whole_number, one_of, whole_number
from vizkit._language import tr
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.activation import Activation, ScoreEvidence, activate
from vizkit.metrics.arrays import AnyArray, Bools, Floats, Ints, to_real
from vizkit.metrics.calibration import BINS, POSITIVE_CLASS, Reliability, reliability_sums
from vizkit.metrics.confusion import MAX_CONFUSION_CLASSES
from vizkit.metrics.growing_array import GrowingArray
from vizkit.metrics.inputs import refuse_nan, refuse_where
from vizkit.metrics.pr_roc import PRCurve, ROCCurve, compute_class_curves, compute_pr_roc_curves, mean_areas
from vizkit.metrics.score_bins import ScoreBins

__all__ = ["ASSUMED", "LIMIT", "Activation", "EvaluationResult", "EvaluationScores"]

LIMIT = 5_000_000
"""Scores (samples times classes) that are kept: 20 MB as float32, some 250 MB while they are counted."""

_CHUNK = 1 << 20  # scores processed at once

ASSUMED: dict[str | None, str] = {
    "softmax": "Neither loss nor activation told what the scores are. They were taken as logits, and a "
    "softmax as their activation: some rows are no distributions.",
    "sigmoid": "Neither loss nor activation told what the scores are. They were taken as logits, and a "
    "sigmoid as their activation: some lie outside [0, 1].",
    None: "Neither loss nor activation told what the scores are. They were taken as probabilities: all of "
    "them can be some.",
    "auto": "Neither loss nor activation told what the scores are, and there are too few to tell: "
    "percentages and calibration are left out.",
}
"""What scores were taken for, by the activation that all of them told; in English, since it is recorded."""


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """The curves, confusion matrix and reliability of an evaluation.

    Attributes:
        samples: number of samples.
        curves: a PR and a ROC curve for each class against the rest.
        micro: the curves of all classes as one, of which each score is a sample (scikit-learn's
            ``average="micro"``); None for a single class.
        confusion: int64 of shape (k, k), rows are the true classes. For a single class k is 2, and a
            probability of 0.5 or more is predicted positive. None for multi-label samples, past 2000
            classes, and for a single class whose scores are no probabilities.
        reliability: of the predicted class's probability; for a single class and multi-label samples of
            each probability. None if scores are no probabilities.
        bins: bins a class if scores were counted; 0 if they were kept, and all is exact.
        error: the largest possible error of an AP and of an AUC, of any class or of ``micro``.
        macro_error: the largest possible errors of the two of ``macro``.
        assumed: what the scores were taken for, in words, if only they told.
    """

    samples: int
    curves: list[tuple[PRCurve, ROCCurve]]
    micro: tuple[PRCurve, ROCCurve] | None
    confusion: Ints | None
    reliability: Reliability | None
    bins: int = 0
    error: tuple[float, float] = (0.0, 0.0)
    macro_error: tuple[float, float] = (0.0, 0.0)
    assumed: str = ""

    @property
    def macro(self) -> tuple[float, float]:
        """Means of AP and AUC, as `vizkit.metrics.pr_roc.mean_areas` defines them."""
        return mean_areas(self.curves)


class EvaluationScores:
    """The labels and scores of one evaluation, added batch by batch.

    Args:
        activation: turns scores into probabilities: "softmax", "sigmoid", or None to use them as they
            are. "auto" takes scores as probabilities if they lie in [0, 1] and, with one label a
            sample, each row sums to 1 up to rounding; otherwise as logits. It considers all scores,
            past the limit those within it. So few scores that either is possible are used as they are,
            without a reliability; see `vizkit.metrics.activation.ScoreEvidence`.
        limit: number of scores (samples times classes) that are kept.
        ignore_index: the label of samples that do not count, as of Paddle's losses.

    Raises:
        DataError: an argument that is none of these.
    """

    def __init__(
        self, *, activation: Activation | None = None, limit: int = LIMIT, ignore_index: int | None = None
    ) -> None:
        self._activation: str | None = one_of("activation", activation, (None, "softmax", "sigmoid", "auto"))
        self._limit = whole_number("limit", limit)
        if ignore_index is not None and not is_whole_number(ignore_index):
            raise DataError(
                "ignore_index must be a whole number or None, got {ignore_index}",
                ignore_index=describe(ignore_index),
            )
        self._ignored = ignore_index
        self._unknown = False  # whether scores are probabilities
        self._assumed = ""
        self._classes = 0
        self._samples = 0
        self._indicator: bool | None = None  # labels are 0 and 1 in the shape of the scores
        self._one_hot = True
        self._labels, self._scores = GrowingArray(), GrowingArray()
        self._outcomes: _Outcomes | None = None
        self._bins: ScoreBins | None = None

    @property
    def classes(self) -> int:
        """Number of classes; 0 before the first batch."""
        return self._classes

    @property
    def samples(self) -> int:
        """Number of samples added, without those of ``ignore_index``."""
        return self._samples

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        bins = 0 if self._bins is None else self._bins.nbytes
        return self._labels.nbytes + self._scores.nbytes + bins

    # -- batch by batch ---------------------------------------------------------------------------

    def add(self, labels: ArrayLike, scores: ArrayLike) -> None:
        """Add a batch.

        Args:
            labels: class ids 0 .. c - 1 of shape (n,) or (n, 1); or 0 and 1 of shape (n, c), one-hot or
                multi-label. For a single class, 0 and 1 of shape (n,) or (n, 1).
            scores: shape (n, c), or (n,) for a single class. With further axes, such as (n, c, h, w)
                with labels (n, h, w), (n, 1, h, w) or (n, c, h, w), each place is a sample.

        Raises:
            DataError: NaN scores, labels out of range, shapes that do not fit each other or earlier
                batches; or, past the limit, scores that are no probabilities.
        """
        given, matrix = _real(labels, "labels"), _real(scores, "scores")
        if matrix.ndim == 1:
            matrix, given = matrix[:, None], given[:, None] if given.ndim == 1 else given
        indicator = self._checked_shapes(given, matrix)
        refuse_nan(matrix)
        if self._activation in ("softmax", "auto") and matrix.size and matrix.max() == np.inf:
            raise DataError("some scores are inf, and so have no softmax; leave these samples out")
        kept = None if self._ignored is None else given != self._ignored
        _check_labels(given if kept is None else given[kept], matrix.shape[1], indicator)
        self._classes, self._indicator = matrix.shape[1], indicator
        for some, rows in _samples(given, matrix, kept, indicator, min(self._limit, _CHUNK)):
            if self._scores.size and self._scores.size + rows.size > self._limit:
                self._count_in_bins()
            if indicator and self._one_hot:
                self._one_hot = self._classes > 1 and bool((some.sum(axis=1) == 1).all())
            self._labels.append(some)
            self._scores.append(rows)
            self._samples += len(rows)

    def _checked_shapes(self, labels: AnyArray, scores: AnyArray) -> bool:
        """Return True if labels are 0 and 1 in the shape of the scores, False if they are class ids."""
        if scores.ndim < 2 or not scores.shape[1]:
            raise DataError(
                "scores must be of shape [samples, classes], got {scores}", scores=describe(scores)
            )
        count, classes, *rest = scores.shape
        if self._classes and classes != self._classes:
            raise DataError(
                "scores of {classes} classes came after scores of {before}",
                classes=classes,
                before=self._classes,
            )
        forms = [[count, *rest], [count, 1, *rest], list(scores.shape)]
        if list(labels.shape) not in forms:
            raise DataError(
                "labels of scores of shape {shape}, whose second axis is the classes', must be of "
                "shape {forms}, got {given}",
                shape=list(scores.shape),
                forms=tr("{most} or {last}", most=f"{forms[0]}, {forms[1]}", last=forms[2]),
                given=list(labels.shape),
            )
        indicator = classes == 1 or labels.shape == scores.shape
        if self._indicator not in (None, indicator):
            raise DataError("labels are class ids in some batches, and 0 and 1 for each class in others")
        return indicator

    # -- results ----------------------------------------------------------------------------------

    def _resolve(self) -> _Outcomes:
        """Decide, once, what depends on the samples: multi-label or not, and the activation of "auto"."""
        if self._outcomes is not None:
            return self._outcomes
        multi_label = bool(self._indicator) and (not self._one_hot or self._activation == "sigmoid")
        if self._activation == "auto":
            evidence = ScoreEvidence(sums_to_one=not multi_label)
            evidence.add(self._scores.filled)
            self._activation = evidence.activation
            self._assumed = ASSUMED[self._activation]
            if self._activation == "auto":
                self._activation, self._unknown = None, True
        if self._activation == "softmax" and multi_label:
            raise DataError(
                "softmax needs one label a sample and two classes or more; "
                "give activation='sigmoid' for a single class or multi-label samples"
            )
        self._outcomes = _Outcomes(self._classes, multi_label)
        return self._outcomes

    def _as_ids(self, labels: AnyArray) -> AnyArray:
        """Convert one-hot rows to class ids; multi-label rows stay as they are."""
        if labels.ndim == 1 or self._resolve().multi_label:
            return labels
        if not self._one_hot:
            raise DataError("labels were one-hot at first, and then had rows with another number of ones")
        ids: AnyArray = labels.argmax(axis=1)
        return ids

    def _count_in_bins(self) -> None:
        """Move the kept scores into bins."""
        outcomes = self._resolve()
        bins = self._bins = self._bins or ScoreBins(self._classes)
        rows = max(1, _CHUNK // self._classes)
        for start in range(0, len(self._scores.filled), rows):
            labels = self._as_ids(self._labels.filled[start : start + rows])
            scores = activate(self._scores.filled[start : start + rows], self._activation)
            if not _within_one(scores):
                raise DataError(
                    "past {limit:,} scores only probabilities can be counted, but some lie outside [0, "
                    "1]; give activation='softmax' or 'sigmoid', or a higher limit",
                    limit=self._limit,
                )
            bins.add(scores, labels)
            outcomes.add(labels, scores, probable=True)
        self._labels.clear()
        self._scores.clear()

    def result(self, num_thresholds: int = 127) -> EvaluationResult:
        """Compute the result; nothing can be added afterwards.

        Args:
            num_thresholds: points on each curve, 2 or more.

        Raises:
            DataError: there are no samples, or their activation does not fit them.
        """
        if not self._samples:
            raise DataError("no samples were added")
        outcomes = self._resolve()
        if self._bins is not None:
            self._count_in_bins()
            return self._binned(self._bins, outcomes, num_thresholds)
        labels = self._as_ids(self._labels.filled)
        scores = activate(self._scores.filled, self._activation)
        probable = _within_one(scores) and not self._unknown
        outcomes.add(labels, scores, probable)
        micro = None
        if self._classes > 1:
            members = labels if outcomes.multi_label else labels[:, None] == np.arange(self._classes)
            micro = compute_pr_roc_curves(members.ravel(), scores.ravel(), num_thresholds=num_thresholds)
        return EvaluationResult(
            self._samples,
            compute_class_curves(labels, scores, num_thresholds=num_thresholds),
            micro,
            outcomes.confusion(probable),
            outcomes.reliability() if probable else None,
            assumed=self._assumed,
        )

    @property
    def activation(self) -> Activation | None:
        """The function that makes probabilities of the scores; "auto" if that is not known."""
        self._resolve()
        return "auto" if self._unknown else cast("Activation | None", self._activation)

    def probabilities(self, scores: AnyArray) -> AnyArray | None:
        """Convert scores (n, c) as those that were added; None if it is not known what they are."""
        self._resolve()
        return None if self._unknown else activate(scores, self._activation)

    def _binned(self, bins: ScoreBins, outcomes: _Outcomes, num_thresholds: int) -> EvaluationResult:
        found = bins.curves(num_thresholds)
        pooled = bins.pooled().curves(num_thresholds) if self._classes > 1 else []
        errors = np.array([curves.errors for curves in found + pooled])
        known = errors[: len(found)][[not np.isnan(curves.roc.auc) for curves in found]]
        return EvaluationResult(
            self._samples,
            [(curves.pr, curves.roc) for curves in found],
            (pooled[0].pr, pooled[0].roc) if pooled else None,
            outcomes.confusion(probable=True),
            outcomes.reliability(),
            bins.size,
            _pair(errors.max(axis=0)),
            _pair(known.mean(axis=0)) if len(known) else (0.0, 0.0),
            self._assumed,
        )


class _Outcomes:
    """A confusion matrix, and the sums of a reliability diagram."""

    def __init__(self, classes: int, multi_label: bool) -> None:
        self.multi_label = multi_label  # each score is a prediction of its own, also of a single class
        self._single = classes == 1
        self._side = 2 if self._single else classes
        confused = (self._single or not multi_label) and classes <= MAX_CONFUSION_CLASSES
        self._cells = np.zeros(self._side**2, np.int64) if confused else None
        self._sums = np.zeros((3, BINS))

    def add(self, labels: AnyArray, scores: AnyArray, probable: bool) -> None:
        """Add class ids with scores (n, c), or bools in the shape of the scores."""
        if self.multi_label:
            certainty, right = scores.ravel(), labels.ravel()
            true, chosen = right, certainty >= 0.5
        else:
            true, chosen = labels, scores.argmax(axis=1)
            certainty, right = scores[np.arange(len(scores)), chosen], chosen == labels
        if self._cells is not None:
            cells = true.astype(np.int64) * self._side + chosen
            self._cells += np.bincount(cells, minlength=self._cells.size)
        if probable:
            self._sums += reliability_sums(certainty, right)

    def confusion(self, probable: bool) -> Ints | None:
        if self._cells is None or (self._single and not probable):
            return None
        return self._cells.reshape(self._side, self._side)

    def reliability(self) -> Reliability:
        return Reliability.of(self._sums, POSITIVE_CLASS) if self.multi_label else Reliability.of(self._sums)


def _samples(
    labels: AnyArray, scores: AnyArray, kept: Bools | None, indicator: bool, most: int
) -> Iterator[tuple[AnyArray, AnyArray]]:
    """Split a batch into parts of at most ``most`` scores: ids (m,) or bools (m, c), and scores (m, c)."""
    count, classes, *rest = scores.shape
    if rest:
        maps, places = count, math.prod(rest)
    else:  # as one map: fewer parts
        maps, places = 1, count
        labels, scores, kept = labels.T, scores.T, None if kept is None else kept.T
    labels = labels.reshape(maps, classes if indicator else 1, places)
    scores = scores.reshape(maps, classes, places)
    step = max(1, most // classes)
    for i in range(maps):
        for start in range(0, places, step):
            part = slice(start, start + step)
            some, rows = labels[i, :, part].T, scores[i, :, part].T
            if kept is not None:
                counted = kept.reshape(maps, -1, places)[i, :, part].all(axis=0)
                some, rows = some[counted], rows[counted]
            narrow = rows.dtype in (np.float16, np.float32)
            yield (
                some == 1 if indicator else some[:, 0].astype(np.int32),
                rows.astype(np.float32 if narrow else np.float64, copy=False),
            )


def _real(value: ArrayLike, name: str) -> AnyArray:
    array = to_real(value, name)
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def _check_labels(labels: AnyArray, classes: int, indicator: bool) -> None:
    hint = tr("; ignore_index is for a label of samples that do not count")
    if indicator:
        refuse_where((labels != 0) & (labels != 1), labels, "labels", tr("be 0 or 1"), hint)
        return
    wrong = (labels < 0) | (labels >= classes)
    if labels.dtype.kind == "f":
        wrong |= np.floor(labels) != labels
    refuse_where(wrong, labels, "class ids", tr("be whole numbers from 0 to {last}", last=classes - 1), hint)


def _pair(two: Floats) -> tuple[float, float]:
    return float(two[0]), float(two[1])


def _within_one(scores: AnyArray) -> bool:
    return not scores.size or bool(scores.min() >= 0 and scores.max() <= 1)
