"""Images, audio and texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import vizkit
from tests.helpers import api, get


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
