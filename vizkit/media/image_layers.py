"""Layers of an image: masks and boxes that a page switches on and off over the bare pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vizkit.media.captions import add_caption
from vizkit.media.images import enlarge, to_rgb
from vizkit.media.lettering import one_line
from vizkit.media.overlays import IGNORED, Annotations, draw_annotations, draw_mask
from vizkit.metrics.arrays import Bools, Floats, Ints, Pixels

__all__ = [
    "DIFFERENCE",
    "NO_IMAGE",
    "BoxLayer",
    "LayeredPanel",
    "Layers",
    "drawn_layer",
    "layered_sheet",
    "layers_of",
]

DIFFERENCE = "difference"
"""The layer of pixels whose label and prediction differ; it is made of these two."""

NO_IMAGE: Pixels = np.zeros((0, 0, 3), np.uint8)

_SIDE = 256  # pixels to which small panels are enlarged, about
_GAP = 4
_GROUND = (255, 255, 255)
_MOST_BOXES = 1000  # of a layer


@dataclass(frozen=True, eq=False)
class BoxLayer:
    """Boxes over an image.

    Attributes:
        places: (n, 4) left, top, right and bottom in pixels.
        classes: (n,) class numbers, for their colours.
        texts: the class or another text of each box.
        scores: (n,), or None.
    """

    places: Floats
    classes: Ints
    texts: list[str]
    scores: Floats | None = None


@dataclass(frozen=True, eq=False)
class Layers:
    """An image without anything drawn over it, and what goes over it.

    Attributes:
        image: uint8, shape (H, W), (H, W, 3) or (H, W, 4); `NO_IMAGE` if it is kept elsewhere.
        masks: name, such as ``"label"`` -> (H, W) class numbers; 0 is the background, 255 does not count.
        boxes: name -> boxes.
        class_names: names of the masks' classes by their numbers.
        threshold: the score from which on boxes are shown at first.
        size: the height and width that masks and boxes are of; by default those of the image.
    """

    image: Pixels
    masks: Mapping[str, Ints] = field(default_factory=dict)
    boxes: Mapping[str, BoxLayer] = field(default_factory=dict)
    class_names: Mapping[int, str] = field(default_factory=dict)
    threshold: float = 0.0
    size: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if not any(self.size):
            height, width = self.image.shape[:2]
            object.__setattr__(self, "size", (height, width))

    @property
    def difference(self) -> Bools | None:
        """(H, W), where the masks ``label`` and ``prediction`` differ; None if there are not both."""
        label, prediction = self.masks.get("label"), self.masks.get("prediction")
        return None if label is None or prediction is None else (label != prediction) & (label != IGNORED)


@dataclass(frozen=True, eq=False)
class LayeredPanel:
    """One of the images of a sheet.

    Attributes:
        pixels: uint8, shape (H, W), (H, W, 3) or (H, W, 4).
        caption: the text below it.
        masks: as of `Layers`.
        boxes: as of `Layers`.
    """

    pixels: Pixels
    caption: str
    masks: Mapping[str, Ints] = field(default_factory=dict)
    boxes: Mapping[str, BoxLayer] = field(default_factory=dict)


def drawn_layer(layers: Layers, name: str) -> Pixels:
    """The image with one of its layers drawn over it: a mask, or the boxes from the threshold on.

    Returns:
        uint8, shape (H, W, 3); without such a layer the image alone. With boxes, small ones are enlarged by a
        whole factor.
    """
    image = to_rgb(layers.image)
    mask = layers.masks.get(name)
    if mask is not None:
        places = [np.arange(now) * own // now for now, own in zip(image.shape[:2], mask.shape, strict=True)]
        image = draw_mask(image, mask[places[0][:, None], places[1]])
    boxes = layers.boxes.get(name)
    if boxes is None:
        return image
    height, width = image.shape[:2]
    left, top, right, bottom = boxes.places.T
    some = (left < width) & (top < height) & (right > 0) & (bottom > 0)
    if boxes.scores is not None:
        some &= ~(boxes.scores < layers.threshold)
    rows = np.flatnonzero(some)
    return draw_annotations(
        image,
        Annotations(
            mask=None,
            boxes=np.clip(boxes.places[rows], 0, (width, height, width, height)),
            kinds=boxes.classes[rows].tolist(),
            titles=[one_line(boxes.texts[row]) for row in rows],
            scores=None if boxes.scores is None else boxes.scores[rows],
            class_names=None,
        ),
    )


def layers_of(pixels: Pixels, marks: Annotations) -> Layers:
    """The layers ``mask`` and ``boxes`` of an image that is recorded with such."""
    names = marks.class_names or []
    boxes = BoxLayer(
        marks.boxes[-_MOST_BOXES:],
        np.array(marks.kinds[-_MOST_BOXES:], np.int64),
        marks.titles[-_MOST_BOXES:],
        None if marks.scores is None else marks.scores[-_MOST_BOXES:],
    )
    return Layers(
        pixels,
        {} if marks.mask is None else {"mask": marks.mask},
        {"boxes": boxes} if len(marks.boxes) else {},
        {number: one_line(name) for number, name in enumerate(names)},
    )


def layered_sheet(
    panels: Sequence[LayeredPanel], class_names: Sequence[str], threshold: float = 0.0
) -> Layers:
    """Lay out images, each above its caption, as one image with the layers of all.

    Args:
        panels: one or more; small ones are enlarged by a whole factor.
        class_names: of the masks' classes.
        threshold: as of `Layers`.
    """
    factors = [max(1, _SIDE // max(panel.pixels.shape[:2])) for panel in panels]
    pictures = [enlarge(to_rgb(p.pixels), factor) for p, factor in zip(panels, factors, strict=True)]
    cells = [add_caption(p, panel.caption) for p, panel in zip(pictures, panels, strict=True)]
    columns = math.ceil(math.sqrt(len(cells)))
    height = max(cell.shape[0] for cell in cells) + _GAP
    width = max(cell.shape[1] for cell in cells) + _GAP
    sheet = np.empty((math.ceil(len(cells) / columns) * height, columns * width, 3), np.uint8)
    sheet[...] = _GROUND
    masks: dict[str, Ints] = {}
    boxes: dict[str, list[BoxLayer]] = {}
    for at, (panel, picture, cell, factor) in enumerate(zip(panels, pictures, cells, factors, strict=True)):
        top, left = at // columns * height, at % columns * width
        sheet[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
        left += (cell.shape[1] - picture.shape[1]) // 2  # the caption of a narrow one is wider
        inside = slice(top, top + picture.shape[0]), slice(left, left + picture.shape[1])
        for name, mask in panel.masks.items():
            masks.setdefault(name, np.zeros(sheet.shape[:2], np.int64))[inside] = enlarge(mask, factor)
        for name, some in panel.boxes.items():
            moved = some.places * factor + (left, top, left, top)
            boxes.setdefault(name, []).append(replace(some, places=moved))
    names = {number: one_line(name) for number, name in enumerate(class_names)}
    return Layers(sheet, masks, {name: _joined(some) for name, some in boxes.items()}, names, threshold)


def _joined(layers: Sequence[BoxLayer]) -> BoxLayer:
    scores = [layer.scores for layer in layers if layer.scores is not None]
    return BoxLayer(
        np.concatenate([layer.places for layer in layers]),
        np.concatenate([layer.classes for layer in layers]),
        [text for layer in layers for text in layer.texts],
        np.concatenate(scores) if len(scores) == len(layers) else None,
    )
