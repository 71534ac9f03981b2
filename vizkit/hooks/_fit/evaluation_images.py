"""Images of an evaluation: the same samples every time, and the worst mistakes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from vizkit._checks import describe, whole_number
from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.sample_images import (
    Display,
    Sample,
    class_probabilities,
    image_axes,
    looks_like_images,
    record_samples,
    samples_of,
)
from vizkit.hooks._guard import Guard
from vizkit.hooks._network.random_states import random_states_kept
from vizkit.hooks._paddle import paddle
from vizkit.metrics.activation import Activation, ScoreEvidence
from vizkit.metrics.arrays import AnyArray, Ints, to_array
from vizkit.writing.tasks.known_batch import class_labels

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["EvaluationImages", "FollowedSamples", "WorstMistakes", "indices_of"]

_FOLLOWED = "followed samples"
_WORST = "worst mistakes"


class EvaluationImages:
    """Images gathered over an evaluation and recorded at its end.

    Raises:
        DataError: bad ``samples`` or ``worst``.
    """

    def __init__(
        self,
        tracker: Tracker,
        guard: Guard,
        samples: Iterable[int] | None,
        worst: int | None,
        display: Display,
    ) -> None:
        self._tracker = tracker
        self._guard = guard
        self._followed = None if samples is None else FollowedSamples(samples)
        self._count = None if worst is None else whole_number("worst", worst, unit=tr("images"))
        self._display = display
        self._checked: paddle.io.DataLoader = None
        self._mistakes: WorstMistakes | None = None
        self._activation: Activation | None = "auto"
        self._evidence = ScoreEvidence()

    def check(self, model: paddle.Model, loader: paddle.io.DataLoader) -> None:
        """Check before a training or an evaluation that its data has the images to record.

        One sample of the data is loaded, and all random states are kept.

        Raises:
            DataError: samples out of range or in no fixed order, data without labels or images.
        """
        if self._followed is None and self._count is None:
            return
        if loader is not None and loader is self._checked:
            return
        option = "samples" if self._followed is not None else "worst"
        if loader is None:
            raise DataError("{option}= shows samples of an evaluation: give eval_data to fit", option=option)
        if self._followed is not None:
            self._followed.check(loader)
        _check_fields(model, loader, option)
        self._checked = loader

    def begin(self, loader: paddle.io.DataLoader, activation: Activation | None) -> None:
        """Begin an evaluation of ``loader``; without one nothing is gathered.

        With the activation "auto", the scores of the whole evaluation tell whether they are probabilities.
        """
        if loader is None:
            return
        self._activation, self._evidence = activation, ScoreEvidence()
        self._mistakes = None if self._count is None else WorstMistakes(self._count, activation)
        if self._followed is not None:
            with self._guard(_FOLLOWED):
                self._followed.begin(loader)

    def wants(self, number: int) -> bool:
        """True if batch ``number`` of the evaluation is to be captured."""
        if self._followed is None:
            return self._mistakes is not None
        return self._mistakes is not None or self._activation == "auto" or self._followed.wants(number)

    def add(self, number: int, batch: Batch) -> None:
        """Pick the samples to record out of a batch."""
        if self._followed is not None and self._activation == "auto":
            with self._guard(_FOLLOWED):
                if class_labels(batch.first_label, batch.output) is not None:
                    self._evidence.add(to_array(batch.output))
        if self._followed is not None and self._followed.wants(number):
            with self._guard(_FOLLOWED):
                self._followed.add(number, batch)
        if self._mistakes is not None:
            mistakes, self._mistakes = self._mistakes, None
            with self._guard(_WORST):
                mistakes.add(batch)
                self._mistakes = mistakes  # given up after an error

    def record(self, step: int) -> None:
        """Record the images of the evaluation."""
        if self._followed is not None:
            with self._guard(_FOLLOWED):
                known = self._evidence.activation if self._activation == "auto" else self._activation
                found = self._followed.found()
                record_samples(self._tracker, "eval/samples", found, step, self._display, known)
                if self._followed.missing:
                    raise DataError(
                        "samples {missing} were not evaluated in this process", missing=self._followed.missing
                    )
        mistakes, self._mistakes = self._mistakes, None
        if mistakes is not None:
            with self._guard(_WORST):
                worst = mistakes.worst()
                record_samples(
                    self._tracker, "eval/worst mistakes", worst, step, self._display, mistakes.activation
                )


class FollowedSamples:
    """Samples of the given indices, picked out of an evaluation's batches.

    The network is not run once more and no sample is loaded for it: the training cannot change.

    Raises:
        DataError: the indices are not different whole numbers from 0 on.
    """

    def __init__(self, indices: Iterable[int]) -> None:
        self._indices = _checked_indices(indices)
        self._places: dict[int, list[tuple[int, int]]] = {}  # batch -> (row, index of the sample)
        self._found: dict[int, Sample] = {}

    def check(self, loader: paddle.io.DataLoader) -> None:
        """Check that ``loader`` gives the samples at known places; reads no data.

        Raises:
            DataError: indices past its end, or an order that changes or is not known.
        """
        dataset = getattr(loader, "dataset", None)
        if dataset is None or not _in_order(getattr(loader, "batch_sampler", None)):
            raise DataError(
                "samples= needs data in a fixed order: eval_data as a Dataset, or as a "
                "paddle.io.DataLoader with shuffle=False and no batch_sampler of its own; got "
                "{loader_text}",
                loader_text=_loader_text(loader),
            )
        past = [index for index in self._indices if index >= len(dataset)]
        if past:
            raise DataError(
                "samples={indices}: the evaluation's data has {n} samples, so {past} is out of range",
                indices=describe(self._indices),
                n=len(dataset),
                past=past[0],
            )

    def begin(self, loader: paddle.io.DataLoader) -> None:
        """Begin an evaluation of ``loader``, which was checked."""
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
        """True if batch ``number`` of the evaluation holds one of the samples."""
        return number in self._places

    def add(self, number: int, batch: Batch) -> None:
        """Pick the samples out of a batch of images."""
        places = self._places[number]
        picked = samples_of(batch, [row for row, _ in places])
        self._found.update({index: sample for (_, index), sample in zip(places, picked, strict=True)})

    def found(self) -> list[Sample]:
        """The samples picked so far, in the order of the indices given."""
        return [self._found[index] for index in self._indices if index in self._found]

    @property
    def missing(self) -> list[int]:
        """The indices of the samples that were in no batch."""
        return [index for index in self._indices if index not in self._found]


class WorstMistakes:
    """The samples of an evaluation whose wrong prediction has the highest loss.

    The loss is the cross entropy, ``-log p(label)``; NaN counts as the worst. The earlier of two equal
    samples is kept. At most ``count`` images are held.

    Args:
        activation: what the loss says of the scores. With "auto", the whole evaluation tells: until scores
            cannot be probabilities, the worst are kept both as if they were and as if they were logits.
    """

    def __init__(self, count: int, activation: Activation | None) -> None:
        self._count = count
        self._given = activation
        self._evidence = ScoreEvidence()
        kinds: list[Activation | None] = ["softmax", None] if activation == "auto" else [activation]
        self._heaps: dict[Activation | None, list[tuple[float, int, Sample]]] = {kind: [] for kind in kinds}
        self._seen = 0

    @property
    def activation(self) -> Activation | None:
        """The activation of the scores as far as it is known; "auto" if it is not."""
        return self._evidence.activation if self._given == "auto" else self._given

    def add(self, batch: Batch) -> None:
        """Add the mistakes of a batch.

        Raises:
            DataError: it holds no images, or is not that of a classifier.
        """
        ids = class_labels(batch.first_label, batch.output)
        if ids is None or not looks_like_images(batch):
            raise DataError(
                "mistakes are those of a classifier of images: inputs of shape [n, c, h, w] or [n, h, w, c], "
                "labels of whole numbers, scores of shape [n, classes]"
            )
        scores = to_array(batch.output)
        if self._given == "auto":
            self._evidence.add(scores)
            if self.activation == "softmax":
                self._heaps.pop(None, None)
        copies: dict[int, Sample] = {}
        for kind, heap in self._heaps.items():
            for loss, row in _mistakes(scores, ids, kind, self._count):
                if len(heap) == self._count and loss <= heap[0][0]:
                    break
                sample = copies[row] = copies.get(row) or samples_of(batch, [row])[0]
                entry = (loss, -(self._seen + row), sample)
                (heapq.heappush if len(heap) < self._count else heapq.heapreplace)(heap, entry)
        self._seen += len(ids)

    def worst(self) -> list[Sample]:
        """The samples, the worst first."""
        known = self.activation
        heap = self._heaps["softmax" if known == "auto" else known]
        return [sample for _, _, sample in sorted(heap, key=lambda entry: entry[:2], reverse=True)]


def _mistakes(
    scores: AnyArray, ids: Ints, activation: Activation | None, count: int
) -> list[tuple[float, int]]:
    """The loss and row of the worst mistakes of a batch, the worst first."""
    probabilities = np.asarray(class_probabilities(scores, activation))
    rows = np.flatnonzero(probabilities.argmax(axis=1) != ids)
    inside = np.clip(ids[rows], 0, probabilities.shape[1] - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = np.where(inside == ids[rows], -np.log(probabilities[rows, inside]), np.inf)
    losses = np.where(np.isnan(losses), np.inf, losses)
    order = np.argsort(-losses, kind="stable")[:count]
    return [(float(losses[place]), int(rows[place])) for place in order]


def _check_fields(model: paddle.Model, loader: paddle.io.DataLoader, option: str) -> None:
    """Check that the first sample has labels and an image."""
    dataset: paddle.io.Dataset = getattr(loader, "dataset", None)
    if not hasattr(dataset, "__getitem__") or not len(dataset):
        return
    with random_states_kept():
        sample = dataset[0]
    fields = paddle.utils.flatten(sample)
    count = len(getattr(model, "_inputs", None) or ()) or 1
    if len(fields) <= count:
        raise DataError(
            "{option}= shows labels, but the evaluation's data has none: the network takes all {n} parts of "
            "its samples",
            option=option,
            n=len(fields),
        )
    shape = getattr(fields[0], "shape", None)
    if shape is not None and image_axes(list(shape)) is None:
        raise DataError(
            "{option}= shows images, of 1, 3 or 4 channels; the evaluation's data is of shape {shape}",
            option=option,
            shape=list(shape),
        )


def _checked_indices(indices: Iterable[int]) -> list[int]:
    if isinstance(indices, (str, bytes)) or not isinstance(indices, Iterable):
        raise DataError(
            "samples must be a list of indices such as [0, 5, 7], got {indices}", indices=describe(indices)
        )
    numbers = list(indices)
    if not numbers or any(isinstance(n, bool) or not hasattr(n, "__index__") or n < 0 for n in numbers):
        raise DataError(
            "samples must be indices of the dataset, 0 or more, got {indices}", indices=describe(indices)
        )
    if len(set(numbers)) != len(numbers):
        raise DataError("samples must differ, got {indices}", indices=describe(indices))
    return [int(number) for number in numbers]


def indices_of(loader: paddle.io.DataLoader) -> Iterator[list[int]] | None:
    """The places of each batch's samples in the dataset; None if their order changes or is not known."""
    sampler = getattr(loader, "batch_sampler", None)
    return None if sampler is None or not _in_order(sampler) else iter(sampler)


def _in_order(sampler: paddle.io.BatchSampler) -> bool:
    """True if its batches are the same each time, and listing them draws no random number."""
    if type(sampler) is paddle.io.DistributedBatchSampler:
        return not sampler.shuffle
    return type(sampler) is paddle.io.BatchSampler and type(sampler.sampler) is paddle.io.SequenceSampler


def _loader_text(loader: paddle.io.DataLoader) -> str:
    """A short text on a loader for an error message."""
    sampler = getattr(loader, "batch_sampler", None)
    if sampler is None:
        return type(loader).__name__
    inner = getattr(sampler, "sampler", None)
    shuffles = getattr(sampler, "shuffle", False) or type(inner) is paddle.io.RandomSampler
    how = "shuffle=True" if shuffles else f"a {type(sampler).__name__}"
    return f"{type(loader).__name__} with {how}"
