"""Errors of predicted values, added batch by batch in bounded memory.

MAE, RMSE, R² and the explained variance equal scikit-learn's (``mean_absolute_error``,
``root_mean_squared_error``, ``r2_score``, ``explained_variance_score``); over several outputs they are the
means of those of each. They are of all values. Quantiles and pairs are of all values up to a limit, and
past it of every second, fourth ... sample, as the limit demands.
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
        labels: labels of the pairs that were kept, shape (n, k).
        predictions: their predictions.
        stride: of every how many samples a pair was kept.
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


class RegressionScores:
    """The labels and predictions of one evaluation.

    Args:
        limit: numbers that are kept, of labels and of predictions.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._outputs = 0
        self._absolute = self._error = self._label = _Moments(0, np.zeros(1), np.zeros(1))
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
        """Add a batch, and return its errors, shape (n, k).

        Args:
            labels: of shape (n,) or (n, k).
            predictions: the same.

        Raises:
            DataError: shapes that differ, or values that are not finite.
        """
        true, found = _columns(labels, "labels"), _columns(predictions, "predictions")
        if true.shape != found.shape or self._outputs not in (0, true.shape[1]):
            raise DataError(
                "labels and predictions must be of the same shape [n] or [n, outputs], got {labels} and "
                "{predictions}",
                labels=describe(labels),
                predictions=describe(predictions),
            )
        if not np.isfinite(true).all() or not np.isfinite(found).all():
            raise DataError("labels and predictions must be finite; leave out samples that are not")
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
        squares = self._error.squares + self._count * self._error.mean**2
        return RegressionResult(
            self._count,
            self._absolute.mean,
            np.sqrt(squares / self._count),
            self._error.mean,
            _explained(squares, self._label.squares),
            _explained(self._error.squares, self._label.squares),
            np.quantile(np.abs(predictions - labels), QUANTILES, axis=0),
            labels,
            predictions,
            self._stride,
        )


@dataclass(frozen=True, eq=False)
class _Moments:
    """A mean and the sum of squares around it, which add up over batches (Chan et al. 1979)."""

    count: int
    mean: Floats
    squares: Floats

    @classmethod
    def of(cls, values: Floats) -> _Moments:
        mean = values.mean(axis=0)
        return cls(len(values), mean, ((values - mean) ** 2).sum(axis=0))

    def __add__(self, other: _Moments) -> _Moments:
        count = self.count + other.count
        apart = other.mean - self.mean
        return _Moments(
            count,
            self.mean + apart * (other.count / count),
            self.squares + other.squares + apart**2 * (self.count * other.count / count),
        )


def _columns(values: ArrayLike, name: str) -> Floats:
    array: AnyArray = to_real(values, name).astype(np.float64)
    if array.ndim not in (1, 2):
        raise DataError(
            "{name} must be of shape [n] or [n, outputs], got {values}", name=name, values=describe(values)
        )
    return array[:, None] if array.ndim == 1 else array


def _explained(errors: Floats, labels: Floats) -> Floats:
    """One less the ratio; of labels that do not vary 1 without errors, else 0, as in scikit-learn."""
    constant = labels == 0
    ratio = np.divide(errors, labels, out=np.zeros_like(errors), where=~constant)
    return np.where(constant, np.where(errors == 0, 1.0, 0.0), 1.0 - ratio)
