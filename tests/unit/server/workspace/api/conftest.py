"""A served log of runs that share a tag, and have records of other kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import vizkit

from .client import Client

START = 1_767_225_600_000


def write_log(root: Path) -> None:
    for seed in range(4):
        random = np.random.default_rng(seed)
        with vizkit.LogWriter(root / f"lr{seed // 2}/seed{seed}") as writer:
            writer.add_hparams(
                {"lr": 0.1 * (seed // 2), "big": 2**60, "odd": float("nan")}, ["eval/acc", "loss"]
            )
            for step in range(500 if seed else 400):
                time = START + 1000 * step
                value = float("inf") if step == 7 else float("nan") if step == 9 else random.random()
                writer.add_scalar("loss", value, step, time)
                writer.add_scalar("train/epoch", step // 100, step, time)
                if step % 50 == 0:
                    writer.add_scalar("eval/acc", 1 - random.random() / 10, step, time)
            writer.add_scalars("pair", {"a": 1.0, "b": 2.0}, 0)
            writer.add_image("picture", np.zeros((4, 4, 3), np.uint8), 3)
            writer.add_image("picture", np.ones((4, 4, 3), np.uint8), 5)
            writer.add_text("words", "some text", 1)
            writer.add_histogram("weights", random.random(50), 2)
            table = {
                "id": np.arange(4),
                "x": random.random(4),
                "label": list("aabb"),
                "prediction": list("abab"),
            }
            writer.add_table("guesses", table, 1)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("api") / "log"
    write_log(root)
    return root


@pytest.fixture(scope="module")
def client(log: Path) -> Iterator[Client]:
    with vizkit.serve(log) as server:
        client = Client(server.port)
        yield client
        client.http.close()
