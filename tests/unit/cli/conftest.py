"""Logs of six runs, and ``vizkit`` on them, without the terminal that the tests run in."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from vizkit.cli._app import run

from .commands import Command, Said, record


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("logs")
    for size in (32, 64):
        for seed in range(3):
            record(directory / f"batch{size}-{seed}", size, seed)
    return directory


@pytest.fixture(autouse=True)
def _garbage_is_collected_as_before() -> Iterator[None]:
    """The command `serve` has its process collect seldom, and not what is there when it begins."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    gc.enable()


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR", "COLUMNS", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def vk(capsys: pytest.CaptureFixture[str], logs: Path) -> Command:
    def call(*args: object, at: Path | None = logs) -> Said:
        capsys.readouterr()
        place = [] if at is None else ["--logdir", str(at)]
        code = run([*map(str, args), *place])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture
def terminal(_no_terminal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """stdout as a terminal of 100 columns without colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
