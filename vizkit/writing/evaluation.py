"""Records of an evaluation of a classifier.

===================================  =======================================================
tag                                  record
===================================  =======================================================
``eval/pr/<class>``                  precision-recall curve of a class against the rest;
                                     ``eval/pr`` of a single class
``eval/roc/<class>``                 ROC curve, likewise
``eval/ap/<class>``                  average precision, from all scores
``eval/auc/<class>``                 area under the ROC curve, likewise
``eval/pr/micro``                    the same with all classes as one, each score a sample
``eval/roc/micro``                   likewise
``eval/ap/micro``                    likewise
``eval/auc/micro``                   likewise
``eval/ap``, ``eval/auc``            means over the classes with both kinds of samples
``eval/confusion``                   confusion matrix as an image; not for multi-label data
``eval/confusion/counts``            its numbers, as a text
``eval/reliability``                 reliability diagram, if the scores are probabilities
``eval/reliability/bins``            its numbers, as a text
``eval/ece``                         expected calibration error
``eval/classes``                     above ``most_classes``: a table of all classes, the worst
                                     first, instead of their curves
``eval/binning``                     above ``limit``: how far the areas may be off
``eval/scores``                      once a run: what the scores were taken for, if neither a
                                     loss nor an activation told
===================================  =======================================================

`vizkit.metrics.evaluation_scores` gathers the labels and scores and computes the results, and
`LogWriter.add_evaluation` writes them. `vizkit.writing.tasks` has the records of other tasks.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from vizkit._protocols import StepLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.tags import clean_tag
from vizkit.media import png
from vizkit.media.confusion_image import confusion_image
from vizkit.media.reliability_image import reliability_image
from vizkit.metrics.arrays import AnyArray
from vizkit.metrics.confusion import ConfusionMatrix
from vizkit.metrics.evaluation_scores import EvaluationResult
from vizkit.metrics.pr_roc import PRCurve, ROCCurve

__all__ = [
    "MAX_CURVE_CLASSES",
    "ClassNames",
    "encode_confusion",
    "encode_evaluation",
    "encode_pairs",
    "encode_scalars",
    "evaluation_tags",
]

MAX_CURVE_CLASSES = 20
"""The number of classes up to which each has its own curves."""


_MICRO = "micro"
_PARTS = {"pr": "pr_curve", "roc": "roc_curve", "ap": "scalar", "auc": "scalar"}


class ClassNames:
    """Names of the classes of an evaluation.

    Attributes:
        shown: names of all classes; for a single class, of its negative and positive side.
        parts: the ends of the tags of each class with its own curves; ``""`` for a single class.

    Args:
        classes: number of classes.
        names: of all classes; for a single class, of both sides or of the positive one. Numbers by default.
        most_classes: with more classes, none has its own curves.

    Raises:
        DataError: too few or too many names, or two equal ones.
    """

    def __init__(
        self, classes: int, names: Sequence[str] | None, most_classes: int = MAX_CURVE_CLASSES
    ) -> None:
        single = classes == 1
        shown = [str(k) for k in range(2 if single else classes)] if names is None else list(map(str, names))
        if single and len(shown) == 1:
            shown = [f"not {shown[0]}", *shown]
        parts = [clean_tag(name) for name in shown]
        if len(shown) != (2 if single else classes) or len(set(parts)) != len(parts) or _MICRO in parts:
            raise DataError(
                "{classes} classes need {classes} different names, none of them {micro!r}, got {names}",
                classes=classes,
                micro=_MICRO,
                names=names,
            )
        self.shown = shown
        self.parts = [""] if single else [f"/{part}" for part in parts] if classes <= most_classes else []
        self.classes = classes


def evaluation_tags(tag: str, names: ClassNames) -> dict[str, str]:
    """All tags that an evaluation may record -> their kinds."""
    ends = [*names.parts, *([f"/{_MICRO}"] if names.classes > 1 else [])]
    tags = {f"{tag}/{part}{end}": kind for end in ends for part, kind in _PARTS.items()}
    return {
        **tags,
        f"{tag}/ap": "scalar",
        f"{tag}/auc": "scalar",
        f"{tag}/classes": "text",
        f"{tag}/binning": "text",
        f"{tag}/scores": "text",
        f"{tag}/confusion": "image",
        f"{tag}/confusion/counts": "text",
        f"{tag}/reliability": "image",
        f"{tag}/reliability/bins": "text",
        f"{tag}/ece": "scalar",
    }


def encode_evaluation(
    tag: str,
    found: EvaluationResult,
    names: ClassNames,
    step: StepLike,
    now: int,
    without: Collection[str] = (),
    *,
    table: bool = True,
) -> bytes:
    """Encode the records of an evaluation, but for the scalars ``without``, and ``eval/scores``.

    Args:
        table: whether to write ``eval/classes`` where classes have no curves of their own.
    """
    frames: list[bytes] = []
    areas: dict[str, float] = {}
    pairs = [*zip(names.parts, found.curves, strict=False)]
    if found.micro is not None:
        pairs.append((f"/{_MICRO}", found.micro))
        areas[f"{tag}/ap"], areas[f"{tag}/auc"] = found.macro
    for end, (pr, roc) in pairs:
        areas[f"{tag}/ap{end}"], areas[f"{tag}/auc{end}"] = pr.ap, roc.auc
    tags = [(f"{tag}/pr{end}", f"{tag}/roc{end}") for end, _ in pairs]
    frames.append(encode_pairs(tags, [pair for _, pair in pairs], step, now))
    if found.reliability is not None:
        areas[f"{tag}/ece"] = found.reliability.ece
        image = png.encode_png(reliability_image(found.reliability), drawn=True)
        frames.append(encode.encode_image(f"{tag}/reliability", image, step, now))
        frames.append(encode.encode_text(f"{tag}/reliability/bins", found.reliability.as_text(), step, now))
    if found.confusion is not None:
        frames.append(encode_confusion(f"{tag}/confusion", found.confusion, names.shown, step, now))
    if table and not names.parts:
        frames.append(encode.encode_text(f"{tag}/classes", _class_table(found, names.shown), step, now))
    if found.bins:
        frames.append(encode.encode_text(f"{tag}/binning", _binning(found), step, now))
    kept = [(name, value) for name, value in areas.items() if name not in without]
    frames.append(encode_scalars(kept, step, now))
    return b"".join(frames)


def encode_pairs(
    tags: Iterable[tuple[str, str]], pairs: Sequence[tuple[PRCurve, ROCCurve]], step: StepLike, now: int
) -> bytes:
    """Encode the PR and ROC curve of each class, which share their counts."""
    frames = []
    counts = encode.encode_counts([pr for pr, _ in pairs]) if pairs else []
    for (pr_tag, roc_tag), (pr, roc), count in zip(tags, pairs, counts, strict=True):
        frames.append(encode.encode_pr_curve(pr_tag, pr, step, now, count))
        frames.append(encode.encode_roc_curve(roc_tag, roc, step, now, count))
    return b"".join(frames)


def encode_scalars(scalars: Iterable[tuple[str, float]], step: StepLike, now: int) -> bytes:
    """Encode several scalars of one step."""
    field, wall = encode.step_field(step), encode.walltime_field(now)
    return b"".join(encode.encode_scalar(encode.tag_field(tag), value, field, wall) for tag, value in scalars)


def encode_confusion(tag: str, counts: AnyArray, names: Sequence[str], step: StepLike, now: int) -> bytes:
    """Encode a confusion matrix as an image, and its numbers as the text ``<tag>/counts``."""
    image = encode.encode_image(tag, png.encode_png(confusion_image(counts, names), drawn=True), step, now)
    text = ConfusionMatrix(tuple(names), counts).as_text()
    return image if text is None else image + encode.encode_text(f"{tag}/counts", text, step, now)


def _class_table(found: EvaluationResult, names: Sequence[str]) -> str:
    """A table with a line for each class, the worst first."""
    head = ["class", "samples", "AP", "AUC"]
    confused = found.confusion
    if confused is not None:
        head += ["right", "mostly taken for"]
        others = confused.copy()
        np.fill_diagonal(others, 0)
    lines = []
    for k, (pr, roc) in enumerate(found.curves):
        samples = int(pr.tp[0] + pr.fn[0])
        cells = [_cell(names[k]), str(samples), f"{pr.ap:.4f}", f"{roc.auc:.4f}"]
        if confused is not None:
            other = int(others[k].argmax())
            cells.append(f"{confused[k, k] / samples:.4f}" if samples else "")
            cells.append(f"{_cell(names[other])} ({others[k, other]})" if others[k, other] else "")
        lines.append((pr.ap if samples else math.inf, "\t".join(cells)))
    lines.sort(key=lambda line: line[0])
    return "\n".join(["\t".join(head), *(line for _, line in lines)])


def _binning(found: EvaluationResult) -> str:
    (ap, auc), (macro_ap, macro_auc) = found.error, found.macro_error
    text = (
        f"The scores of {found.samples:,} samples were counted in {found.bins:,} bins a class. "
        f"AP is exact within {ap:.2g} and AUC within {auc:.2g} for every class"
    )
    if found.micro is None:
        return text + "."
    return text + f"; their means over the classes within {macro_ap:.2g} and {macro_auc:.2g}."


def _cell(name: str) -> str:
    return " ".join(name.split())
