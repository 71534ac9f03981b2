"""Segmentation: IoU, Dice and boundary IoU of each class, from maps added batch by batch in bounded memory.

- IoU of a class: pixels that are of the class in label and prediction, over those that are in either.
  Dice: twice the former over the sum of both areas. NaN for a class that is in neither.
- mIoU, mean Dice and mean boundary IoU: means over the classes that are in a label or a prediction.
- Frequency-weighted IoU: the mean of the IoU, weighted by the area of each class in the labels.
- Boundary IoU (Cheng et al., CVPR 2021): the IoU of the pixels of each mask that lie within 2 % of the
  image's diagonal from the mask's contour. The image's border is part of the contours, and so is that of
  the pixels that do not count. In volumes, whose pixels are voxels, the contour is a surface.

Pixels with ``ignore_index`` as label do not count, whatever was predicted there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vizkit._checks import describe, is_whole_number, one_of, whole_number
from vizkit._language import tr
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.activation import Activation
from vizkit.metrics.arrays import (
    AnyArray,
    Bools,
    Floats,
    Ints,
    dtype_of,
    shape_of,
    to_array,
    to_real,
    to_view,
)
from vizkit.metrics.confusion import MAX_CONFUSION_CLASSES
from vizkit.metrics.inputs import refuse_where

__all__ = ["SegmentationMaps", "SegmentationResult", "SegmentationScores", "boundary_of"]

_WIDTH = 0.02  # of a boundary, in diagonals of the image
_CHUNK = 1 << 14  # pixels whose classes are found at once: they and their scores fit a core's cache


@dataclass(frozen=True, eq=False)
class SegmentationMaps:
    """The class ids of a batch of n images, and how well each was predicted.

    Attributes:
        labels: of shape (n, h, w), or (n, d, h, w) of volumes, uint8 or uint16; pixels that do not count have
            the number of classes.
        predictions: of the same shape.
        iou: the mean IoU of the classes in each image's label or prediction, shape (n,); NaN without pixels.
        accuracy: the fraction of right pixels of each image, shape (n,).
    """

    labels: AnyArray
    predictions: AnyArray
    iou: Floats
    accuracy: Floats


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """Counts of pixels of k classes.

    Attributes:
        images: number of images.
        confusion: int64 of shape (k, k), rows are the classes of the labels.
        boundary: int64 of shape (3, k): pixels in both boundaries, in the label's, in the prediction's.
    """

    images: int
    confusion: Ints
    boundary: Ints

    @property
    def iou(self) -> Floats:
        """The intersection over union of each class."""
        right, true, chosen = _areas(self.confusion)
        return _ratio(right, true + chosen - right)

    @property
    def dice(self) -> Floats:
        """The Dice coefficient, or F1, of the pixels of each class."""
        right, true, chosen = _areas(self.confusion)
        return _ratio(2 * right, true + chosen)

    @property
    def boundary_iou(self) -> Floats:
        """The intersection over union of the boundaries of each class."""
        both, true, chosen = self.boundary
        return _ratio(both, true + chosen - both)

    @property
    def label_area(self) -> Floats:
        """The fraction of the pixels that is of each class."""
        return _ratio(self.confusion.sum(axis=1), self.confusion.sum())

    @property
    def predicted_area(self) -> Floats:
        """The fraction of the pixels that was predicted to be of each class."""
        return _ratio(self.confusion.sum(axis=0), self.confusion.sum())

    @property
    def miou(self) -> float:
        """The mean IoU."""
        return _mean(self.iou)

    @property
    def frequency_weighted_iou(self) -> float:
        """The mean IoU, weighted by the classes' areas in the labels."""
        area = self.confusion.sum(axis=1)
        return float((self.iou[area > 0] * area[area > 0]).sum() / area.sum()) if area.any() else float("nan")

    @property
    def pixel_accuracy(self) -> float:
        """The fraction of right pixels."""
        return float(_ratio(np.trace(self.confusion), self.confusion.sum()))

    @property
    def mean_dice(self) -> float:
        """The mean Dice coefficient."""
        return _mean(self.dice)

    @property
    def mean_boundary_iou(self) -> float:
        """The mean boundary IoU."""
        return _mean(self.boundary_iou)


class SegmentationScores:
    """The counts of one evaluation's pixels, added batch by batch.

    Args:
        classes: number of classes k; needed only where predictions are class ids.
        activation: needed only for the scores of a single class: "sigmoid" for logits, None for
            probabilities; "auto" for what all of them tell, logits if some lie outside [0, 1]. From a
            probability of half on a pixel is of class 1.
        ignore_index: the label of pixels that do not count.

    Raises:
        DataError: an argument that is none of these.
    """

    def __init__(
        self,
        classes: int | None = None,
        *,
        activation: Activation | None = "auto",
        ignore_index: int | None = None,
    ) -> None:
        self._activation = one_of("activation", activation, (None, "softmax", "sigmoid", "auto"))
        if ignore_index is not None and not is_whole_number(ignore_index):
            raise DataError(
                "ignore_index must be a whole number or None, got {ignore_index}",
                ignore_index=describe(ignore_index),
            )
        self._ignored = ignore_index
        self._classes = 0 if classes is None else _checked_classes(whole_number("classes", classes))
        self._assumed: Activation | None = activation
        self._images = 0
        self._confusion = np.zeros((0, 0), np.int64)
        self._boundary = np.zeros((3, 0), np.int64)

    @property
    def classes(self) -> int:
        """Number of classes, 2 for the scores of a single one; 0 if not yet known."""
        return self._classes

    @property
    def images(self) -> int:
        """Number of images added."""
        return self._images

    @property
    def activation(self) -> Activation | None:
        """The activation, or what the scores of a single class were taken for so far."""
        return self._assumed

    def add(self, labels: ArrayLike, predictions: ArrayLike) -> SegmentationMaps:
        """Add a batch, and return its class ids.

        Args:
            labels: class ids of shape (n, h, w) or (n, 1, h, w), or one-hot of shape (n, k, h, w). Of volumes
                (n, d, h, w), (n, 1, d, h, w) or (n, k, d, h, w).
            predictions: scores of shape (n, k, h, w), or (n, 1, h, w) for a single class beside the
                background; or class ids in a shape of the labels. Of volumes likewise.

        Raises:
            DataError: shapes that do not fit each other, or class ids out of range.
        """
        found = self._predicted(predictions)
        k = self._classes
        given = self._labels(labels, found.shape, k)
        if not self._confusion.size:
            self._confusion, self._boundary = np.zeros((k, k), np.int64), np.zeros((3, k), np.int64)
        n = len(found)
        iou, accuracy = np.full(n, np.nan), np.full(n, np.nan)
        for i in range(n):
            cells = np.multiply(given[i], k, dtype=np.intp)
            cells += found[i]
            counts = np.bincount(cells.reshape(-1), minlength=(k + 1) * k)[: k * k].reshape(k, k)
            self._confusion += counts
            self._boundary += _boundary_counts(given[i], found[i], k)
            right, true, chosen = _areas(counts)
            iou[i], accuracy[i] = _mean(_ratio(right, true + chosen - right)), _ratio(right.sum(), true.sum())
        self._images += n
        return SegmentationMaps(given, found, iou, accuracy)

    def result(self) -> SegmentationResult:
        """Return what was counted so far."""
        return SegmentationResult(self._images, self._confusion.copy(), self._boundary.copy())

    def _predicted(self, predictions: ArrayLike) -> AnyArray:
        """Convert scores to class ids of shape (n, h, w) or (n, d, h, w)."""
        shape = shape_of(predictions)
        real = "float" in dtype_of(predictions)
        if len(shape) not in (3, 4, 5) or (len(shape) == 3 and real) or not shape[1]:
            raise DataError(
                "predictions must be scores of shape [n, classes, h, w] or class ids of shape [n, h, w], of "
                "volumes with a depth before h, got {predictions}",
                predictions=describe(predictions),
            )
        if not real:
            if not self._classes:
                raise DataError("predictions are class ids: say how many with classes= or class_names=")
            ids = to_real(predictions, "predictions")
            if ids.ndim > 3 and ids.shape[1] == 1:
                ids = ids[:, 0]
            return _checked_ids(ids, self._classes, None, "predictions")
        if shape[1] == 1:
            self._take_classes(2)
            return self._of_single(to_real(predictions, "predictions")[:, 0])
        self._take_classes(shape[1])
        array = to_view(predictions)
        on_device = array is None and dtype_of(predictions) == "float32"
        if on_device and hasattr(predictions, "argmax"):  # the ids are many times smaller than the scores
            return to_array(predictions.argmax(1)).astype(_dtype(shape[1]))
        return _highest(to_real(predictions, "predictions") if array is None else array)

    def _take_classes(self, count: int) -> None:
        if self._classes not in (0, count):
            raise DataError(
                "scores of {classes} classes came after scores of {before}",
                classes=count,
                before=self._classes,
            )
        self._classes = _checked_classes(count)

    def _of_single(self, scores: AnyArray) -> AnyArray:
        if self._activation == "softmax":
            raise DataError(
                "scores of a single class need activation='sigmoid' or None, or the loss: a softmax has two "
                "classes or more"
            )
        if self._activation == "auto":
            outside = scores.size and (scores.min() < 0 or scores.max() > 1)
            if outside and self._assumed is None:
                raise DataError(
                    "scores of a single class lie outside [0, 1], but those of the batches before may be "
                    "probabilities: give activation='sigmoid' or None, or the loss"
                )
            if outside or self._assumed == "auto":
                self._assumed = "sigmoid" if outside else None
        if np.isnan(scores).any():
            raise DataError("some scores are NaN, in image {i} of the batch", i=_first_nan(scores))
        return (scores >= (0 if self._assumed == "sigmoid" else 0.5)).view(np.uint8)

    def _labels(self, labels: ArrayLike, shape: tuple[int, ...], classes: int) -> AnyArray:
        array = to_view(labels)
        array = to_real(labels, "labels") if array is None else array
        n, *size = shape
        if array.shape == (n, classes, *size) and classes > 1:
            if not ((array == 0) | (array == 1)).all() or not (array.sum(axis=1) == 1).all():
                raise DataError("labels of shape [n, classes, h, w] must be one-hot: one class a pixel")
            array = array.argmax(axis=1)
        elif array.shape == (n, 1, *size):
            array = array[:, 0]
        if array.ndim == len(shape) and array.shape != shape and len(array) == n:
            raise DataError(
                "predictions are of {found} pixels and labels of {given}: bring the scores to the size of "
                "the labels first, as paddle.nn.functional.interpolate does",
                found=_pixels(size),
                given=_pixels(array.shape[1:]),
            )
        if array.shape != (n, *size):
            raise DataError(
                "labels of predictions of shape {shape} must be of the same images and pixels, got {labels}",
                shape=list(shape),
                labels=describe(labels),
            )
        return _checked_ids(array, classes, self._ignored, "labels")


def boundary_of(ids: AnyArray, width: int) -> Bools:
    """The pixels within ``width`` of the contour of their class, along the axes and diagonals.

    Args:
        ids: of shape (h, w) or (d, h, w), above 0. The border is part of the contours.
        width: in pixels, 1 or more.
    """
    padded = np.pad(ids, width)
    least, most = padded, padded
    for axis in range(ids.ndim):
        least = _windows(least, 2 * width + 1, np.minimum, axis)
        most = _windows(most, 2 * width + 1, np.maximum, axis)
    return np.asarray(least != most)


def _windows(
    array: AnyArray, length: int, extreme: Callable[[AnyArray, AnyArray], AnyArray], axis: int
) -> AnyArray:
    """The extreme of each window of a length along an axis, by windows that double."""
    size = 1
    while size < length:
        more = min(size, length - size)
        first, second = (slice(-more), slice(more, None))
        whole = (slice(None),) * axis
        array = extreme(array[(*whole, first)], array[(*whole, second)])
        size += more
    return array


def _boundary_counts(labels: AnyArray, predictions: AnyArray, classes: int) -> Ints:
    distance = max(1, round(_WIDTH * float(np.linalg.norm(labels.shape))))
    # Ids from 1 on: 0 is outside. Pixels that do not count are a region of their own in both maps.
    counted = labels < classes
    true = labels + labels.dtype.type(1)
    chosen = np.where(counted, predictions + predictions.dtype.type(1), true)
    edges = [boundary_of(ids, distance) & counted for ids in (true, chosen)]
    both = edges[0] & edges[1] & (labels == predictions)
    return np.stack(
        [
            np.bincount(labels[both], minlength=classes),
            np.bincount(labels[edges[0]], minlength=classes),
            np.bincount(predictions[edges[1]], minlength=classes),
        ]
    )


def _highest(scores: AnyArray) -> AnyArray:
    """The class of the highest score, and of equals the first: several times as fast as NumPy's ``argmax``.

    Raises:
        DataError: NaN scores.
    """
    n, classes, *size = scores.shape
    pixels = math.prod(size)
    out = np.empty((n, pixels), _dtype(classes))
    number = out.dtype.type
    for i in range(n):
        flat = scores[i].reshape(classes, -1)
        for start in range(0, pixels, _CHUNK):
            part = flat[:, start : start + _CHUNK]
            best, ids = part[0].copy(), np.zeros(part.shape[1], out.dtype)
            for k in range(1, classes):
                higher = part[k] > best
                np.maximum(best, part[k], out=best)
                np.maximum(ids, higher * number(k), out=ids)
            if np.isnan(best.min()):
                raise DataError("some scores are NaN, in image {i} of the batch", i=i)
            out[i, start : start + _CHUNK] = ids
    return out.reshape(n, *size)


def _pixels(size: Sequence[int]) -> str:
    return " x ".join(map(str, size))


def _first_nan(scores: AnyArray) -> int:
    return int(np.isnan(scores).reshape(len(scores), -1).any(axis=1).argmax())


def _checked_ids(array: AnyArray, classes: int, ignored: int | None, name: str) -> AnyArray:
    """Class ids as small numbers; those that do not count become ``classes``."""
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    skipped = None if ignored is None else array == ignored
    if skipped is not None and not skipped.any():
        skipped = None
    if skipped is not None:
        array = np.where(skipped, 0, array)
    if array.size and (array.min() < 0 or array.max() >= classes or array.dtype.kind == "f"):
        wrong = (array < 0) | (array >= classes) | (array != np.floor(array))
        hint = tr("; ignore_index is for a label of pixels that do not count") if name == "labels" else ""
        refuse_where(wrong, array, name, tr("be whole numbers from 0 to {last}", last=classes - 1), hint)
    out = array.astype(_dtype(classes))
    if skipped is not None:
        out[skipped] = classes
    return out


def _checked_classes(count: int) -> int:
    if count > MAX_CONFUSION_CLASSES:
        raise DataError(
            "{count} classes are too many for a confusion of pixels; {most} are the most",
            count=count,
            most=MAX_CONFUSION_CLASSES,
        )
    return count


def _dtype(classes: int) -> type[np.uint8 | np.uint16]:
    return np.uint8 if classes < 255 else np.uint16  # one more for what does not count, and one for outside


def _areas(counts: Ints) -> tuple[Ints, Ints, Ints]:
    """The right pixels of each class, and its areas in labels and predictions."""
    return np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)


def _ratio(part: Ints, whole: Ints) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.true_divide(part, whole))


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
