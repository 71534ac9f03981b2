"""Records of an evaluation of a detector.

===================================  =======================================================
tag                                  record
===================================  =======================================================
``eval/map``, ``eval/map50``,        COCO's average precision: over IoU thresholds, at 0.5,
``eval/map75``, ``eval/map/small``   at 0.75, of small, medium and large objects
(``medium``, ``large``)
``eval/ar1``, ``eval/ar10``,         COCO's average recall with at most so many boxes an
``eval/ar100``                       image
``eval/ap/<class>``                  AP of each class, over IoU thresholds
``eval/pr/<class>``                  precision-recall curve of each class at an IoU of 0.5
``eval/false positives/<kind>``      duplicates, those of the wrong class, out of place, and
                                     on background, from each class's best F1 on
``eval/classes``                     a table of all classes, the worst first
``eval/samples``                     if images were given: the same ones every time, with the
                                     boxes of label and prediction, in the workspace as layers
``eval/worst``                       likewise, those of which the least was found
``eval/scores``                      once a run: detections that were left out
===================================  =======================================================

`vizkit.metrics.detection` defines the metrics.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np

from vizkit._protocols import StepLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.packed_layers import pack_layers
from vizkit.media import images, png
from vizkit.media.captions import Caption, captioned_grid
from vizkit.media.image_layers import NO_IMAGE, BoxLayer, LayeredPanel, Layers, layered_sheet
from vizkit.media.lettering import one_line, picture_text
from vizkit.media.overlays import check_annotations, draw_annotations
from vizkit.metrics.arrays import AnyArray, Bools, Pixels, to_array
from vizkit.metrics.boxes import Boxes, boxes_of
from vizkit.metrics.detection import FALSE_POSITIVES, DetectionResult, DetectionScores
from vizkit.metrics.inputs import check_lengths
from vizkit.writing.evaluation import ClassNames, encode_scalars
from vizkit.writing.tasks.samples import KeptSamples, axes_of_image, content_of
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, TaskOptions

__all__ = ["DetectionTask"]

_LARGEST = 480  # pixels of an image's longer side in a grid
_SHOWN = 100  # boxes of a picture
_FEW = 10  # detections whose sides change places tell nothing of the order of all
_SIZED = ("small", "medium", "large")
_RECALLS = (1, 10, 100)


@dataclass(frozen=True, eq=False)
class _Kept:
    image: AnyArray
    labels: Boxes
    found: Boxes


class _BoxPair(NamedTuple):
    """Boxes of label and prediction of an image, and the scale in which it is kept."""

    labels: Boxes
    found: Boxes
    scale: float

    @property
    def nbytes(self) -> int:
        return 64 * (len(self.labels) + len(self.found))


class DetectionTask(EvaluationTask):
    """The boxes of an evaluation."""

    name = "detection"

    def __init__(self, options: TaskOptions) -> None:
        super().__init__(options)
        self._boxes = DetectionScores(options.limit)
        self._kept: KeptSamples[_Kept] = KeptSamples(options.samples, options.worst)
        self._turned = self._detected = 0

    @property
    def samples(self) -> int:
        """Number of images."""
        return self._boxes.images

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._rows.nbytes + self._boxes.nbytes

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch of images."""
        names = self.options.class_names
        labels = [boxes_of(each, scored=False, names=names) for each in _images_of(batch.labels, "gt_bbox")]
        found = [boxes_of(each, scored=True, names=names) for each in _images_of(batch.outputs, "bbox")]
        check_lengths(labels, "outputs", found)
        self._check_order(found)
        matches = [self._boxes.add(*pair) for pair in zip(labels, found, strict=True)]
        self._names()
        keys = self._rows.next_ids(batch.ids, len(labels))
        counts = np.array([(each.labels, each.found, each.found_by_best) for each in matches], np.int64)
        counts = counts.reshape(-1, 3)
        detected = np.array([len(each) for each in found], np.int64)
        columns = {"id": keys, "labels": counts[:, 0], "found": counts[:, 1], "detected": detected}
        self._rows.add({**columns, **self._rows.extras(batch, len(keys))})
        wrong = counts[:, 0] != counts[:, 1]
        self._rows.offer_images(
            batch, keys, wrong, lambda row, step: _BoxPair(labels[row], found[row], 1 / step)
        )
        if batch.inputs is not None:
            missed = counts[:, 0] - counts[:, 2]
            badness = np.where(missed > 0, missed / np.maximum(counts[:, 0], 1), -np.inf)

            def kept(row: int) -> _Kept:
                content = content_of(batch, row)
                image = content if isinstance(content, np.ndarray) else _blank(labels[row], found[row])
                return _Kept(image, labels[row], found[row])

            self._kept.offer(keys, badness, kept)

    def _check_order(self, found: list[Boxes]) -> None:
        """Refuse detections of which most have sides that change places: they are in another order."""
        self._turned += sum(int(each.turned.sum()) for each in found)
        self._detected += sum(len(each) for each in found)
        if self._turned >= _FEW and 2 * self._turned > self._detected:
            raise DataError(
                "boxes must be left, top, right, bottom: of {n} of {total} detections right is less than "
                "left, or bottom less than top",
                n=self._turned,
                total=self._detected,
            )

    def _count(self) -> int:
        names = self.options.class_names
        told = self.options.classes or (0 if names is None else len(names))
        if told and told < self._boxes.classes:
            raise DataError(
                "a box is of class {highest}, but there are {n} class names",
                highest=self._boxes.classes - 1,
                n=told,
            )
        return max(told, self._boxes.classes)

    def _names(self) -> ClassNames:
        count, names = self._count(), self.options.class_names
        if count < 2:  # a single class is no class against its rest
            return ClassNames(2, [*(names or ["0"]), "-"], self.options.most_classes)
        return ClassNames(count, names, self.options.most_classes)

    def _ends(self) -> list[str]:
        return self._names().parts[: self._count()]

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        scalars = [
            "map",
            "map50",
            "map75",
            *(f"map/{size}" for size in _SIZED),
            *(f"ar{n}" for n in _RECALLS),
        ]
        scalars += [f"false positives/{kind}" for kind in FALSE_POSITIVES]
        scalars += [f"ap{end}" for end in self._ends()]
        kinds = {f"{tag}/{name}": "scalar" for name in scalars}
        kinds |= {f"{tag}/pr{end}": "pr_curve" for end in self._ends()}
        kinds |= {f"{tag}/{name}": "image" for name in ("samples", "worst")}
        return kinds | {f"{tag}/{name}": "text" for name in ("classes", "scores")}

    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records."""
        found, names = self._boxes.result(self._count()), self._names().shown[: self._count()]
        scalars = {f"{tag}/{name}": value for name, value in _scalars(found).items()}
        ap = np.array([_mean(found.precision[:, k, 0]) for k in range(len(names))])
        scalars |= {f"{tag}/ap{end}": value for end, value in zip(self._ends(), ap.tolist(), strict=False)}
        kept = [(name, value) for name, value in scalars.items() if name not in without and value == value]
        frames = [encode_scalars(kept, step, now)]
        curves = found.curves[: len(self._ends())]
        counts = encode.encode_counts(curves) if curves else []
        for end, curve, count, labels in zip(
            self._ends(), curves, counts, found.labels.tolist(), strict=False
        ):
            if labels:
                frames.append(encode.encode_pr_curve(f"{tag}/pr{end}", curve, step, now, count))
        frames.append(encode.encode_text(f"{tag}/classes", _table(found, names, ap), step, now))
        if found.dropped and not explained:
            said = (
                f"{found.dropped:,} detections of the lowest scores were left out to save memory: "
                "AP and AR may be too low."
            )
            frames.append(encode.encode_text(f"{tag}/scores", said, step, now))
        for name, shown in (("samples", self._kept.followed()), ("worst", self._kept.worst())):
            if shown:
                picture = png.encode_png(self._picture(shown, found, names))
                layers = pack_layers(self._sheet(shown, found, names))
                frames.append(encode.encode_image(f"{tag}/{name}", picture, step, now, layers))
        return b"".join(frames)

    def _picture(
        self, shown: list[tuple[int | str, _Kept]], result: DetectionResult, names: Sequence[str]
    ) -> Pixels:
        """A row for each image: its labels, and its detections from each class's best F1 on."""
        panels, captions = [], []
        for key, one in shown:
            pixels, scale = self._pixels(one)
            confident = one.found.scores >= result.best_score[one.found.classes]
            every = np.ones(len(one.labels), bool)
            for boxes, some, scored in ((one.labels, every, False), (one.found, confident, True)):
                panels.append(_drawn(pixels, boxes, some, scale, names, scored=scored))
            title = picture_text("sample {key}", key=key)
            captions.append(Caption(f"{title}, {picture_text('label')}"))
            captions.append(Caption(picture_text("prediction")))
        return captioned_grid(panels, captions, len(shown))

    def _pixels(self, one: _Kept) -> tuple[Pixels, float]:
        """The pixels of an image, no larger than it is shown, and their scale."""
        options = self.options
        pixels = images.to_pixels(one.image, axes_of_image(one.image), mean=options.mean, std=options.std)
        scale = min(1.0, _LARGEST / max(pixels.shape[:2]))
        return images.resize(pixels, scale), scale

    def _sheet(
        self, shown: list[tuple[int | str, _Kept]], result: DetectionResult, names: Sequence[str]
    ) -> Layers:
        """The images with their labels and detections, also those of low scores, as layers."""
        panels = []
        for key, one in shown:
            pixels, scale = self._pixels(one)
            boxes = _both_layers(one.labels, one.found, scale, names)
            panels.append(LayeredPanel(pixels, picture_text("sample {key}", key=key), boxes=boxes))
        return layered_sheet(panels, names, _threshold(result))

    def _layers(self, marks: Any, size: tuple[int, int]) -> Layers:  # noqa: ANN401
        names = self._names().shown
        boxes = _both_layers(marks.labels, marks.found, marks.scale, names)
        return Layers(NO_IMAGE, boxes=boxes, threshold=self._threshold, size=size)

    @cached_property
    def _threshold(self) -> float:
        return _threshold(self._boxes.result(self._count()))


def _blank(labels: Boxes, found: Boxes) -> AnyArray:
    """In place of an image that cannot be shown."""
    ends = np.concatenate([labels.places[:, 2:], found.places[:, 2:]])
    width, height = np.clip(ends.max(axis=0, initial=1), 1, _LARGEST).astype(int).tolist()
    return np.full((height, width), 128, np.uint8)


def _drawn(
    pixels: Pixels, boxes: Boxes, some: Bools, scale: float, names: Sequence[str], *, scored: bool
) -> Pixels:
    height, width = pixels.shape[:2]
    places = boxes.places * scale
    inside = (
        ~boxes.turned
        & (places[:, 0] < width)
        & (places[:, 1] < height)
        & (places[:, 2] > 0)
        & (places[:, 3] > 0)
    )
    rows = np.flatnonzero(some & inside)
    rows = rows[np.argsort(-boxes.scores[rows], kind="stable")[:_SHOWN]]
    if not len(rows) or places[rows].max() <= 1:
        return images.to_rgb(pixels)
    marks = check_annotations(
        (height, width),
        boxes=places[rows],
        labels=boxes.classes[rows],
        scores=boxes.scores[rows] if scored else None,
        class_names=names,
    )
    return draw_annotations(pixels, marks)


def _threshold(result: DetectionResult) -> float:
    """The least of the scores with the best F1 of the classes."""
    best = result.best_score[(result.labels > 0) & np.isfinite(result.best_score)]
    return float(best.min(initial=1.0)) if len(best) else 0.0


def _both_layers(labels: Boxes, found: Boxes, scale: float, names: Sequence[str]) -> dict[str, BoxLayer]:
    return {
        "label": _layer(labels, scale, names, scored=False),
        "prediction": _layer(found, scale, names, scored=True),
    }


def _layer(boxes: Boxes, scale: float, names: Sequence[str], *, scored: bool) -> BoxLayer:
    rows = np.flatnonzero(~boxes.turned)
    rows = rows[np.argsort(-boxes.scores[rows], kind="stable")[:_SHOWN]]
    classes = boxes.classes[rows]
    return BoxLayer(
        boxes.places[rows] * scale,
        classes,
        [one_line(names[number]) for number in classes.tolist()],
        boxes.scores[rows] if scored else None,
    )


def _images_of(given: object, key: str) -> list[object]:
    """The boxes of each image; those of PaddleDetection's batches are taken apart."""
    if not isinstance(given, Mapping):
        return list(cast("Sequence[object]", given))
    if key == "bbox" and "bbox_num" in given:
        every, counts = to_array(given["bbox"]), to_array(given["bbox_num"]).reshape(-1)
        return list(np.split(every.reshape(-1, 6), np.cumsum(counts)[:-1]))
    if key == "gt_bbox" and key in given and "gt_class" in given:
        crowds = given.get("is_crowd", given.get("difficult"))
        out: list[object] = []
        for i, places in enumerate(given[key]):
            one = {"boxes": to_array(places), "labels": to_array(given["gt_class"][i]).reshape(-1)}
            if crowds is not None:
                one["crowd"] = to_array(crowds[i]).reshape(-1)
            out.append(one)
        return out
    raise DataError(
        "a batch of boxes must be a list with those of each image, or a dict of PaddleDetection with "
        "{names}, got one with {given}",
        names="gt_bbox, gt_class" if key == "gt_bbox" else "bbox, bbox_num",
        given=", ".join(map(str, given)),
    )


def _scalars(found: DetectionResult) -> dict[str, float]:
    out = {"map": found.ap(), "map50": found.ap(0.5), "map75": found.ap(0.75)}
    out |= {f"map/{size}": found.ap(size=size) for size in _SIZED}
    out |= {f"ar{most}": found.ar(most) for most in _RECALLS}
    wrong = found.false_positives.sum(axis=0).tolist()
    return out | {f"false positives/{kind}": float(n) for kind, n in zip(FALSE_POSITIVES, wrong, strict=True)}


def _table(found: DetectionResult, names: Sequence[str], ap: AnyArray) -> str:
    """A table with a line for each class, the worst first."""
    head = [
        "class",
        "labels",
        "AP",
        "AP50",
        "AP75",
        "AR100",
        "best score",
        "found",
        "missed",
        *FALSE_POSITIVES,
    ]
    recall = [_mean(found.recall[:, k, 0, -1]) for k in range(len(names))]
    lines = ["\t".join(head)]
    for k in np.argsort(np.nan_to_num(ap, nan=2), kind="stable").tolist():
        shares = (ap[k], found.precision[0, k, 0], found.precision[5, k, 0], recall[k], found.best_score[k])
        counts = (found.right[k], found.labels[k] - found.right[k], *found.false_positives[k])
        cells = [" ".join(names[k].split()), str(found.labels[k]), *(f"{share:.4f}" for share in shares)]
        lines.append("\t".join([*cells, *map(str, counts)]))
    return "\n".join(lines)


def _mean(values: AnyArray) -> float:
    return float(values.mean()) if not np.isnan(values).any() else float("nan")
