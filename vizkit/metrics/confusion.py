"""Which classes a classifier takes for which others."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.arrays import to_real

__all__ = ["compute_confusion_matrix"]

_MOST_CELLS = 1 << 26  # 512 MiB of int64; an id past that is a slip, such as 1e9 for "ignore"
_IGNORE = "; leave out samples to ignore before this call"


def compute_confusion_matrix(
    labels: Any,
    predictions: Any,
    *,
    num_classes: int | None = None,
    weights: Any = None,
) -> NDArray[np.int64] | NDArray[np.float64]:
    """How often each true class (row) was predicted as each class (column).

    The numbers equal ``sklearn.metrics.confusion_matrix(..., labels=range(k))``.

    Args:
        labels: the true class ids, whole numbers 0 .. k - 1 of shape (n,) or (n, 1).
        predictions: predicted class ids, as ``labels``; or scores of shape (n, k), of which the
            highest is the prediction, and of equals the first.
        num_classes: k; by default the number of score columns, or the highest id + 1.
        weights: how much each sample counts, shape (n,) or (n, 1), or one number for all.

    Returns:
        Shape (k, k): counts as int64, or sums of weights as float64.

    Raises:
        DataError: ids that are not 0 .. k - 1, NaN scores, weights that are negative or not
            finite, lengths or shapes that do not fit each other, or no samples and so no telling
            how many classes.
    """
    true = _flat(to_real(labels, "labels"), "labels")
    guess = to_real(predictions, "predictions")
    classes = None if num_classes is None else _checked_count(num_classes)
    _check_length("predictions", guess, true)
    if guess.ndim == 2 and guess.shape[1] != 1:
        classes = _classes_of_scores(guess, classes)
        guess = guess.argmax(axis=1)
    elif guess.ndim == 2 and guess.dtype.kind == "f":
        raise DataError(
            "predictions hold one score for each sample; compare them with a threshold first, "
            "for example (scores > 0.5)"
        )
    guess = _flat(guess, "predictions")
    for array, name in ((true, "labels"), (guess, "predictions")):
        _check_ids(array, name, classes)
    if classes is None:
        classes = _classes_of_ids(true, guess)

    cells = true.astype(np.int64) * classes + guess.astype(np.int64)
    each = _checked_weights(weights, true)
    sums = np.bincount(cells, weights=each, minlength=classes * classes).reshape(classes, classes)
    return sums.astype(np.int64, copy=False) if each is None else sums.astype(np.float64, copy=False)


def _flat(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
        return array.reshape(-1)
    hint = ""
    if array.ndim == 2 and name == "labels":
        hint = "; use .argmax(axis=1) on one-hot labels"
    elif array.ndim > 2:
        hint = "; flatten maps of class ids first"
    raise DataError(f"{name} must be of shape [n] or [n, 1], got {list(array.shape)}{hint}")


def _checked_count(num_classes: Any) -> int:
    try:
        count = operator.index(num_classes)
    except TypeError:
        count = 0
    if count < 1:
        raise DataError(f"num_classes must be an integer of 1 or more, got {describe(num_classes)}")
    if count * count > _MOST_CELLS:
        raise DataError(f"num_classes={count} would make a matrix of {count * count:,} cells")
    return count


def _classes_of_scores(scores: NDArray[Any], num_classes: int | None) -> int:
    columns = scores.shape[1]
    if not columns:
        raise DataError(f"predictions hold scores of no class: shape {list(scores.shape)}")
    if num_classes is not None and num_classes != columns:
        raise DataError(f"predictions hold scores of {columns} classes, but num_classes is {num_classes}")
    if scores.dtype.kind == "f":
        missing = int(np.count_nonzero(np.isnan(scores)))
        if missing:
            rows = int(np.count_nonzero(np.isnan(scores).any(axis=1)))
            raise DataError(
                f"{missing} of {scores.size} scores are NaN, in {rows} of {len(scores)} samples; "
                "leave these samples out"
            )
    return _checked_count(columns)


def _check_ids(ids: NDArray[Any], name: str, classes: int | None) -> None:
    if not ids.size:
        return
    if ids.dtype.kind == "f":
        whole = np.isfinite(ids) & (ids == np.floor(ids))
        _refuse(ids[~whole], ids, f"{name} must be whole class ids")
    if ids.min() < 0:
        _refuse(ids[ids < 0], ids, f"{name} must not be negative", _IGNORE)
    if classes is not None and ids.max() >= classes:
        _refuse(ids[ids >= classes], ids, f"{name} must be below the number of classes, {classes}", _IGNORE)


def _refuse(wrong: NDArray[Any], values: NDArray[Any], rule: str, hint: str = "") -> None:
    if wrong.size:
        distinct = np.unique(wrong)
        shown = ", ".join(map(str, distinct[:5].tolist())) + (", ..." if distinct.size > 5 else "")
        raise DataError(f"{rule}, got {shown} in {wrong.size} of {values.size} samples{hint}")


def _classes_of_ids(true: NDArray[Any], guess: NDArray[Any]) -> int:
    if not true.size:
        raise DataError("no samples tell how many classes there are; give num_classes")
    highest = max(int(true.max()), int(guess.max()))
    if (highest + 1) ** 2 > _MOST_CELLS:
        raise DataError(f"class id {highest} would make a matrix of {(highest + 1) ** 2:,} cells{_IGNORE}")
    return highest + 1


def _checked_weights(weights: Any, true: NDArray[Any]) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    array = to_real(weights, "weights").astype(np.float64, copy=False)
    if array.ndim == 0:
        array = np.full(len(true), array)
    array = _flat(array, "weights")
    _check_length("weights", array, true)
    wrong = array[~((array >= 0) & (array < np.inf))]
    _refuse(wrong, array, "weights must be finite and not negative")
    return array


def _check_length(name: str, array: NDArray[Any], true: NDArray[Any]) -> None:
    if array.ndim == 0 or len(array) != len(true):
        found = len(array) if array.ndim else "one number"
        raise DataError(f"labels and {name} must be of equal length, got {len(true)} and {found}")
