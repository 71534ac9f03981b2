"""Curves: exact values, fewer points, answers that browsers keep."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

import vizkit
from tests.browser.sample_log import RUNS
from tests.helpers import api, get
from vizkit.reading import Scalars
from vizkit.server.visualdl.api.scalar_page import points


def test_values_are_exact(server: vizkit.Server) -> None:
    values = [row[2] for row in api(server, "scalar/list", run="run1", tag="train/loss")]
    assert values == RUNS[0].scalars["train/loss"].tolist()


def test_few_points_keep_the_first_last_extremes_and_gaps() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    values[54_321], values[12_345], values[77_777] = 1e6, -1e6, np.nan
    values[-2:] = np.nan
    columns = Scalars(np.arange(100_000), np.full(100_000, 1_700_000_000_000), values)
    rows = points(columns, 100)
    assert rows == points(columns, 100)
    assert 50 <= len(rows) <= 110
    steps = [cast("int", row[1]) for row in rows]
    assert steps == sorted(steps)
    assert steps[0] == 0 and steps[-1] == 99_999
    assert {54_321: 1e6, 12_345: -1e6, 77_777: "nan"}.items() <= {row[1]: row[2] for row in rows}.items()


def test_the_series_of_a_chart_share_its_points(tmp_path: Path) -> None:
    for run in range(10):
        with vizkit.LogWriter(tmp_path / f"run{run}") as writer:
            for step in range(2000):
                writer.add_scalar("shared", step % 7, step)
            if not run:
                for step in range(3000):
                    writer.add_scalar("alone", step % 7, step)
    with vizkit.serve(tmp_path, samples=1000) as server:
        assert 50 < len(api(server, "scalar/list", run="run3", tag="shared")) <= 110
        assert 500 < len(api(server, "scalar/list", run="run0", tag="alone")) <= 1010
        text = get(
            f"http://127.0.0.1:{server.port}/app/api/scalar/data",
            params={"run": "run0", "tag": "alone", "type": "csv"},
        ).text
        assert len(text.splitlines()) == 3001


def test_browsers_keep_a_series_for_a_moment_unless_it_grows(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step in range(3):
            writer.add_scalar("rests", 0.5, step, walltime=1_700_000_000_000 + step)
            writer.add_scalar("grows", 0.5, step)
    with vizkit.serve(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}/app/api/scalar/list"
        kept = {
            tag: get(url, params={"run": "run", "tag": tag}).headers["cache-control"]
            for tag in ("rests", "grows", "other")
        }
    assert kept == {
        "rests": "private, max-age=3",
        "grows": "private, no-cache",
        "other": "private, no-cache",
    }


def test_a_long_download_is_sent_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("downloads", "scalar_page"):
        monkeypatch.setattr(f"vizkit.server.visualdl.api.{module}.ROWS_A_PART", 2)
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step in range(5):
            writer.add_scalar("x", step / 2, step, walltime=1_700_000_000_000 + step)
    with vizkit.serve(tmp_path) as server:
        query = {"run": "run", "tag": "x", "type": "csv"}
        answer = get(f"http://127.0.0.1:{server.port}/app/api/scalar/data", params=query)
    rows = [f"{step},x,{1_700_000_000_000 + step},{step / 2}" for step in range(5)]
    assert answer.text.splitlines() == ["id,tag,timestamp,value", *rows]
    assert answer.headers["content-disposition"] == 'attachment; filename="scalars.csv"'


def test_a_download_of_nothing_has_its_header(server: vizkit.Server) -> None:
    query = {"run": "run1", "tag": "nothing"}
    answer = get(f"http://127.0.0.1:{server.port}/app/api/scalar/data", params=query)
    assert answer.text.splitlines() == ["id\ttag\ttimestamp\tvalue"]
