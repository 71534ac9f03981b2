"""The workspace compares runs: importance, a verdict in words, what differs, and texts side by side."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

import vizkit

from .workspace_page import HOSTILE, Look, Served, Workspace, serving

pytestmark = pytest.mark.browser


def figure(page: Workspace, name: str) -> Locator:
    return page.page.locator(f'figure[aria-label="{name}"]')


def cells(table: Locator) -> list[list[str]]:
    rows = table.locator("tbody tr").all()
    return [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in rows]


def short(value: float) -> str:
    return "0" if value == 0 else f"{value:.5g}"


def test_importance_has_the_numbers_of_python(look: Look, nine: Served) -> None:
    runs = vizkit.load(nine.log)
    with look("?tab=compare") as page:
        panel = figure(page, "Which hyper-parameter mattered")
        for tag in ("train/loss", "eval/acc"):
            panel.locator("select").nth(0).select_option(tag)
            expected = runs.importance(tag).frame()
            wanted = [
                [
                    str(name),
                    short(row["importance"]),
                    short(row["p"]),
                    str(row["values"]),
                    row["together_with"],
                ]
                for name, row in expected.iterrows()
            ]
            page.until(lambda wanted=wanted: cells(panel) == wanted, f"the importance for {tag} is shown")  # type: ignore[misc]
        assert page.query()["metric"] == ["eval/acc"]
        meter = panel.locator("meter").first
        assert float(meter.get_attribute("value") or "nan") == pytest.approx(expected["importance"].iloc[0])
        expect(panel.locator(".note")).to_contain_text("over these 9 runs")
        page.page.get_by_role("button", name="Hide all").click()
        page.page.get_by_role("button", name="Show batch32-0").click()
        expect(panel.locator(".note")).to_contain_text("importance needs four runs or more")


def test_importance_counts_the_chosen_runs_that_are_not_drawn_too(look: Look, tmp_path: Path) -> None:
    for number in range(120):
        with vizkit.LogWriter(tmp_path / "log" / f"run{number}") as writer:
            writer.add_hparams({"rate": 0.1 * (number % 4), "seed": number}, ["eval/acc"])
            writer.add_scalar("eval/acc", 0.5 + 0.1 * (number % 4) + number / 1e4, 0)
    with serving(tmp_path / "log") as served, look("?tab=compare", served.origin) as page:
        panel = figure(page, "Which hyper-parameter mattered")
        expect(page.page.locator("aside [role=status]")).to_have_text("100 of 120 drawn")
        note = panel.locator(".note")
        expect(note.last).to_contain_text("over these 120 runs")
        page.page.get_by_role("button", name="Hide run0").click()
        expect(note.first).to_contain_text("Of 120 runs that are listed count the 119")
        page.page.get_by_label("Filter or search runs").fill("seed >= 50")
        expect(note.last).to_contain_text("over these 70 runs")
        page.page.get_by_label("Filter or search runs").fill("run11")  # a search: run11, and run110 to run119
        expect(note.last).to_contain_text("over these 11 runs")


def test_a_very_wide_page_is_filled(look: Look, nine: Served) -> None:
    with look("?tab=compare", viewport={"width": 3840, "height": 1200}) as page:
        one, other = (figure(page, name).bounding_box() for name in ("Parallel coordinates", "Scatter"))
        assert one and other
        assert one["y"] == other["y"] and one["width"] == other["width"] > 1600
        cells = figure(page, "Side by side").locator("tbody tr").first.locator("td")
        expect(cells).to_have_count(4)
        widths = [cell.bounding_box() for cell in cells.all()]
        assert [box["width"] > 400 for box in widths if box] == [False, True, False, True]


def test_a_verdict_is_a_sentence_in_the_language_of_the_page(look: Look, nine: Served) -> None:
    runs = vizkit.load(nine.log)
    with look("?tab=compare&metric=train/loss") as page:
        panel = figure(page, "Is B better than A?")
        expected = runs.compare("`batch size` == 32", "`batch size` == 64", "train/loss")
        expect(panel.get_by_role("status")).to_have_text(str(expected))  # as the page chose
        panel.locator("select").nth(1).select_option(label="batch size = 128 (3)")
        expected = runs.compare("`batch size` == 32", "`batch size` == 128", "train/loss")
        assert expected.better is False
        expect(panel.get_by_role("status")).to_have_text(str(expected))
        expect(panel.get_by_role("status")).to_have_class("sentence bad")
        panel.locator("select").nth(0).select_option(label="batch128-2")
        expected = runs.compare("batch128-2", "`batch size` == 128", "train/loss")
        expect(panel.get_by_role("status")).to_have_text(str(expected))
        address = page.page.url.partition("?")[2]
    with look(f"?{address}", locale="zh-CN") as page:
        with vizkit._language.speaking("zh"):
            wanted = str(expected)
        assert "区间" in wanted
        expect(figure(page, "B 比 A 好吗？").get_by_role("status")).to_have_text(wanted)


def test_a_metric_of_unknown_direction_asks_for_one(look: Look, tmp_path: Path) -> None:
    for seed in range(4):
        with vizkit.LogWriter(tmp_path / "log" / f"run{seed}") as writer:
            writer.add_hparams({"rate": seed // 2}, ["odd"])
            writer.add_scalar("odd", 10.0 * (seed // 2) + 0.1 * seed, 0)
    with serving(tmp_path / "log") as served, look("?tab=compare", origin=served.origin) as page:
        panel = figure(page, "Is B better than A?")
        asked = "whether high or low values of 'odd' are better is not known: choose it under “Better”"
        expect(panel.locator(".note").first).to_have_text(asked)
        expect(figure(page, "Which hyper-parameter mattered").locator(".note").first).to_have_text(asked)
        figure(page, "Which hyper-parameter mattered").locator("select").nth(1).select_option("max")
        expect(panel.get_by_role("status")).to_contain_text("B is better")
        figure(page, "Which hyper-parameter mattered").locator("select").nth(1).select_option("min")
        expect(panel.get_by_role("status")).to_contain_text("B is worse")


def write_made(directory: Path, rate: float, numpy: str, *, lines: int = 40) -> None:
    with vizkit.LogWriter(directory) as writer:
        writer.add_hparams({"rate": rate, HOSTILE: f"{HOSTILE}{rate}"}, [])
        writer.add_text(
            "console", "\n".join(f"epoch {n}" if n != 20 else f"rate {rate}" for n in range(lines)), 0
        )
        writer.add_scalar("loss", rate, 0)
    environment = {
        "status": "finished",
        "command": ["python", "train.py", f"--rate={rate}", HOSTILE],
        "packages": {"numpy": numpy, "pandas": "2.2.0"},
        "git": {"commit": "ab" * 20},
    }
    (directory / "environment.json").write_text(json.dumps(environment))


@pytest.mark.parametrize("width", [390, 800, 1200, 1920])
def test_titles_of_axes_are_within_the_page_and_apart(look: Look, tmp_path: Path, width: int) -> None:
    names = [
        "学习率调度器的预热步数与衰减方式",
        "一个非常长的超参数名称用于测试换行和截断",
        "W" * 40,
        "i" * 40,
    ]
    for seed in range(3):
        with vizkit.LogWriter(tmp_path / "log" / f"run{seed}") as writer:
            writer.add_hparams(dict.fromkeys(names, seed), ["eval/acc"])
            writer.add_scalar("eval/acc", 0.5 + 0.1 * seed, 0)
    viewport = {"width": width, "height": 900}
    with serving(tmp_path / "log") as served, look("?tab=compare", served.origin, viewport=viewport) as page:
        titles = page.page.locator(".parallel .axis-title")
        expect(titles).to_have_count(5)
        ends = """titles => {
            const whole = titles[0].ownerSVGElement.getBoundingClientRect();
            return titles.map(title => title.getBoundingClientRect())
                .map(({left, right}) => [left - whole.left, right - whole.left, whole.width]);
        }"""
        found = titles.evaluate_all(ends)
        assert found[0][0] >= 0 and found[-1][1] <= found[-1][2], found
        assert all(one[1] < other[0] for one, other in itertools.pairwise(found)), found
        assert all(right - left > 30 for left, right, _ in found)  # what there is room for is there


def test_environments_and_texts_are_side_by_side(look: Look, tmp_path: Path) -> None:
    write_made(tmp_path / "log" / "a", 0.1, "1.26.4")
    write_made(tmp_path / "log" / "b", 0.2, "2.4.0", lines=41)
    with serving(tmp_path / "log") as served, look("?tab=compare", origin=served.origin) as page:
        page.until(lambda: "rate" in str(cells(figure(page, "What differs"))), "differences are shown")
        found = {row[0]: row[1:] for row in cells(figure(page, "What differs"))}
        assert found["rate"] == ["0.1", "0.2"] and found["packages/numpy"] == ["1.26.4", "2.4.0"]
        assert "pandas" not in str(found) and found["loss"] == ["0.1", "0.2"]
        panel = figure(page, "Side by side")
        panel.locator("select").nth(0).select_option("text:console")
        expect(panel.locator("tr.changed td")).to_have_text(["21", "rate 0.1", "21", "rate 0.2"])
        expect(panel.locator("tr.changed mark")).to_have_text(["1", "2"])
        expect(panel.locator("tr.added td")).to_have_text(["", "", "41", "epoch 40"])
        expect(panel.locator("tr.skipped")).to_have_text(["17 lines are the same", "13 lines are the same"])
        panel.locator("select").nth(2).select_option("a")
        panel.locator("select").nth(1).select_option("b")
        expect(panel.locator("tr.changed td")).to_have_text(["21", "rate 0.2", "21", "rate 0.1"])
        panel.locator("select").nth(1).select_option("a")
        expect(panel.get_by_role("status")).to_have_text("Both are the same.")
        address = page.query()
        assert (address["left"], address["right"], address["text"]) == (["a"], ["a"], ["text:console"])
        panel.locator("select").nth(0).select_option("command")
        panel.locator("select").nth(1).select_option("b")
        expect(panel.locator("tr.same").last.locator("td").last).to_have_text(HOSTILE)
        assert page.page.title() == "Compare · log · VizKit" and page.page.locator("img").count() == 0


def test_hundreds_of_packages_stay_within_the_page(look: Look, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in "abc":
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
        packages = {f"package{n}": f"{random.integers(9)}.{n}" for n in range(400)}
        (tmp_path / "log" / name / "environment.json").write_text(json.dumps({"packages": packages}))
    query = "?tab=compare&text=packages"
    options = {"viewport": {"width": 390, "height": 800}, "locale": "zh-CN"}
    with serving(tmp_path / "log") as served, look(query, origin=served.origin, **options) as page:
        expect(figure(page, "并排对照").locator("tr.changed").first).to_be_visible()
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.page.evaluate(width) == 0
