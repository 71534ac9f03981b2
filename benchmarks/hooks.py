"""Trainings with hooks and without, in processes that take turns, step by step."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._common import Goal, Table, fresh, median
from benchmarks._turns import Baton, Processes, Turn, paired, totals
from vizkit.demo.training import Digits, digits

if TYPE_CHECKING:
    import paddle

__all__ = ["BARE", "CLOCKS", "DEFAULTS", "MOST_SLOWER", "clocks", "hooks_of", "run", "seconds_of"]

MOST_SLOWER, MOST_IN_DEMO = 1.02, 1.03
LENET_STEPS, RESNET_STEPS = 124, 102  # of a training: weights and an image are recorded at the 101st
LENET_EPOCHS = 2  # of as many samples as the demo's, but for the last batch

BARE, AGAIN, DEFAULTS, SCALARS, VISUALDL = (
    "no hooks",
    "no hooks again",
    "vizkit, defaults",
    "vizkit, scalars alone",
    "paddle.callbacks.VisualDL",
)


@dataclass(frozen=True)
class _Case:
    """A network, its data, and how it is trained.

    Attributes:
        title: what it is.
        network: makes it.
        data: makes the sets to train and to evaluate.
        shape: of an image.
        batch: samples in a batch.
        epochs: of a training.
        trainings: in each way.
        ways: which are compared.
    """

    title: str
    network: Callable[[], paddle.nn.Layer]
    data: Callable[[], tuple[Digits, Digits]]
    shape: tuple[int, ...]
    batch: int
    epochs: int
    trainings: int
    ways: tuple[str, ...]


CLOCKS = {"wall": "wall", "alone": "alone", "cpu": "CPU time"}
PARTS = {
    "begin": "before the first step (weights)",
    "first": "the first step (image, graph, summary)",
    "evaluation": "an evaluation",
    "end": "after the last evaluation (weights, close)",
}


def run(root: str) -> list[Table]:
    """LeNet in five ways, ResNet18 in two."""
    lenet = _Case(
        "LeNet, batch 64 of 28x28",
        _lenet,
        _digits,
        (1, 28, 28),
        64,
        epochs=LENET_EPOCHS,
        trainings=20,
        ways=(BARE, AGAIN, DEFAULTS, SCALARS, VISUALDL),
    )
    resnet = _Case(
        "ResNet18, batch 32 of 64x64",
        _resnet,
        _noise,
        (3, 64, 64),
        32,
        epochs=1,
        trainings=1,
        ways=(BARE, DEFAULTS),
    )
    return [_compared(root, case) for case in (lenet, resnet)]


def _lenet() -> paddle.nn.Layer:
    import paddle

    return paddle.vision.models.LeNet()


def _resnet() -> paddle.nn.Layer:
    import paddle

    return paddle.vision.models.resnet18(num_classes=10)


@cache
def _digits() -> tuple[Digits, Digits]:
    train, rest = digits(64 * LENET_STEPS // LENET_EPOCHS)
    return train, Digits(rest.images[:1000], rest.labels[:1000])


@cache
def _noise() -> tuple[Digits, Digits]:
    rng = np.random.default_rng(0)
    images = rng.standard_normal((32 * RESNET_STEPS, 3, 64, 64), dtype="float32")
    data = Digits(images, rng.integers(0, 10, (len(images), 1)))
    return data, Digits(images[:64], data.labels[:64])


# -- what is compared -------------------------------------------------------------------------------


def _compared(root: str, case: _Case) -> Table:
    ways = case.ways
    turns: dict[str, list[list[Turn]]] = {way: [] for way in ways}
    within: dict[str, list[float]] = {way: [] for way in ways}
    with Processes(len(ways)) as processes:
        for number in range(case.trainings):
            moved = [ways[(place + number) % len(ways)] for place in range(len(ways))]  # to another process
            works = [partial(_train, case, number, way, fresh(root, way)) for way in moved]
            for way, taken, seconds in zip(moved, *processes.run(works), strict=True):
                turns[way].append(taken)
                within[way] += seconds
    return _table(case, turns, within)


def seconds_of(runs: list[list[Turn]], name: str, clock: str) -> NDArray[np.float64]:
    """Of all turns of a name, shape (trainings, turns)."""
    return np.array([[getattr(turn, clock) for turn in run if turn.name == name] for run in runs])


def _table(case: _Case, turns: dict[str, list[list[Turn]]], within: dict[str, list[float]]) -> Table:
    table = Table(f"{case.title}: a training in {len(turns)} ways", ("ms", *turns))

    def row(title: str, seconds: Iterable[float]) -> None:
        table.rows.append((title, *(f"{value * 1e3:.2f}" for value in seconds)))

    steps = {clock: {way: seconds_of(runs, "step", clock) for way, runs in turns.items()} for clock in CLOCKS}
    for clock, name in CLOCKS.items():
        row(f"a step, mean of all but the first, {name}", (each.mean() for each in steps[clock].values()))
    row("of it in the callbacks, mean", (float(np.mean(each)) for each in within.values()))
    row("of it in the callbacks, median", (median(each) for each in within.values()))
    for part, name in PARTS.items():
        row(f"{name}, median", (float(np.median(seconds_of(runs, part, "wall"))) for runs in turns.values()))
    for clock, name in CLOCKS.items():
        ways = steps[clock]
        for title, ratio in (("all steps", totals), ("a usual step", paired)):
            cells = (_ratio(ratio(ways[way], _base(ways, way))) for way in list(ways)[1:])
            table.rows.append((f"{title}, times {BARE}, {name}", "", *cells))
    trainings = "1 training" if case.trainings == 1 else f"{case.trainings} trainings of other seeds"
    table.notes += [
        f"{steps['wall'][BARE].size:,} steps in each way: {trainings}, evaluations: {case.epochs} in each. "
        "Each way trains in a process of its own. They take turns of one step, in random order, and all but "
        "one are stopped meanwhile, with all their threads. A step goes from one batch's begin to the next "
        "one's, with the loading of data and what other threads do in that time.",
        "'Alone' leaves out what the training's thread waited for a core that others had. Ratios of all "
        "steps are of the times in all; of a usual step, the medians of each step's own; to the mean of both "
        "ways without hooks, where there are two. In brackets 95 % intervals (bootstrap over trainings and "
        "their steps).",
    ]
    table.goals += _goals(case, steps, within)
    return table


def _base(ways: dict[str, NDArray[np.float64]], way: str) -> NDArray[np.float64]:
    """What a way is compared to: the steps without hooks, of both such ways where there are two."""
    return (ways[BARE] + ways[AGAIN]) / 2 if AGAIN in ways and way != AGAIN else ways[BARE]


def _goals(
    case: _Case, steps: dict[str, dict[str, NDArray[np.float64]]], within: dict[str, list[float]]
) -> list[Goal]:
    found = {clock: totals(of[DEFAULTS], _base(of, DEFAULTS)) for clock, of in steps.items()}
    measured = [
        f"{CLOCKS[clock]} {value - 1:+.1%} ({low - 1:+.1%} to {high - 1:+.1%})"
        for clock, (value, low, high) in found.items()
    ]
    name = f"{case.title}, hooks at their defaults, a step"
    goals = [Goal(name, "<= 2 % slower", ", ".join(measured), found["wall"][0] <= MOST_SLOWER)]
    if VISUALDL in within:
        demo = "every hook of the demo: those, and hyper-parameters and the model outside of the steps"
        goals.append(Goal(demo, "<= 3 % slower", measured[0], found["wall"][0] <= MOST_IN_DEMO))
        ours, theirs = median(within[SCALARS]), median(within[VISUALDL])
        goals.append(
            Goal(
                "the same scalars and more, in the callback a step, median",
                "faster than paddle.callbacks.VisualDL",
                f"{ours * 1e6:.0f} us against {theirs * 1e6:.0f} us",
                ours < theirs,
            )
        )
    return goals


def _ratio(found: tuple[float, float, float]) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*found)


# -- one training, in one of the processes ------------------------------------------------------------


def _train(case: _Case, seed: int, way: str, logdir: str, baton: Baton) -> list[float]:
    """Trains, recorded into ``logdir``, in turns.

    Returns:
        The seconds that the callbacks took of each step but the first.
    """
    import paddle

    paddle.set_device("cpu")
    paddle.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  Paddle's sampler shuffles with it
    network = case.network()
    model = paddle.Model(network, [paddle.static.InputSpec([None, *case.shape], "float32", "image")])
    adam = paddle.optimizer.Adam(1e-3, parameters=network.parameters())
    model.prepare(adam, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    train, evaluate = case.data()
    batches = paddle.io.DataLoader(train, batch_size=case.batch, shuffle=True)
    to_evaluate = paddle.io.DataLoader(evaluate, batch_size=case.batch)
    before, after = clocks(baton)
    gc.collect()
    baton.begin()
    hooks, close = hooks_of(way, logdir)
    model.fit(batches, to_evaluate, epochs=case.epochs, verbose=0, callbacks=[before, *hooks, after])
    close()
    baton.next("end")
    seconds = np.subtract(after.events, before.events).reshape(-1, 2)  # begin and end of a batch
    return [float(both) for both in seconds.sum(axis=1)[1:]]


def clocks(baton: Baton) -> tuple[Any, Any]:
    """One to be asked before all other callbacks, one after them; they end the turns."""
    import paddle

    class Clock(paddle.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.events: list[float] = []

        def on_train_batch_begin(self, step: int, logs: object = None) -> None:
            self.events.append(time.perf_counter())

        def on_train_batch_end(self, step: int, logs: object = None) -> None:
            self.events.append(time.perf_counter())

    class Before(Clock):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            if epoch:
                baton.next("evaluation")

        def on_train_batch_begin(self, step: int, logs: object = None) -> None:
            trained = len(self.events) // 2
            if trained < 2:
                baton.next("first" if trained else "begin")
            elif step:
                baton.next("step")
            super().on_train_batch_begin(step)

        def on_train_end(self, logs: object = None) -> None:
            baton.next("evaluation")

    class After(Clock):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            baton.next("step")

    return Before(), After()


def hooks_of(way: str, logdir: str) -> tuple[list[Any], Callable[[], object]]:
    """The callbacks of one way, and what ends them."""
    import paddle

    from vizkit import Tracker

    if way in (BARE, AGAIN, VISUALDL):  # Paddle's closes its log itself
        return [paddle.callbacks.VisualDL(logdir)] if way == VISUALDL else [], lambda: None
    tracker = Tracker(logdir, system=way == DEFAULTS)
    scalars = {"weights_every": None, "images_every": None, "curves": False, "graph": False}

    def close() -> None:
        tracker.close()
        if tracker.lost:
            raise RuntimeError(f"the hooks did not record everything: {tracker.lost}")

    return [tracker.callback(**(scalars if way == SCALARS else {}))], close
