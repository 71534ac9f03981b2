"""Samples of batches as images, each with its label and prediction below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._paddle import paddle
from vizkit.media import images
from vizkit.metrics.activation import Activation, activate
from vizkit.metrics.arrays import AnyArray, to_array
from vizkit.writing.tasks.known_batch import class_labels

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = [
    "Display",
    "Sample",
    "class_probabilities",
    "image_axes",
    "looks_like_images",
    "record_samples",
    "samples_of",
]

_CHANNELS = (1, 3, 4)
_SMALLEST = 4  # pixels: a shorter axis is rather one of features
_ROUNDED = 5e-3  # of the sum of float16 probabilities
_LARGEST = 160  # pixels of an image's longer side in a grid; larger images are shrunk


class Display(NamedTuple):
    """Options for drawing samples.

    Attributes:
        class_names: the names of the classes; None: their numbers.
        mean: the mean that the images were normalised with, one number or one a channel.
        std: the standard deviation that they were normalised with.
    """

    class_names: Sequence[str] | None = None
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample of a batch, copied to the host.

    Attributes:
        image: the input of the network.
        axes: the axes of the image, "CHW" or "HWC".
        label: a class number or another number; None without a label, or with one of another shape.
        prediction: the scores of the classes, shape (c,), or one number; None if it is neither.
    """

    image: AnyArray
    axes: str
    label: int | float | None = None
    prediction: AnyArray | float | None = None


def image_axes(shape: Sequence[int]) -> str | None:
    """The axes of an image of that shape, ``"CHW"`` or ``"HWC"``; None if it cannot be an image."""
    if len(shape) != 3:
        return None
    if shape[0] in _CHANNELS and min(shape[1:]) >= _SMALLEST:
        return "CHW"
    if shape[2] in _CHANNELS and min(shape[:2]) >= _SMALLEST:
        return "HWC"
    return None


def looks_like_images(batch: Batch) -> bool:
    """True if the first input of a batch has the shape of a batch of images."""
    return bool(batch.inputs) and _axes(batch.inputs[0]) is not None


def samples_of(batch: Batch, rows: Iterable[int]) -> list[Sample]:
    """Copy some rows of a batch that `looks_like_images`; the others stay on the device."""
    inputs, output, labels = batch.inputs[0], batch.output, batch.first_label
    axes = _axes(inputs) or "CHW"
    ids = class_labels(labels, output)
    samples = []
    for row in rows:
        label: int | float | None
        prediction: AnyArray | float | None
        if ids is not None:
            label, prediction = int(ids[row]), to_array(output[row], copy=True)
        else:
            label, prediction = _number(labels, row), _number(output, row)
        samples.append(Sample(to_array(inputs[row], copy=True), axes, label, prediction))
    return samples


def record_samples(
    tracker: Tracker,
    tag: str,
    samples: Sequence[Sample],
    step: int,
    display: Display,
    activation: Activation | None,
) -> None:
    """Record samples as a grid of images, each with its label and prediction below.

    Args:
        tracker: the tracker to record with.
        tag: the tag of the image.
        samples: the samples.
        step: the step.
        display: how the images are drawn.
        activation: the function that makes probabilities of the scores; with "auto", the predicted classes
            are written without them.
    """
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
        labels=_all_or_none([sample.label for sample in samples]),
        predictions=_predictions([sample.prediction for sample in samples], activation),
        class_names=display.class_names,
    )


def class_probabilities(scores: AnyArray, activation: Activation | None) -> AnyArray | None:
    """Probabilities of scores (n, c); None if it is not known how to make them (``"auto"``).

    Those of low precision are scaled to sum to 1; a row without a softmax is NaN.
    """
    if activation == "auto":
        return None
    scores = scores.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        if activation == "sigmoid":
            return activate(scores, activation)
        if activation is None:
            total = scores.sum(axis=1, keepdims=True)
            return np.where(np.abs(total - 1) < _ROUNDED, scores / total, scores)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _axes(batch: paddle.Tensor) -> str | None:
    """The axes of each image in a batch; None if its shape is not one of images."""
    return image_axes(list(getattr(batch, "shape", ()))[1:])


def _number(values: paddle.Tensor, row: int) -> int | float | None:
    """The number of a row, if the values are of shape (n,) or (n, 1)."""
    shape = list(getattr(values, "shape", ()))
    if len(shape) not in (1, 2) or shape != [shape[0], 1][: len(shape)]:
        return None
    value = to_array(values[row]).reshape(-1)[0].item()
    return int(value) if isinstance(value, int) else float(value)


def _all_or_none(values: Sequence[AnyArray | float | None]) -> AnyArray | None:
    return None if any(value is None for value in values) else np.array(values)


def _predictions(
    predictions: Sequence[AnyArray | float | None], activation: Activation | None
) -> AnyArray | None:
    values = _all_or_none(predictions)
    if values is None or values.ndim != 2:
        return values
    found = class_probabilities(values, activation)
    return values.argmax(axis=1) if found is None else found
