"""PR and ROC curves of ten classes after an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from benchmarks._common import Goal, Table, fresh, interleaved, ms, ratio, three, timed

__all__ = ["run"]

SAMPLES, CLASSES = 10_000, 10
REPEATS = 9


def run(root: str) -> list[Table]:
    """One call of VizKit against twenty of VisualDL, at VizKit's and at VisualDL's number of thresholds."""
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, SAMPLES)
    logits = random.normal(0, 1, (SAMPLES, CLASSES)) + 2.0 * (labels[:, None] == np.arange(CLASSES))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = scores.astype(np.float32)
    cases: dict[str, Callable[[], float]] = {}
    for count in (127, 10):
        cases[f"vizkit `log_curves`, {count} thresholds"] = partial(_vizkit, root, labels, scores, count)
        cases[f"visualdl, ten `add_pr_curve` and `add_roc_curve`, {count}"] = partial(
            _visualdl, root, labels, scores, count
        )
    cases["vizkit `log_curves`, 127, the call alone"] = partial(_vizkit_call, root, labels, scores, 127)
    peer = "tensorboardX, ten `add_pr_curve` (no ROC), 127"
    cases[peer] = partial(_tensorboardx, root, labels, scores, 127)
    taken = interleaved(cases, REPEATS)
    ours, stock, ours_few, stock_few, *_ = taken.values()
    rows = [(name, *three(times, ours, ms)) for name, times in taken.items()]
    notes = [
        "The whole, close included, but for the call alone, after which a training goes on. VizKit also "
        "records AP and AUC of each class and their means, from all scores.",
        "VisualDL's functions need numpy's removed `np.float`, which is put back while they run. (Its ROC "
        "curves are wrong all the same.)",
    ]
    goals = [
        Goal(
            f"PR and ROC, 10,000 x 10, {count} thresholds",
            ">= 5x faster",
            f"{ratio(theirs, own):.1f}x",
            ratio(theirs, own) >= 5,
        )
        for count, own, theirs in ((127, ours, stock), (10, ours_few, stock_few))
    ]
    title = f"PR and ROC of {SAMPLES:,} samples x {CLASSES} classes"
    return [Table(title, ("", "ms, median", "min", "times vizkit at 127"), rows, notes, goals)]


def _vizkit(root: str, labels: np.ndarray, scores: np.ndarray, count: int) -> float:
    from vizkit import Tracker

    tracker = Tracker(fresh(root, "vizkit"), strict=True)

    def work() -> None:
        tracker.log_curves("eval", labels, scores, 0, num_thresholds=count)
        tracker.close()

    return timed(work)


def _vizkit_call(root: str, labels: np.ndarray, scores: np.ndarray, count: int) -> float:
    """The second evaluation of a run, without waiting for the worker."""
    from vizkit import Tracker

    tracker = Tracker(fresh(root, "vizkit"), strict=True)
    tracker.log_curves("eval", labels, scores, 0, num_thresholds=count)
    tracker.flush()
    seconds = timed(lambda: tracker.log_curves("eval", labels, scores, 1, num_thresholds=count))
    tracker.close()
    return seconds


def _visualdl(root: str, labels: np.ndarray, scores: np.ndarray, count: int) -> float:
    from visualdl import LogWriter

    writer = LogWriter(fresh(root, "visualdl"))

    def work() -> None:
        for number in range(CLASSES):
            truth, score = (labels == number).astype(np.int64), scores[:, number]
            writer.add_pr_curve(f"eval/pr/{number}", truth, score, 0, num_thresholds=count)
            writer.add_roc_curve(f"eval/roc/{number}", truth, score, 0, num_thresholds=count)
        writer.close()

    with _old_numpy():
        return timed(work)


def _tensorboardx(root: str, labels: np.ndarray, scores: np.ndarray, count: int) -> float:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(fresh(root, "tensorboardX"))

    def work() -> None:
        for number in range(CLASSES):
            truth = (labels == number).astype(np.int64)
            writer.add_pr_curve(f"eval/pr/{number}", truth, scores[:, number], 0, num_thresholds=count)
        writer.close()

    return timed(work)


@contextmanager
def _old_numpy() -> Iterator[Any]:
    np.float = float  # type: ignore[attr-defined]  # noqa: NPY001
    try:
        yield
    finally:
        del np.float  # noqa: NPY001
