"""Records of an evaluation of a classifier: those of `vizkit.writing.evaluation`, and samples.

===================================  =======================================================
tag                                  record
===================================  =======================================================
``eval/samples``                     if inputs were given: the same samples every time, with
                                     label and prediction, as images or as a table of texts
``eval/worst``                       likewise the wrong ones whose score is farthest above that
                                     of the label
===================================  =======================================================
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import numpy as np

from vizkit._protocols import ArrayLike, StepLike
from vizkit.format import encode
from vizkit.media import images, png
from vizkit.media.captions import captioned_grid, make_captions, name_of, percent
from vizkit.metrics.arrays import AnyArray, to_array, to_real
from vizkit.metrics.evaluation_scores import EvaluationScores
from vizkit.writing import evaluation
from vizkit.writing.evaluation import ClassNames
from vizkit.writing.tasks.samples import KeptSamples
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, TaskOptions

__all__ = ["ClassificationTask"]

_LARGEST = 160  # pixels of an image's longer side in a grid


@dataclass(frozen=True, eq=False)
class _Kept:
    """A sample with its label, and the scores of all classes."""

    content: AnyArray | str
    label: int
    scores: AnyArray


class ClassificationTask(EvaluationTask):
    """The labels and scores of an evaluation.

    Args:
        scores: gathers them; by default one of these options.
        num_thresholds: points on each curve.
    """

    def __init__(
        self, options: TaskOptions, scores: EvaluationScores | None = None, num_thresholds: int = 127
    ) -> None:
        super().__init__(options)
        self._scores = scores or EvaluationScores(
            activation=options.activation, limit=options.limit, ignore_index=options.ignore_index
        )
        self._num_thresholds = num_thresholds
        self._kept: KeptSamples[_Kept] = KeptSamples(options.samples, options.worst)

    @property
    def samples(self) -> int:
        """Number of samples, or of places in larger ones."""
        return self._scores.samples

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._scores.nbytes + self._rows.nbytes

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch."""
        labels, outputs = cast("ArrayLike", batch.labels), cast("ArrayLike", batch.outputs)
        first = not self._scores.classes
        self._scores.add(labels, outputs)
        if first:
            self._names()
        scores, ids = to_real(outputs, "outputs"), to_real(labels, "labels")
        if scores.ndim != 2 or scores.shape[1] < 2 or ids.size != len(scores):
            return  # each place is a sample, or each class
        ids = ids.reshape(-1).astype(np.int64)
        keys = self._rows.next_ids(batch.ids, len(scores))
        chosen = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), chosen]
        counted = ids != self.options.ignore_index
        self._rows.add(id=keys[counted], label=ids[counted], prediction=chosen[counted], score=best[counted])
        if batch.inputs is not None and counted.any():
            margin = best - scores[np.arange(len(scores)), np.where(counted, ids, 0)]
            badness = np.where(counted & (chosen != ids), margin, -np.inf)
            self._kept.offer(keys, badness, lambda row: _copied(batch.input(row), int(ids[row]), scores[row]))

    def _names(self) -> ClassNames:
        return ClassNames(self._scores.classes, self.options.class_names, self.options.most_classes)

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        tags = evaluation.evaluation_tags(tag, self._names())
        for name, kept in self._shown():
            tags[f"{tag}/{name}"] = "text" if isinstance(kept[0][1].content, str) else "image"
        return tags

    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records."""
        found = self._scores.result(self._num_thresholds)
        frames = [evaluation.encode_evaluation(tag, found, self._names(), step, now, without)]
        if found.assumed and not explained:
            frames.append(encode.encode_text(f"{tag}/scores", found.assumed, step, now))
        for name, kept in self._shown():
            if isinstance(kept[0][1].content, str):
                frames.append(encode.encode_text(f"{tag}/{name}", self._texts(kept), step, now))
            else:
                picture = png.encode_png(self._grid(kept))
                frames.append(encode.encode_image(f"{tag}/{name}", picture, step, now))
        return b"".join(frames)

    def _shown(self) -> list[tuple[str, list[tuple[int | str, _Kept]]]]:
        each = (("samples", self._kept.followed()), ("worst", self._kept.worst()))
        return [(name, kept) for name, kept in each if kept]

    def _grid(self, kept: list[tuple[int | str, _Kept]]) -> AnyArray:
        options = self.options
        samples = [one for _, one in kept]
        pixels = images.to_pixels_each(
            [one.content for one in samples],
            _axes(cast("AnyArray", samples[0].content)),
            mean=options.mean,
            std=options.std,
        )
        scores = np.stack([one.scores for one in samples])
        found = self._scores.probabilities(scores)
        captions = make_captions(
            len(samples),
            [one.label for one in samples],
            scores.argmax(axis=1) if found is None else found,
            options.class_names,
        )
        return captioned_grid(
            [images.resize(each, min(1.0, _LARGEST / max(each.shape[:2]))) for each in pixels], captions
        )

    def _texts(self, kept: list[tuple[int | str, _Kept]]) -> str:
        lines = ["\t".join(["sample", "label", "prediction", "probability", "text"])]
        for key, one in kept:
            found = self._scores.probabilities(one.scores[None])
            share = "" if found is None else percent(float(found.max()))
            names = [name_of(int(k), self.options.class_names) for k in (one.label, one.scores.argmax())]
            lines.append("\t".join([str(key), *names, share, " ".join(str(one.content).split())]))
        return "\n".join(lines)


def _axes(image: AnyArray) -> str:
    """The axes of an image: channels first, as Paddle has them, unless only the last can be theirs."""
    if image.ndim == 2:
        return "HW"
    return "HWC" if image.shape[0] not in (1, 3, 4) and image.shape[-1] in (1, 3, 4) else "CHW"


def _copied(content: ArrayLike | str, label: int, scores: AnyArray) -> _Kept:
    kept = content if isinstance(content, str) else to_array(content, copy=True)
    return _Kept(kept, label, scores.copy())
