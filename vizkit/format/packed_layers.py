"""Layers of an image as bytes, which VizKit's image records hold beside the picture that VisualDL shows.

They are a message: 1 a head in JSON, 2 the bare image as a PNG file, 3 (repeated) a PNG file with a palette
for each mask that the head names. Those of a table's row have no image, which is stored once for all of them.
A mask's pixels are places of the palette: 0 is nothing, then come the classes of the head's list, and the
place behind them is of pixels that do not count.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from vizkit._json import parse_json
from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.format import wire
from vizkit.media import png
from vizkit.media.image_layers import DIFFERENCE, NO_IMAGE, BoxLayer, Layers
from vizkit.media.overlays import IGNORED, classes_in
from vizkit.media.palette import class_color
from vizkit.metrics.arrays import AnyArray, Ints, Pixels

__all__ = ["PackedLayers", "pack_layers"]

_HEAD, _IMAGE, _MASK = 1, 2, 3
_MOST_CLASSES = 254  # a palette has 256 places
_MOST_NAME = 200  # characters
_MOST_MASKS = 16
_MOST_BOXES = 5000  # of all layers
_MOST_HEAD = 1 << 20  # bytes
_MOST_PIXELS = 1 << 26
_WRONG = (255, 240, 0, 255)  # yellow: the colour of no class
_UNCOUNTED = (208, 215, 222, 255)


def pack_layers(layers: Layers) -> bytes:
    """Pack layers. Masks of more than 254 classes are left out: the picture shows them."""
    masks = {
        name: mask
        for name, mask in layers.masks.items()
        if len(classes_in(mask)) <= _MOST_CLASSES and len(layers.masks) <= _MOST_MASKS
    }
    present = classes_in(*masks.values())
    if len(present) > _MOST_CLASSES:
        masks, present = {}, []
    names = layers.class_names
    head = {
        "size": list(layers.size),
        "classes": [[number, names.get(number, str(number))[:_MOST_NAME]] for number in present],
        "masks": list(masks),
        "boxes": {name: _packed_boxes(boxes) for name, boxes in layers.boxes.items()},
        "threshold": round(float(layers.threshold), 4),
    }
    clear = (0, 0, 0, 0)
    colors = [clear, *((*class_color(number), 255) for number in present), clear]
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    parts = [wire.length_delimited(_HEAD, text.encode("utf-8", "replace"))]
    if layers.image.size:
        parts.append(wire.length_delimited(_IMAGE, png.encode_png(_plain(layers.image))))
    parts += [
        wire.length_delimited(_MASK, png.encode_indexes(_places(mask, present), colors))
        for mask in masks.values()
    ]
    return b"".join(parts)


def _places(mask: Ints, present: list[int]) -> Pixels:
    """The palette's place of each pixel of a mask that holds these classes."""
    known = np.array([0, *present])
    if present and present[-1] < 1 << 16:
        table = np.zeros(max(present[-1], IGNORED) + 1, np.uint8)
        table[known] = np.arange(len(known))
        table[IGNORED] = len(known)
        return table[mask]
    places = np.searchsorted(known, np.where(mask == IGNORED, 0, mask))
    return np.where(mask == IGNORED, len(known), places).astype(np.uint8)


def _plain(image: Pixels) -> Pixels:
    return image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image


def _packed_boxes(boxes: BoxLayer) -> list[list[object]]:
    """Left, top, right, bottom, class, text and, if there is one, score of each box."""
    rows = zip(np.round(boxes.places, 2).tolist(), boxes.classes.tolist(), boxes.texts, strict=True)
    out: list[list[object]] = [[*place, kind, text[:_MOST_NAME]] for place, kind, text in rows]
    if boxes.scores is not None:
        for row, score in zip(out, boxes.scores.tolist(), strict=True):
            row.append(round(score, 4) if math.isfinite(score) else None)
    return out


@dataclass(frozen=True, eq=False)
class PackedLayers:
    """Layers as a record holds them, checked; `unpacked` decodes them.

    Attributes:
        size: height and width in pixels.
        image: the bare image, a PNG file; None if it is kept elsewhere.
        masks: name -> a PNG file with a palette.
        boxes: name -> boxes.
        classes: class numbers and names, in the order of the palette.
        threshold: the score from which on boxes are shown at first.
    """

    size: tuple[int, int]
    image: bytes | None
    masks: dict[str, bytes]
    boxes: dict[str, BoxLayer]
    classes: list[tuple[int, str]]
    threshold: float = 0.0

    @classmethod
    def of(cls, data: bytes) -> PackedLayers:
        """Read what `pack_layers` packed; anybody may have written it.

        Raises:
            DataError: it is broken, or larger than any that VizKit writes.
        """
        try:
            return cls._read(data)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise DataError("the layers of the image are broken: {error}", error=error) from error

    @classmethod
    def _read(cls, data: bytes) -> PackedLayers:
        parts: dict[int, list[bytes]] = {_HEAD: [], _IMAGE: [], _MASK: []}
        for number, wire_type, value in wire.fields(data):
            if wire_type == wire.BYTES and number in parts and len(parts[number]) < _MOST_MASKS:
                parts[number].append(value)
        if len(parts[_HEAD][0]) > _MOST_HEAD:
            raise ValueError(tr("their head is longer than {n:,} bytes", n=_MOST_HEAD))
        head = cast("dict[str, Any]", parse_json(parts[_HEAD][0]))
        height, width = (int(side) for side in head["size"])
        image = parts[_IMAGE][0] if parts[_IMAGE] else None
        if not 0 < height * width <= _MOST_PIXELS or min(height, width) < 1:
            raise ValueError(tr("they are not of one size"))
        masks = dict(zip(map(_name, head["masks"]), parts[_MASK], strict=True))
        for picture in (*([] if image is None else [image]), *masks.values()):
            if png.png_size(picture) != (height, width):
                raise ValueError(tr("they are not of one size"))
        classes = [(int(number), _name(name)) for number, name in head["classes"][:_MOST_CLASSES]]
        if sum(map(len, head["boxes"].values())) > _MOST_BOXES:
            raise ValueError(tr("there are more than {n:,} boxes", n=_MOST_BOXES))
        boxes = {_name(name): _boxes(rows) for name, rows in list(head["boxes"].items())[:_MOST_MASKS]}
        return cls((height, width), image, masks, boxes, classes, float(head.get("threshold", 0)))

    def unpacked(self) -> Layers:
        """Decode the pixels.

        Raises:
            DataError: a PNG file is broken.
        """
        numbers = np.zeros(256, np.int64)
        numbers[1 : len(self.classes) + 1] = [number for number, _ in self.classes]
        numbers[len(self.classes) + 1] = IGNORED
        return Layers(
            NO_IMAGE if self.image is None else png.decode_png(self.image),
            {name: numbers[png.decode_indexes(mask)] for name, mask in self.masks.items()},
            self.boxes,
            dict(self.classes),
            self.threshold,
            self.size,
        )

    @property
    def has_difference(self) -> bool:
        """True if there are a label and a prediction to compare."""
        return {"label", "prediction"} <= set(self.masks)

    def picture(self, name: str) -> bytes | None:
        """The PNG file of a mask, of the `DIFFERENCE`, or of the ``image``; None if there is none.

        Raises:
            DataError: a mask that is compared is broken.
        """
        if name == "image":
            return self.image
        if name != DIFFERENCE or name in self.masks or not self.has_difference:
            return self.masks.get(name)
        label, prediction = (png.decode_indexes(self.masks[each]) for each in ("label", "prediction"))
        indexes: AnyArray = (label != prediction).astype(np.uint8)
        indexes[label == len(self.classes) + 1] = 2
        return png.encode_indexes(indexes, [(0, 0, 0, 0), _WRONG, _UNCOUNTED])


def _name(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError(tr("a name that is no text"))
    return given[:_MOST_NAME]


def _boxes(rows: list[list[Any]]) -> BoxLayer:
    places = np.array([row[:4] for row in rows], np.float64).reshape(-1, 4)
    if not np.isfinite(places).all():
        raise ValueError(tr("a box that is not finite"))
    scores = [math.nan if len(row) < 7 or row[6] is None else float(row[6]) for row in rows]
    return BoxLayer(
        places,
        np.array([int(row[4]) for row in rows], np.int64),
        [_name(row[5]) for row in rows],
        np.array(scores) if rows and len(rows[0]) > 6 else None,
    )
