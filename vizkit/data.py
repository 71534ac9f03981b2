"""Subsets of data sets: smaller problems to start with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

import numpy as np

from vizkit import _checks
from vizkit._checks import describe
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import Ints, to_array

__all__ = ["Dataset", "Subset", "as_dataset", "subset"]

_Kind = TypeVar("_Kind")
_Item = TypeVar("_Item")
_Item_co = TypeVar("_Item_co", covariant=True)

_OWN_LABELS = ("labels", "targets")


class Dataset(Protocol[_Item_co]):
    """A data set: anything with a length and numbered items, such as a ``paddle.io.Dataset`` or a list."""

    def __len__(self) -> int:
        """Return the number of items."""

    def __getitem__(self, index: int, /) -> _Item_co:
        """Return an item, whose last part is the label."""


def subset(
    dataset: Dataset[_Item],
    classes: Sequence[int] | Ints | None = None,
    fraction: float = 1.0,
    seed: int = 0,
    *,
    labels: ArrayLike | None = None,
    remap: bool = False,
) -> Subset[_Item]:
    """Take some classes of a data set, and the same fraction of each.

    ::

        small = vizkit.data.subset(mnist, classes=[0, 1], fraction=0.2, remap=True)

    The samples of a class depend only on the class, the fraction and the seed, not on the other classes;
    those of a smaller fraction are among those of a larger one.

    Args:
        dataset: anything with ``len`` and items ``(..., label)``; the label is a whole number of Python or
            NumPy, or an array or tensor of one element.
        classes: the labels to take; by default all.
        fraction: the fraction of each class, in (0, 1]; at least one sample.
        seed: 0 or more.
        labels: one label for each item, shape (n,) or (n, 1). By default the attribute ``labels`` or
            ``targets`` of the data set, if it has such numbers; otherwise each item is loaded once.
        remap: True replaces labels by their position in ``classes``: 0 to k - 1.

    Returns:
        The samples in the data set's order. If Paddle is in use, a ``paddle.io.Dataset``.

    Raises:
        DataError: a data set that has no length, is empty or has no labels; a class that is missing;
            ``fraction`` or ``seed`` out of range.
    """
    _checks.whole_number("seed", seed, least=0)
    _checks.fraction("fraction", fraction, one=True)
    count = _length(dataset)
    ids = _labels_of(dataset, count) if labels is None else _as_ids(labels, count, "labels")
    chosen = _checked_classes(classes, ids)
    taken = np.sort(np.concatenate([_taken(ids, label, fraction, seed) for label in chosen]))
    new = {label: place for place, label in enumerate(chosen)}
    shown = np.array([new[label] if remap else label for label in ids[taken].tolist()], dtype=np.int64)
    return _make(dataset, taken, shown, chosen, remap)


@dataclass(eq=False, repr=False)
class Subset(Generic[_Item]):
    """Some samples of a data set; made by `subset`.

    Attributes:
        dataset: the whole data set.
        indices: the indices of the samples in it, ascending; int64 of shape (n,).
        labels: the labels of the items; int64 of shape (n,).
        classes: the labels that were taken, as in the whole data set.
    """

    dataset: Dataset[_Item]
    indices: Ints
    labels: Ints
    classes: list[int]
    _remapped: bool

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> _Item:
        item = self.dataset[int(self.indices[index])]
        if not self._remapped:
            return item
        *rest, label = cast("Sequence[object]", item)
        return cast("_Item", (*rest, _like(label, int(self.labels[index]))))

    def __repr__(self) -> str:
        return f"<{len(self)} of {len(self.dataset)} samples, classes {describe(self.classes)}>"

    def __reduce__(self) -> tuple[Callable[..., Subset[_Item]], tuple[object, ...]]:
        return _make, (self.dataset, self.indices, self.labels, self.classes, self._remapped)


def _make(
    dataset: Dataset[_Item], indices: Ints, labels: Ints, classes: list[int], remapped: bool
) -> Subset[_Item]:
    return as_dataset(Subset)(dataset, indices, labels, classes, remapped)


def as_dataset(kind: type[_Kind]) -> type[_Kind]:
    """Make a class a ``paddle.io.Dataset``, which Paddle's loaders ask for, if Paddle is in use."""
    base = getattr(sys.modules.get("paddle.io"), "Dataset", None)
    if base is None or issubclass(kind, base):
        return kind
    return type(kind.__name__, (kind, base), {"__doc__": kind.__doc__})


def _like(label: object, number: int) -> object:
    """Return ``number`` as a label of the same type, shape and dtype."""
    if isinstance(label, np.ndarray):
        return np.full_like(label, number)
    if isinstance(label, np.generic):
        return label.dtype.type(number)
    return number if isinstance(label, int) else label * 0 + number  # type: ignore[operator]


def _length(dataset: Dataset[object]) -> int:
    try:
        count = len(dataset)
    except (TypeError, NotImplementedError, RuntimeError):
        raise DataError(
            "a data set with a length and numbered items is needed, got {dataset}", dataset=describe(dataset)
        ) from None
    if not count:
        raise DataError("the data set is empty: {dataset}", dataset=describe(dataset))
    return count


def _labels_of(dataset: Dataset[object], count: int) -> Ints:
    for name in _OWN_LABELS:
        own = getattr(dataset, name, None)
        if own is not None and not callable(own):
            try:
                return _as_ids(own, count, name)
            except DataError:  # other data of that name, such as names of classes
                continue
    return np.array([_label_in(dataset[index], index) for index in range(count)], dtype=np.int64)


def _label_in(item: object, index: int) -> int:
    if not isinstance(item, (list, tuple)) or len(item) < 2:
        raise DataError(
            "the data set has no labels: item {index} is {item} and not (..., label); pass labels=",
            index=index,
            item=describe(item),
        )
    number = _id(item[-1])
    if number is None:
        raise DataError(
            "item {index} ends with {got}, which is no class number; pass labels=",
            index=index,
            got=describe(item[-1]),
        )
    return number


def _as_ids(labels: ArrayLike, count: int, name: str) -> Ints:
    try:
        array = to_array(labels)
    except Exception:  # a list of tensors may raise anything
        ids = [_id(label) for label in labels] if isinstance(labels, (list, tuple)) else [None]
        if None in ids:
            raise DataError(
                "{name} must be whole numbers, got {labels}", name=name, labels=describe(labels)
            ) from None
        array = np.array(ids)
    if array.dtype.kind not in "iub":
        raise DataError("{name} must be whole numbers, got {labels}", name=name, labels=describe(labels))
    if array.shape not in ((count,), (count, 1)):
        raise DataError(
            "{name} must be one for each of the {count} items, got shape {shape}",
            name=name,
            count=count,
            shape=list(array.shape),
        )
    return array.reshape(-1).astype(np.int64)


def _id(label: object) -> int | None:
    """Convert a label to its class number; None if it is none."""
    try:
        array = to_array(cast("ArrayLike", label))
    except Exception:  # no number, for whatever reason
        return None
    return int(array.item()) if array.size == 1 and array.dtype.kind in "iub" else None


def _checked_classes(classes: Sequence[int] | Ints | None, ids: Ints) -> list[int]:
    there: list[int] = np.unique(ids).tolist()
    if classes is None:
        return there
    wanted = [_id(label) for label in classes] if isinstance(classes, (Sequence, range, np.ndarray)) else []
    chosen = [label for label in wanted if label is not None]
    if not chosen or len(chosen) != len(wanted) or len(set(chosen)) != len(chosen):
        raise DataError(
            "classes must be a list of different class numbers, such as [0, 1], got {classes}",
            classes=describe(classes),
        )
    missing = [label for label in chosen if label not in there]
    if missing:
        raise DataError(
            "class {missing} is not in the data set, which has {there}",
            missing=missing[0],
            there=describe(there),
        )
    return chosen


def _taken(ids: Ints, label: int, fraction: float, seed: int) -> Ints:
    """The indices of the samples of a class: the first of an order that depends on seed and class."""
    where = np.flatnonzero(ids == label)
    count = max(1, round(len(where) * fraction))
    return np.random.default_rng([seed, label % 2**32]).permutation(where)[:count]
