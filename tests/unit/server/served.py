"""What a server answers, and logs for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, settings

import vizkit
from tests.helpers import api


def values(server: vizkit.Server, run: str = "run", tag: str = "x") -> list[Any]:
    return [row[2] for row in api(server, "scalar/list", run=run, tag=tag)]


def write(directory: Path, *values: float, tag: str = "x") -> None:
    with vizkit.LogWriter(directory) as writer:
        for step, value in enumerate(values):
            writer.add_scalar(tag, value, step)


FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def harmless(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text and "/site-packages/" not in answer.text
    # The answer to HEAD has no body.
    if answer.request.method != "HEAD" and answer.headers.get("content-type") == "application/json":
        assert set(answer.json()) == {"status", "msg", "data"}
