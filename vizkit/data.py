"""Smaller problems to start with, cut from a data set."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.arrays import to_array

__all__ = ["Subset", "as_dataset", "subset"]

_Kind = TypeVar("_Kind")
_OWN_LABELS = ("labels", "targets")


def subset(
    dataset: Any,
    classes: Sequence[int] | None = None,
    fraction: float = 1.0,
    seed: int = 0,
    *,
    labels: Any = None,
    remap: bool = False,
) -> Subset:
    """The simplified problem: some classes of a data set, and of each the same share.

    ::

        small = vizkit.data.subset(mnist, classes=[0, 1], fraction=0.2, remap=True)

    Which samples are taken depends on the seed and on each class alone: with another choice of classes
    those of a class are the same, and with a greater fraction they are among those taken.

    Args:
        dataset: anything with ``len`` and items ``(..., label)``; the label a whole number, as a Python
            or NumPy number, or an array or tensor of one element.
        classes: which to take; by default all.
        fraction: what share of each class, in (0, 1]; at least one sample.
        seed: 0 or more.
        labels: one label for each item, shape (n,) or (n, 1). By default the attribute ``labels`` or
            ``targets`` of the data set, if it has such numbers, else every item is loaded once.
        remap: whether items get the place of their label in ``classes`` for a label: 0 to k - 1.

    Returns:
        The samples in the data set's order. Where Paddle is in use, a ``paddle.io.Dataset``.

    Raises:
        DataError: a data set that has no length, is empty or has no labels; a class that is not there;
            ``fraction`` or ``seed`` out of range.
    """
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool) and seed >= 0
    if not whole:
        raise DataError(f"seed must be a whole number, 0 or more, got {describe(seed)}")
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 < fraction <= 1:
        raise DataError(f"fraction must be more than 0 and at most 1, got {describe(fraction)}")
    count = _length(dataset)
    ids = _labels_of(dataset, count) if labels is None else _as_ids(labels, count, "labels")
    chosen = _checked_classes(classes, ids)
    taken = np.sort(np.concatenate([_taken(ids, label, fraction, seed) for label in chosen]))
    new = {label: place for place, label in enumerate(chosen)}
    shown = np.array([new[label] if remap else label for label in ids[taken].tolist()], dtype=np.int64)
    return _make(dataset, taken, shown, chosen, remap)


class Subset:
    """Some samples of a data set; made by `subset`.

    Attributes:
        dataset: the whole.
        indices: int64, shape (n,): which of its samples, ascending.
        labels: int64, shape (n,): as the items have them.
        classes: the labels that were taken, as the whole has them.
    """

    def __init__(
        self,
        dataset: Any,
        indices: NDArray[np.int64],
        labels: NDArray[np.int64],
        classes: list[int],
        remapped: bool,
    ) -> None:
        self.dataset = dataset
        self.indices = indices
        self.labels = labels
        self.classes = classes
        self._remapped = remapped

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        item = self.dataset[int(self.indices[index])]
        if not self._remapped:
            return item
        *rest, label = item
        return (*rest, _like(label, int(self.labels[index])))

    def __repr__(self) -> str:
        return f"<{len(self)} of {len(self.dataset)} samples, classes {describe(self.classes)}>"

    def __reduce__(self) -> tuple[Callable[..., Subset], tuple[Any, ...]]:
        return _make, (self.dataset, self.indices, self.labels, self.classes, self._remapped)


def _make(*parts: Any) -> Subset:
    return as_dataset(Subset)(*parts)


def as_dataset(kind: type[_Kind]) -> type[_Kind]:
    """A class as Paddle, which asks for its own, takes it where Paddle is in use; else as it is."""
    base = getattr(sys.modules.get("paddle.io"), "Dataset", None)
    if base is None or issubclass(kind, base):
        return kind
    return type(kind.__name__, (kind, base), {"__doc__": kind.__doc__})


def _like(label: Any, number: int) -> Any:
    """``number`` as a label of the same type, shape and dtype."""
    if isinstance(label, np.ndarray):
        return np.full_like(label, number)
    if isinstance(label, np.generic):
        return label.dtype.type(number)
    return number if isinstance(label, int) else label * 0 + number


def _length(dataset: Any) -> int:
    try:
        count = len(dataset)
    except (TypeError, NotImplementedError, RuntimeError):
        raise DataError(
            f"a data set with a length and numbered items is needed, got {describe(dataset)}"
        ) from None
    if not count:
        raise DataError(f"the data set is empty: {describe(dataset)}")
    return count


def _labels_of(dataset: Any, count: int) -> NDArray[np.int64]:
    for name in _OWN_LABELS:
        own = getattr(dataset, name, None)
        if own is not None and not callable(own):
            try:
                return _as_ids(own, count, name)
            except DataError:  # names of classes, or of regions: something else that is called so
                continue
    return np.array([_label_in(dataset[index], index) for index in range(count)], dtype=np.int64)


def _label_in(item: Any, index: int) -> int:
    if not isinstance(item, (list, tuple)) or len(item) < 2:
        raise DataError(
            f"the data set has no labels: item {index} is {describe(item)} and not (..., label); pass labels="
        )
    number = _id(item[-1])
    if number is None:
        raise DataError(
            f"item {index} ends with {describe(item[-1])}, which is no class number; pass labels="
        )
    return number


def _as_ids(labels: Any, count: int, name: str) -> NDArray[np.int64]:
    try:
        array = to_array(labels)
    except Exception:  # a list of tensors may raise what it likes
        ids = [_id(label) for label in labels] if isinstance(labels, (list, tuple)) else [None]
        if None in ids:
            raise DataError(f"{name} must be whole numbers, got {describe(labels)}") from None
        array = np.array(ids)
    if array.dtype.kind not in "iub":
        raise DataError(f"{name} must be whole numbers, got {describe(labels)}")
    if array.shape not in ((count,), (count, 1)):
        raise DataError(f"{name} must be one for each of the {count} items, got shape {list(array.shape)}")
    return array.reshape(-1).astype(np.int64)


def _id(label: Any) -> int | None:
    """The class number that a label is; None if it is none."""
    try:
        array = to_array(label)
    except Exception:  # whatever it is, it is no number
        return None
    return int(array.item()) if array.size == 1 and array.dtype.kind in "iub" else None


def _checked_classes(classes: Any, ids: NDArray[np.int64]) -> list[int]:
    there: list[int] = np.unique(ids).tolist()
    if classes is None:
        return there
    wanted = [_id(label) for label in classes] if isinstance(classes, (Sequence, range, np.ndarray)) else []
    chosen = [label for label in wanted if label is not None]
    if not chosen or len(chosen) != len(wanted) or len(set(chosen)) != len(chosen):
        raise DataError(
            f"classes must be a list of different class numbers, such as [0, 1], got {describe(classes)}"
        )
    missing = [label for label in chosen if label not in there]
    if missing:
        raise DataError(f"class {missing[0]} is not in the data set, which has {describe(there)}")
    return chosen


def _taken(ids: NDArray[np.int64], label: int, fraction: float, seed: int) -> NDArray[np.int64]:
    """The indices of a class's share: the first of an order that only seed and class decide."""
    where = np.flatnonzero(ids == label)
    count = max(1, round(len(where) * fraction))
    return np.random.default_rng([seed, label % 2**32]).permutation(where)[:count]
