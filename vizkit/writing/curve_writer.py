"""The verbs of `vizkit.LogWriter` for labels and scores: curves, confusion matrices, evaluations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, cast

import numpy as np

from vizkit._checks import text_of
from vizkit._protocols import ArrayLike, StepLike, WalltimeLike
from vizkit.errors import DataError, TagError
from vizkit.format import encode
from vizkit.format.tags import clean_tag
from vizkit.metrics import pr_roc
from vizkit.metrics.arrays import AnyArray
from vizkit.metrics.confusion import compute_confusion_matrix
from vizkit.metrics.evaluation_scores import EvaluationScores
from vizkit.writing import evaluation
from vizkit.writing.table_writer import TableWriter
from vizkit.writing.tasks.task import EvaluationTask, TaskOptions

__all__ = ["CurveWriter"]

_SMALL_CURVE = 1 << 18  # bytes: a smaller curve costs less than a millisecond


class CurveWriter(TableWriter):
    """The verbs of `vizkit.LogWriter` for labels and scores."""

    def add_pr_curve(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None,
        num_thresholds: int = 10,
        weights: ArrayLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a precision-recall curve.

        Args:
            tag: such as ``eval/pr/cat``.
            labels: (n,) 0 or 1.
            predictions: (n,) scores; if any lies outside [0, 1], the thresholds span their range.
            step, walltime: as in `add_scalar`.
            num_thresholds: number of evenly spaced thresholds.
            weights: (n,) weights of the samples, or one number.

        Raises:
            DataError: labels that are not binary, NaN scores, unequal lengths.
        """
        self._add_curve("pr_curve", tag, labels, predictions, step, num_thresholds, weights, walltime)

    def add_roc_curve(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None,
        num_thresholds: int = 10,
        weights: ArrayLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record an ROC curve; arguments as in `add_pr_curve`."""
        self._add_curve("roc_curve", tag, labels, predictions, step, num_thresholds, weights, walltime)

    def _add_curve(
        self,
        kind: str,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None,
        count: int,
        weights: ArrayLike | None,
        walltime: WalltimeLike | None,
    ) -> None:
        def build(arrays: Sequence[AnyArray], step: int | float, now: int) -> bytes:
            labels, predictions, *given = arrays
            weights = given[0] if given else None
            if kind == "pr_curve":
                pr = pr_roc.compute_pr_curve(labels, predictions, num_thresholds=count, weights=weights)
                return encode.encode_pr_curve(tag, pr, step, now)
            roc = pr_roc.compute_roc_curve(labels, predictions, num_thresholds=count, weights=weights)
            return encode.encode_roc_curve(tag, roc, step, now)

        tag = self._tags.tag_for(tag, kind)
        self._later(
            kind, tag, step, walltime, _given(labels, predictions, weights), build, small=_SMALL_CURVE
        )

    def add_class_curves(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None,
        num_thresholds: int = 127,
        weights: ArrayLike | None = None,
        walltime: WalltimeLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        activation: Literal["sigmoid", "softmax"] | None = None,
    ) -> None:
        """Record the PR and ROC curve of every class, with average precision (AP) and area (AUC) as scalars.

        With ``tag="eval"``, class ``cat`` gives the curves ``eval/pr/cat`` and ``eval/roc/cat`` and the
        scalars ``eval/ap/cat`` and ``eval/auc/cat``; their means over the classes with both kinds of
        samples are ``eval/ap`` and ``eval/auc``. For a single class, the curves are ``eval/pr`` and
        ``eval/roc``.

        Args:
            tag: the beginning of all tags.
            labels: (n,) class numbers, or (n, c) of 0 and 1.
            predictions: (n, c) scores, or (n,) for a single class.
            step, walltime: as in `add_scalar`.
            num_thresholds, weights: as in `add_pr_curve`.
            class_names: c names; numbers by default.
            activation: applied to ``predictions`` first, if these are logits.

        Raises:
            DataError: see `vizkit.metrics.pr_roc.compute_class_curves`; from large arrays it comes later,
                through ``on_error``.
        """
        shape = getattr(predictions, "shape", None) or np.shape(cast("Sequence[float]", predictions))
        count = shape[1] if len(shape) == 2 else 1
        names = [clean_tag(text_of(name)) for name in (range(count) if class_names is None else class_names)]
        if len(names) != count or len(set(names)) != count:
            raise DataError(
                "{count} classes need {count} different names, got {class_names}",
                count=count,
                class_names=class_names,
            )
        suffixes = [f"/{name}" for name in names] if count > 1 else [""]
        tags = [[f"{tag}/{part}{suffix}" for part in ("pr", "roc", "ap", "auc")] for suffix in suffixes]
        if count > 1:
            tags.append(["", "", f"{tag}/ap", f"{tag}/auc"])
        for row in tags:
            for name, kind in zip(row, ("pr_curve", "roc_curve", "scalar", "scalar"), strict=True):
                if name:
                    self._tags.check(name, kind)

        def build(arrays: Sequence[AnyArray], step: int | float, now: int) -> bytes:
            labels, predictions, *given = arrays
            weights = given[0] if given else None
            pairs = pr_roc.compute_class_curves(
                labels,
                predictions if np.ndim(predictions) == 2 else np.reshape(predictions, (-1, 1)),
                num_thresholds=num_thresholds,
                weights=weights,
                activation=activation,
            )
            frames = evaluation.encode_pairs([(row[0], row[1]) for row in tags[:count]], pairs, step, now)
            areas = [(pr.ap, roc.auc) for pr, roc in pairs]
            if count > 1:
                areas.append(pr_roc.mean_areas(pairs))
            scalars = [
                (name, value)
                for row, pair in zip(tags, areas, strict=True)
                for name, value in zip(row[2:], pair, strict=True)
            ]
            return frames + evaluation.encode_scalars(scalars, step, now)

        self._later(
            "pr_curve",
            tags[0][0],
            step,
            walltime,
            _given(labels, predictions, weights),
            build,
            small=_SMALL_CURVE,
            order="F",
        )

    def add_confusion_matrix(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None,
        walltime: WalltimeLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Record a confusion matrix as an image, and its numbers as the text ``<tag>/counts``.

        Args:
            tag: such as ``eval/confusion``.
            labels: (n,) true class numbers.
            predictions: (n,) predicted class numbers, or (n, c) scores.
            step, walltime: as in `add_scalar`.
            class_names: names in the order of the class numbers; numbers by default.

        Raises:
            DataError: labels or predictions that are not classes.
        """
        classes = None if class_names is None else len(class_names)
        counts = compute_confusion_matrix(labels, predictions, num_classes=classes)
        names = [text_of(name) for name in (range(len(counts)) if class_names is None else class_names)]
        self._tags.check(f"{tag}/counts", "text")

        def build(arrays: Sequence[AnyArray], step: int | float, now: int) -> bytes:
            return evaluation.encode_confusion(tag, arrays[0], names, step, now)

        self._later("image", tag, step, walltime, [counts], build)

    def add_evaluation(
        self,
        tag: str,
        scores: EvaluationScores,
        step: StepLike | None,
        walltime: WalltimeLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        most_classes: int = evaluation.MAX_CURVE_CLASSES,
        num_thresholds: int = 127,
        without: Collection[str] = (),
    ) -> None:
        """Record an evaluation: the records that `vizkit.writing.evaluation` lists.

        Args:
            tag: the beginning of all tags, such as ``eval``.
            scores: the labels and scores; nothing may be added to them afterwards.
            step, walltime: as in `add_scalar`.
            class_names: c names; numbers by default. For a single class also two: of 0 and of 1.
            most_classes: with more classes, a table of their areas replaces the curves of each.
            num_thresholds: number of thresholds.
            without: scalars to leave out.

        Raises:
            DataError: there are no samples, or the names do not fit the classes. Scores that do not fit
                their activation are reported through ``on_error``.
        """
        from vizkit.writing.tasks.classification_task import ClassificationTask

        options = TaskOptions(class_names=class_names, most_classes=most_classes)
        task = ClassificationTask(options, scores, num_thresholds)
        self.add_task(tag, task, step, walltime, without=without)

    def add_task(
        self,
        tag: str,
        task: EvaluationTask,
        step: StepLike | None,
        walltime: WalltimeLike | None = None,
        *,
        without: Collection[str] = (),
    ) -> None:
        """Record an evaluation of any task: the records that its module in `vizkit.writing.tasks` lists.

        Args:
            tag: the beginning of all tags, such as ``eval``.
            task: what was gathered; nothing may be added to it afterwards.
            step, walltime: as in `add_scalar`.
            without: scalars to leave out.

        Raises:
            DataError: there are no samples, or the names do not fit the classes. Scores that do not fit
                their activation are reported through ``on_error``.
        """
        if not task.samples:
            raise DataError("{tag}: no samples were added", tag=tag)
        explained = self.kind_of(f"{tag}/scores") is not None
        for name, kind in task.tags(tag).items():
            self._tags.check(name, kind)
        at, now = self._when(tag, step, walltime)

        def job() -> None:
            self._write(tag, task.encode(tag, at, now, without, explained=explained))

        self.defer(tag, job, task.nbytes)
        if task.options.predictions and self._write_to_disk:
            try:
                self._add_predictions(f"{tag}/predictions", task, at, now)
            except TagError as error:  # that tag is taken; the rest of the evaluation is not
                self._on_error(f"{tag}/predictions", error)

    def _add_predictions(self, tag: str, task: EvaluationTask, step: int | float, now: int) -> None:
        self._tags.check(tag, "text")
        self._tags.check(f"{tag}/images", "image")
        at, now = self._table_at(tag, step, now)

        def job() -> None:
            columns = task.table()
            if columns:
                self._write_table(tag, columns, task.about, at, now)

        self.defer(tag, job, 0)


def _given(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None) -> list[ArrayLike]:
    return [labels, predictions] if weights is None else [labels, predictions, weights]
