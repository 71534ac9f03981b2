"""Training steps until a good value is found: TPE with early ends against random search.

Five small tasks in Paddle. The value to be reached is the median, over the repetitions, of the best that
random search finds with 40 trials; then each search goes on until it has found as good a one.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

import vizkit
from benchmarks._common import Goal, Table, fresh, median, tell
from vizkit.sweeps import Dimension, integers, log, uniform
from vizkit.sweeps.space import Value

__all__ = ["run"]

QUICK = bool(os.environ.get("VIZKIT_BENCH_QUICK"))
REPEATS = 2 if QUICK else 10
TRIALS = 8 if QUICK else 40
EVALUATIONS, STEPS_BETWEEN = 10, 4
GOAL = 0.5
SPACE: dict[str, Dimension | list[Value]] = {
    "learning rate": log(1e-5, 1.0),
    "momentum": uniform(0.0, 0.99),
    "weight decay": log(1e-6, 1e-1),
    "batch size": [8, 16, 32, 64],
    "width": integers(2, 32, log=True),
}
RANDOM = "random"
METHODS: dict[str, dict[str, Any]] = {
    RANDOM: {"sampler": "random"},
    "TPE, median": {"sampler": "tpe", "pruner": "median"},
    "TPE, halving": {"sampler": "tpe", "pruner": "halving"},
}
OURS = "TPE, halving"
MOST = 2 * TRIALS * EVALUATIONS * STEPS_BETWEEN


@dataclass(frozen=True)
class Task:
    """A small task.

    Attributes:
        metric: the tag.
        data: inputs and targets, the first 300 to learn from.
        net: makes a network of some width.
        loss: of outputs and targets.
        score: the metric's value of outputs and targets as arrays.
    """

    metric: str
    data: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
    net: Callable[[int], Any]
    loss: Callable[[Any, Any], Any]
    score: Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any]], float]


def tasks() -> dict[str, Task]:
    """The five tasks, of 300 samples to learn from and as many to evaluate with, or 100 where it is noisy."""
    from paddle import nn

    from vizkit.demo.training import digits

    r = np.random.default_rng(0)
    pictures = digits()[0]
    small = pictures.images[:600, 0, ::2, ::2].reshape(600, -1)
    x = r.random((600, 10), dtype=np.float32)
    friedman = (
        10 * np.sin(math.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    )
    y = ((friedman - friedman.mean()) / friedman.std()).astype(np.float32)[:, None]
    words = r.integers(0, 60, (600, 12))
    mood = ((words < 12).sum(1) > (words >= 48).sum(1)).astype(np.int64)
    row, column = np.mgrid[:12, :12]
    centre, radius = r.uniform(3, 9, (600, 2)), r.uniform(2, 4, 600)
    mask = np.hypot(row - centre[:, :1, None], column - centre[:, 1:, None]) < radius[:, None, None]
    image = (mask + r.normal(0, 0.8, mask.shape)).astype(np.float32)[:, None]
    flipped = np.where(r.random(400) < 0.25, 1 - (x[:400, 0] > x[:400, 1]), x[:400, 0] > x[:400, 1])

    def dense(inputs: int, outputs: int) -> Callable[[int], Any]:
        return lambda width: nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))

    def text(width: int) -> Any:  # noqa: ANN401
        class Bag(nn.Layer):
            def __init__(self) -> None:
                super().__init__()
                self.words, self.out = nn.Embedding(60, width), nn.Linear(width, 2)

            def forward(self, x: Any) -> Any:  # noqa: ANN401
                return self.out(self.words(x).mean(1))

        return Bag()

    def pixels(width: int) -> Any:  # noqa: ANN401
        return nn.Sequential(nn.Conv2D(1, width, 3, padding=1), nn.ReLU(), nn.Conv2D(width, 1, 3, padding=1))

    entropy, squares, binary = nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCEWithLogitsLoss()

    def right(out: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
        return float((out.argmax(1) == target).mean())

    def iou(out: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
        found, true = out > 0, target > 0.5
        return float((found & true).sum() / max((found | true).sum(), 1))

    def error(out: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
        return float(((out - target) ** 2).mean())

    return {
        "digits": Task("eval/acc", (small, pictures.labels[:600, 0]), dense(196, 10), entropy, right),
        "regression": Task("eval/mse", (x, y), dense(10, 1), squares, error),
        "text": Task("eval/acc", (words, mood), text, entropy, right),
        "segmentation": Task("eval/iou", (image, mask.astype(np.float32)[:, None]), pixels, binary, iou),
        "noise": Task("eval/acc", (x[:400], flipped.astype(np.int64)), dense(10, 2), entropy, right),
    }


def run(root: str) -> list[Table]:
    """One row a task, one column a method."""
    os.environ["OMP_NUM_THREADS"] = "1"
    names = ["digits", "regression", "text", "segmentation", "noise"]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:  # steps are counted, not timed
        tasks = {pool.submit(_compare, root, name): name for name in names}
        rows, worst = {}, 0.0
        for task in as_completed(tasks):
            target, steps = task.result()
            medians = {method: median(taken) for method, taken in steps.items()}
            shares = {method: taken / medians[RANDOM] for method, taken in medians.items()}
            worst = max(worst, shares[OURS])
            found = [f"{medians[m]:,.0f} ({shares[m]:.2f})" for m in METHODS]
            rows[tasks[task]] = [tasks[task], f"{target:.3f}", *found]
            tell(f"{len(rows)} of {len(names)} tasks: {' · '.join(rows[tasks[task]])}")
    goal = Goal(
        f"five tasks: best value reached with {OURS}",
        "at most half of random search's training steps to the same value",
        f"{worst:.2f} of them at most",
        worst <= GOAL,
    )
    note = (
        "Training steps until the value is reached, and their share of random search's: medians over "
        f"{REPEATS} repetitions. A trial has {EVALUATIONS * STEPS_BETWEEN} steps and is evaluated every "
        f"{STEPS_BETWEEN}. The value is the median of the best of random search after {TRIALS} trials; a "
        f"search that has not reached it after {MOST:,} steps is counted with those."
    )
    return [Table("Search", ("task", "value", *METHODS), [rows[name] for name in names], [note], [goal])]


def _compare(root: str, name: str) -> tuple[float, dict[str, list[int]]]:
    """The value to be reached, and the steps that each repetition of each method takes to it."""
    task = tasks()[name]
    sign = -1 if task.metric == "eval/mse" else 1
    with _quiet():
        first = [Study(root, task, METHODS[RANDOM], seed) for seed in range(REPEATS)]
        for study in first:
            study.search(math.inf, TRIALS)
        target = median([max(sign * value for _, value in study.seen) for study in first])
        steps = {RANDOM: [study.steps_to(target) for study in first]}
        for method in list(METHODS)[1:]:
            studies = (Study(root, task, METHODS[method], seed) for seed in range(REPEATS))
            steps[method] = [study.steps_to(target) for study in studies]
    return sign * target, steps


class _Enough(BaseException):
    """The value is reached."""


class Study:
    """A sweep whose steps are counted.

    Attributes:
        seen: steps made so far, and the value, at each evaluation.
    """

    def __init__(self, root: str, task: Task, options: dict[str, Any], seed: int) -> None:
        self._task, self._options, self._seed = task, options, seed
        self._logdir = fresh(root, "search")
        self._sign = -1 if task.metric == "eval/mse" else 1
        self.seen: list[tuple[int, float]] = []

    def steps_to(self, target: float) -> int:
        """Search until a value is reached, and return the steps that it took."""
        steps = [n for n, value in self.seen if self._sign * value >= target]
        if not steps:
            with suppress(_Enough):
                self.search(target, 10_000)
            steps = [self.seen[-1][0]]
        return steps[0]

    def search(self, target: float, trials: int) -> None:
        """Search with so many trials in all.

        Raises:
            _Enough: the value is reached, or too many steps are made.
        """
        import paddle

        task = self._task
        steps = self.seen[-1][0] if self.seen else 0
        inputs, targets = (paddle.to_tensor(part) for part in task.data)

        def train(hparams: dict[str, Any], tracker: vizkit.Tracker) -> None:
            nonlocal steps
            net = task.net(hparams["width"])
            optimizer = paddle.optimizer.Momentum(
                hparams["learning rate"],
                hparams["momentum"],
                parameters=net.parameters(),
                weight_decay=hparams["weight decay"],
            )
            r = np.random.default_rng(hparams["seed"])
            for evaluation in range(EVALUATIONS):
                for _ in range(STEPS_BETWEEN):
                    which = paddle.to_tensor(r.integers(0, 300, hparams["batch size"]))
                    task.loss(net(inputs[which]), targets[which]).backward()
                    optimizer.step()
                    optimizer.clear_grad()
                    steps += 1
                with paddle.no_grad():
                    value = task.score(net(inputs[300:]).numpy(), targets[300:].numpy())
                if math.isfinite(value):
                    self.seen.append((steps, value))
                    if self._sign * value >= target or steps >= MOST:
                        raise _Enough
                tracker.log({task.metric: value}, step=evaluation)

        vizkit.sweep(
            train,
            SPACE,
            logdir=self._logdir,
            metric=task.metric,
            trials=trials,
            seed=self._seed,
            quiet=True,
            **self._options,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Failed trials (a loss that is not finite) are not told of."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
