"""Trainings with hooks and without, in turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks._common import Goal, Table, fresh, interleaved, median
from vizkit.demo.training import Digits, digits

__all__ = ["run"]

MOST_SLOWER = 1.02
LENET_ROUNDS = 10
RESNET_ROUNDS = 2
RESNET_STEPS = 102  # weights and an image are recorded at the 101st

BARE, DEFAULTS, SCALARS, VISUALDL = (
    "no hooks",
    "vizkit, defaults",
    "vizkit, scalars alone",
    "paddle.callbacks.VisualDL",
)


@dataclass(frozen=True)
class _Case:
    """A network and its data."""

    title: str
    network: Callable[[], Any]
    shape: tuple[int, ...]
    batch: int
    train: Any
    evaluate: Any
    epochs: int


@dataclass(frozen=True)
class _Fit:
    """Seconds that the parts of one training took."""

    begin: float
    first: float
    step: float
    usual: float
    within: float
    usually_within: float
    evaluation: float
    end: float


PARTS = {
    "step": "a step, mean of all but the first",
    "usual": "a step, median",
    "within": "of it in the callbacks, mean",
    "usually_within": "of it in the callbacks, median",
    "first": "the first step (image, graph, summary)",
    "evaluation": "an evaluation",
    "begin": "before the first step (weights)",
    "end": "after the last evaluation (weights, close)",
}


def run(root: str) -> list[Table]:
    """LeNet in four ways, ResNet18 in two."""
    import paddle

    paddle.set_device("cpu")
    vision = paddle.vision.models
    lenet = _Case("LeNet, batch 64 of 28x28", vision.LeNet, (1, 28, 28), 64, *digits(), epochs=2)
    resnet = _Case(
        "ResNet18, batch 32 of 64x64",
        partial(vision.resnet18, num_classes=10),
        (3, 64, 64),
        32,
        _noise(32 * RESNET_STEPS),
        _noise(64),
        epochs=1,
    )
    return [
        _compared(root, lenet, (BARE, DEFAULTS, SCALARS, VISUALDL), LENET_ROUNDS),
        _compared(root, resnet, (BARE, DEFAULTS), RESNET_ROUNDS),
    ]


def _noise(count: int) -> Digits:
    rng = np.random.default_rng(0)
    images = rng.standard_normal((count, 3, 64, 64), dtype="float32")
    return Digits(images, rng.integers(0, 10, (count, 1)))


# -- time -------------------------------------------------------------------------------------------


def _compared(root: str, case: _Case, ways: tuple[str, ...], rounds: int) -> Table:
    fits: dict[str, list[_Fit]] = {way: [] for way in ways}

    def fit(way: str) -> float:
        fits[way].append(_fit(case, len(fits[way]), way, fresh(root, way)))
        return fits[way][-1].step

    interleaved({way: partial(fit, way) for way in ways}, rounds)
    fits = {way: taken[1:] for way, taken in fits.items()}  # the first was to warm up
    steps = {way: [fit.step for fit in taken] for way, taken in fits.items()}

    columns = ("ms, medians", *ways)
    table = Table(f"{case.title}: a training in {len(ways)} ways", columns)
    for part, name in PARTS.items():
        times = [median([getattr(fit, part) for fit in fits[way]]) for way in ways]
        table.rows.append((name, *(f"{seconds * 1e3:.2f}" for seconds in times)))
    cells = ["{1:.3f} ({0:.3f} to {2:.3f})".format(*_ratios(steps[way], steps[BARE])) for way in ways[1:]]
    table.rows.append((f"a step, ratio to {BARE} (quartiles)", "", *cells))
    table.notes.append(
        f"{rounds} rounds of trainings of {case.epochs} epochs (Adam, {len(case.train):,} samples to train "
        f"and {len(case.evaluate):,} to evaluate), one in each way in turn, with the same seed, after a "
        "round that is not counted. A step goes from one batch's begin to the next one's, data loading "
        "included. Ratios are medians over the rounds."
    )
    _, ratio, _ = _ratios(steps[DEFAULTS], steps[BARE])
    within = median([fit.within / fit.step for fit in fits[DEFAULTS]])
    table.goals.append(
        Goal(
            f"{case.title}, hooks at their defaults, a step",
            "<= 2 % slower",
            f"{ratio - 1:+.1%}; {within:.1%} of it within the callback",
            ratio <= MOST_SLOWER,
        )
    )
    if VISUALDL in ways:
        ours, theirs = (median([fit.usually_within for fit in fits[way]]) for way in (SCALARS, VISUALDL))
        table.goals.append(
            Goal(
                "the same scalars and more, in the callback a step, median",
                "faster than paddle.callbacks.VisualDL",
                f"{ours * 1e6:.0f} us against {theirs * 1e6:.0f} us",
                ours < theirs,
            )
        )
    return table


def _ratios(ours: list[float], bare: list[float]) -> tuple[float, float, float]:
    """The quartiles of the rounds' ratios."""
    low, middle, high = np.quantile(np.divide(ours, bare), (0.25, 0.5, 0.75))
    return float(low), float(middle), float(high)


def _fit(case: _Case, seed: int, way: str, logdir: str) -> _Fit:
    """One training, recorded into ``logdir``."""
    import paddle

    paddle.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  Paddle's sampler shuffles with it
    network = case.network()
    model = paddle.Model(network, [paddle.static.InputSpec([None, *case.shape], "float32", "image")])
    adam = paddle.optimizer.Adam(1e-3, parameters=network.parameters())
    model.prepare(adam, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    train = paddle.io.DataLoader(case.train, batch_size=case.batch, shuffle=True)
    evaluate = paddle.io.DataLoader(case.evaluate, batch_size=case.batch)
    clock, after = _clocks()
    gc.collect()
    start = time.perf_counter()
    hooks, close = hooks_of(way, logdir)
    model.fit(train, evaluate, epochs=case.epochs, verbose=0, callbacks=[clock, *hooks, after])
    close()
    end = time.perf_counter()
    within = np.subtract(after.events, clock.events)[2:].reshape(-1, 2)  # begin and end of a batch
    first, *others = np.concatenate([np.diff(begins) for begins in clock.batches])
    evaluations = np.subtract(clock.epochs[1:], clock.evaluations)
    return _Fit(
        begin=clock.batches[0][0] - start,
        first=float(first),
        step=float(np.mean(others)),
        usual=float(np.median(others)),
        within=float(within.mean(axis=0).sum()),
        usually_within=float(np.median(within, axis=0).sum()),
        evaluation=float(evaluations.mean()),
        end=end - clock.epochs[-1],
    )


def hooks_of(way: str, logdir: str) -> tuple[list[Any], Callable[[], object]]:
    """The callbacks of one way, and what ends them."""
    import paddle

    from vizkit import Tracker

    if way in (BARE, VISUALDL):  # Paddle's closes its log itself
        return [] if way == BARE else [paddle.callbacks.VisualDL(logdir)], lambda: None
    tracker = Tracker(logdir, system=way == DEFAULTS)
    scalars = {"weights_every": None, "images_every": None, "curves": False, "graph": False}

    def close() -> None:
        tracker.close()
        if tracker.lost:
            raise RuntimeError(f"the hooks did not record everything: {tracker.lost}")

    return [tracker.callback(**(scalars if way == SCALARS else {}))], close


def _clocks() -> tuple[Any, Any]:
    """One to be asked before all other callbacks, one after them."""
    import paddle

    class Clock(paddle.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[float] = []  # and the end of training
            self.batches: list[list[float]] = []
            self.evaluations: list[float] = []
            self.events: list[float] = []  # begins and ends of batches

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epochs.append(time.perf_counter())
            self.batches.append([])

        def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
            now = time.perf_counter()
            self.batches[-1].append(now)
            self.events.append(now)

        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            self.events.append(time.perf_counter())

        def on_eval_begin(self, logs: Any = None) -> None:
            self.evaluations.append(time.perf_counter())

        def on_train_end(self, logs: Any = None) -> None:
            self.epochs.append(time.perf_counter())

    return Clock(), Clock()
