"""Percentages on samples: known from the loss, from all scores of an evaluation, or not shown."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from paddle.nn import functional

from vizkit import Tracker
from vizkit.hooks._fit.loss_facts import facts_of_loss
from vizkit.media import captions

LOOK_LIKE_PROBABILITIES = [0.167, 0.630, 0.206]
CLEARLY_LOGITS = [-3.0, 2.0, 0.5]


class OwnLoss(paddle.nn.CrossEntropyLoss):
    def forward(self, scores: Any, labels: Any) -> Any:
        return super().forward(scores, labels)


class Rows(paddle.io.Dataset):
    """Images whose first pixels are the scores that the network gives."""

    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__()
        self.rows = rows

    def __getitem__(self, index: int) -> Any:
        image = np.zeros((1, 4, 4), "float32")
        image[0, 0, :3] = self.rows[index]
        return image, np.int64(0)

    def __len__(self) -> int:
        return len(self.rows)


class FirstPixels(paddle.nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.scale = self.create_parameter([1], default_initializer=paddle.nn.initializer.Constant(1.0))

    def forward(self, images: Any) -> Any:
        return images[:, 0, 0, :3] * self.scale


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The captions of all samples drawn."""
    found: list[str] = []
    draw = captions.captioned_grid

    def keep(images: Any, texts: Any, rows: int = -1) -> Any:
        found.extend(caption.text for caption in texts)
        return draw(images, texts, rows)

    monkeypatch.setattr("vizkit.writing.image_writer.captioned_grid", keep)
    return found


def evaluated(tmp_path: Path, loss: Any, rows: list[list[float]], **options: Any) -> None:
    model = paddle.Model(FirstPixels())
    model.prepare(paddle.optimizer.SGD(0.0, parameters=model.parameters()), loss)
    with Tracker(tmp_path / "run", system=False) as tracker:
        callback = tracker.callback(graph=False, weights_every=None, **options)
        model.evaluate(Rows(rows), 1, callbacks=callback, verbose=0)


SOFTMAX = f"{round(100 * np.exp(0.630) / np.exp(LOOK_LIKE_PROBABILITIES).sum())}%"


@pytest.mark.parametrize(
    ("loss", "rows", "share"),
    [
        (paddle.nn.CrossEntropyLoss(), [LOOK_LIKE_PROBABILITIES], SOFTMAX),
        (functional.cross_entropy, [LOOK_LIKE_PROBABILITIES], SOFTMAX),
        (paddle.nn.CrossEntropyLoss(use_softmax=False), [[0.167, 0.630, 0.203]], "63%"),
        (OwnLoss(), [LOOK_LIKE_PROBABILITIES], None),
        (OwnLoss(), [LOOK_LIKE_PROBABILITIES, CLEARLY_LOGITS], SOFTMAX),
        (OwnLoss(), [[0.1, 0.65, 0.25]] * 3, "65%"),
    ],
)
@pytest.mark.parametrize("options", [{"samples": [0]}, {"worst": 2}, {"samples": [0], "curves": False}])
def test_a_percentage_is_that_of_the_loss_or_of_all_scores(
    tmp_path: Path, shown: list[str], loss: Any, rows: Any, share: str | None, options: Any
) -> None:
    evaluated(tmp_path, loss, rows, **options)
    texts = [text for text in shown if "predicted 1" in text]
    assert texts
    if share is None:
        assert not any("%" in text for text in texts)
    else:
        assert any(text.endswith(f"predicted 1, {share}") for text in texts)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (paddle.nn.CrossEntropyLoss(), "softmax"),
        (paddle.nn.CrossEntropyLoss(use_softmax=False), None),
        (paddle.nn.NLLLoss(), "softmax"),
        (paddle.nn.BCELoss(), None),
        (paddle.nn.BCEWithLogitsLoss(), "sigmoid"),
        ([paddle.nn.CrossEntropyLoss(), paddle.nn.MSELoss()], "softmax"),
        (functools.partial(functional.cross_entropy, use_softmax=False), None),
        (functools.partial(functional.cross_entropy, reduction="mean"), "softmax"),
        (functional.nll_loss, "softmax"),
        (functional.binary_cross_entropy, None),
        (functional.binary_cross_entropy_with_logits, "sigmoid"),
        (OwnLoss(), "auto"),
        (paddle.nn.MSELoss(), "auto"),
        (lambda scores, labels: scores.mean(), "auto"),
        ([], "auto"),
        (None, "auto"),
    ],
)
def test_losses_tell_what_they_take(loss: Any, expected: str | None) -> None:
    assert facts_of_loss(loss).activation == expected


def test_an_explanation_of_one_image_shows_no_percentage_that_is_a_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    draw = captions.captioned_grid

    def keep(images: Any, given: Any) -> Any:
        texts.extend(caption.text for caption in given)
        return draw(images, given)

    monkeypatch.setattr("vizkit.hooks._explain.explain.captioned_grid", keep)
    net = FirstPixels()
    images = np.stack([Rows([LOOK_LIKE_PROBABILITIES])[0][0]])
    with Tracker(tmp_path, system=False) as tracker:
        tracker.explain(net, images, "integrated_gradients", steps=2)
        model = paddle.Model(net)
        model.prepare(None, paddle.nn.CrossEntropyLoss())
        tracker.explain(model, images, "integrated_gradients", steps=2)
    assert texts == ["for 1", f"for 1, {SOFTMAX}"]
