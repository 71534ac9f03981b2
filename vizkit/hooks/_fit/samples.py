"""Samples of batches: their images, with what they are and what the network takes them for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.eval_scores import class_labels
from vizkit.media import images
from vizkit.metrics.activation import are_distributions
from vizkit.metrics.arrays import to_array

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = [
    "Display",
    "Sample",
    "axes_of_image",
    "axes_of_images",
    "checked_count",
    "looks_like_images",
    "probabilities_of",
    "record_samples",
    "samples_of",
]

_CHANNELS = (1, 3, 4)
_SMALLEST = 4  # pixels; below, an axis is rather one of features
_LARGEST = 160  # pixels of an image's longer side in a grid; larger ones are shrunk


class Display(NamedTuple):
    """How samples are shown.

    Attributes:
        class_names: what classes are called; by default their numbers.
        mean: what was subtracted when the images were normalised, a number or one a channel.
        std: what they were divided by.
    """

    class_names: Sequence[str] | None = None
    mean: Any = None
    std: Any = None


@dataclass(frozen=True, eq=False)
class Sample:
    """One of a batch, on the host, in memory of its own.

    Attributes:
        image: as the network got it.
        axes: of the image, "CHW" or "HWC".
        label: a class number or another number; None if it has none, or one of another shape.
        prediction: a probability for each class, shape (c,), or one number; None if it is neither.
    """

    image: NDArray[Any]
    axes: str
    label: int | float | None = None
    prediction: NDArray[Any] | float | None = None


def axes_of_images(array: Any) -> str | None:
    """``"CHW"`` or ``"HWC"``, the axes of each image in a batch; None if these are no images."""
    shape = list(getattr(array, "shape", ()))
    return axes_of_image(shape[1:]) if shape else None


def axes_of_image(shape: Sequence[int]) -> str | None:
    """``"CHW"`` or ``"HWC"``, the axes of an image of that shape; None if it is none."""
    if len(shape) != 3:
        return None
    if shape[0] in _CHANNELS and min(shape[1:]) >= _SMALLEST:
        return "CHW"
    if shape[2] in _CHANNELS and min(shape[:2]) >= _SMALLEST:
        return "HWC"
    return None


def looks_like_images(batch: Batch) -> bool:
    """Whether the batch's first input is images."""
    return bool(batch.inputs) and axes_of_images(batch.inputs[0]) is not None


def samples_of(batch: Batch, rows: Iterable[int]) -> list[Sample]:
    """Some of a batch that `looks_like_images`; the rest of it need not come to the host."""
    inputs, output = batch.inputs[0], batch.output
    axes = axes_of_images(inputs) or "CHW"
    labels = batch.labels[0] if batch.labels else None
    ids = class_labels(labels, output)
    out = []
    for row in rows:
        label: Any = None
        prediction: Any = None
        if ids is not None:
            label, prediction = int(ids[row]), probabilities_of(to_array(output[row : row + 1]))[0]
        else:
            label, prediction = _number(labels, row), _number(output, row)
        out.append(Sample(to_array(inputs[row], copy=True), axes, label, prediction))
    return out


def record_samples(
    tracker: Tracker, tag: str, samples: Sequence[Sample], step: Any, display: Display
) -> None:
    """Records samples as a grid, each with its label and prediction below."""
    if not samples:
        return
    pixels = images.to_pixels_each(
        [sample.image for sample in samples], samples[0].axes, mean=display.mean, std=display.std
    )
    shrunk = [images.resize(p, min(1.0, _LARGEST / max(p.shape[:2]))) for p in pixels]
    tracker.log_images(
        tag,
        [image if image.ndim == 3 else image[..., np.newaxis] for image in shrunk],
        step,
        value_range=(0, 255),
        labels=_together([sample.label for sample in samples]),
        predictions=_together([sample.prediction for sample in samples]),
        class_names=display.class_names,
    )


def probabilities_of(scores: NDArray[Any]) -> NDArray[Any]:
    """Of scores (n, c): themselves where each row is a distribution, else their softmax."""
    with np.errstate(invalid="ignore", over="ignore"):
        if scores.shape[1] > 1 and are_distributions(scores):
            return scores
        powers = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def checked_count(count: Any, name: str) -> int:
    """A number of images.

    Raises:
        DataError: it is not a whole number, 1 or more.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise DataError(f"{name} must be a whole number of images, 1 or more; got {describe(count)}")
    return count


def _number(values: Any, row: int) -> int | float | None:
    """A row's number, if the batch (n,) or (n, 1) has one for each."""
    shape = list(getattr(values, "shape", ()))
    if len(shape) not in (1, 2) or shape != [shape[0], 1][: len(shape)]:
        return None
    value = to_array(values[row]).reshape(-1)[0].item()
    return int(value) if isinstance(value, int) else float(value)


def _together(values: list[Any]) -> Any:
    return None if any(value is None for value in values) else np.array(values)
