"""Records of an evaluation of a segmentation network.

===================================  =======================================================
tag                                  record
===================================  =======================================================
``eval/miou``, ``eval/iou/<class>``  intersection over union: its mean, and of each class
``eval/dice``,                       Dice coefficient, likewise
``eval/dice/<class>``
``eval/boundary iou``,               boundary IoU, likewise
``eval/boundary iou/<class>``
``eval/frequency weighted iou``      mean IoU, weighted by the classes' areas
``eval/pixel acc``                   fraction of right pixels
``eval/classes``                     a table: IoU, Dice, areas ... of each class, the worst first
``eval/confusion``                   confusion matrix of the pixels as an image
``eval/confusion/counts``            its numbers, as a text
``eval/samples``                     the same images every time: input, label, prediction, and
                                     where they differ, in the workspace as layers
``eval/worst``                       likewise, the images of the lowest mean IoU
``eval/scores``                      once a run: how these numbers are meant
===================================  =======================================================

Volumes, of shape (d, h, w), are counted as a whole, and shown by their middle slice.

From the scores of some pixels of each image, evenly spread: the curves, areas and calibration that
`vizkit.writing.evaluation` lists.

`vizkit.metrics.segmentation` defines the metrics.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np

from vizkit._protocols import ArrayLike, StepLike
from vizkit.format import encode
from vizkit.format.packed_layers import pack_layers
from vizkit.media import png
from vizkit.media.image_layers import Layers
from vizkit.media.images import to_pixels
from vizkit.media.segmentation_image import (
    SegmentedImage,
    mask_layers,
    segmentation_image,
    segmentation_layers,
)
from vizkit.metrics.arrays import AnyArray, Floats, dtype_of, shape_of, to_array, to_view
from vizkit.metrics.evaluation_scores import ASSUMED, EvaluationScores
from vizkit.metrics.segmentation import SegmentationMaps, SegmentationResult, SegmentationScores
from vizkit.writing import evaluation
from vizkit.writing.evaluation import ClassNames
from vizkit.writing.tasks.samples import KeptSamples, axes_of_image, content_of
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, TaskOptions

__all__ = ["SegmentationTask"]

_PIXELS = 2048  # of an image, at most, whose scores curves are made of
_LARGEST = 512  # pixels of the longer side of what is kept of an image


@dataclass(frozen=True, eq=False)
class _Kept:
    """An image with its maps, no larger than it is shown."""

    image: AnyArray | None
    label: AnyArray
    prediction: AnyArray
    iou: float
    accuracy: float


class _MaskPair(NamedTuple):
    """Label and prediction of an image."""

    label: AnyArray
    prediction: AnyArray

    @classmethod
    def of(cls, maps: SegmentationMaps, row: int, step: int) -> _MaskPair:
        some = slice(None, None, step)
        return cls(maps.labels[row, some, some].copy(), maps.predictions[row, some, some].copy())

    @property
    def nbytes(self) -> int:
        return self.label.nbytes + self.prediction.nbytes


class SegmentationTask(EvaluationTask):
    """The pixels of an evaluation."""

    name = "segmentation"

    def __init__(self, options: TaskOptions) -> None:
        super().__init__(options)
        self._pixels = self._new_pixels(options.classes)
        self._curves: EvaluationScores | None = None
        self._shown = (0, 0)  # of how many pixels of an image the scores are kept
        self._depth = 0  # of volumes
        self._kept: KeptSamples[_Kept] = KeptSamples(options.samples, options.worst)

    def _new_pixels(self, classes: int | None) -> SegmentationScores:
        options = self.options
        return SegmentationScores(classes, activation=options.activation, ignore_index=options.ignore_index)

    @property
    def samples(self) -> int:
        """Number of images."""
        return self._pixels.images

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._rows.nbytes + (0 if self._curves is None else self._curves.nbytes)

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch of images."""
        labels, outputs = _channels_first(
            cast("ArrayLike", batch.labels), cast("ArrayLike", batch.outputs), self.options.class_axis
        )
        names, real = self.options.class_names, "float" in dtype_of(outputs)
        if names and not real and not self._pixels.classes:
            self._pixels = self._new_pixels(len(names))
        maps = self._pixels.add(labels, outputs)
        if not self._rows.seen:
            self._names()  # that do not fit are refused at once
        if real:
            self._add_curves(maps, outputs)
        ids = self._rows.next_ids(batch.ids, len(maps.iou))
        extras = self._rows.extras(batch, len(ids))
        self._rows.add({"id": ids, "iou": maps.iou, "accuracy": maps.accuracy, **extras})
        if maps.labels.ndim == 4:
            self._depth = max(self._depth, maps.labels.shape[1])
            maps, batch = _middle_slices(maps, batch)
        self._rows.offer_images(batch, ids, marks=lambda row, step: _MaskPair.of(maps, row, step))
        self._kept.offer(ids, -maps.iou, lambda row: _copied(maps, batch, row))

    def _add_curves(self, maps: SegmentationMaps, outputs: ArrayLike) -> None:
        _, *size = maps.labels.shape
        pixels = math.prod(size)
        stride = max(1, math.ceil((pixels / _PIXELS) ** (1 / len(size))))
        # An axis that is shorter than that keeps a place, too.
        thinned = tuple(slice(min(stride // 2, side - 1), None, stride) for side in size)
        labels = maps.labels[(slice(None), *thinned)]
        if self._curves is None:
            self._curves = EvaluationScores(
                activation=self._pixels.activation,
                limit=self.options.limit,
                ignore_index=self._pixels.classes,
            )
            self._shown = (labels[0].size, pixels)
        scores = to_view(outputs)
        thin = (outputs if scores is None else scores)[(slice(None), slice(None), *thinned)]  # type: ignore[index]
        self._curves.add(labels, thin)

    def _names(self) -> ClassNames:
        names, classes = self.options.class_names, self._pixels.classes
        if names and len(names) == 1 and classes == 2:
            names = ClassNames(1, names).shown
        return ClassNames(classes, names, self.options.most_classes)

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        names = self._names()
        ends = ["", *names.parts]
        kinds = evaluation.evaluation_tags(tag, self._curve_names()) if self._curves is not None else {}
        scalars = [f"{tag}/{name}{end}" for name in ("iou", "dice", "boundary iou") for end in ends]
        scalars.remove(f"{tag}/iou")
        scalars += [f"{tag}/{name}" for name in ("miou", "frequency weighted iou", "pixel acc")]
        texts = [f"{tag}/{name}" for name in ("classes", "confusion/counts", "scores")]
        images = [f"{tag}/{name}" for name in ("confusion", "samples", "worst")]
        for kind, some in (("scalar", scalars), ("text", texts), ("image", images)):
            kinds |= dict.fromkeys(some, kind)
        return kinds

    def _curve_names(self) -> ClassNames:
        classes = 0 if self._curves is None else self._curves.classes
        return ClassNames(classes, self.options.class_names, self.options.most_classes)

    def _layers(self, marks: Any, size: tuple[int, int]) -> Layers:  # noqa: ANN401
        return mask_layers(marks.label, marks.prediction, self._names().shown)

    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records."""
        found, names = self._pixels.result(), self._names()
        frames, said = [], []
        areas: list[Floats] = []
        if self._curves is not None and self._curves.samples:
            curves = self._curves.result()
            said = [curves.assumed] if curves.assumed else []
            if self.options.activation == "auto" and self._pixels.activation != "auto":
                said.append(ASSUMED[self._pixels.activation])  # of a single class
            some, all_of = self._shown
            if some < all_of:
                said.append(
                    "Curves (PR, ROC, AP, AUC) and calibration are of the scores of "
                    f"{some:,} of {all_of:,} pixels of each image, evenly spread; all else is of all pixels."
                )
            bare = replace(curves, confusion=None)
            frames.append(
                evaluation.encode_evaluation(tag, bare, self._curve_names(), step, now, without, table=False)
            )
            if len(curves.curves) == len(names.shown):
                pairs = [(pr.ap, roc.auc) for pr, roc in curves.curves]
                areas = [np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])]
        frames.append(
            evaluation.encode_confusion(f"{tag}/confusion", found.confusion, names.shown, step, now)
        )
        frames.append(encode.encode_text(f"{tag}/classes", _table(found, names, areas), step, now))
        scalars = {name: value for name, value in _scalars(tag, found, names).items() if name not in without}
        frames.append(evaluation.encode_scalars(scalars.items(), step, now))
        if self._depth:
            said.append(
                f"Volumes are shown by their middle slice of {self._depth}; all numbers are of the whole."
            )
        if said and not explained:
            frames.append(encode.encode_text(f"{tag}/scores", "\n".join(said), step, now))
        for name, kept in (("samples", self._kept.followed()), ("worst", self._kept.worst())):
            if kept:
                shown = self._segmented(kept)
                picture = png.encode_png(segmentation_image(shown, names.shown))
                layers = pack_layers(segmentation_layers(shown, names.shown))
                frames.append(encode.encode_image(f"{tag}/{name}", picture, step, now, layers))
        return b"".join(frames)

    def _segmented(self, kept: list[tuple[int | str, _Kept]]) -> list[SegmentedImage]:
        return [
            SegmentedImage(
                key,
                None
                if one.image is None
                else to_pixels(one.image, "CHW", mean=self.options.mean, std=self.options.std),
                one.label,
                one.prediction,
                one.iou,
                one.accuracy,
            )
            for key, one in kept
        ]


def _scalars(tag: str, found: SegmentationResult, names: ClassNames) -> dict[str, float]:
    out = {
        f"{tag}/miou": found.miou,
        f"{tag}/frequency weighted iou": found.frequency_weighted_iou,
        f"{tag}/pixel acc": found.pixel_accuracy,
        f"{tag}/dice": found.mean_dice,
        f"{tag}/boundary iou": found.mean_boundary_iou,
    }
    each = (("iou", found.iou), ("dice", found.dice), ("boundary iou", found.boundary_iou))
    for name, values in each:
        # Scores of a single class are of two, the other one being the background.
        for part, value in zip(names.parts, values.tolist(), strict=False):
            out[f"{tag}/{name}{part}"] = value
    return out


def _table(found: SegmentationResult, names: ClassNames, areas: list[Floats]) -> str:
    """A table with a line for each class, the worst first."""
    head = ["class", "IoU", "Dice", "boundary IoU", "label area", "predicted area"]
    columns = [
        found.iou, found.dice, found.boundary_iou, found.label_area, found.predicted_area, *areas,
    ]  # fmt: skip
    head += ["AP", "AUC"][: len(areas)]
    order = np.argsort(np.nan_to_num(found.iou, nan=2), kind="stable")
    lines = [
        "\t".join([" ".join(names.shown[k].split()), *(f"{column[k]:.4f}" for column in columns)])
        for k in order.tolist()
    ]
    return "\n".join(["\t".join(head), *lines])


def _copied(maps: SegmentationMaps, batch: LabelledBatch, row: int) -> _Kept:
    label, prediction = maps.labels[row], maps.predictions[row]
    step = -(-max(label.shape) // _LARGEST)
    content = None if batch.inputs is None else content_of(batch, row)
    image = None
    if isinstance(content, np.ndarray):
        axes = axes_of_image(content)
        image = content[None] if axes == "HW" else np.moveaxis(content, 2, 0) if axes == "HWC" else content
        image = image[:, ::step, ::step].copy() if image.shape[1:] == label.shape else None
    return _Kept(
        image,
        label[::step, ::step].copy(),
        prediction[::step, ::step].copy(),
        float(maps.iou[row]),
        float(maps.accuracy[row]),
    )


def _middle_slices(maps: SegmentationMaps, batch: LabelledBatch) -> tuple[SegmentationMaps, LabelledBatch]:
    """The middle slice of each volume, and of the input if it is a volume of the same size."""
    size = list(maps.labels.shape[1:])
    middle = size[0] // 2
    shown = replace(maps, labels=maps.labels[:, middle], predictions=maps.predictions[:, middle])
    given = shape_of(batch.inputs) if hasattr(batch.inputs, "shape") else []
    axis = next((axis for axis in (1, 2) if given[axis : axis + 3] == size), None)
    inputs = None if axis is None else _viewed(cast("ArrayLike", batch.inputs)).take(middle, axis)
    if inputs is not None and inputs.ndim == 3:  # (n, h, w)
        inputs = inputs[:, np.newaxis]
    return shown, replace(batch, inputs=inputs)


def _channels_first(labels: ArrayLike, outputs: ArrayLike, class_axis: int) -> tuple[ArrayLike, ArrayLike]:
    """Labels and scores with the classes on axis 1, where the loss or their shapes tell that they are last.

    Scores (n, h, w) are of a single class.
    """
    given, found = shape_of(labels), shape_of(outputs)
    real = "float" in dtype_of(outputs)
    if len(found) == 3 and real:
        return labels, _viewed(outputs)[:, np.newaxis]
    if len(found) not in (4, 5):
        return labels, outputs
    axis = class_axis if real else 1  # class numbers have none
    last = [found[:-1], [*found[:-1], 1]]
    first = [[found[0], *found[2:]], [found[0], 1, *found[2:]]]
    single = given == found and found[-1] == 1 != found[1]
    if axis == 1 and not single and (given not in last or given in first):
        return labels, outputs
    if given in (found, last[1]):
        labels = np.moveaxis(_viewed(labels), -1, 1)
    return labels, np.moveaxis(_viewed(outputs), axis if axis != 1 else -1, 1)


def _viewed(outputs: ArrayLike) -> AnyArray:
    view = to_view(outputs)
    return to_array(outputs) if view is None else view
