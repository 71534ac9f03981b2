"""The samples of an evaluation that are shown: the same every time, and the worst."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from typing import Generic, TypeVar

import numpy as np

from vizkit._checks import describe, is_whole_number, whole_number
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray

__all__ = ["KeptSamples", "check_samples"]

_Sample = TypeVar("_Sample")


def check_samples(samples: object, worst: object) -> None:
    """Check the options of `KeptSamples`.

    Raises:
        DataError: neither a number nor ids; a bad ``worst``.
    """
    whole_number("worst", worst, least=0)
    if is_whole_number(samples):
        whole_number("samples", samples, least=0)
    elif (
        isinstance(samples, (str, bytes))
        or not isinstance(samples, Collection)
        or not all(isinstance(key, str) or is_whole_number(key) for key in samples)
        or len(set(samples)) != len(samples)
    ):
        raise DataError(
            "samples must be a number of samples, or different ids of some, got {samples}",
            samples=describe(samples),
        )


class KeptSamples(Generic[_Sample]):
    """Samples picked out of the batches as they pass, each with its id.

    Args:
        samples: ids of the samples to keep, or how many of the first.
        worst: how many of the worst to keep; of two that are equally bad the earlier.
    """

    def __init__(self, samples: Sequence[int | str] | int, worst: int) -> None:
        self._wanted = None if isinstance(samples, int) else list(samples)
        self._first = samples if isinstance(samples, int) else 0
        self._count = worst
        self._followed: dict[int | str, _Sample] = {}
        self._heap: list[tuple[float, int, int | str, _Sample]] = []
        self._seen = 0

    def offer(self, ids: AnyArray, badness: AnyArray, take: Callable[[int], _Sample]) -> None:
        """Offer a batch.

        Args:
            ids: of its samples.
            badness: how bad each is; NaN and -inf are not bad at all.
            take: copies the sample of a row.
        """
        keys: list[int | str] = ids.tolist()
        taken: dict[int, _Sample] = {}

        def sample(row: int) -> _Sample:
            if row not in taken:
                taken[row] = take(row)
            return taken[row]

        for row, key in enumerate(keys):
            few = len(self._followed) < self._first
            wanted = few if self._wanted is None else key in self._wanted
            if wanted and key not in self._followed:
                self._followed[key] = sample(row)
        if self._count:
            bad = np.where(np.isnan(badness), -np.inf, badness)
            for row in np.argsort(-bad, kind="stable")[: self._count].tolist():
                full = len(self._heap) == self._count
                if bad[row] == -np.inf or (full and bad[row] <= self._heap[0][0]):
                    break
                entry = (float(bad[row]), -(self._seen + row), keys[row], sample(row))
                (heapq.heapreplace if full else heapq.heappush)(self._heap, entry)
        self._seen += len(keys)

    def followed(self) -> list[tuple[int | str, _Sample]]:
        """The samples to follow, in the order of the ids asked for."""
        if self._wanted is None:
            return list(self._followed.items())
        return [(key, self._followed[key]) for key in self._wanted if key in self._followed]

    def worst(self) -> list[tuple[int | str, _Sample]]:
        """The worst samples, the worst first."""
        return [
            (key, kept) for _, _, key, kept in sorted(self._heap, key=lambda each: each[:2], reverse=True)
        ]
