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
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.tables import Texts
from vizkit.media import images, png
from vizkit.media.captions import captioned_grid, make_captions, name_of, percent
from vizkit.metrics.activation import Activation, activate
from vizkit.metrics.arrays import AnyArray, to_real
from vizkit.metrics.evaluation_scores import EvaluationScores
from vizkit.writing import evaluation
from vizkit.writing.evaluation import ClassNames
from vizkit.writing.table_columns import Given
from vizkit.writing.tasks.samples import KeptSamples, axes_of_image, content_of, numbers_text
from vizkit.writing.tasks.score_rows import ScoreRows, score_columns
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, TaskOptions

__all__ = ["ClassificationTask"]

_LARGEST = 160  # pixels of an image's longer side in a grid
_MOST_SIDES = 4_000_000  # scores that are kept of samples with several labels


@dataclass(frozen=True, eq=False)
class _Kept:
    """A sample with its label, and the scores of all classes."""

    content: AnyArray | str | None
    label: int
    scores: AnyArray


class ClassificationTask(EvaluationTask):
    """The labels and scores of an evaluation.

    Args:
        scores: gathers them; by default one of these options.
        num_thresholds: points on each curve.
    """

    name = "classification"

    def __init__(
        self, options: TaskOptions, scores: EvaluationScores | None = None, num_thresholds: int = 127
    ) -> None:
        super().__init__(options)
        self._scores = scores or EvaluationScores(
            activation=options.activation, limit=options.limit, ignore_index=options.ignore_index
        )
        self._num_thresholds = num_thresholds
        self._each = ScoreRows(self._rows, options.later)
        self._kept: KeptSamples[_Kept] = KeptSamples(options.samples, options.worst)

    @property
    def samples(self) -> int:
        """Number of samples, or of places in larger ones."""
        return self._scores.samples

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._scores.nbytes + self._rows.nbytes + self._each.nbytes

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch."""
        scores = to_real(cast("ArrayLike", batch.outputs), "outputs")
        labels = to_real(cast("ArrayLike", batch.labels), "labels")
        first = not self._scores.classes
        if _are_class_numbers(labels, scores):
            raise DataError(
                "outputs are class numbers: give the scores of the classes, of shape [n, classes], or record "
                "the numbers with tracker.log_confusion_matrix"
            )
        self._scores.add(labels, scores)
        if first:
            self._names()
        if self.options.activation == "softmax" and labels.ndim == 2 and labels.shape == scores.shape:
            labels = self._class_numbers(labels)
        if scores.ndim == 1:
            scores = scores[:, None]
        if scores.ndim != 2 or not len(scores):
            return  # each place is a sample
        if labels.size != len(scores) or scores.shape[1] < 2:
            self._add_sides(batch, labels.reshape(scores.shape), scores)
            return
        ids = labels.reshape(-1).astype(np.int32)
        keys = self._rows.next_ids(batch.ids, len(scores))
        counted = ids != self.options.ignore_index
        if self._rows.most:
            columns = {"id": keys, **self._rows.extras(batch, len(keys))}
            kept = scores if _is_fresh(scores, batch.outputs) else scores.copy()
            if not counted.all():
                columns = {name: column[counted] for name, column in columns.items()}
                self._each.add(ids[counted], kept[counted], columns)
            else:
                self._each.add(ids, kept, columns)
        if batch.inputs is not None and counted.any():
            chosen = scores.argmax(axis=1)
            wrong = counted & (chosen != ids)
            rows = np.arange(len(scores))
            margin = scores[rows, chosen] - scores[rows, np.where(counted, ids, 0)]
            self._rows.offer_images(batch, keys, wrong)
            badness = np.where(wrong, margin, -np.inf)
            self._kept.offer(
                keys, badness, lambda row: _Kept(content_of(batch, row), int(ids[row]), scores[row].copy())
            )

    def _class_numbers(self, one_hot: AnyArray) -> AnyArray:
        """The classes of labels (n, c): they are one-hot where a softmax makes the probabilities."""
        ids = one_hot.argmax(axis=1)
        ignored = self.options.ignore_index
        return ids if ignored is None else np.where((one_hot == ignored).any(axis=1), ignored, ids)

    def _add_sides(self, batch: LabelledBatch, labels: AnyArray, scores: AnyArray) -> None:
        """Add samples of a single class, or of several labels each: their scores are kept as they are."""
        keys = self._rows.next_ids(batch.ids, len(scores))
        if self._rows.most * scores.shape[1] > _MOST_SIDES:
            self._rows.most = max(1, _MOST_SIDES // scores.shape[1])
        ignored = (labels == self.options.ignore_index).any(axis=1)
        columns = {"id": keys, "label": labels == 1, "scores": scores.astype(np.float32)}
        columns |= self._rows.extras(batch, len(keys))
        self._rows.add({name: column[~ignored] for name, column in columns.items()})
        self._rows.offer_images(batch, keys)

    def table(self) -> dict[str, Given]:
        """The columns of the table of predictions."""
        self._each.reduce()
        columns, activation = self._rows.columns(), self._scores.activation
        if not columns:
            return {}
        if "scores" in columns:
            return self._rows.finished(self._sides(columns, activation))
        return self._rows.finished(score_columns(columns, activation, self.options.class_names))

    def _sides(self, columns: dict[str, AnyArray], activation: Activation | None) -> dict[str, Given]:
        scores, labels = columns.pop("scores"), columns.pop("label")
        found: dict[str, Given] = {"id": columns.pop("id")}
        names = self._names().shown
        if activation == "auto":  # it is not known what is predicted
            shares: AnyArray | None = None
        else:
            shares = activate(scores, activation)
        if scores.shape[1] == 1:
            sides = Texts(labels[:, 0].astype(np.int8), names, category=True)
            found["label"] = sides if self.options.class_names else labels[:, 0].astype(np.int8)
            if shares is not None:
                positive = shares[:, 0] >= 0.5
                codes = positive.astype(np.int8)
                found["prediction"] = Texts(codes, names, True) if self.options.class_names else codes
                found["score"] = np.where(positive, shares[:, 0], 1 - shares[:, 0]).astype(np.float32)
                found["label_score"] = np.where(labels[:, 0], shares[:, 0], 1 - shares[:, 0]).astype(
                    np.float32
                )
        else:
            found["label"] = [", ".join(names[k] for k in np.flatnonzero(row)) for row in labels]
            if shares is not None:
                found["prediction"] = [
                    ", ".join(names[k] for k in np.flatnonzero(row >= 0.5)) for row in shares
                ]
                found["wrong"] = ((shares >= 0.5) != labels).sum(axis=1)
        if shares is not None:
            with np.errstate(divide="ignore"):
                found["loss"] = -np.log(np.where(labels, shares, 1 - shares)).mean(axis=1).astype(np.float32)
        return found | columns

    def _names(self) -> ClassNames:
        return ClassNames(self._scores.classes, self.options.class_names, self.options.most_classes)

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        tags = evaluation.evaluation_tags(tag, self._names())
        for name, kept in self._shown():
            tags[f"{tag}/{name}"] = "image" if _are_images(kept) else "text"
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
            if _are_images(kept):
                picture = png.encode_png(self._grid(kept))
                frames.append(encode.encode_image(f"{tag}/{name}", picture, step, now))
            else:
                frames.append(encode.encode_text(f"{tag}/{name}", self._texts(kept), step, now))
        return b"".join(frames)

    def _shown(self) -> list[tuple[str, list[tuple[int | str, _Kept]]]]:
        each = (("samples", self._kept.followed()), ("worst", self._kept.worst()))
        return [(name, kept) for name, kept in each if kept]

    def _grid(self, kept: list[tuple[int | str, _Kept]]) -> AnyArray:
        options = self.options
        samples = [one for _, one in kept]
        contents = [cast("AnyArray", one.content) for one in samples]
        pixels = images.to_pixels_each(
            contents, axes_of_image(contents[0]), mean=options.mean, std=options.std
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
            content = numbers_text(one.content) if isinstance(one.content, np.ndarray) else one.content or ""
            lines.append("\t".join([str(key), *names, share, " ".join(content.split())]))
        return "\n".join(lines)


def _are_class_numbers(labels: AnyArray, scores: AnyArray) -> bool:
    """True of predicted classes (n,) or (n, 1) beside true ones; of two classes, 0 and 1 are scores too."""
    both = (labels, scores)
    flat = all(one.dtype.kind in "iu" and one.size == len(one) for one in both)
    return flat and any(one.max(initial=0) > 1 for one in both)


def _is_fresh(array: AnyArray, given: object) -> bool:
    """True if an array was made of what was given, and shares no memory with it."""
    return array is not given and type(given).__module__.startswith("paddle")


def _are_images(kept: list[tuple[int | str, _Kept]]) -> bool:
    """True if all samples are images of the same axes."""
    return len(
        {axes_of_image(c) if isinstance(c := one.content, np.ndarray) else "" for _, one in kept}
    ) == 1 and (isinstance(kept[0][1].content, np.ndarray))
