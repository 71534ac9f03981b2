"""PR and ROC curves of ten classes after an evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from benchmarks._apart import apart
from benchmarks._common import Goal, Table, fresh, interleaved, ms, ratio, three, timed

__all__ = ["run"]

SAMPLES, CLASSES = 10_000, 10
REPEATS = 9
LOOP = 20
EVALUATIONS, PACE = 5, 0.03


def run(root: str) -> list[Table]:
    """One call of VizKit against twenty of VisualDL, at VizKit's and at VisualDL's number of thresholds."""
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, SAMPLES)
    logits = random.normal(0, 1, (SAMPLES, CLASSES)) + 2.0 * (labels[:, None] == np.arange(CLASSES))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = scores.astype(np.float32)
    with apart(root, ["vizkit", "visualdl", "tensorboardX"]) as there:

        def case(name: str, work: Callable[..., float], *more: float) -> Callable[[], float]:
            return partial(there, name, work, root, labels, scores, *more)

        cases: dict[str, Callable[[], float]] = {}
        for count in (127, 10):
            ours = f"vizkit `add_class_curves`, {count} thresholds"
            cases[ours] = case("vizkit", _vizkit, count)
            theirs = f"visualdl, ten `add_pr_curve` and `add_roc_curve`, {count}"
            cases[theirs] = case("visualdl", _visualdl, count)
        for way, evaluations, pace in (
            (f"mean of {LOOP} in a loop", LOOP, 0.0),
            (f"mean of {EVALUATIONS} in a training", EVALUATIONS, PACE),
        ):
            cases[f"vizkit at 127, {way}"] = case("vizkit", _vizkit, 127, evaluations, pace)
            cases[f"visualdl at 127, {way}"] = case("visualdl", _visualdl, 127, evaluations, pace)
        peer = "tensorboardX, ten `add_pr_curve` (no ROC), 127"
        cases[peer] = case("tensorboardX", _tensorboardx, 127)
        taken = interleaved(cases, REPEATS)
    one, stock, few, stock_few, loop, stock_loop, paced, stock_paced, _ = taken.values()
    rows = [(name, *three(times, one, ms)) for name, times in taken.items()]
    notes = [
        "Each library in a process of its own. One evaluation and close, in a run just opened; and the time "
        f"on the calling thread, close included, of {LOOP} evaluations without a pause, and of {EVALUATIONS} "
        f"with {PACE * 1e3:.0f} ms of training between, divided by them. VizKit also records AP and AUC of "
        "each class and their means, from all scores.",
        "VisualDL's functions need numpy's removed `np.float`, which is put back while they run. (Its ROC "
        "curves are wrong all the same.)",
    ]
    goals = [
        Goal(
            f"PR and ROC, 10,000 x 10, {name}",
            ">= 5x faster",
            f"{ratio(theirs, own):.1f}x",
            ratio(theirs, own) >= 5,
        )
        for name, own, theirs in (
            ("one evaluation and close, 127 thresholds", one, stock),
            ("one evaluation and close, 10 thresholds", few, stock_few),
            (f"mean of {LOOP} in a loop, close included, 127 thresholds", loop, stock_loop),
            (f"mean of {EVALUATIONS} in a training, close included, 127 thresholds", paced, stock_paced),
        )
    ]
    title = f"PR and ROC of {SAMPLES:,} samples x {CLASSES} classes"
    return [Table(title, ("", "ms, median", "min", "times vizkit at 127"), rows, notes, goals)]


def _vizkit(
    root: str, labels: np.ndarray, scores: np.ndarray, count: int, evaluations: int = 1, pace: float = 0.0
) -> float:
    from vizkit import LogWriter

    writer = LogWriter(fresh(root, "vizkit"))
    writer.begin()

    def evaluate(step: int) -> None:
        writer.add_class_curves("eval", labels, scores, step, num_thresholds=count)

    return _each(evaluate, writer.close, evaluations, pace)


def _visualdl(
    root: str, labels: np.ndarray, scores: np.ndarray, count: int, evaluations: int = 1, pace: float = 0.0
) -> float:
    from visualdl import LogWriter

    writer = LogWriter(fresh(root, "visualdl"))

    def evaluate(step: int) -> None:
        for number in range(CLASSES):
            truth, score = (labels == number).astype(np.int64), scores[:, number]
            writer.add_pr_curve(f"eval/pr/{number}", truth, score, step, num_thresholds=count)
            writer.add_roc_curve(f"eval/roc/{number}", truth, score, step, num_thresholds=count)

    with _old_numpy():
        return _each(evaluate, writer.close, evaluations, pace)


def _each(
    evaluate: Callable[[int], None], close: Callable[[], object], evaluations: int, pace: float
) -> float:
    """Seconds on this thread for each evaluation, close included, training in between left out."""
    spent = 0.0
    for step in range(evaluations):
        if step and pace:
            time.sleep(pace)
        spent += timed(partial(evaluate, step))
    return (spent + timed(close)) / evaluations


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
