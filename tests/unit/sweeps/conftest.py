"""Sweeps whose processes a test only calls killed end with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vizkit.sweeps._heartbeat import Heartbeat


@pytest.fixture(autouse=True)
def _no_heart_beats_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    started: list[Heartbeat] = []
    start = Heartbeat.start

    def noted(heartbeat: Heartbeat) -> None:
        started.append(heartbeat)
        start(heartbeat)

    monkeypatch.setattr(Heartbeat, "start", noted)
    yield
    for heartbeat in started:
        heartbeat.stop()
