"""Input images with what they are and what the network takes them for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit.hooks.capture import Batch
from vizkit.hooks.evaluation import class_labels
from vizkit.measures import drawing, images
from vizkit.measures.arrays import to_array

__all__ = ["axes_of_images", "captioned_input", "looks_like_images"]

_CHANNELS = (1, 3, 4)
_SMALLEST = 4  # pixels; below, an axis is rather one of features


def axes_of_images(array: Any) -> str | None:
    """``"CHW"`` or ``"HWC"``, the axes of each image in a batch; None if these are no images."""
    shape = list(getattr(array, "shape", ()))
    if len(shape) != 4:
        return None
    if shape[1] in _CHANNELS and min(shape[2:]) >= _SMALLEST:
        return "CHW"
    if shape[3] in _CHANNELS and min(shape[1:3]) >= _SMALLEST:
        return "HWC"
    return None


def looks_like_images(batch: Batch) -> bool:
    """Whether the batch's first input is images."""
    return bool(batch.inputs) and axes_of_images(batch.inputs[0]) is not None


def captioned_input(
    batch: Batch, class_names: Sequence[str] | None = None, mean: Any = None, std: Any = None
) -> NDArray[np.uint8]:
    """The first image of the batch's first input, with its label and its prediction below.

    Args:
        batch: one that `looks_like_images`.
        class_names: what classes are called; by default their numbers.
        mean: what was subtracted when the image was normalised, a number or one a channel.
        std: what it was divided by.

    Returns:
        uint8, shape (H, W, 1), (H, W, 3) or (H, W, 4).
    """
    axes = axes_of_images(batch.inputs[0]) or "CHW"
    # Cut first: the whole batch need not come to the host.
    pixels = images.to_pixels(to_array(batch.inputs[0][0]), axes, mean=mean, std=std)
    text, good = _caption(batch, class_names)
    if text:
        return drawing.captioned(pixels, text, good)
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _caption(batch: Batch, class_names: Sequence[str] | None) -> tuple[str, bool | None]:
    if not batch.labels:
        return "", None
    labels = batch.labels[0]
    ids = class_labels(labels, batch.output)
    if ids is not None:
        label, predicted = int(ids[0]), int(to_array(batch.output[0]).argmax())
        names = [_name(index, class_names) for index in (label, predicted)]
        return f"label {names[0]}, predicted {names[1]}", label == predicted
    if list(labels.shape) in ([labels.shape[0]], [labels.shape[0], 1]):
        value = to_array(labels[0]).item()
        return f"label {_name(value, class_names) if isinstance(value, int) else format(value, '.4g')}", None
    return "", None


def _name(index: int, class_names: Sequence[str] | None) -> str:
    known = class_names is not None and 0 <= index < len(class_names)
    return str(class_names[index]) if class_names is not None and known else str(index)
