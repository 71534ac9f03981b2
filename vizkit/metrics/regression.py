"""Errors of predicted values, added batch by batch in bounded memory.

MAE, RMSE, R² and the explained variance equal scikit-learn's (``mean_absolute_error``,
``root_mean_squared_error``, ``r2_score``, ``explained_variance_score``); over several outputs they are the
means of those of each. They are of all values. Quantiles and pairs are of all values up to a limit, and
past it of every second, fourth ... sample, as the limit demands. A label that is NaN does not count: each
output has the values of those samples that have a label for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Floats, to_real

__all__ = ["QUANTILES", "RegressionResult", "RegressionScores"]

QUANTILES = (0.5, 0.9, 0.99)
"""The quantiles of the absolute error that are computed."""


@dataclass(frozen=True, eq=False)
class RegressionResult:
    """Errors of k outputs; an error is the prediction less the label.

    Attributes:
        samples: number of samples.
        mae: mean absolute error of each output, shape (k,).
        rmse: root of the mean squared error.
        bias: mean error.
        r2: coefficient of determination.
        explained_variance: the same of errors less their mean.
        quantiles: of the absolute error, shape (len(QUANTILES), k).
        labels: labels of the pairs that were kept, shape (n, k), NaN for those that do not count.
        predictions: their predictions.
        stride: of every how many samples a pair was kept.
        missing: labels that do not count.
    """

    samples: int
    mae: Floats
    rmse: Floats
    bias: Floats
    r2: Floats
    explained_variance: Floats
    quantiles: Floats
    labels: Floats
    predictions: Floats
    stride: int
    missing: int


class RegressionScores:
    """The labels and predictions of one evaluation.

    Args:
        limit: numbers that are kept, of labels and of predictions.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._outputs = 0
        self._missing = 0
        self._absolute = self._error = self._label = _Moments(np.zeros(1), np.zeros(1), np.zeros(1))
        self._pairs: list[Floats] = []  # of shape (2, n, k)
        self._kept = 0
        self._stride = 1

    @property
    def samples(self) -> int:
        """Number of samples added."""
        return self._count

    @property
    def outputs(self) -> int:
        """Number of outputs; 0 before the first batch."""
        return self._outputs

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return sum(pair.nbytes for pair in self._pairs)

    def add(self, labels: ArrayLike, predictions: ArrayLike) -> Floats:
        """Add a batch, and return its errors, shape (n, k), NaN where there is no label.

        Args:
            labels: of shape (n,) or (n, k), NaN for those that do not count.
            predictions: the same.

        Raises:
            DataError: shapes that differ, or values that are infinite, or predictions that are NaN.
        """
        true, found = _columns(labels, "labels"), _columns(predictions, "predictions")
        if true.shape != found.shape or self._outputs not in (0, true.shape[1]):
            raise DataError(
                "labels and predictions must be of the same shape [n] or [n, outputs], got {labels} and "
                "{predictions}",
                labels=describe(labels),
                predictions=describe(predictions),
            )
        missing = np.isnan(true)
        if np.isinf(true).any() or not (np.isfinite(found) | missing).all():
            raise DataError("labels and predictions must be finite; leave out samples that are not")
        self._missing += int(missing.sum())
        self._outputs = true.shape[1]
        errors = found - true
        if not len(errors):
            return errors
        self._absolute += _Moments.of(np.abs(errors))
        self._error += _Moments.of(errors)
        self._label += _Moments.of(true)
        first = -self._count % self._stride
        some = np.stack([true, found])[:, first :: self._stride]
        self._count += len(true)
        if some.size:
            self._pairs.append(some)
            self._kept += some.size
        while self._kept > max(self._limit, 2 * self._outputs):
            whole = np.concatenate(self._pairs, axis=1)[:, ::2].copy()
            self._pairs, self._kept = [whole], whole.size
            self._stride *= 2
        return errors

    def result(self) -> RegressionResult:
        """Compute the result.

        Raises:
            DataError: there are no samples.
        """
        if not self._count:
            raise DataError("no samples were added")
        labels, predictions = np.concatenate(self._pairs, axis=1)
        counted = self._error.count
        squares = self._error.squares + counted * self._error.mean**2
        known = counted > 0  # an output of whose labels none counts has no values
        return RegressionResult(
            self._count,
            np.where(known, self._absolute.mean, np.nan),
            np.sqrt(np.where(known, squares, np.nan) / np.maximum(counted, 1)),
            np.where(known, self._error.mean, np.nan),
            np.where(known, _explained(squares, self._label.squares), np.nan),
            np.where(known, _explained(self._error.squares, self._label.squares), np.nan),
            _quantiles(np.abs(predictions - labels)),
            labels,
            predictions,
            self._stride,
            self._missing,
        )


@dataclass(frozen=True, eq=False)
class _Moments:
    """A mean and the sum of squares around it, which add up over batches (Chan et al. 1979)."""

    count: Floats
    mean: Floats
    squares: Floats

    @classmethod
    def of(cls, values: Floats) -> _Moments:
        counted = ~np.isnan(values)
        if counted.all():
            mean = values.mean(axis=0)
            return cls(np.full(len(mean), float(len(values))), mean, ((values - mean) ** 2).sum(axis=0))
        count = counted.sum(axis=0).astype(np.float64)
        mean = np.where(counted, values, 0).sum(axis=0) / np.maximum(count, 1)
        return cls(count, mean, np.where(counted, (values - mean) ** 2, 0).sum(axis=0))

    def __add__(self, other: _Moments) -> _Moments:
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        apart = other.mean - self.mean
        return _Moments(
            count,
            self.mean + apart * share,
            self.squares + other.squares + apart**2 * (self.count * share),
        )


def _columns(values: ArrayLike, name: str) -> Floats:
    array: AnyArray = to_real(values, name).astype(np.float64)
    if array.ndim not in (1, 2):
        raise DataError(
            "{name} must be of shape [n] or [n, outputs], got {values}", name=name, values=describe(values)
        )
    return array[:, None] if array.ndim == 1 else array


def _quantiles(errors: Floats) -> Floats:
    """The quantiles of each output's errors (n, k), NaN where it has none."""
    missing = np.isnan(errors)
    if not missing.any():
        return np.quantile(errors, QUANTILES, axis=0)
    each = [errors[~missing[:, k], k] for k in range(errors.shape[1])]
    return np.array([np.quantile(one, QUANTILES) if one.size else [np.nan] * 3 for one in each]).T


def _explained(errors: Floats, labels: Floats) -> Floats:
    """One less the ratio; of labels that do not vary 1 without errors, else 0, as in scikit-learn."""
    constant = labels == 0
    ratio = np.divide(errors, labels, out=np.zeros_like(errors), where=~constant)
    return np.where(constant, np.where(errors == 0, 1.0, 0.0), 1.0 - ratio)
