"""Fixtures that tests of several packages share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import vizkit

START = 1_700_000_000_000
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a run: hyper-parameters, and tag -> values at steps 0, 1, ..., a second apart."""

    def write(
        name: str,
        scalars: Mapping[str, Any],
        hparams: Mapping[str, Any] | None = None,
        milliseconds: int = 1000,
    ) -> None:
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            writer.add_hparams(hparams or {}, list(scalars))
            for tag, values in scalars.items():
                for step, value in enumerate(values):
                    writer.add_scalar(tag, float(value), step, START + milliseconds * step)

    return write
