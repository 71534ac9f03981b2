"""The samples of an evaluation that are shown: the same every time, and the worst."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import numpy as np

from vizkit._checks import describe, is_whole_number, whole_number
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, to_array

if TYPE_CHECKING:
    from vizkit._protocols import ArrayLike
    from vizkit.writing.tasks.task import LabelledBatch

__all__ = ["KeptSamples", "axes_of_image", "check_samples", "content_of", "numbers_text"]

_Sample = TypeVar("_Sample")
_FEW = 8  # values of a sample that a text shows


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


def content_of(batch: LabelledBatch, row: int, most: int = _FEW) -> AnyArray | str | None:
    """The input of a sample, to be shown: a copy of an image, or a text, of other numbers the first ones.

    None if there is none. What cannot be shown never keeps an evaluation from being recorded.

    Args:
        batch: the batch.
        row: of the sample.
        most: how many numbers a text has.
    """
    given = batch.input(row)
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, (list, tuple)) and all(isinstance(part, str) for part in given):
        return " ".join(cast("list[str]", given))
    try:
        array = to_array(cast("ArrayLike", given), copy=True)
    except DataError:
        return None
    return array if axes_of_image(array) and array.size else numbers_text(array, most)


def axes_of_image(array: AnyArray) -> str:
    """The axes of an image: channels first, as Paddle has them, unless only the last can be theirs.

    An empty text if it can be none.
    """
    if array.ndim == 2:
        return "HW"
    if array.ndim != 3:
        return ""
    return "CHW" if array.shape[0] in (1, 3, 4) else "HWC" if array.shape[2] in (1, 3, 4) else ""


def numbers_text(values: AnyArray, most: int = _FEW) -> str:
    """Some numbers in a line; whole ones, such as those of tokens, as they are."""
    flat = values.reshape(-1)
    more = ["..."] if flat.size > most else []
    form = ".4g" if flat.dtype.kind == "f" else ""
    return ", ".join([*(format(value, form) for value in flat[:most].tolist()), *more])


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
