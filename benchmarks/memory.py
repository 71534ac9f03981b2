"""The memory of a long training, with hooks and without."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks._common import Goal, Table, fresh
from benchmarks.hooks import BARE, DEFAULTS, hooks_of

__all__ = ["run"]

MEMORY_STEPS = 20_000
MEMORY_POINTS = 20
MOST_GROWTH = 5.0  # MB over all steps, beside a training without hooks


class _Batches:
    """The same small batch, so many times."""

    def __init__(self, count: int) -> None:
        import paddle

        self._count = count
        self._batch = [paddle.rand([4, 8]), paddle.to_tensor([[0], [1], [0], [1]])]

    def __iter__(self) -> Iterator[Any]:
        return iter([self._batch] * self._count)

    def __len__(self) -> int:
        return self._count


def run(root: str) -> list[Table]:
    """The growth over 20,000 steps of a tiny network."""
    import paddle

    paddle.set_device("cpu")
    names = (BARE, DEFAULTS)
    sizes = {way: _sizes(fresh(root, way), way) for way in names}
    grown = {way: _slope(taken) * MEMORY_STEPS for way, taken in sizes.items()}
    table = Table("Memory of a long training", ("steps", *(f"{way}, MB" for way in names)))
    for point in range(MEMORY_POINTS):
        cells = [f"{sizes[way][point]:.1f}" for way in names]
        table.rows.append((f"{(point + 1) * MEMORY_STEPS // MEMORY_POINTS:,}", *cells))
    table.rows.append(
        (f"growth over {MEMORY_STEPS:,}, by a line through the later three quarters",
         *(f"{grown[way]:+.2f}" for way in names))
    )  # fmt: skip
    table.notes.append(
        "The process's resident memory while a network of two layers is trained, an evaluation every tenth "
        "of it, first without hooks and then with them."
    )
    more = grown[DEFAULTS] - max(grown[BARE], 0.0)
    table.goals.append(
        Goal(
            f"memory over {MEMORY_STEPS:,} steps, hooks at their defaults",
            "flat: less than 5 MB more than without",
            f"{grown[DEFAULTS]:+.2f} MB ({grown[BARE]:+.2f} MB without)",
            more < MOST_GROWTH,
        )
    )
    return [table]


def _slope(sizes: list[float]) -> float:
    """MB a step."""
    later = sizes[len(sizes) // 4 :]
    steps = np.arange(len(later)) * (MEMORY_STEPS / len(sizes))
    return float(np.polyfit(steps, later, 1)[0])


def _sizes(logdir: str, way: str) -> list[float]:
    """MB of resident memory at even distances."""
    import paddle
    import psutil

    process, sizes, every = psutil.Process(os.getpid()), [], MEMORY_STEPS // MEMORY_POINTS

    class Watch(paddle.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def on_train_batch_end(self, step: int, logs: object = None) -> None:
            self.count += 1
            if self.count % every == 0:
                gc.collect()
                sizes.append(process.memory_info().rss / 1e6)

    network = paddle.nn.Sequential(paddle.nn.Linear(8, 8), paddle.nn.ReLU(), paddle.nn.Linear(8, 2))
    model = paddle.Model(network)
    adam = paddle.optimizer.Adam(1e-3, parameters=network.parameters())
    model.prepare(adam, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    hooks, close = hooks_of(way, logdir)
    train, evaluate = _Batches(MEMORY_STEPS // 10), _Batches(10)
    model.fit(train, evaluate, epochs=10, verbose=0, callbacks=[*hooks, Watch()])
    close()
    return sizes
