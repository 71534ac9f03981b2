"""The real trainer of PaddleFormers, in an environment of its own, for it needs NumPy 1: `make suites`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from paddleformers.trainer import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from paddleformers.trainer.trainer_utils import EvalPrediction

import vizkit
from vizkit.hooks import suites

STEPS, CLASSES = 6, 3


class Samples(paddle.io.Dataset):
    def __init__(self, count: int) -> None:
        random = np.random.default_rng(count)
        self.x = random.random((count, 4), dtype="float32")
        self.labels = random.integers(0, CLASSES, count)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": self.x[index], "labels": self.labels[index]}


class Classifier(paddle.nn.Layer):
    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.linear = paddle.nn.Linear(4, CLASSES)
        self.left = fails_at

    def forward(
        self, x: paddle.Tensor, labels: paddle.Tensor | None = None
    ) -> tuple[paddle.Tensor, paddle.Tensor]:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("out of memory")
        scores = self.linear(x)
        return paddle.nn.functional.cross_entropy(scores, labels), scores


class Logs(TrainerCallback):
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        assert logs is not None
        self.rows.append({**logs, "step": state.global_step})


def train(
    directory: Path, network: Classifier, *callbacks: TrainerCallback, report_to: str | list[str] = "none"
) -> None:
    args = TrainingArguments(
        output_dir=str(directory / "output"),
        max_steps=STEPS,
        logging_steps=2,
        evaluation_strategy="steps",
        eval_steps=3,
        metric_for_best_model="accuracy",
        per_device_train_batch_size=4,
        learning_rate=0.1,
        save_strategy="no",
        report_to=report_to,
        amp_master_grad=False,
        disable_tqdm=True,
        device="cpu",
        seed=7,
    )

    def metrics(found: EvalPrediction) -> dict[str, float]:
        return {"accuracy": float((found.predictions.argmax(-1) == found.label_ids).mean())}

    trainer = Trainer(
        model=network,
        args=args,
        train_dataset=Samples(40),
        eval_dataset=Samples(12),
        compute_metrics=metrics,
        callbacks=list(callbacks),
    )
    trainer.train()


def network(fails_at: int | None = None) -> Classifier:
    paddle.seed(3)
    return Classifier(fails_at)


def series(run: vizkit.Run, tag: str) -> list[tuple[int, float]]:
    columns = run.columns(tag)
    return list(zip(columns.steps.tolist(), columns.values.tolist(), strict=True))


def test_a_training_is_recorded_as_the_trainer_logged_it_and_goes_on_as_without(tmp_path: Path) -> None:
    bare, recorded = network(), network()
    train(tmp_path / "bare", bare)
    logs = Logs()
    with vizkit.Tracker(tmp_path / "run") as tracker:
        train(tmp_path, recorded, suites.paddleformers(tracker), logs)
        assert not tracker.lost
    assert np.array_equal(bare.linear.weight.numpy(), recorded.linear.weight.numpy())

    (run,) = vizkit.load(tmp_path / "run")
    logged = {name for row in logs.rows for name in row}
    for name, tag in (
        ("loss", "train/loss"),
        ("learning_rate", "train/learning rate"),
        ("interval_steps_per_second", "train/interval_steps_per_second"),
        ("eval_loss", "eval/loss"),
        ("eval_accuracy", "eval/accuracy"),
        ("train_loss", "train/train_loss"),
    ):
        assert name in logged
        assert series(run, tag) == [(row["step"], row[name]) for row in logs.rows if name in row], tag
    assert [step for step, _ in series(run, "train/loss")] == [2, 4, 6]
    assert [step for step, _ in series(run, "eval/loss")] == [3, 6]
    assert run.hparams["learning_rate"] == 0.1
    assert run.hparams["max_steps"] == STEPS
    assert run.metrics == ["eval/accuracy"]
    assert run.status == "finished"


def test_a_training_that_fails_is_a_failed_run(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="out of memory"), vizkit.Tracker(tmp_path / "run") as tracker:
        train(tmp_path, network(fails_at=2), suites.paddleformers(tracker))
    (run,) = vizkit.load(tmp_path / "run")
    assert run.status == "failed"
    assert series(run, "train/loss")[0][0] == 2


@pytest.mark.parametrize("name", ["vizkit", "visualdl", "wandb", "swanlab"])
def test_what_it_reports_to_is_recorded_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    package = tmp_path / "installed" / name
    if name in ("wandb", "swanlab"):  # installed, and not to be imported
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise AssertionError('the real one')")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    bare, recorded = network(), network()
    train(tmp_path / "bare", bare)
    vizkit.autolog(tmp_path / "log")
    train(tmp_path, recorded, report_to=[name])
    vizkit.autolog(disable=True)
    assert np.array_equal(bare.linear.weight.numpy(), recorded.linear.weight.numpy())
    (run,) = vizkit.load(tmp_path / ("log" if package.exists() else "output"))
    assert [step for step, _ in series(run, "train/loss")] == [2, 4, 6]
    assert [step for step, _ in series(run, "eval/accuracy")] == [3, 6]
    assert run.hparams["learning_rate"] == 0.1
    assert run.status == "finished"
