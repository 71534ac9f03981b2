"""Runs that the plots are drawn from."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.unit.conftest import Write
from vizkit import Runs

START = 1_700_000_000_000
NAMES = ["猫", "dog", "eel"]
DRAWN = np.arange(60) % 3

LABELS = np.array([0, 1, 2, 2, 1, 0])
SCORES = np.array(
    [[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]]
)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Four runs with every kind of record that is drawn."""
    root = tmp_path_factory.mktemp("log")
    rng = np.random.default_rng(0)
    for k in range(4):
        with vizkit.LogWriter(str(root / f"run{k}")) as writer:
            hparams: dict[str, object] = {"batch size": 32 << k % 2, "lr": 10.0 ** -(k // 2 + 1)}
            hparams["optimizer"] = "Adam" if k else "SGD"
            writer.add_hparams(hparams, ["loss", "acc"])
            for step in range(40):
                loss = float("nan") if step == 20 else 1e4 if step == 30 else 2.0 / (step + 1) + k / 10
                writer.add_scalar("loss", loss, step, START + 500 * step)
                writer.add_scalar("acc", 1 - 0.9 / (step + 1) - k / 100, step, START + 500 * step)
            scores = rng.dirichlet(np.ones(3), 60)
            scores[np.arange(60), DRAWN] += 0.3
            writer.add_class_curves("eval", DRAWN, scores / 1.3, 39)
            writer.add_confusion_matrix("eval/confusion", DRAWN, scores, 39, class_names=NAMES)
            for step in (0, 20, 39):
                writer.add_histogram("w", rng.normal(0, 1 + step, 500), step)
                image = rng.integers(0, 255, (8, 10, 3), dtype=np.uint8)
                writer.add_image("sample", image, step)
    return vizkit.load(root)


@pytest.fixture
def classifiers(tmp_path: Path) -> Runs:
    """Two runs with evaluations at steps 5 and 10, the second one's upside down."""
    for name, scores in (("run1", SCORES), ("run2", SCORES[::-1])):
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            for step in (5, 10):
                writer.add_class_curves("eval", LABELS, scores, step)
                names = ["cat", "dog", "eel"]
                writer.add_confusion_matrix("eval/confusion", LABELS, scores, step, class_names=names)
    return vizkit.load(tmp_path)


@pytest.fixture
def nine(write: Write, tmp_path: Path) -> Runs:
    """Nine runs; what they reach is decided by the optimizer, how soon by the batch size."""
    grid = itertools.product(("SGD", "Momentum", "Adam"), (32, 64, 128))
    for k, (optimizer, size) in enumerate(grid, 1):
        top = {"SGD": 0.7, "Momentum": 0.8, "Adam": 0.9}[optimizer] + k / 10_000
        hparams = {"optimizer": optimizer, "batch size": size, "lr": 10.0 ** -(k % 3 + 1), "epochs": 5}
        metrics = {"eval/acc": [0.1, 0.65, top], "eval/loss": [2.0, 1.0, 1 - top]}
        write(f"run{k}", metrics, hparams, 10 * size)
    return vizkit.load(tmp_path)
