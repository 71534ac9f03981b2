"""Runs that several tests read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit import LogWriter, Runs

ACCURACIES = {
    "lenet/run1": [0.5, 0.9, 0.8],
    "lenet/run2": [0.6, 0.7, 0.75],
    "lenet/run10": [0.1, float("nan"), 0.2],
}


HPARAMS = {
    "lenet/run1": {"learning rate": 0.001, "batch size": 64, "optimizer": "Adam", "amp": True},
    "lenet/run2": {"learning rate": 0.01, "batch size": 64, "optimizer": "SGD", "amp": True},
    "lenet/run10": {"learning rate": 0.1, "batch size": 128, "optimizer": "SGD", "amp": True},
}


@pytest.fixture(scope="session")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("log")
    for name, values in ACCURACIES.items():
        with LogWriter(str(root / name)) as writer:
            writer.add_hparams(HPARAMS[name], ["eval/acc", "train/loss"])
            for step, value in enumerate(values):
                writer.add_scalar("eval/acc", value, step * 10, walltime=1_000_000 + step * 2000)
                writer.add_scalar("train/loss", 1 - value, step * 10, walltime=1_000_000 + step * 2000)
    with LogWriter(str(root / "other" / "media")) as writer:
        writer.add_scalars("loss", {"train": 0.5, "eval": 0.6}, 1, walltime=5000)
        writer.add_scalars("loss", {"train": 0.4, "eval": 0.7}, 2, walltime=6000)
        for step in range(3):
            writer.add_image("grey", np.full((4, 5), 60 * step, dtype=np.uint8), step, dataformats="HW")
        writer.add_image("colour", np.arange(60, dtype=np.uint8).reshape(4, 5, 3), 7)
        writer.add_histogram("weights", np.arange(10.0), 3, buckets=5)
        writer.add_pr_curve("pr", np.array([0, 1, 1]), np.array([0.1, 0.8, 0.9]), 1, num_thresholds=5)
        writer.add_roc_curve("roc", np.array([0, 1, 1]), np.array([0.1, 0.8, 0.9]), 1, num_thresholds=5)
        writer.add_text("notes", "halved", 4)
        writer.add_audio("sound", np.zeros(80, dtype=np.int16), 5, sample_rate=8000)
        writer.add_embeddings("vectors", np.eye(3), ["a", "b", "c"])
    return root


@pytest.fixture
def runs(logdir: Path) -> Runs:
    return vizkit.load(logdir)


@pytest.fixture
def lenet(runs: Runs) -> Runs:
    found: Runs = runs["lenet/*"]
    return found


def write_run(
    root: Path, name: str, hparams: dict[str, object], values: list[float], steps: list[int] | None = None
) -> None:
    """Write a run with values of ``acc``, a second apart."""
    with LogWriter(str(root / name)) as writer:
        writer.add_hparams(hparams, ["acc"])
        for step, value in zip(steps or range(len(values)), values, strict=True):
            writer.add_scalar("acc", value, step, walltime=1_000_000 + step * 1000)


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Three seeds each of two optimizers, and a run alone."""
    root = tmp_path_factory.mktemp("log")
    for seed, noise in enumerate([-0.02, 0.0, 0.03]):
        write_run(
            root,
            f"sgd-{seed}",
            {"optimizer": "SGD", "depth": 2, "seed": seed},
            [0.5 + noise, 0.6 + noise, 0.7 + noise],
        )
        write_run(
            root,
            f"adam-{seed}",
            {"optimizer": "Adam", "depth": 2, "seed": seed},
            [0.6, 0.8 + noise, 0.85 + noise],
        )
    write_run(root, "alone", {"optimizer": "Lamb", "depth": 3, "seed": 0}, [0.1, 0.2, float("nan")])
    return vizkit.load(root)
