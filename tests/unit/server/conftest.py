"""A served log with all kinds of records, and one to ask anything of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import vizkit
from tests.browser.sample_log import RUNS, write_log
from tests.helpers import PATIENCE


def _write(root: Path) -> None:
    runs = [run for run in RUNS if run.name != "run1"]
    write_log(root / "log", vizkit.LogWriter, runs)
    with vizkit.LogWriter(root / "log/run1") as writer:  # without its graph, which takes seconds
        run = RUNS[0]
        writer.add_hparams(run.hparams, ["eval/acc", "eval/loss"])
        for tag, values in run.scalars.items():
            for step, value in enumerate(values):
                writer.add_scalar(tag, float(value), step)
        writer.add_embeddings("features", run.features, metadata=[f"class {row % 3}" for row in range(60)])
    with vizkit.LogWriter(root / "log/odd") as writer:
        for step, value in enumerate((float("nan"), float("inf"), 2.0)):
            writer.add_scalar("x/nan", value, step)
            writer.add_scalars("sc/group", {"a": step, "b": 2 * step}, step)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    _write(root)
    return root


@pytest.fixture(scope="session")
def server(root: Path) -> Iterator[vizkit.Server]:
    with vizkit.serve(root / "log") as server:
        yield server


@pytest.fixture(scope="session")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    root = tmp_path_factory.mktemp("fuzzed")
    with vizkit.LogWriter(root / "run") as writer:
        for step in range(3):
            writer.add_scalar("x", step, step)
            writer.add_text("t", "text", step)
        writer.add_hparams({"a": 1}, ["x"])
    with (
        vizkit.serve(root) as server,
        httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            timeout=PATIENCE,
            limits=httpx.Limits(max_keepalive_connections=0),  # the server closes those that idle
        ) as client,
    ):
        yield client
