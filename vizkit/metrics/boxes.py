"""Boxes of an image, labelled or detected, of any form that they come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, Bools, Floats, Ints, to_array
from vizkit.metrics.named_classes import class_numbers, texts_in

__all__ = ["Boxes", "boxes_of"]

_MOST_CLASSES = 100_000


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of an image.

    Attributes:
        places: left, top, right, bottom, shape (n, 4).
        classes: class ids, shape (n,).
        scores: of detections, shape (n,); ones for labels.
        crowd: labels of many objects.
        areas: of labels.
    """

    places: Floats
    classes: Ints
    scores: Floats
    crowd: Bools
    areas: Floats

    @property
    def turned(self) -> Bools:
        """True for boxes whose sides change places, shape (n,)."""
        return np.asarray((self.places[:, 2:] < self.places[:, :2]).any(axis=1))

    def __len__(self) -> int:
        return len(self.places)


def boxes_of(given: object, *, scored: bool, names: Sequence[str] | None = None) -> Boxes:
    """Convert the boxes of an image.

    Args:
        given: a dict of ``boxes`` (n, 4), ``labels`` (n,), of detections ``scores`` (n,), of labels
            ``crowd`` and ``area`` (n,) where there are any. Or an array as PaddleDetection has them: class,
            score (of detections) and the four sides.
        scored: whether they are detections.
        names: of the classes, where ``labels`` may be some of them.

    Raises:
        DataError: another form, sides that are not finite, negative class ids, or sides of a label that
            change places. A detection of which they do, as a young network gives some, is of nothing.
    """
    if isinstance(given, Mapping) and (texts := texts_in(given.get("labels"))) is not None:
        given = {**given, "labels": class_numbers(texts, names or ())}
    parts = _parts_of(given, scored=scored)
    sides = np.asarray(parts["boxes"], np.float64)
    if sides.size and (sides.ndim != 2 or sides.shape[1] != 4):
        raise DataError(
            "boxes must be of shape [n, 4]: left, top, right, bottom, got {boxes}", boxes=describe(sides)
        )
    places = sides.reshape(-1, 4)
    count = len(places)
    classes = parts["labels"].reshape(-1)
    scores = parts["scores"].reshape(-1).astype(np.float64) if scored else np.ones(count)
    areas = (places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1])
    if "area" in parts:
        areas = parts["area"].reshape(-1).astype(np.float64)
    crowd = parts["crowd"].reshape(-1).astype(bool) if "crowd" in parts else np.zeros(count, bool)
    lengths = {len(each) for each in (places, classes, scores, areas, crowd)}
    whole = classes.dtype.kind in "iu" or bool((classes == np.floor(classes)).all())
    good = len(lengths) == 1 and whole and np.isfinite(places).all() and np.isfinite(scores).all()
    turned = not scored and bool((places[:, 2:] < places[:, :2]).any())
    if not good or turned or (count and classes.min() < 0):
        raise DataError(
            "boxes of an image must be left, top, right, bottom, each with a class from 0 on (and a score, "
            "of detections), got {given}",
            given=describe(given),
        )
    if count and classes.max() >= _MOST_CLASSES:
        raise DataError(
            "a class of boxes is at most {last:,}, got {highest:,}: number the classes from 0 on",
            last=_MOST_CLASSES - 1,
            highest=int(classes.max()),
        )
    return Boxes(places, classes.astype(np.int64), scores, crowd, areas)


def _parts_of(given: object, *, scored: bool) -> dict[str, AnyArray]:
    if isinstance(given, Mapping):
        needed = ("boxes", "labels", "scores") if scored else ("boxes", "labels")
        parts = {
            name: to_array(given[name])
            for name in (*needed, "crowd", "area")
            if given.get(name) is not None and (name in needed or not scored)
        }
        if set(needed) <= set(parts):
            return parts
    else:
        array = to_array(cast("ArrayLike", given))
        width = 6 if scored else 5
        if array.size == 0:
            array = np.zeros((0, width))
        if array.ndim == 2 and array.shape[1] == width:
            names = {"labels": array[:, 0], "boxes": array[:, -4:]}
            return {**names, "scores": array[:, 1]} if scored else names
    raise DataError(
        "boxes of an image must be a dict of {names}, or an array of shape [n, {width}] with {columns}, got "
        "{given}",
        names="boxes, labels, scores" if scored else "boxes, labels",
        width=6 if scored else 5,
        columns="class, score, left, top, right, bottom" if scored else "class, left, top, right, bottom",
        given=describe(given),
    )
