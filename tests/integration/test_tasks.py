"""Tasks that `Model.fit` knows by the loss: what it records of them, and that it changes nothing."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag, series
from vizkit import Tracker
from vizkit.hooks import facts_of_loss
from vizkit.writing.tasks.task import LossFacts

nn, F = paddle.nn, paddle.nn.functional


class Shapes(paddle.io.Dataset):
    """Images with a square and a disc, and the class of each pixel; the frame does not count."""

    def __init__(self, count: int, size: int = 24) -> None:
        rng = np.random.default_rng(0)
        places = np.indices((size, size))
        self.samples = []
        for _ in range(count):
            label = np.zeros((size, size), np.int64)
            y, x = rng.integers(5, size - 5, 2)
            label[max(y - 4, 0) : y + 4, max(x - 4, 0) : x + 4] = 1
            y, x = rng.integers(5, size - 5, 2)
            label[np.hypot(places[0] - y, places[1] - x) < 4] = 2
            image = np.stack([label == 1, label == 2, label == 0]).astype("float32")
            image += rng.normal(0, 0.3, image.shape).astype("float32")
            label[0] = 255
            self.samples.append((image, label))

    def __getitem__(self, place: int) -> Any:
        return self.samples[place]

    def __len__(self) -> int:
        return len(self.samples)


def trained(network: Any, loss: Any, data: Any, callbacks: Any = None, rate: float = 0.05) -> list[Any]:
    """The weights after a short training."""
    paddle.seed(1)
    np.random.seed(1)  # noqa: NPY002  (Paddle's sampler)
    model = paddle.Model(network())
    model.prepare(paddle.optimizer.Adam(rate, parameters=model.parameters()), loss)
    model.fit(data, data, epochs=2, batch_size=5, verbose=0, callbacks=callbacks)
    return [parameter.numpy() for parameter in model.network.parameters()]


def convolutions() -> Any:
    return nn.Sequential(nn.Conv2D(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2D(8, 3, 1))


def last(run: Path, tag: str) -> Any:
    return series(run, tag)[-1][1]


def test_a_segmentation_network_needs_no_option(tmp_path: Path) -> None:
    data, loss = Shapes(12), nn.CrossEntropyLoss(axis=1, ignore_index=255)
    tracker = Tracker(tmp_path, strict=True)
    having = trained(convolutions, loss, data, tracker.callback())
    tracker.close()
    without = trained(convolutions, loss, data)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    assert last(tmp_path, "eval/miou") > 0.8
    tags = by_tag(tmp_path)
    assert {"eval/samples", "eval/worst", "eval/pr/2", "eval/iou/1", "eval/classes"} <= set(tags)
    assert len(tags["eval/miou"]) == 2 and "eval/scores" not in tags


def test_classes_last(tmp_path: Path) -> None:
    def network() -> Any:
        class Last(paddle.nn.Layer):
            def __init__(self) -> None:
                super().__init__()
                self.inner = convolutions()

            def forward(self, x: Any) -> Any:
                return self.inner(x).transpose([0, 2, 3, 1])

        return Last()

    tracker = Tracker(tmp_path, strict=True)
    trained(network, nn.CrossEntropyLoss(ignore_index=255), Shapes(12), tracker.callback(samples=[11, 3]))
    tracker.close()
    assert last(tmp_path, "eval/miou") > 0.8 and "eval/pr/2" in by_tag(tmp_path)


def as_paddleseg(name: str, **attributes: Any) -> Any:
    layer = type(name, (nn.Layer,), {"__module__": "paddleseg.models.losses.some"})()
    for key, value in attributes.items():
        setattr(layer, key, value)
    return layer


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (nn.CrossEntropyLoss(), LossFacts("softmax", "classes", -100, -1)),
        (nn.CrossEntropyLoss(axis=1, ignore_index=7), LossFacts("softmax", "classes", 7, 1)),
        (nn.CrossEntropyLoss(use_softmax=False), LossFacts(None, "classes", -100, -1)),
        (functools.partial(F.cross_entropy, ignore_index=2), LossFacts("softmax", "classes", 2, -1)),
        (nn.NLLLoss(ignore_index=3), LossFacts("softmax", "classes", 3)),
        (nn.BCELoss(), LossFacts(None, "classes")),
        (nn.BCEWithLogitsLoss(), LossFacts("sigmoid", "classes")),
        (nn.MSELoss(), LossFacts(task="regression")),
        (nn.L1Loss(), LossFacts(task="regression")),
        (nn.SmoothL1Loss(), LossFacts(task="regression")),
        (F.mse_loss, LossFacts(task="regression")),
        ([nn.L1Loss(), nn.CrossEntropyLoss()], LossFacts(task="regression")),
        (as_paddleseg("OhemCrossEntropyLoss", ignore_index=255), LossFacts("softmax", "classes", 255)),
        (as_paddleseg("BCELoss", ignore_index=255), LossFacts("sigmoid", "classes", 255)),
        (as_paddleseg("MixedLoss", losses=[as_paddleseg("DiceLoss")]), LossFacts("softmax", "classes")),
        (as_paddleseg("L1Loss"), LossFacts(task="regression")),
        (as_paddleseg("KLLoss"), LossFacts()),
        (nn.CTCLoss(), LossFacts()),
        (None, LossFacts()),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", str(value)),  # the same in each worker
)  # fmt: skip
def test_what_a_loss_tells(loss: Any, expected: LossFacts) -> None:
    assert facts_of_loss(loss) == expected


class Values(paddle.io.Dataset):
    """Points and a linear function of them, or small images and their negative."""

    def __init__(self, *, images: bool) -> None:
        rng = np.random.default_rng(1)
        inputs = rng.uniform(0, 1, (40, 1, 16, 16) if images else (40, 3)).astype("float32")
        labels = 1 - inputs if images else inputs @ np.array([[1.0, 2], [3, -1], [0, 1]], "float32")
        self.samples = list(zip(inputs, labels, strict=True))

    def __getitem__(self, place: int) -> Any:
        return self.samples[place]

    def __len__(self) -> int:
        return len(self.samples)


@pytest.mark.parametrize(
    ("images", "loss", "expected"),
    [
        (False, nn.SmoothL1Loss(), {"eval/mae/0", "eval/residuals/1", "eval/samples", "eval/worst"}),
        (True, nn.L1Loss(), {"eval/psnr", "eval/ssim", "eval/samples", "eval/residuals"}),
    ],
    ids=["values", "images"],
)
def test_a_loss_of_values_has_a_regression(
    tmp_path: Path, images: bool, loss: Any, expected: set[str]
) -> None:
    def network() -> Any:
        return nn.Conv2D(1, 1, 1) if images else nn.Linear(3, 2)

    data = Values(images=images)
    tracker = Tracker(tmp_path, strict=True)
    having = trained(network, loss, data, tracker.callback())
    tracker.close()
    for one, other in zip(trained(network, loss, data), having, strict=True):
        np.testing.assert_array_equal(one, other)
    tags = by_tag(tmp_path)
    assert expected <= set(tags) and len(tags["eval/r2"]) == 2
    if isinstance(loss, nn.L1Loss):
        assert last(tmp_path, "eval/mae") == pytest.approx(last(tmp_path, "eval/loss"), rel=1e-5)


def test_classes_of_tokens(tmp_path: Path) -> None:
    class Tokens(paddle.io.Dataset):
        def __getitem__(self, place: int) -> Any:
            ids = np.arange(place, place + 6) % 5
            return ids, ids % 3

        def __len__(self) -> int:
            return 20

    def network() -> Any:
        return nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3))

    tracker = Tracker(tmp_path, strict=True)
    trained(network, nn.CrossEntropyLoss(), Tokens(), tracker.callback())
    tracker.close()
    assert last(tmp_path, "eval/perplexity") == pytest.approx(np.exp(last(tmp_path, "eval/loss")), rel=1e-5)
    assert {"eval/token acc", "eval/pr/2", "eval/samples"} <= set(by_tag(tmp_path))
