"""The row of each sample of an evaluation, for its table of predictions.

At most so many rows are kept. Of more samples a choice is: as many of each label as there can be, those whose
ids have the least hashes, so that it is the same choice every time, in any order.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import numpy as np

from vizkit._checks import describe, is_whole_number
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.format.input_packs import digest_of
from vizkit.metrics.arrays import AnyArray, Bools, shape_of, to_array, to_view
from vizkit.writing.table_columns import Given, Pictures

if TYPE_CHECKING:
    from vizkit.media.image_layers import Layers
    from vizkit.writing.tasks.task import LabelledBatch, TaskOptions

__all__ = [
    "ALL_ROWS",
    "FEW_ROWS",
    "SampleRows",
    "checked_ids",
    "checked_slices",
    "chosen_rows",
    "joined_columns",
    "row_limit",
]

FEW_ROWS = 10_000
"""Rows of a table of predictions unless it is asked for more."""

ALL_ROWS = 5_000_000
"""Rows of a table that has all samples, at most."""

_MOST_IMAGES = 500  # of an evaluation, wrong predictions first
_IMAGE_BYTES = 16 << 20  # of them, as they were given
_LARGEST = 512  # pixels of the longer side
_LONGEST = 2000  # characters of a text
_SLACK = 4096  # rows that are held beyond those that are kept
_RECENT = 256  # batches
_RESERVED = ("id", "label", "prediction", "score", "loss", "input", "correct")


def row_limit(predictions: object) -> int:
    """The number of rows that the option ``predictions`` asks for; 0 for no table.

    Raises:
        DataError: neither a bool, None nor a number from 1 on.
    """
    if predictions is None:
        return FEW_ROWS
    if isinstance(predictions, bool):
        return ALL_ROWS if predictions else 0
    if not is_whole_number(predictions) or cast("int", predictions) < 1:
        raise DataError(
            "predictions must be True, False or how many samples to keep, 1 or more, got {predictions}",
            predictions=describe(predictions),
        )
    return min(int(cast("int", predictions)), ALL_ROWS)


def checked_slices(slices: object) -> dict[str, Any]:
    """The option ``slices``: name -> values by id, as a list or array, or as a dict.

    Raises:
        DataError: none of these.
    """
    if slices is None:
        return {}
    good = isinstance(slices, Mapping) and all(
        isinstance(name, str) and name not in _RESERVED and hasattr(values, "__getitem__")
        for name, values in slices.items()
    )
    if not good or any(isinstance(values, (str, bytes)) for values in cast("Any", slices).values()):
        raise DataError(
            "slices must be a dict of names (but {reserved}) to the values of all samples, got {slices}",
            reserved=", ".join(_RESERVED),
            slices=describe(slices),
        )
    return dict(cast("Mapping[str, Any]", slices))


def checked_ids(ids: Sequence[int | str] | AnyArray, count: int) -> AnyArray:
    """Ids as an array of whole numbers or texts.

    Raises:
        DataError: not one for each sample.
    """
    if isinstance(ids, (list, tuple)) and any(isinstance(one, PurePath) for one in ids):
        ids = [str(one) if isinstance(one, PurePath) else one for one in ids]
    found = np.asarray(ids.numpy() if hasattr(ids, "numpy") else ids).reshape(-1)
    if found.dtype.kind == "O" and all(isinstance(one, (str, int, np.integer)) for one in found.tolist()):
        found = np.array(found.tolist())  # as of a series of pandas
    if found.dtype.kind not in "iuU" or len(found) != count:
        raise DataError(
            "ids must be {count} whole numbers or texts, one a sample, got {ids}",
            count=count,
            ids=describe(ids),
        )
    return found


class SampleRows:
    """The rows of an evaluation, added batch by batch.

    Attributes:
        most: rows that are kept.
        seen: samples so far.
    """

    def __init__(self, options: TaskOptions) -> None:
        self.most = options.predictions
        self.seen = 0
        self._options = options
        self._given = False  # ids are those of the caller
        self._slices = dict.fromkeys(options.slices)
        self._count = 0
        self._parts: list[Mapping[str, AnyArray]] = []
        self._recent: list[Mapping[str, AnyArray]] = []
        self._images = _ImageChoice()

    def next_ids(self, ids: Sequence[int | str] | AnyArray | None, count: int) -> AnyArray:
        """The ids of the next samples: those given, or their places in the evaluation."""
        found = np.arange(self.seen, self.seen + count) if ids is None else checked_ids(ids, count)
        self._given = ids is not None
        self.seen += count
        return found

    @property
    def about(self) -> dict[str, str]:
        """Facts of the rows: how samples are told apart, how many there were, which columns are slices."""
        found = {"ids": "given" if self._given else "place", "samples": str(self.seen)}
        return found | ({"slices": "\n".join(self._slices)} if self._slices else {})

    def extras(self, batch: LabelledBatch, count: int) -> dict[str, AnyArray]:
        """The columns of a batch that its caller names: slices, and texts as inputs.

        Raises:
            DataError: slices that are not one a sample.
        """
        found: dict[str, AnyArray] = {}
        if not self.most:
            return found
        for name, values in (batch.slices or {}).items():
            if name in _RESERVED:
                raise DataError("the slice {name!r} has the name of a column: give it another", name=name)
            column = _flat(values)
            if len(column) != count:
                raise DataError(
                    "the slice {name!r} must have {count} values, one a sample, got {values}",
                    name=name,
                    count=count,
                    values=describe(values),
                )
            found[name] = column
            self._slices[name] = None
        texts = _as_texts(batch.inputs)
        if texts is not None and len(texts) == count:
            found["input"] = texts
        return found

    def add(self, columns: Mapping[str, AnyArray]) -> None:
        """Add the rows of some samples; the arrays are kept.

        Raises:
            DataError: other columns than before.
        """
        if not self.most or not len(columns["id"]):
            return
        if len(self._recent) >= _RECENT:  # many small arrays take more room and time than few
            self._parts.append(joined_columns(self._recent))
            self._recent = []
        self._recent.append(dict(columns))
        _check_names([*self._parts[:1], *self._recent[:1], columns])
        self._count += len(columns["id"])
        if self._count > 2 * self.most + _SLACK:
            self._choose()

    def offer_images(
        self,
        batch: LabelledBatch,
        ids: AnyArray,
        wrong: Bools | None = None,
        marks: Callable[[int, int], Marks] | None = None,
    ) -> None:
        """Copy some of the images of a batch, if its inputs are some; wrong predictions come first.

        Args:
            batch: the batch.
            ids: of its samples.
            wrong: (n,) whether each was predicted wrongly.
            marks: copies what goes over the image of a row, of which each so many-th pixel is kept.
        """
        if self.most and batch.inputs is not None:
            self._images.offer(batch.inputs, ids, wrong, marks)

    def _choose(self) -> None:
        """Join all parts, and drop what is more than the rows that are kept."""
        every, self._recent = [*self._parts, *self._recent], []
        if every:
            self._parts = [joined_columns(every)]
        if self._count > self.most:
            (part,) = self._parts
            rows = chosen_rows(part["id"], _strata(part), self.most)
            self._parts = [{name: column[rows] for name, column in part.items()}]
            self._count = len(rows)

    def columns(self) -> dict[str, AnyArray]:
        """All columns: numbers, or objects that are texts, numbers or None."""
        self._choose()
        return dict(self._parts[0]) if self._parts else {}

    def finished(
        self,
        columns: Mapping[str, Given],
        layers: Callable[[Any, tuple[int, int]], Layers | None] | None = None,
    ) -> dict[str, Given]:
        """The columns of the table: those of the task, the slices of the options, and the inputs last.

        Args:
            columns: those of the task.
            layers: makes layers of the marks of an image, and of its height and width.
        """
        found = {name: _plain(column) for name, column in columns.items()}
        if not found:
            return {}
        ids = cast("AnyArray | list[object]", found["id"])
        keys: list[Any] = ids.tolist() if isinstance(ids, np.ndarray) else ids
        for name, values in self._options.slices.items():
            if name in found:
                raise DataError("the slice {name!r} has the name of a column: give it another", name=name)
            found[name] = _plain(_looked_up(values, keys))
        texts = found.pop("input", None)
        if texts is not None:
            found["input"] = Pictures(cast("Sequence[str | None]", texts))
        elif self._images.kept:
            kept = [self._images.kept.get(key) for key in keys]

            def layers_of(row: int) -> Layers | None:
                one = kept[row]
                return None if not one or not one.marks or not layers else layers(one.marks, one.size)

            if any(one is not None for one in kept):
                images = [None if one is None else one.image for one in kept]
                found["input"] = Pictures(images, self._options.mean, self._options.std, layers_of)
        return found

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use, without those of texts."""
        rows = sum(column.nbytes for part in [*self._parts, *self._recent] for column in part.values())
        return rows + self._images.nbytes


def chosen_rows(ids: AnyArray, strata: AnyArray | None, most: int) -> AnyArray:
    """The rows of a choice of samples, in order: of each stratum the same number, by the hashes of ids."""
    hashes = _hashes(ids)
    if strata is None:
        rows = np.argsort(hashes, kind="stable")[:most]
    else:
        order = np.lexsort((hashes, strata))
        begins = np.flatnonzero(np.diff(strata[order], prepend=strata[order[0]] - 1))
        ranks = np.arange(len(order)) - np.repeat(begins, np.diff([*begins, len(order)]))
        rows = order[np.lexsort((hashes[order], ranks))[:most]]
    return np.sort(rows)


def _strata(part: Mapping[str, AnyArray]) -> AnyArray | None:
    labels = part.get("label")
    return labels.astype(np.int64) if labels is not None and labels.dtype.kind in "iub" else None


def _hashes(ids: AnyArray) -> AnyArray:
    if ids.dtype.kind not in "iu":
        return np.array([digest_of(str(one).encode("utf-8", "replace")) for one in ids], np.uint64)
    with np.errstate(over="ignore"):  # splitmix64
        found = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(found ^ (found >> np.uint64(31)))


def joined_columns(parts: Sequence[Mapping[str, AnyArray]]) -> dict[str, AnyArray]:
    """Rows of several batches as one.

    Raises:
        DataError: they have different columns.
    """
    _check_names(parts)
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _check_names(parts: Sequence[Mapping[str, AnyArray]]) -> None:
    for part in parts:
        if part.keys() != parts[0].keys():
            raise DataError(
                "every batch must have the same slices, got {names} after {before}",
                names=", ".join(part),
                before=", ".join(parts[0]),
            )


def _joined(parts: Sequence[AnyArray]) -> AnyArray:
    """Parts of a column as one; those of different kinds become objects."""
    kinds = {part.dtype.kind in "biuf" for part in parts}
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts if len(kinds) == 1 else [part.astype(object) for part in parts])


def _flat(values: object) -> AnyArray:
    if isinstance(values, np.ndarray) or hasattr(values, "numpy"):
        array = np.array(values) if isinstance(values, np.ndarray) else to_array(cast("ArrayLike", values))
        return array.reshape(-1) if array.dtype.kind in "biuf" else array.reshape(-1).astype(object)
    column: AnyArray = np.array(list(cast("Sequence[object]", values)))
    if column.dtype.kind in "biuf" and column.ndim == 1:
        return column
    column = np.empty(len(cast("Sequence[object]", values)), object)
    column[:] = list(cast("Sequence[object]", values))
    return column


def _as_texts(inputs: object) -> AnyArray | None:
    if isinstance(inputs, np.ndarray) and inputs.dtype.kind in "UO":
        inputs = inputs.tolist()
    if not isinstance(inputs, (list, tuple)) or not inputs:
        return None
    if not all(isinstance(one, str) for one in inputs):
        if not all(isinstance(one, (list, tuple)) for one in inputs):
            return None
        if not all(isinstance(word, str) for one in inputs for word in one):
            return None
        inputs = [" ".join(words) for words in inputs]
    found = np.empty(len(inputs), object)
    found[:] = [text[:_LONGEST] for text in inputs]
    return found


def _looked_up(values: Any, keys: Sequence[Any]) -> AnyArray:  # noqa: ANN401
    """The values of some ids; None where there is none."""
    if isinstance(values, Mapping):
        picked: list[object] = [values.get(key) for key in keys]
    else:
        every = values.tolist() if hasattr(values, "tolist") else values
        count = len(every)
        picked = [every[key] if isinstance(key, int) and 0 <= key < count else None for key in keys]
    found: AnyArray = np.empty(len(picked), object)
    found[:] = picked
    return found


def _plain(column: Given) -> Given:
    """A column without objects: numbers where all of them are some, else texts."""
    if not isinstance(column, np.ndarray) or column.dtype.kind not in "OU":
        return column
    values: list[object] = column.tolist()
    if any(one is not None and not isinstance(one, (int, float, np.number, np.bool_)) for one in values):
        return values
    return np.array([np.nan if one is None else one for one in values], None if None not in values else float)


class Marks(Protocol):
    """Labels and predictions of an image, which become layers over it."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        ...


class _KeptImage(NamedTuple):
    image: AnyArray
    marks: Marks | None

    @property
    def size(self) -> tuple[int, int]:
        rows, columns = _plane(self.image.shape)
        return self.image.shape[rows], self.image.shape[columns]

    @property
    def nbytes(self) -> int:
        return self.image.nbytes + (0 if self.marks is None else self.marks.nbytes)


class _ImageChoice:
    """Some images of an evaluation: wrong predictions first, and by the hashes of their ids."""

    def __init__(self) -> None:
        self.kept: dict[object, _KeptImage] = {}
        self.nbytes = 0
        self._heap: list[tuple[int, object]] = []  # the last in the order first

    def offer(
        self,
        inputs: object,
        ids: AnyArray,
        wrong: Bools | None,
        marks: Callable[[int, int], Marks] | None,
    ) -> None:
        rows = _images(inputs, len(ids))
        if rows is None or not len(ids):
            return
        order = _hashes(ids) >> np.uint64(1)
        if wrong is not None:
            order |= np.where(wrong, np.uint64(0), np.uint64(1 << 63))
        keys = ids.tolist()
        some = np.flatnonzero(order < -self._heap[0][0]) if self._full else np.arange(len(keys))
        for row in some[np.argsort(order[some], kind="stable")].tolist():
            if self._full and int(order[row]) >= -self._heap[0][0]:
                break
            if keys[row] in self.kept:
                continue
            image, step = rows(row)
            kept = self.kept[keys[row]] = _KeptImage(image, marks and marks(row, step))
            self.nbytes += kept.nbytes
            heapq.heappush(self._heap, (-int(order[row]), keys[row]))
            while len(self._heap) > 1 and (len(self._heap) > _MOST_IMAGES or self.nbytes > _IMAGE_BYTES):
                self.nbytes -= self.kept.pop(heapq.heappop(self._heap)[1]).nbytes

    @property
    def _full(self) -> bool:
        if not self._heap:
            return False
        mean = self.nbytes / len(self._heap)
        return len(self._heap) >= _MOST_IMAGES or self.nbytes + mean > _IMAGE_BYTES


def _images(inputs: object, count: int) -> Callable[[int], tuple[AnyArray, int]] | None:
    """A function that copies the image of a row, no larger than is kept: each so many-th pixel of it.

    None if inputs are no images.
    """
    if isinstance(inputs, (list, tuple)):
        several = cast("Sequence[ArrayLike]", inputs)
        if len(several) != count or not all(map(_is_image_of, several)):
            return None
        return lambda row: _shrunk(to_array(several[row]))
    shape = [int(side) for side in getattr(inputs, "shape", ())]
    if len(shape) != 4 or shape[0] != count or not _is_image(shape[1:]):
        return None
    view = to_view(cast("ArrayLike", inputs))
    array = to_array(cast("ArrayLike", inputs)) if view is None else view
    return lambda row: _shrunk(array[row])


def _is_image_of(given: object) -> bool:
    return not isinstance(given, str) and _is_image(shape_of(given))


def _is_image(shape: Sequence[int]) -> bool:
    return (
        len(shape) == 3 and (shape[0] in (1, 3, 4) or shape[2] in (1, 3, 4)) and min(sorted(shape)[1:]) >= 4
    )


def _plane(shape: Sequence[int]) -> tuple[int, int]:
    """The axes of rows and columns."""
    return (1, 2) if shape[0] in (1, 3, 4) and shape[2] not in (1, 3, 4) else (0, 1)


def _shrunk(image: AnyArray) -> tuple[AnyArray, int]:
    axes = _plane(image.shape)
    step = -(-max(image.shape[axes[0]], image.shape[axes[1]]) // _LARGEST)
    places = [slice(None)] * 3
    places[axes[0]] = places[axes[1]] = slice(None, None, step)
    return image[tuple(places)].copy(), step
