"""The boxes that a ``COCOMetric`` of PaddleDetection has gathered, beside those of its annotations."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit.metrics.arrays import AnyArray

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["CocoBoxes"]

_MOST_READ = 64  # images of an evaluation, some of which are shown


class CocoBoxes:
    """Evaluations of boxes; the file of annotations is read once."""

    def __init__(self) -> None:
        self._file = ""
        self._labels: dict[int, dict[str, Any]] = {}  # image -> boxes, labels, crowd, area
        self._names: list[str] = []
        self._images: dict[int, str] = {}  # image -> its file's name

    def record(self, tracker: Tracker, metric: Any, dataset: object, step: int) -> None:  # noqa: ANN401
        """Record the boxes of an evaluation; those of other metrics, and none, are left out.

        Args:
            tracker: the tracker that records.
            metric: PaddleDetection's ``COCOMetric``.
            dataset: its data, whose first images are read to be shown.
            step: the step.
        """
        results = getattr(metric, "results", None)
        found = results.get("bbox") if isinstance(results, dict) else None
        file, classes = getattr(metric, "anno_file", None), getattr(metric, "clsid2catid", None)
        if not found or not isinstance(file, str) or not isinstance(classes, dict):
            return
        places = {category: number for number, category in sorted(classes.items())}
        if file != self._file:
            self._read(file, places)
        each: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for one in found:
            number = places[one["category_id"]]
            each[one["image_id"]].append((number, one["score"], *_sides(one["bbox"])))
        evaluation = tracker.evaluation("eval", task="detection", class_names=self._names)
        for place, (image, labels) in enumerate(self._labels.items()):
            pixels = _pixels(dataset, self._images[image]) if place < _MOST_READ else None
            boxes = np.array(each[image]).reshape(-1, 6)
            evaluation.add([labels], [boxes], None if pixels is None else [pixels], ids=[image])
        evaluation.record(step)

    def _read(self, file: str, places: dict[int, int]) -> None:
        with open(file, encoding="utf-8") as stream:
            content = json.load(stream)
        names = {category["id"]: str(category["name"]) for category in content["categories"]}
        self._names = [names.get(category, str(number)) for category, number in places.items()]
        rows: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for one in content["annotations"]:
            if one["category_id"] in places:
                crowd = one.get("iscrowd", 0)
                row = (places[one["category_id"]], crowd, one["area"], *_sides(one["bbox"]))
                rows[one["image_id"]].append(row)
        self._images = {image["id"]: str(image.get("file_name", "")) for image in content["images"]}
        for image in content["images"]:
            table = np.array(rows[image["id"]], np.float64).reshape(-1, 7)
            self._labels[image["id"]] = {
                "boxes": table[:, 3:], "labels": table[:, 0].astype(int), "crowd": table[:, 1] > 0,
                "area": table[:, 2],
            }  # fmt: skip
        self._file = file


def _pixels(dataset: object, name: str) -> AnyArray | None:
    """An image (h, w, 3) of a data set, or None if it cannot be read."""
    places = [getattr(dataset, part, None) for part in ("dataset_dir", "image_dir")]
    if not name or not any(isinstance(place, str) for place in places):
        return None
    import cv2

    file = os.path.join(*(place for place in places if isinstance(place, str)), name)
    found = cv2.imread(file) if os.path.isfile(file) else None
    return None if found is None else found[:, :, ::-1]


def _sides(box: list[float]) -> tuple[float, float, float, float]:
    left, top, width, height = box
    return left, top, left + width, top + height
