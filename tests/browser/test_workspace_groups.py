"""Groups in the workspace: in numbers, where fewer runs reach, and with names that are no markup."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import vizkit

from .workspace_page import HOSTILE, RUNS, Look, Served, at, serving

pytestmark = pytest.mark.browser


def test_groups_have_the_numbers_of_python_and_choose_their_runs(look: Look, nine: Served) -> None:
    with look("?tab=compare&metric=train/loss") as page:
        figure = page.page.locator('figure[aria-label="Groups"]')
        expect(figure).to_contain_text("Choose a hyper-parameter to group the runs by.")
        figure.get_by_role("button", name="batch size").click()
        rows = figure.locator("tbody tr")
        expect(rows).to_have_count(3)
        table = vizkit.load(nine.log).group_by("batch size").table("train/loss").to_dict("records")
        for row, expected in zip(rows.all(), table, strict=True):
            label, runs, n, mean, interval, *others = row.locator("th, td").all_inner_texts()
            assert (int(label), int(runs), int(n)) == (expected["batch size"], 3, expected["n"])
            low, high = interval.split(" … ")
            shown = [float(text) for text in (mean, low, high, *others)]
            wanted = [expected[name] for name in ("mean", "low", "high", "std", "min", "max")]
            np.testing.assert_allclose(shown, wanted, rtol=1e-4)
        rows.nth(1).get_by_role("button").click()
        page.until_listed([name for name in RUNS if name.startswith("batch64")])
        assert page.query()["filter"] == ["hparams.`batch size` == 64"]
        page.page.go_back()
        page.until_listed(RUNS)


def test_a_mean_of_fewer_runs_is_dashed_and_says_n(look: Look, tmp_path: Path) -> None:
    for name, last, length in (("adam", 0.92, 40), ("sgd", 0.9, 40), ("wild", 0.1, 80)):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_hparams({"lr": 0.1, "optimizer": name}, ["acc"])
            for step in range(length):
                writer.add_scalar("acc", last, step)
    with serving(tmp_path / "log") as served, look("?group=lr&band=none", served.origin) as page:
        (line,) = page.lines("acc").values()
        assert line["counts"] == [3] * 40 + [1] * 40
        np.testing.assert_allclose(line["y"], [0.64] * 40 + [0.1] * 40, rtol=1e-6)
        panel = page.panel("acc")
        for place, value, n in ((0.25, "0.64", "n = 3"), (0.75, "0.1", "n = 1")):
            page.page.mouse.move(*at(panel, place, 0.5))
            expect(panel.locator(".tooltip tr")).to_contain_text(n)
            expect(panel.locator(".tooltip tr")).to_contain_text(value)
        page.page.mouse.move(0, 0)
        expect(panel.locator(".tooltip")).to_have_count(0)
        color = np.array(tuple(bytes.fromhex(line["color"][1:])))
        canvas = panel.locator("canvas").first
        picture = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), np.int64)
        inked = (np.abs(picture - color).sum(axis=2) < 60).any(axis=0)  # columns with the line's colour
        solid, dashed = np.array_split(np.trim_zeros(inked), 2)
        assert solid[3:-3].all() and 0.2 < dashed[3:-3].mean() < 0.8


def test_hostile_names_of_groups_are_text(look: Look, tmp_path: Path) -> None:
    for name, value in (("odd", HOSTILE), ("plain", "other")):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_hparams({HOSTILE: value}, ["loss"])
            writer.add_scalar("loss", 1.0, 0)
    with serving(tmp_path / "log") as served, look("?tab=compare", served.origin) as page:
        figure = page.page.locator('figure[aria-label="Groups"]')
        figure.locator(".choices button").click()
        rows = figure.locator("tbody th")
        expect(rows).to_have_count(2)
        assert [text.strip() for text in rows.all_inner_texts()] == [HOSTILE, "other"]
        rows.first.get_by_role("button").click()
        page.until_listed(["odd"])
        assert page.page.locator("img").count() == 0 and page.page.title() == "Compare · log · VizKit"
