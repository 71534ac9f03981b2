"""Segmentation masks, detection boxes and heat maps drawn over images, with no plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizkit._checks import describe, text_of
from vizkit._language import tr
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.media.images import enlarge, to_rgb
from vizkit.media.lettering import Letters, as_texts, one_line, paths_for
from vizkit.media.palette import INK, PAPER, PLAIN, RGB, class_color, color_ramp, is_dark
from vizkit.metrics.arrays import AnyArray, Floats, Ints, Pixels, to_array

__all__ = [
    "IGNORED",
    "Annotations",
    "check_annotations",
    "classes_in",
    "draw_annotations",
    "draw_heat_map",
    "draw_legend",
    "draw_mask",
]

IGNORED = 255
"""The class id of mask pixels that do not count."""

_SMALL = 280  # pixels to which small images are enlarged, about
_OPACITY = 0.45  # of a mask, within its outline
_PAD = 4
_MAX_LEGEND = 40
_SLACK = 1e-3  # rounding error of a side of no length


@dataclass(frozen=True, eq=False)
class Annotations:
    """A mask and boxes that fit an image; `draw_annotations` draws them.

    Attributes:
        mask: int64 class ids of shape (H, W), or None.
        boxes: float64 of shape (n, 4): left, top, right and bottom in pixels.
        kinds: the class number of each box, for its colour.
        titles: the class or another text of each box.
        scores: (n,) the score of each box, or None.
        class_names: names by class id, or None.
    """

    mask: Ints | None
    boxes: Floats
    kinds: list[int]
    titles: list[str]
    scores: Floats | None
    class_names: list[str] | None

    @property
    def texts(self) -> list[str]:
        """The text written at each box."""
        if self.scores is None:
            return self.titles
        pairs = zip(self.titles, self.scores.tolist(), strict=True)
        return [f"{title} {score:.2f}".lstrip() for title, score in pairs]

    @property
    def colors(self) -> list[RGB]:
        """The colour of each box."""
        return [class_color(kind) for kind in self.kinds]


# ---- checks ----------------------------------------------------------------------------------------


def check_annotations(
    size: tuple[int, int],
    *,
    mask: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
) -> Annotations:
    """Check that a mask and boxes fit an image, and copy them.

    Args:
        size: height H and width W of the image in pixels.
        mask: class ids of the pixels, shape (H, W). 0, the background, and 255, pixels that do not
            count, are not drawn.
        boxes: left, top, right and bottom in pixels, shape (n, 4); they are clipped to the image.
        labels: class ids or texts of the n boxes.
        scores: n numbers, such as the boxes' probabilities.
        class_names: names by class id.

    Raises:
        DataError: wrong shapes, classes without a name, or boxes outside of the image.
    """
    names = None if class_names is None else [text_of(name) for name in class_names]
    if boxes is None and (labels is not None or scores is not None):
        raise DataError("labels and scores are those of boxes: pass boxes=, of shape [n, 4]")
    checked = np.empty((0, 4)) if boxes is None else _checked_boxes(boxes, size)
    kinds, titles = _titles(labels, len(checked), names)
    values = None if scores is None else _numbers(scores, len(checked))
    if values is not None:
        order = np.argsort(values, kind="stable")  # the most confident in front
        checked, titles = checked[order], [titles[i] for i in order]
        kinds, values = [kinds[i] for i in order], values[order].astype(np.float64)
    return Annotations(
        mask=None if mask is None else _checked_mask(mask, size, names),
        boxes=checked,
        kinds=kinds,
        titles=[one_line(title) for title in titles],
        scores=values,
        class_names=names,
    )


def _checked_mask(mask: ArrayLike, size: tuple[int, int], names: list[str] | None) -> Ints:
    array = to_array(mask)
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array.reshape([side for side in array.shape if side != 1] or [1, 1])
    if array.shape != size:
        hint = tr("; take the argmax over its classes") if array.ndim == 3 else ""
        raise DataError(
            "a mask of an image of {height} x {width} pixels must be of shape {shape}, got {mask}{hint}",
            height=size[0],
            width=size[1],
            shape=list(size),
            mask=describe(mask),
            hint=hint,
        )
    whole = array.dtype.kind in "biu" or (array.dtype.kind == "f" and bool((array == np.rint(array)).all()))
    if not whole:
        raise DataError(
            "a mask holds class numbers, got {mask}; threshold it, or take its argmax", mask=describe(mask)
        )
    numbers = array.astype(np.int64)
    if numbers.min() < 0:
        raise DataError(
            "a mask holds class numbers from 0 on, got {least}; ignored is {ignored}",
            least=numbers.min(),
            ignored=IGNORED,
        )
    if names is not None:
        highest = int(np.max(numbers, where=numbers != IGNORED, initial=0))
        if highest >= len(names):
            raise DataError(
                "the mask has class {highest}, but there are {n} class names", highest=highest, n=len(names)
            )
    return numbers


def _checked_boxes(boxes: ArrayLike, size: tuple[int, int]) -> Floats:
    array = to_array(boxes)
    if array.size == 0:
        return np.empty((0, 4))
    if array.ndim != 2 or array.shape[1] != 4 or array.dtype.kind not in "iuf":
        raise DataError(
            "boxes must be of shape [n, 4] (left, top, right, bottom in pixels), got {boxes}",
            boxes=describe(boxes),
        )
    array = array.astype(np.float64)
    height, width = size
    for i, box in enumerate(array):
        shown = [round(float(side), 2) for side in box]
        if not np.isfinite(box).all():
            raise DataError("box {i} is {shown}, which is not finite", i=i, shown=shown)
        left, top, right, bottom = box
        if right < left - _SLACK or bottom < top - _SLACK:
            raise DataError(
                "box {i} is {shown}, which ends before it begins; boxes are left, top, right, "
                "bottom: add the corner to a width and height",
                i=i,
                shown=shown,
            )
        if left >= width or top >= height or right <= 0 or bottom <= 0:
            raise DataError(
                "box {i} is {shown}, outside of the image of {height} x {width} pixels",
                i=i,
                shown=shown,
                height=height,
                width=width,
            )
    if array.max() <= 1 and min(size) > 2:
        raise DataError("all boxes lie within [0, 1]: multiply them by the image's width and height")
    return array.clip(0, [width, height, width, height])


def _titles(labels: ArrayLike | None, count: int, names: list[str] | None) -> tuple[list[int], list[str]]:
    """The class id, for the colour, and the title of each box."""
    if labels is None:
        return [0] * count, [""] * count
    titles = as_texts(labels)
    if titles is not None:
        known = names or sorted(set(titles))
        kinds = [known.index(title) if title in known else len(known) for title in titles]
    else:
        kinds = [int(number) for number in _numbers(labels, count, "labels")]
        if kinds and min(kinds) < 0:
            raise DataError("labels are class numbers from 0 on, got {least}", least=min(kinds))
        if names is not None and kinds and max(kinds) >= len(names):
            raise DataError(
                "a box is of class {highest}, but there are {n} class names", highest=max(kinds), n=len(names)
            )
        titles = [str(kind) if names is None else names[kind] for kind in kinds]
    if len(titles) != count:
        raise DataError("{count} boxes need {count} labels, got {n}", count=count, n=len(titles))
    return kinds, titles


def _numbers(given: ArrayLike, count: int, what: str = "scores") -> AnyArray:
    array = to_array(given)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or len(array) != count:
        raise DataError(
            "{count} boxes need {count} {what}, got {given}", count=count, what=what, given=describe(given)
        )
    return array


# ---- drawing ---------------------------------------------------------------------------------------


def draw_annotations(pixels: Pixels, marks: Annotations) -> Pixels:
    """Draw a mask, its legend and boxes over an image.

    Each class of the mask has a colour, half transparent within an outline; the legend below the image
    has the names or ids of those that occur. Boxes have their label and score.

    Args:
        pixels: uint8, shape (H, W), (H, W, 3) or (H, W, 4). An image of less than about 280 pixels is
            enlarged by a whole factor.
        marks: from `check_annotations`, for an image of this size.

    Returns:
        uint8, shape (h, w, 3).
    """
    factor = max(1, round(_SMALL / max(pixels.shape[:2])))
    picture = enlarge(to_rgb(pixels), factor)
    if marks.mask is not None:
        picture = draw_mask(to_rgb(pixels), marks.mask, factor)
    if len(marks.boxes):
        picture = _with_boxes(picture, marks, factor)
    if marks.mask is not None:
        legend = draw_legend(classes_in(marks.mask), marks.class_names, picture.shape[1])
        picture = np.concatenate([picture, legend]) if len(legend) else picture
    return picture


def draw_heat_map(pixels: Pixels, heat: ArrayLike) -> Pixels:
    """Draw a heat map, from clear (0) over purple and orange to yellow, over an image in grey.

    Args:
        pixels: uint8, shape (H, W), (H, W, 3) or (H, W, 4).
        heat: numbers of 0 and more, shape (H, W); from the 99th percentile on they are yellow.

    Returns:
        uint8, shape (H, W, 3).

    Raises:
        DataError: a heat map of another size.
    """
    values = to_array(heat).astype(np.float64)
    if values.shape != pixels.shape[:2]:
        raise DataError(
            "a heat map of {pixels} must be of its size, got {heat}",
            pixels=describe(pixels),
            heat=describe(heat),
        )
    values = np.where(np.isfinite(values), np.maximum(values, 0), 0.0)
    top = np.percentile(values, 99) or values.max()
    values = np.minimum(values / top, 1) if top else values
    colors = color_ramp(values, _HEAT)
    grey = to_rgb(pixels) @ (0.299, 0.587, 0.114)
    opacity = (0.85 * np.sqrt(values))[..., np.newaxis]
    mixed: Pixels = np.rint((1 - opacity) * grey[..., np.newaxis] + opacity * colors).astype(np.uint8)
    return mixed


# Points of the map "inferno" of S. van der Walt and N. Smith: its lightness rises steadily.
_HEAT = "1f0c48 550f6d 88226a ba3655 e35933 f98c0a f9c932 fcffa4"


def draw_mask(picture: Pixels, mask: Ints, factor: int = 1) -> Pixels:
    """Draw a mask over an image of shape (h, w, 3): each class half transparent, within an outline.

    Both are enlarged by a whole factor.
    """
    out = picture.copy()
    numbers = classes_in(mask)
    colors = np.array([class_color(number) for number in numbers], np.uint8).reshape(-1, 3)
    for number, color in zip(numbers, colors, strict=True):
        inside = mask == number
        out[inside] = np.rint((1 - _OPACITY) * picture[inside] + _OPACITY * color.astype(np.float32))
    out, mask = enlarge(out, factor), enlarge(mask, factor)
    edge = np.zeros(mask.shape, bool)
    for axis in (0, 1):
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        differs = mask[tuple(before)] != mask[tuple(after)]
        edge[tuple(before)] |= differs
        edge[tuple(after)] |= differs
    edge &= (mask != 0) & (mask != IGNORED)
    out[edge] = colors[np.searchsorted(numbers, mask[edge])]
    return out


def classes_in(*masks: Ints) -> list[int]:
    """The classes that occur in masks, in order, but for the background and what does not count."""
    found: set[int] = set()
    for mask in masks:
        large = int(mask.max(initial=0)) >= 1 << 16
        some = np.unique(mask) if large else np.flatnonzero(np.bincount(mask.ravel()))
        found.update(some.tolist())
    return sorted(found - {0, IGNORED})


def draw_legend(classes: Sequence[int], names: Sequence[str] | None, width: int) -> Pixels:
    """Draw a coloured square and the name of each of some classes, in lines of ``width`` pixels."""
    from PIL import Image, ImageDraw

    numbers = [number for number in classes if number not in (0, IGNORED)]
    if not numbers:
        return np.empty((0, width, 3), np.uint8)
    titles = [str(n) if names is None else one_line(names[n]) for n in numbers]
    if len(titles) > _MAX_LEGEND:
        titles[_MAX_LEGEND - 1 :] = ["…"]
    letters = Letters(_text_size(width), paths_for("".join(titles)))
    square = letters.size * 3 // 4
    places: list[tuple[int, int, str]] = []
    x, row = _PAD, 0
    for title in titles:
        text = letters.shortened(title, width - square - 3 * _PAD)
        extent = square + _PAD + int(letters.width(text)) + 1
        if x > _PAD and x + extent > width - _PAD:
            x, row = _PAD, row + 1
        places.append((x, row, text))
        x += extent + 3 * _PAD
    image = Image.new("RGB", (width, (row + 1) * letters.line_height + 2 * _PAD), PLAIN)
    draw = ImageDraw.Draw(image)
    for number, (x, row, text) in zip(numbers, places, strict=False):
        y = _PAD + row * letters.line_height
        top = y + (letters.line_height - square) // 2
        if text != "…":
            draw.rectangle((x, top, x + square - 1, top + square - 1), fill=class_color(number))
        letters.write(draw, text, x + square + _PAD, y, INK)
    return np.asarray(image)


def _with_boxes(picture: Pixels, marks: Annotations, factor: int) -> Pixels:
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    line = max(2, max(height, width) // 300)
    letters = Letters(_text_size(width), paths_for("".join(marks.texts)))
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for box, text, color in zip(marks.boxes * factor, marks.texts, marks.colors, strict=True):
        left, top, right, bottom = (round(float(side)) for side in box)
        right, bottom = max(left, right - 1), max(top, bottom - 1)
        draw.rectangle((left, top, right, bottom), outline=color, width=line)
        if not text:
            continue
        stamp = letters.stamp(letters.shortened(text, width - 2 * _PAD))
        x = max(0, min(left, width - stamp.width - _PAD))
        y = top - stamp.height if top >= stamp.height else top
        ground = (x, y, x + stamp.width + _PAD - 1, y + stamp.height - 1)
        draw.rectangle(ground, fill=color)
        image.paste(PAPER if is_dark(color) else INK, (x + _PAD // 2, y), stamp)
    return np.asarray(image)


def _text_size(width: int) -> int:
    return min(max(13, width // 40), 36)
