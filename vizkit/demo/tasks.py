"""Small trainings, one of each task, on digits and on data that is made here.

``python -m vizkit.demo.tasks`` trains them all into ``log/tasks``; ``python -m vizkit.demo.tasks detection``
trains one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit._language import tr
from vizkit.data import as_dataset
from vizkit.demo.training import digits
from vizkit.tracking.tracker import Tracker

if TYPE_CHECKING:
    import paddle

__all__ = ["EXAMPLES", "Example", "MadeData", "callbacks_of", "example", "fit", "prepare"]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
SHAPES = ("square", "disc")
LETTERS = "abcdefgh"
_SIDE = 64  # pixels of an image of shapes
_CELL = 8  # pixels of a cell of the detector's grid
_STEPS, _FEATURES, _LONGEST = 48, 16, 8  # of a line of text: columns, pixels of a column, letters


@dataclass(frozen=True, eq=False)
class MadeData:
    """Arrays whose first axis is of samples; if Paddle is in use, a ``paddle.io.Dataset``."""

    parts: Sequence[NDArray[Any]]

    def __new__(cls, *parts: object, **named: object) -> MadeData:  # noqa: D102  as of any class
        return object.__new__(as_dataset(cls))

    def __reduce__(self) -> tuple[type[MadeData], tuple[object, ...]]:
        return MadeData, (self.parts,)

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, index: int) -> tuple[NDArray[Any], ...]:
        return tuple(part[index] for part in self.parts)


@dataclass(frozen=True, eq=False)
class Example:
    """A training of one task.

    Attributes:
        network: makes the network.
        loss: that of ``paddle.Model.prepare``.
        train: the samples to train on.
        evaluate: the samples to evaluate.
        batch: samples in a batch.
        rate: learning rate of Adam.
        options: of `Tracker.callback`: what the loss and the shapes do not tell.
    """

    network: Callable[[], paddle.nn.Layer]
    loss: Callable[..., paddle.Tensor]
    train: Any
    evaluate: Any
    batch: int = 32
    rate: float = 3e-3
    options: dict[str, Any] = field(default_factory=dict)


def example(name: str, samples: int = 512) -> Example:
    """Make an example of `EXAMPLES` with so many samples to train on, and a quarter of them to evaluate."""
    return EXAMPLES[name](samples, np.random.default_rng(0))


def prepare(one: Example, seed: int = 0) -> paddle.Model:
    """Make the model of an example; ``seed`` is that of the weights and of the order of the samples."""
    import paddle

    paddle.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  Paddle's sampler shuffles with it
    network = one.network()
    model = paddle.Model(network)
    model.prepare(paddle.optimizer.Adam(one.rate, parameters=network.parameters()), one.loss)
    return model


def fit(one: Example, model: paddle.Model, callbacks: Sequence[Any] = (), *, epochs: int = 2) -> None:
    """Train the model of an example."""
    import paddle

    model.fit(
        paddle.io.DataLoader(one.train, batch_size=one.batch, shuffle=True),
        paddle.io.DataLoader(one.evaluate, batch_size=one.batch),
        epochs=epochs,
        verbose=0,
        callbacks=list(callbacks),
    )


def callbacks_of(one: Example, model: paddle.Model, tracker: Tracker) -> list[Any]:
    """Record everything of a training: a watch of its network, and the callback to train with."""
    tracker.watch(model.network, optimizer=model._optimizer)
    return [tracker.callback(**one.options)]


# -- digits: a classification ----------------------------------------------------------------------------


def _digits(samples: int, rng: np.random.Generator) -> Example:
    import paddle

    train, rest = digits(samples)
    evaluate = MadeData((rest.images[: samples // 4], rest.labels[: samples // 4]))
    return Example(
        paddle.vision.models.LeNet, paddle.nn.CrossEntropyLoss(), train, evaluate, batch=64, rate=1e-3
    )


# -- shapes: a segmentation and a detection ----------------------------------------------------------------


def _shapes(count: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Images of shapes, the class of each pixel (0: background), and boxes (class, left, top, right, bottom).

    Boxes that are none are of class -1.
    """
    images = rng.normal(0, 0.2, (count, 3, _SIDE, _SIDE)).astype(np.float32)
    maps = np.zeros((count, _SIDE, _SIDE), np.int64)
    boxes = np.full((count, 3, 5), -1.0, np.float32)
    y, x = np.indices((_SIDE, _SIDE))
    for n in range(count):
        taken = np.zeros((_SIDE, _SIDE), bool)
        for k in range(rng.integers(1, 4)):
            kind, reach = int(rng.integers(2)), int(rng.integers(5, 11))
            at = rng.integers(reach, _SIDE - reach, 2)
            inside = np.maximum(abs(y - at[0]), abs(x - at[1])) <= reach
            if kind:
                inside &= np.hypot(y - at[0], x - at[1]) <= reach
            if (inside & taken).any():
                continue
            taken |= inside
            maps[n][inside] = kind + 1
            images[n][:, inside] += rng.uniform(0.5, 1.5, (3, 1))
            boxes[n, k] = kind, at[1] - reach, at[0] - reach, at[1] + reach + 1, at[0] + reach + 1
    return images, maps, boxes


def _segmentation(samples: int, rng: np.random.Generator) -> Example:
    from paddle import nn

    def network() -> paddle.nn.Layer:
        return nn.Sequential(
            *(nn.Conv2D(3, 16, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2D(16, 16, 3, padding=1), nn.ReLU()),
            *(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2D(16, 3, 3, padding=1)),
        )

    images, maps, _ = _shapes(samples + samples // 4, rng)
    loss = nn.CrossEntropyLoss(axis=1)
    names = ["ground", *SHAPES]
    return Example(network, loss, *_split(samples, images, maps), batch=8, options={"class_names": names})


def _detection(samples: int, rng: np.random.Generator) -> Example:
    from paddle import nn

    def network() -> paddle.nn.Layer:
        """Of each cell: a score of its being the middle of a shape, one of each class, and four sides."""
        return nn.Sequential(
            *(nn.Conv2D(3, 16, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2D(16, 32, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2D(32, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2D(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2D(64, 1 + len(SHAPES) + 4, 1)),
        )

    def loss(found: paddle.Tensor, boxes: paddle.Tensor, grid: paddle.Tensor) -> paddle.Tensor:
        middle, kinds = grid[:, 0], grid[:, 1].astype("int64")
        functional = nn.functional
        places = functional.binary_cross_entropy_with_logits(found[:, 0], middle)
        classes = functional.cross_entropy(found[:, 1:3], kinds.unsqueeze(1), axis=1, reduction="none")[:, 0]
        sides = functional.smooth_l1_loss(found[:, 3:], grid[:, 2:], reduction="none").sum(axis=1)
        return 4 * places + ((classes + sides) * middle).sum() / (middle.sum() + 1)

    images, _, boxes = _shapes(samples + samples // 4, rng)
    data = _split(samples, images, boxes, _grid(boxes))
    return Example(
        network, loss, *data, options={"task": "detection", "decode": _boxes, "class_names": list(SHAPES)}
    )


def _grid(boxes: NDArray[Any]) -> NDArray[np.float32]:
    """The outputs that the detector is to give: 1 for the middle of a shape, its class and sides."""
    cells = _SIDE // _CELL
    grid = np.zeros((len(boxes), 6, cells, cells), np.float32)
    for n, row in zip(*np.nonzero(boxes[:, :, 0] >= 0), strict=True):
        kind, *sides = boxes[n, row] / [1, _CELL, _CELL, _CELL, _CELL]
        x, y = int((sides[0] + sides[2]) / 2), int((sides[1] + sides[3]) / 2)
        grid[n, :, y, x] = 1, kind, x - sides[0], y - sides[1], sides[2] - x, sides[3] - y
    return grid


def _boxes(outputs: list[Any], labels: list[Any]) -> tuple[Any, Any]:
    """The boxes of each image: of the cells that are more of a middle than those around them."""
    import paddle

    found, true = outputs[0], labels[0].numpy()
    scores = paddle.nn.functional.sigmoid(found[:, :1])
    highest = paddle.nn.functional.max_pool2d(scores, 3, stride=1, padding=1)
    maps, scores, highest = found.numpy(), scores.numpy()[:, 0], highest.numpy()[:, 0]
    boxes = []
    for one, score, most in zip(maps, scores, highest, strict=True):
        y, x = np.nonzero((score == most) & (score > 0.05))
        left, top, right, bottom = one[3:, y, x]
        sides = [x - left, y - top, np.maximum(x + right, x - left), np.maximum(y + bottom, y - top)]
        boxes.append(np.stack([one[1:3, y, x].argmax(axis=0), score[y, x], *np.multiply(sides, _CELL)], 1))
    return [each[each[:, 0] >= 0] for each in true], boxes


# -- values: a regression with quantiles -------------------------------------------------------------------


def _regression(samples: int, rng: np.random.Generator) -> Example:
    import paddle
    from paddle import nn

    def network() -> paddle.nn.Layer:
        return nn.Sequential(
            *(nn.Linear(8, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, len(LEVELS)))
        )

    levels = np.array(LEVELS, np.float32)

    def pinball(found: paddle.Tensor, true: paddle.Tensor) -> paddle.Tensor:
        apart, level = true - found, paddle.to_tensor(levels)
        return paddle.maximum(level * apart, (level - 1) * apart).mean()

    x = rng.uniform(-1, 1, (samples + samples // 4, 8)).astype(np.float32)
    spread = 0.2 + 0.4 * np.abs(x[:, 1])  # unequal, for the quantiles to learn
    y = np.sin(3 * x[:, 0]) + x[:, 2] * x[:, 3] + spread * rng.normal(size=len(x))
    data = _split(samples, x, y[:, None].astype(np.float32))
    return Example(network, pinball, *data, batch=512, options={"quantiles": LEVELS})


# -- lines of text: a generation ---------------------------------------------------------------------------


def _text(samples: int, rng: np.random.Generator) -> Example:
    from paddle import nn

    class Reader(nn.Layer):
        """Scores (steps, n, letters and blank) of columns (n, features, steps), as ``CTCLoss`` takes them."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                *(nn.Conv1D(_FEATURES, 96, 5, padding=2), nn.ReLU()),
                *(nn.Conv1D(96, 96, 5, padding=2), nn.ReLU(), nn.Conv1D(96, len(LETTERS) + 1, 3, padding=1)),
            )

        def forward(self, columns: paddle.Tensor) -> paddle.Tensor:
            return self.layers(columns).transpose([2, 0, 1])

    count = samples + samples // 4
    looks = rng.normal(size=(len(LETTERS) + 1, _FEATURES))
    looks[0] = 0
    columns = rng.normal(0, 0.7, (count, _FEATURES, _STEPS)).astype(np.float32)
    ids = np.zeros((count, _LONGEST), np.int32)
    lengths = rng.integers(3, _LONGEST + 1, count)
    for n, length in enumerate(lengths.tolist()):
        ids[n, :length] = rng.integers(1, len(looks), length)
        start = 1
        for letter in ids[n, :length].tolist():
            wide = int(rng.integers(3, 5))
            columns[n, :, start : start + wide] += looks[letter][:, None].astype(np.float32)
            start += wide + 1
    data = _split(samples, columns, ids, np.full(count, _STEPS, np.int64), lengths.astype(np.int64))
    return Example(Reader, nn.CTCLoss(), *data, options={"class_names": ["", *LETTERS]})


def _split(samples: int, *parts: NDArray[Any]) -> tuple[MadeData, MadeData]:
    return MadeData([part[:samples] for part in parts]), MadeData([part[samples:] for part in parts])


EXAMPLES: dict[str, Callable[[int, np.random.Generator], Example]] = {
    "digits": _digits,
    "segmentation": _segmentation,
    "regression": _regression,
    "text": _text,
    "detection": _detection,
}
"""The examples by their names; each is made of a number of samples and a generator."""


def main() -> None:
    """Train examples and record them."""
    parser = argparse.ArgumentParser(
        prog="python -m vizkit.demo.tasks", description=tr("Train an example of each task and record it.")
    )
    parser.add_argument("names", nargs="*", choices=[*EXAMPLES, []], help=tr("which (all of them)"))
    parser.add_argument(
        "--logdir", type=Path, default=Path("log/tasks"), help=tr("where the runs go (log/tasks)")
    )
    parser.add_argument("--epochs", type=int, default=5, help=tr("epochs a run (5)"))
    given = parser.parse_args()
    for name in given.names or EXAMPLES:
        one = example(name)
        with Tracker(given.logdir / name, if_exists="replace") as tracker:
            model = prepare(one)
            fit(one, model, callbacks_of(one, model, tracker), epochs=given.epochs)


if __name__ == "__main__":
    main()
