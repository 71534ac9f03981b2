"""LeNet on MNIST digits, with every hook of the demo and with none."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._common import Goal, Table, fresh, median
from vizkit.demo.training import Digits, digits

__all__ = ["run"]

PAIRS = 14
EPOCHS = 2
BATCH = 64
MOST_SLOWER = 1.03
DEMO_EPOCHS = 5


@dataclass(frozen=True)
class _Fit:
    """Seconds that the parts of one training took."""

    begin: float
    first: float
    step: float
    usual: float
    evaluation: float
    end: float

    def whole(self, steps: int, epochs: int) -> float:
        """Seconds of a training of so many steps and epochs, from its parts."""
        return self.begin + self.first + self.step * (steps - 1) + self.evaluation * epochs + self.end


NAMES = {
    "step": "a step, mean of all but the first",
    "usual": "a step, median",
    "first": "the first step (first image, graph)",
    "evaluation": "an evaluation (scalars, curves, AP and AUC)",
    "begin": "before the first step (hparams, first weights)",
    "end": "after the last evaluation (last weights, saved model, close)",
}


def run(root: str) -> list[Table]:
    """Pairs of short trainings with the same seed, a fresh network each, in alternating order."""
    import paddle

    paddle.set_device("cpu")
    data = digits()
    for logdir in (fresh(root, "warm"), None):
        _fit(data, 0, logdir, epochs=1)
    pairs: list[tuple[_Fit, _Fit]] = []
    for pair in range(PAIRS):
        fits = {}
        for on in (True, False) if pair % 2 else (False, True):
            fits[on] = _fit(data, pair, fresh(root, "on") if on else None)
        pairs.append((fits[True], fits[False]))

    rows, ratios = [], {}
    for part, name in NAMES.items():
        ours, bare = ([getattr(fit, part) for fit in fits] for fits in zip(*pairs, strict=True))
        ratios[part], row = _row(name, ours, bare)
        rows.append(row)
    steps = DEMO_EPOCHS * -(-len(data[0]) // BATCH)
    ours, bare = ([fit.whole(steps, DEMO_EPOCHS) for fit in fits] for fits in zip(*pairs, strict=True))
    whole, row = _row(f"the demo's {steps} steps and {DEMO_EPOCHS} evaluations, from these", ours, bare)
    rows.append(row)
    note = (
        f"{PAIRS} pairs of trainings of {EPOCHS} epochs (batch {BATCH}, Adam, {len(data[0]):,} digits to "
        f"train and {len(data[1]):,} to evaluate), alternately first, after one pair that is not counted. A "
        "step goes from one batch's begin to the next one's, data loading included. Times are medians; "
        "differences and ratios are the medians over the pairs."
    )
    step = ratios["step"]
    measured = f"{step - 1:+.1%} ({rows[0][1]} against {rows[0][2]} ms); whole demo run {whole - 1:+.1%}"
    goals = [Goal("LeNet, every hook on, a step", "<= 3 % slower", measured, step <= MOST_SLOWER)]
    columns = ("", "with hooks, ms", "without, ms", "more, ms", "ratio", "its quartiles")
    return [Table("LeNet training, every hook of the demo on", columns, rows, [note], goals)]


def _row(name: str, ours: list[float], bare: list[float]) -> tuple[float, tuple[str, ...]]:
    """The median ratio, and the table's row."""
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    more = median([a - b for a, b in zip(ours, bare, strict=True)])
    low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    times = (f"{seconds * 1e3:.2f}" for seconds in (median(ours), median(bare), more))
    if median(bare) < 5e-3:  # a ratio to next to nothing says nothing
        return float(middle), (name, *times, "", "")
    return float(middle), (name, *times, f"{middle:.3f}", f"{low:.3f} to {high:.3f}")


def _fit(data: tuple[Digits, Digits], seed: int, logdir: str | None, epochs: int = EPOCHS) -> _Fit:
    """One training; it is recorded into ``logdir`` as the demo does, if there is one."""
    import paddle

    paddle.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  Paddle's sampler shuffles with it
    net = paddle.vision.models.LeNet()
    model = paddle.Model(net, [paddle.static.InputSpec([None, 1, 28, 28], "float32", "image")])
    adam = paddle.optimizer.Adam(1e-3, parameters=net.parameters())
    model.prepare(adam, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    train = paddle.io.DataLoader(data[0], batch_size=BATCH, shuffle=True)
    evaluate = paddle.io.DataLoader(data[1], batch_size=BATCH)
    clock = _clock()
    gc.collect()
    start = time.perf_counter()
    if logdir is None:
        model.fit(train, evaluate, epochs=epochs, verbose=0, callbacks=[clock])
    else:
        from vizkit import Tracker

        hparams = {"learning rate": 1e-3, "batch size": BATCH, "optimizer": "Adam"}
        metrics = ["train/loss", "train/acc", "eval/loss", "eval/acc"]
        with Tracker(logdir, hparams=hparams, metrics=metrics) as tracker:
            callbacks = [clock, tracker.callback(save_model=True)]
            model.fit(train, evaluate, epochs=epochs, verbose=0, callbacks=callbacks)
        if tracker.lost:
            raise RuntimeError(f"the hooks did not record everything: {tracker.lost}")
    end = time.perf_counter()
    first, *others = np.concatenate([np.diff(begins) for begins in clock.batches])
    evaluations = np.subtract(clock.epochs[1:], clock.evaluations)
    return _Fit(
        begin=clock.batches[0][0] - start,
        first=float(first),
        step=float(np.mean(others)),
        usual=float(np.median(others)),
        evaluation=float(evaluations.mean()),
        end=end - clock.epochs[-1],
    )


def _clock() -> Any:
    import paddle

    class Clock(paddle.callbacks.Callback):
        """Notes when things begin; it is asked before all other callbacks."""

        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[float] = []  # and the end of training
            self.batches: list[list[float]] = []
            self.evaluations: list[float] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epochs.append(time.perf_counter())
            self.batches.append([])

        def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
            self.batches[-1].append(time.perf_counter())

        def on_eval_begin(self, logs: Any = None) -> None:
            self.evaluations.append(time.perf_counter())

        def on_train_end(self, logs: Any = None) -> None:
            self.epochs.append(time.perf_counter())

    return Clock()
