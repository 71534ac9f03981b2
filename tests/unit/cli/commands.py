"""Calls commands, in this process or in one of their own, and writes runs for them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import vizkit
from tests.helpers import ROOT

VIZKIT = [sys.executable, "-m", "vizkit"]


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Command(Protocol):
    """Calls ``vizkit`` with arguments, by default on the logs of the module."""

    def __call__(self, *args: object, at: Path | None = ...) -> Said: ...


def record(directory: Path, size: int, seed: int, if_exists: Literal["new", "resume"] = "new") -> None:
    hparams = {"batch size": size, "seed": seed}
    metrics = ["train/loss", "eval/acc"]
    with vizkit.Tracker(directory, hparams=hparams, metrics=metrics, if_exists=if_exists) as tracker:
        for step in range(30):
            tracker.log({"train/loss": math.exp(-step / size) + 0.01 * seed}, step=step)
        tracker.log({"eval/acc": 0.9 - size / 1000 - seed / 100}, step=29)
        tracker.log_text("note", "hello", step=0)


def start(*args: object, cwd: Path, **env: str) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **env}
    return subprocess.Popen(
        [*VIZKIT, *map(str, args)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline()
