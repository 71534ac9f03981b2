"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkit._checks import describe, whole_number
from vizkit._language import mark, tr
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Floats, Ints, to_real
from vizkit.metrics.inputs import check_lengths, check_weights, flatten, refuse_nan, refuse_where

__all__ = ["MAX_CONFUSION_CLASSES", "MOST_COUNTED", "ConfusionMatrix", "compute_confusion_matrix"]

MAX_CONFUSION_CLASSES = 2000
"""Classes up to which a confusion matrix is drawn."""

MOST_COUNTED = 200
"""Classes up to which all cells of a matrix are written; of larger ones those that are not zero."""

_MOST_WRITTEN = 20_000  # cells that are not zero: more take many times the size of the image
_CORNER = "true \\ predicted"
_MAX_CELLS = 1 << 26  # 512 MiB of int64; an id past that is a slip, such as 1e9 for "ignore"
_IGNORE = mark("; leave out samples to ignore before this call")


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """A confusion matrix and its classes.

    Attributes:
        names: the names of the k classes.
        counts: (k, k) int64, or float64 where samples have weights; rows are the true classes, columns the
            predicted.
    """

    names: tuple[str, ...]
    counts: Ints | Floats

    @property
    def accuracy(self) -> float:
        """The share of samples on the diagonal; NaN without samples."""
        total = self.counts.sum()
        return float(np.trace(self.counts) / total) if total else float("nan")

    def as_text(self) -> str | None:
        """Write the numbers as a table of tab-separated columns; None for too many.

        With more than 200 classes a row has ``column=count`` for each cell that is not zero.
        """
        names = [" ".join(name.split()) for name in self.names]
        head = "\t".join([_CORNER, *names])
        if len(names) <= MOST_COUNTED:
            rows = [[name, *map(str, row)] for name, row in zip(names, self.counts.tolist(), strict=True)]
            return "\n".join([head, *("\t".join(row) for row in rows)])
        if np.count_nonzero(self.counts) > _MOST_WRITTEN:
            return None
        rows = [
            [name, *(f"{column}={row[column]}" for column in np.flatnonzero(row).tolist())]
            for name, row in zip(names, self.counts, strict=True)
        ]
        return "\n".join([head, *("\t".join(row) for row in rows)])

    @classmethod
    def from_text(cls, text: str) -> ConfusionMatrix:
        """Read the text that `as_text` wrote.

        Raises:
            DataError: another text.
        """
        (_, *names), *rows = (line.split("\t") for line in (text or " ").splitlines())
        try:
            if not names or len(rows) != len(names):
                raise ValueError
            counts = np.array([_row(cells[1:], len(names)) for cells in rows])
        except (ValueError, IndexError):
            raise DataError("not the numbers of a confusion matrix: {text}", text=describe(text)) from None
        whole = counts.astype(np.int64)
        return cls(tuple(names), whole if (whole == counts).all() else counts)


def _row(cells: Sequence[str], classes: int) -> Floats:
    if cells and "=" not in cells[0]:
        row = np.array(cells, np.float64)
        if len(row) != classes:
            raise ValueError
    else:
        row = np.zeros(classes)
        for cell in cells:
            column, _, count = cell.partition("=")
            row[int(column)] = float(count)
    if not (row >= 0).all() or not np.isfinite(row).all():
        raise ValueError
    return row


def compute_confusion_matrix(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    num_classes: int | None = None,
    weights: ArrayLike | None = None,
) -> Ints | Floats:
    """Count how often each true class (row) was predicted as each class (column).

    The numbers equal ``sklearn.metrics.confusion_matrix(..., labels=range(k))``.

    Args:
        labels: the true class ids, whole numbers 0 .. k - 1 of shape (n,) or (n, 1).
        predictions: predicted class ids, as ``labels``; or scores of shape (n, k), of which the
            highest is the prediction, and of equals the first.
        num_classes: k; by default the number of score columns, or the highest id + 1.
        weights: sample weights of shape (n,) or (n, 1), or one number for all.

    Returns:
        Shape (k, k): counts as int64, or sums of weights as float64.

    Raises:
        DataError: ids that are not 0 .. k - 1, NaN scores, weights that are negative or not finite,
            lengths or shapes that do not fit each other, or no samples and no ``num_classes``.
    """
    true = to_real(labels, "labels")
    hint = tr("; use .argmax(axis=1) on one-hot labels") if true.ndim == 2 else _map_hint(true)
    true = flatten(true, "labels", hint)
    guess = to_real(predictions, "predictions")
    classes = None if num_classes is None else _checked_classes(num_classes)
    check_lengths(true, "predictions", guess)
    if guess.ndim == 2 and guess.shape[1] != 1:
        classes = _classes_of_scores(guess, classes)
        guess = guess.argmax(axis=1)
    elif guess.ndim == 2 and guess.dtype.kind == "f":
        raise DataError(
            "predictions hold one score for each sample; compare them with a threshold first, "
            "for example (scores > 0.5)"
        )
    guess = flatten(guess, "predictions", _map_hint(guess))
    for array, name in ((true, "labels"), (guess, "predictions")):
        _check_ids(array, name, classes)
    if classes is None:
        classes = _classes_of_ids(true, guess)

    cells = true.astype(np.int64) * classes + guess.astype(np.int64)
    each = None if weights is None else np.broadcast_to(check_weights(weights, true), true.shape)
    sums = np.bincount(cells, weights=each, minlength=classes * classes).reshape(classes, classes)
    return sums.astype(np.int64, copy=False) if each is None else sums.astype(np.float64, copy=False)


def _map_hint(array: AnyArray) -> str:
    return tr("; flatten maps of class ids first") if array.ndim > 2 else ""


def _checked_classes(num_classes: int) -> int:
    count = whole_number("num_classes", num_classes)
    if count * count > _MAX_CELLS:
        raise DataError(
            "num_classes={count} would make a matrix of {cells:,} cells", count=count, cells=count * count
        )
    return count


def _classes_of_scores(scores: AnyArray, num_classes: int | None) -> int:
    columns = scores.shape[1]
    if not columns:
        raise DataError("predictions hold scores of no class: shape {shape}", shape=list(scores.shape))
    if num_classes is not None and num_classes != columns:
        raise DataError(
            "predictions hold scores of {columns} classes, but num_classes is {num_classes}",
            columns=columns,
            num_classes=num_classes,
        )
    refuse_nan(scores)
    return _checked_classes(columns)


def _check_ids(ids: AnyArray, name: str, classes: int | None) -> None:
    if not ids.size:
        return
    if ids.dtype.kind == "f":
        refuse_where(~(np.isfinite(ids) & (ids == np.floor(ids))), ids, name, tr("be whole class ids"))
    if ids.min() < 0:
        refuse_where(ids < 0, ids, name, tr("not be negative"), tr(_IGNORE))
    if classes is not None and ids.max() >= classes:
        refuse_where(
            ids >= classes,
            ids,
            name,
            tr("be below the number of classes, {classes}", classes=classes),
            tr(_IGNORE),
        )


def _classes_of_ids(true: AnyArray, guess: AnyArray) -> int:
    if not true.size:
        raise DataError("there are no samples to count the classes by; give num_classes")
    highest = max(int(true.max()), int(guess.max()))
    if (highest + 1) ** 2 > _MAX_CELLS:
        raise DataError(
            "class id {highest} would make a matrix of {cells:,} cells{ignore}",
            highest=highest,
            cells=(highest + 1) ** 2,
            ignore=tr(_IGNORE),
        )
    return highest + 1
