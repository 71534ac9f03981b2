"""A small log with every kind of record, and the truth that a page of it must show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import vizkit

STEPS = 20
METRICS = ["eval/acc", "eval/loss"]
CURVE_STEPS = (0, 1)
HISTOGRAM_STEPS = range(4)
SAMPLE_RATE = 16000
AUDIO_SECONDS = 2
GRAPH_RUN = "run1"
LABELS = [f"class {row % 3}" for row in range(60)]

TOP_COLOUR, BOTTOM_COLOUR = (200, 30, 60), (20, 90, 220)
IMAGE = np.zeros((32, 48, 3), np.uint8)
IMAGE[:16], IMAGE[16:] = TOP_COLOUR, BOTTOM_COLOUR


@dataclass(frozen=True)
class SampleRun:
    """One run of the log: what was configured, and what it recorded."""

    name: str
    seed: int
    learning_rate: float
    batch_size: int
    optimizer: str
    display_name: str = ""

    @property
    def path(self) -> str:
        """The directory, as seen from where ``visualdl --logdir log`` is started."""
        return f"log/{self.name}"

    @property
    def shown(self) -> str:
        """The name that VisualDL's page lists the run by."""
        return self.display_name or self.path

    @property
    def hparams(self) -> dict[str, float | int | str]:
        return {
            "learning rate": self.learning_rate,
            "batch size": self.batch_size,
            "optimizer": self.optimizer,
        }

    @property
    def scalars(self) -> dict[str, NDArray[np.float64]]:
        """The values of every tag, one a step."""
        step = np.arange(STEPS)
        loss = (self.seed + 1) / (step + 1)
        return {
            "train/loss": loss + 0.1,
            "eval/acc": step / (STEPS + self.seed),
            "eval/loss": loss,
            "训练/损失": loss + 0.2,
        }

    @property
    def features(self) -> NDArray[np.float64]:
        spread = np.arange(1, 9) ** 2
        return np.random.default_rng(self.seed).normal(size=(len(LABELS), len(spread))) * spread

    def text(self, step: int) -> str:
        return f"{self.name} at step {step}: <b>loss</b> & accuracy, 损失下降"

    def weights(self, step: int) -> NDArray[np.float64]:
        return np.random.default_rng([self.seed, step]).normal(step, 1, 1000)

    def scores(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Labels and predictions in [0, 1], better at later steps; three in ten are positive."""
        rng = np.random.default_rng([self.seed, step, 1])
        labels = (rng.random(400) < 0.3).astype(np.int64)
        gap = 0.1 * (1 + self.seed + step)
        return labels, rng.random(400) * (1 - gap) + labels * gap


RUNS = (
    SampleRun("run1", 0, 1e-3, 64, "Adam"),
    SampleRun("run2", 1, 1e-2, 32, "SGD"),
    SampleRun("run10", 2, 1e-1, 16, "Momentum"),
    SampleRun("lenet/seed1", 3, 1e-4, 8, "AdamW", display_name="中文运行"),
)


def write_log(root: Path, LogWriter: type[vizkit.LogWriter], runs: Iterable[SampleRun] = RUNS) -> None:
    """Write the runs below ``root`` with a writer class that has VisualDL's interface."""
    for run in runs:
        with LogWriter(str(root / run.name), display_name=run.display_name) as writer:
            _write_run(writer, run)


def _write_run(writer: vizkit.LogWriter, run: SampleRun) -> None:
    writer.add_hparams(run.hparams, METRICS)
    for tag, values in run.scalars.items():
        for step, value in enumerate(values):
            writer.add_scalar(tag, float(value), step)
    writer.add_image("inputs/flag", IMAGE.copy(), 0)
    for step in range(2):
        writer.add_text("notes/summary", run.text(step), step)
    seconds = np.arange(AUDIO_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)
    writer.add_audio("tones/a4", tone, 0, sample_rate=SAMPLE_RATE)
    for step in HISTOGRAM_STEPS:
        writer.add_histogram("weights/fc", run.weights(step), step, buckets=20)
    for step in CURVE_STEPS:
        labels, predictions = run.scores(step)
        writer.add_pr_curve("eval/pr", labels, predictions, step, num_thresholds=20)
        writer.add_roc_curve("eval/roc", labels, predictions, step, num_thresholds=20)
    writer.add_embeddings("features", run.features, metadata=LABELS)
    if run.name == GRAPH_RUN:
        _write_graph(writer)


def _write_graph(writer: vizkit.LogWriter) -> None:
    import paddle

    net = paddle.nn.Sequential(
        paddle.nn.Conv2D(1, 6, 3), paddle.nn.ReLU(), paddle.nn.Flatten(), paddle.nn.Linear(6 * 26 * 26, 10)
    )
    writer.add_graph(net, [paddle.static.InputSpec([-1, 1, 28, 28], "float32")])
