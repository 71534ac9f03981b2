"""The real ``train`` of PaddleSeg on data made here; where PaddleSeg is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

import vizkit
from vizkit.hooks import suites

paddleseg = pytest.importorskip("paddleseg")

STEPS, CLASSES, SIZE = 4, 3, 32


class Squares(paddle.io.Dataset):
    """As PaddleSeg's ``Dataset``: an image of a class in each half."""

    num_classes, ignore_index, mode = CLASSES, 255, "train"

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.transforms = type("Transforms", (), {"transforms": []})()

    def __len__(self) -> int:
        return 8 if self.mode == "train" else 3

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng(index)
        label = np.zeros((SIZE, SIZE), "int64")
        label[:, SIZE // 2 :], label[:4] = 1 + index % 2, 255
        image = (rng.normal(0, 0.1, (3, SIZE, SIZE)) + label % 255).astype("float32")
        data = {"img": image, "label": label, "trans_info": []}
        return data if self.mode == "train" else {**data, "label": label[None]}


class Pixels(paddle.nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.layer = paddle.nn.Conv2D(3, CLASSES, 3, padding=1)

    def forward(self, image: paddle.Tensor) -> list[paddle.Tensor]:
        return [self.layer(image)]


class Loss(paddle.nn.CrossEntropyLoss):
    """Of shape (1,): PaddleSeg 2.8 was written for Paddle 2, whose losses have no scalar."""

    def forward(self, logits: paddle.Tensor, labels: paddle.Tensor) -> paddle.Tensor:
        return super().forward(logits, labels).reshape([1])


def train(directory: Path, network: Pixels) -> None:
    from paddleseg.core import train as seg_train

    paddle.seed(0)
    np.random.seed(0)  # noqa: NPY002
    seg_train(
        network,
        Squares("train"),
        Squares("val"),
        optimizer=paddle.optimizer.SGD(0.05, parameters=network.parameters()),
        save_dir=str(directory),
        iters=STEPS,
        batch_size=2,
        save_interval=2,
        log_iters=1,
        use_vdl=True,
        losses={"types": [Loss(axis=1, ignore_index=255)], "coef": [1]},
    )


def network() -> Pixels:
    paddle.seed(3)
    return Pixels()


def test_a_training_has_the_iou_of_each_class_and_goes_on_as_without(tmp_path: Path) -> None:
    bare, recorded = network(), network()
    train(tmp_path / "bare", bare)
    with vizkit.Tracker(tmp_path / "run", strict=True) as tracker:
        with suites.paddleseg(tracker, class_names=["ground", "left", "right"]):
            train(tmp_path / "out", recorded)
        assert not tracker.lost
    assert np.array_equal(bare.layer.weight.numpy(), recorded.layer.weight.numpy())
    (run,) = vizkit.load(tmp_path / "run")
    assert run.columns("train/loss").steps.tolist() == [1, 2, 3, 4]
    assert run.columns("train/learning rate").values.tolist() == pytest.approx([0.05] * 4)
    each = [run.columns(f"eval/iou/{name}").values for name in ("ground", "left", "right")]
    assert run.columns("eval/miou").steps.tolist() == [2, 4]
    np.testing.assert_allclose(np.mean(each, axis=0), run.columns("eval/miou").values, atol=1e-6)
    assert {"eval/kappa", "eval/pixel acc", "eval/precision/right"} <= set(run.scalar_tags)
