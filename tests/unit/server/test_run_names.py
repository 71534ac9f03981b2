"""Names of runs: unique, and data like any other."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import vizkit
from tests.helpers import api, get, log_of

from .served import values


def test_equal_display_names_are_told_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with vizkit.LogWriter(tmp_path / name, display_name="same") as writer:
            writer.add_scalar("x", 1.0 if name == "a" else 2.0, 0)
    with vizkit.serve(tmp_path) as server:
        assert api(server, "runs") == ["same (a)", "same (b)"]
        assert api(server, "scalar/list", run="same (b)", tag="x")[0][2] == 2.0


def test_hostile_names_are_data_like_any_other(tmp_path: Path) -> None:
    run, tag = "<img src=x onerror=alert(1)>", "a\"'&<script>alert(1)</script> 中"
    with vizkit.LogWriter(tmp_path / "log" / "plain", display_name=run) as writer:
        writer.add_scalar(tag, 1.0, 0)
        writer.add_text("t", "<script>alert(1)</script>", 0)
    if sys.platform not in ("win32", "darwin"):
        odd = os.fsdecode(os.fsencode(tmp_path / "log") + b"/\xff\xfe")
        os.mkdir(odd)
        shutil.copy(log_of(tmp_path / "log" / "plain"), odd)
    with vizkit.serve(tmp_path / "log") as server:
        assert values(server, api(server, "runs")[0], tag) == [1.0]
        answer = get(
            f"http://127.0.0.1:{server.port}/app/api/text/text",
            params={"run": api(server, "runs")[0], "tag": "t", "index": 0},
        )
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"
