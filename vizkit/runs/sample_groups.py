"""A comparison of samples in groups: classes, and values of slices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vizkit.format.tables import TableColumn
from vizkit.metrics.arrays import AnyArray, Indices
from vizkit.metrics.paired_tests import holm, mcnemar, paired_bootstrap
from vizkit.runs.sample_pairs import groups_of

__all__ = ["GroupRow", "group_rows"]

_MOST_RESAMPLED = 50  # groups; of more, none is tested


class GroupRow(NamedTuple):
    """The samples of one group.

    Attributes:
        value: the class, or the value of the slice.
        n: samples.
        a, b: means of the metric in both runs; of ``correct`` the fractions that are right.
        mended, broken: samples that are better and worse in B.
        p: of the test of the whole comparison, corrected for the number of groups (Holm 1979); NaN where
            there was none.
    """

    value: object
    n: int
    a: float
    b: float
    mended: int
    broken: int
    p: float


def group_rows(
    values: TableColumn, before: AnyArray, after: AnyArray, change: AnyArray, *, exact: bool, classes: bool
) -> list[GroupRow]:
    """Compare the samples of each group.

    Args:
        values: (n,) the group of each sample, or numbers of which quarters are the groups.
        before, after: (n,) the metric in A and in B.
        change: (n,) how much better B is.
        exact: by McNemar's test of right and wrong, else by the paired bootstrap.
        classes: each value is a class, however many there are.
    """
    groups, place = groups_of(values, quarters=not classes)
    known = place >= 0
    if not known.all():
        place, before, after, change = (array[known] for array in (place, before, after, change))

    def sums(weights: AnyArray) -> AnyArray:
        return np.bincount(place, weights, len(groups))

    counts = np.bincount(place, minlength=len(groups))
    better, worse = sums(change > 0).astype(int).tolist(), sums(change < 0).astype(int).tolist()
    if exact:
        ps = list(map(mcnemar, better, worse))
    elif len(groups) <= _MOST_RESAMPLED:
        ps = [paired_bootstrap(part).p for part in _parts(change, place, counts)]
    else:
        ps = [math.nan] * len(groups)
    means = [(sums(side) / np.maximum(counts, 1)).tolist() for side in (before, after)]
    rows = zip(groups, counts.tolist(), *means, better, worse, holm(ps), strict=True)
    return [GroupRow(*row) for row in rows]


def _parts(values: AnyArray, place: Indices, counts: AnyArray) -> Iterator[AnyArray]:
    """The values of each group."""
    ordered, ends = values[np.argsort(place, kind="stable")], np.cumsum(counts)
    for start, end in zip(ends - counts, ends, strict=True):
        yield ordered[start:end]
