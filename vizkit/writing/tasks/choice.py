"""The task of an evaluation: told, or known from its first batch; never guessed from values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from vizkit._checks import one_of
from vizkit.metrics.arrays import dtype_of, shape_of
from vizkit.metrics.quantiles import checked_quantiles
from vizkit.writing.tasks.samples import check_samples
from vizkit.writing.tasks.task import TASKS, EvaluationTask, LossFacts, TaskName, TaskOptions

__all__ = ["are_references", "are_texts", "check_task", "known_task", "new_task"]


def check_task(task: TaskName | None, options: TaskOptions) -> None:
    """Check the options of an evaluation, before its first batch.

    Raises:
        DataError: a bad one.
    """
    one_of("task", task, (None, *TASKS))
    check_samples(options.samples, options.worst)
    if options.quantiles is not None:
        checked_quantiles(options.quantiles)
    new_task(task or "classification", options)


def new_task(task: TaskName, options: TaskOptions) -> EvaluationTask:
    """Begin an evaluation of a task."""
    return _class_of(task)(options)


def _class_of(task: TaskName) -> type[EvaluationTask]:
    """Import a task: a training has need of one, and most of none."""
    if task == "detection":
        from vizkit.writing.tasks.detection_task import DetectionTask

        return DetectionTask
    if task == "regression":
        from vizkit.writing.tasks.regression_task import RegressionTask

        return RegressionTask
    if task == "retrieval":
        from vizkit.writing.tasks.retrieval_task import RetrievalTask

        return RetrievalTask
    if task == "segmentation":
        from vizkit.writing.tasks.segmentation_task import SegmentationTask

        return SegmentationTask
    if task in ("generation", "labelling"):
        from vizkit.writing.tasks.text_tasks import GenerationTask, LabellingTask

        return GenerationTask if task == "generation" else LabellingTask
    from vizkit.writing.tasks.classification_task import ClassificationTask

    return ClassificationTask


def known_task(labels: object, outputs: object, facts: LossFacts) -> TaskName | None:
    """The task of labels and outputs that can be nothing else; None if they tell none."""
    if (are_texts(labels) or are_references(labels)) and are_texts(outputs):
        return "generation"
    if _are_dicts(labels) or (_are_dicts(outputs) and not hasattr(labels, "shape")):
        return "detection"
    if facts.task in ("generation", "detection"):
        return facts.task
    given, found = shape_of(labels), shape_of(outputs)
    if facts.task == "regression":
        fits = given == found or (sorted((given, found)) in ([found, [*found, 1]], [given, [*given, 1]]))
        return "regression" if fits and given and "float" in dtype_of(outputs) else None
    if len(found) in (4, 5) and "int" in dtype_of(labels) and "float" in dtype_of(outputs):
        count, *places = found
        classes = places.pop(0 if facts.class_axis == 1 else -1)
        single = facts.class_axis != 1 and [count, *places, 1]
        if given in ([count, *places], [count, 1, *places], single) and min(places[-2:]) > 1 and classes:
            return "segmentation"
    if _of_other_size(given, found, facts) and "int" in dtype_of(labels) and "float" in dtype_of(outputs):
        return "segmentation"  # which says so
    if len(found) == 3 and facts.class_axis == -1 and given in (found[:2], [*found[:2], 1]):
        return "labelling" if "int" in dtype_of(labels) and "float" in dtype_of(outputs) else None
    return None


def _of_other_size(labels: list[int], outputs: list[int], facts: LossFacts) -> bool:
    """True of maps of labels (n, h, w) or (n, 1, h, w) beside smaller ones of scores, of like proportions."""
    if len(outputs) != 4 or facts.class_axis != 1 or facts.task not in (None, "classes"):
        return False
    count, _, *small = outputs
    if min(small) < 2 or labels[:-2] not in ([count], [count, 1]):
        return False
    down, across = labels[-2] / small[0], labels[-1] / small[1]
    return min(down, across) > 1 and abs(down - across) <= 0.2 * max(down, across)


def _are_dicts(values: object) -> bool:
    several = isinstance(values, (list, tuple)) and bool(values)
    return isinstance(values, Mapping) or (several and isinstance(cast("list[object]", values)[0], Mapping))


def are_references(values: object) -> bool:
    """True of lists of texts, of which each would be right."""
    return (
        isinstance(values, (list, tuple))
        and bool(values)
        and all(isinstance(one, (list, tuple)) and one for one in values)
        and all(isinstance(text, str) for one in values for text in one)
    )


def are_texts(values: object) -> bool:
    """True if they are texts, or pairs of a text and its scores."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "UO":
        values = values.tolist()
    return (
        isinstance(values, (list, tuple))
        and bool(values)
        and all(
            isinstance(text, str)
            or (isinstance(text, (tuple, list)) and len(text) == 2 and isinstance(text[0], str))
            for text in values
        )
    )
