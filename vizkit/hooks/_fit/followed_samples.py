"""The same samples of an evaluation's data, met again at every evaluation.

They are picked out of the batches as these pass by: the network is not run once more, and no sample is
loaded for it, so nothing of the training can change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.samples import Sample, samples_of
from vizkit.hooks._paddle import paddle

__all__ = ["FollowedSamples"]


class FollowedSamples:
    """Picks samples by their index in the dataset out of an evaluation's batches.

    Args:
        indices: different whole numbers, from 0.

    Raises:
        DataError: other ``indices``.
    """

    def __init__(self, indices: Any) -> None:
        self._indices = _checked(indices)
        self._places: dict[int, list[tuple[int, int]]] = {}  # batch -> its rows, and which samples they are
        self._found: dict[int, Sample] = {}

    def check(self, loader: Any) -> None:
        """Checks that the samples can be told in what ``loader`` gives; reads none of it.

        Raises:
            DataError: indices past its end, or an order that changes or is not known.
        """
        dataset = getattr(loader, "dataset", None)
        if dataset is None or not _in_order(getattr(loader, "batch_sampler", None)):
            raise DataError(
                "samples= needs data in a fixed order: eval_data as a Dataset, or as a paddle.io.DataLoader "
                f"with shuffle=False and no batch_sampler of its own; got {_named(loader)}"
            )
        past = [index for index in self._indices if index >= len(dataset)]
        if past:
            raise DataError(
                f"samples={describe(self._indices)}: the evaluation's data has {len(dataset)} samples, "
                f"so {past[0]} is out of range"
            )

    def begin(self, loader: Any) -> None:
        """An evaluation of ``loader``, which was checked, begins."""
        self._found = {}
        self._places = {}
        wanted = set(self._indices)
        for number, rows in enumerate(loader.batch_sampler):
            for row, index in enumerate(rows):
                if index in wanted:  # some come twice, to fill up the last batch of several ranks
                    wanted.remove(index)
                    self._places.setdefault(number, []).append((row, index))
            if not wanted:
                break

    def wants(self, number: int) -> bool:
        """Whether batch ``number`` of the evaluation holds one of the samples."""
        return number in self._places

    def add(self, number: int, batch: Batch) -> None:
        """Picks the samples out of a batch of images."""
        places = self._places[number]
        picked = samples_of(batch, [row for row, _ in places])
        self._found.update({index: sample for (_, index), sample in zip(places, picked, strict=True)})

    def found(self) -> list[Sample]:
        """The samples that passed by, in the order of the indices given."""
        return [self._found[index] for index in self._indices if index in self._found]

    @property
    def missing(self) -> list[int]:
        """Those that did not pass by."""
        return [index for index in self._indices if index not in self._found]


def _checked(indices: Any) -> list[int]:
    if isinstance(indices, (str, bytes)) or not isinstance(indices, Iterable):
        raise DataError(f"samples must be a list of indices such as [0, 5, 7], got {describe(indices)}")
    numbers = list(indices)
    if not numbers or any(isinstance(n, bool) or not hasattr(n, "__index__") or n < 0 for n in numbers):
        raise DataError(f"samples must be indices of the dataset, 0 or more, got {describe(indices)}")
    if len(set(numbers)) != len(numbers):
        raise DataError(f"samples must differ, got {describe(indices)}")
    return [int(number) for number in numbers]


def _in_order(sampler: Any) -> bool:
    """Whether its batches are the same each time, and asking for them draws no random number."""
    if type(sampler) is paddle.io.DistributedBatchSampler:
        return not sampler.shuffle
    return type(sampler) is paddle.io.BatchSampler and type(sampler.sampler) is paddle.io.SequenceSampler


def _named(loader: Any) -> str:
    sampler = getattr(loader, "batch_sampler", None)
    inner = getattr(sampler, "sampler", None)
    if sampler is None:
        return "no eval_data" if loader is None else type(loader).__name__
    shuffles = getattr(sampler, "shuffle", False) or type(inner) is paddle.io.RandomSampler
    how = "shuffle=True" if shuffles else f"a {type(sampler).__name__}"
    return f"{type(loader).__name__} with {how}"
