"""Images with their label, prediction, and where these differ, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkit.media.captions import Caption, captioned_grid, percent
from vizkit.media.image_layers import NO_IMAGE, LayeredPanel, Layers, layered_sheet
from vizkit.media.images import enlarge, resize, to_rgb
from vizkit.media.lettering import one_line, picture_text
from vizkit.media.overlays import IGNORED, classes_in, draw_legend, draw_mask
from vizkit.metrics.arrays import AnyArray, Ints, Pixels

__all__ = ["SegmentedImage", "mask_layers", "segmentation_image", "segmentation_layers"]

_SIDE = 256  # pixels of a panel's longer side at most
_SMALL = 160  # pixels to which small ones are enlarged, about
_WRONG = (230, 97, 1)  # orange on grey: different for colour-blind readers, and in grey prints
_NONE = (208, 215, 222)


@dataclass(frozen=True, eq=False)
class SegmentedImage:
    """An image with the class ids of its pixels.

    Attributes:
        key: what tells the sample from others.
        pixels: the image, or None.
        label: shape (h, w); from the number of classes on, a pixel does not count.
        prediction: shape (h, w).
        iou: the mean IoU of its classes.
        accuracy: the fraction of right pixels.
    """

    key: int | str
    pixels: Pixels | None
    label: AnyArray
    prediction: AnyArray
    iou: float
    accuracy: float


def segmentation_image(samples: Sequence[SegmentedImage], class_names: Sequence[str]) -> Pixels:
    """Draw a row for each sample: input, label, prediction, and the wrong pixels in orange.

    Class 0 is not drawn, as the background. Pixels that do not count are drawn in no mask, and light
    where wrong ones are shown.

    Args:
        samples: one or more.
        class_names: of all classes.

    Returns:
        uint8, shape (h, w, 3), with a legend of the classes at the bottom.
    """
    panels: list[Pixels] = []
    captions: list[Caption] = []
    seen: set[int] = set()
    for sample in samples:
        picture, label, prediction = _shown(sample, len(class_names))
        factor = max(1, _SMALL // max(label.shape))
        seen |= set(classes_in(label, prediction))
        shown = [
            draw_mask(picture, label, factor),
            draw_mask(picture, prediction, factor),
            enlarge(_differences(picture, label, prediction), factor),
        ]
        words = [
            picture_text("label"),
            picture_text("prediction"),
            picture_text("{share} wrong", share=_share(1 - sample.accuracy)),
        ]
        title = _title(sample)
        if sample.pixels is not None:
            shown, words = [enlarge(picture, factor), *shown], [title, *words]
        else:
            words[0] = f"{title}, {words[0]}"
        panels += shown
        captions += [Caption(text) for text in words]
    grid = to_rgb(captioned_grid(panels, captions, len(samples)))
    legend = draw_legend(sorted(seen), class_names, grid.shape[1])
    return np.concatenate([grid, legend]) if len(legend) else grid


def segmentation_layers(samples: Sequence[SegmentedImage], class_names: Sequence[str]) -> Layers:
    """The samples of `segmentation_image` with label and prediction as layers over the bare images."""
    panels = []
    for sample in samples:
        picture, label, prediction = _shown(sample, len(class_names))
        share = picture_text("{share} wrong", share=_share(1 - sample.accuracy))
        masks = {"label": label, "prediction": prediction}
        panels.append(LayeredPanel(picture, f"{_title(sample)}, {share}", masks))
    return layered_sheet(panels, class_names)


def mask_layers(label: AnyArray, prediction: AnyArray, class_names: Sequence[str]) -> Layers:
    """Label and prediction of one image, which is kept elsewhere, as layers over it."""
    one, other = _both_ids(label, prediction, len(class_names))
    names = {number: one_line(name) for number, name in enumerate(class_names)}
    height, width = one.shape
    return Layers(NO_IMAGE, {"label": one, "prediction": other}, class_names=names, size=(height, width))


def _title(sample: SegmentedImage) -> str:
    return picture_text("sample {key}, IoU {iou}", key=sample.key, iou=f"{sample.iou:.3f}")


def _shown(sample: SegmentedImage, classes: int) -> tuple[Pixels, Ints, Ints]:
    """Picture, label and prediction no larger than they are shown."""
    label, prediction = _both_ids(sample.label, sample.prediction, classes)
    picture = np.full((*label.shape, 3), 255, np.uint8) if sample.pixels is None else to_rgb(sample.pixels)
    scale = _SIDE / max(label.shape)
    if scale < 1:
        picture = resize(picture, scale)
        label, prediction = (_shrunk(ids, picture.shape[:2]) for ids in (label, prediction))
    return picture, label, prediction


def _both_ids(label: AnyArray, prediction: AnyArray, classes: int) -> tuple[Ints, Ints]:
    """Class ids as masks have them."""
    one, other = (np.where(ids >= classes, IGNORED, ids.astype(np.int64)) for ids in (label, prediction))
    return one, np.where(one == IGNORED, IGNORED, other)


def _shrunk(ids: Ints, size: tuple[int, ...]) -> Ints:
    rows, columns = (
        np.arange(after) * before // after for after, before in zip(size, ids.shape, strict=True)
    )
    return np.asarray(ids[rows[:, None], columns])


def _differences(picture: Pixels, label: Ints, prediction: Ints) -> Pixels:
    grey = (picture @ (0.299, 0.587, 0.114) * 0.6 + 30).astype(np.uint8)
    out = np.repeat(grey[..., None], 3, axis=2)
    out[label != prediction] = _WRONG
    out[label == IGNORED] = _NONE
    return out


def _share(value: float) -> str:
    return f"{100 * value:.1f}%" if 0 < value < 0.1 else percent(value)
