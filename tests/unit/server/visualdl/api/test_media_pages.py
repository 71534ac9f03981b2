"""Images, audio and texts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import vizkit
from tests.helpers import api, get, log_of
from vizkit.server.http import Answer
from vizkit.server.live_runs import LiveRuns
from vizkit.server.options import ServeOptions
from vizkit.server.visualdl.api.dispatch import ENDPOINTS
from vizkit.server.visualdl.api.endpoint import APIRequest


def test_every_image_can_be_reached_by_position_and_time(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step in range(25):
            writer.add_image("x", np.full((2, 2, 3), step, np.uint8), step, walltime=1_700_000_000_000 + step)
            writer.add_text("t", f"at {step}", step, walltime=1_700_000_000_000 + step)
    with vizkit.serve(tmp_path) as server:
        listed = api(server, "text/list", run="run", tag="t")
        assert [item["step"] for item in listed] == list(range(25))
        assert len(api(server, "image/list", run="run", tag="x")) == 25
        url = f"http://127.0.0.1:{server.port}/app/api/text/text"
        query = {"run": "run", "tag": "t", "index": 20, "ts": listed[20]["wallTime"]}
        assert get(url, params=query).text == "at 20"
        # The list was another one when the page got it: the time counts.
        assert get(url, params={**query, "index": 3}).text == "at 20"


def test_numbers_that_are_none_and_records_that_went_are_answered(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_text("t", "hello", 0)
        writer.add_embeddings("e", np.ones((2, 3)), metadata=["a", "b"])
    live = LiveRuns(tmp_path)  # not refreshed from here on

    def ask(path: str, **query: str) -> Answer:
        answer = ENDPOINTS[path].answer(APIRequest(live, {"run": "run", **query}, ServeOptions()))
        assert isinstance(answer, Answer)
        return answer

    for odd in ("x", "1e999", "nan"):
        assert ask("text/text", tag="t", index=odd, ts=odd).body == b"hello"
    assert len(ask("embedding/tensor", name="run/e").body) == 2 * 3 * 4
    os.truncate(log_of(tmp_path / "run"), 0)
    gone = ask("text/text", tag="t", index="0")
    assert gone.status == 404 and b"cannot be decoded" in gone.body
    assert ask("embedding/tensor", name="run/e").body == b""
    assert ask("embedding/metadata", name="run/e").body == b""
