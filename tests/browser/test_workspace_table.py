"""The workspace's table: what it shows of runs, how it is searched and sorted, and a thousand of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from playwright.sync_api import expect

import vizkit
from tests.helpers import log_of
from vizkit.server.workspace.api import runs_answer

from .workspace_page import RUNS, Look, Served, Workspace, serving, write_run

pytestmark = pytest.mark.browser


def names(page: Workspace) -> list[str]:
    return page.page.locator(".sheet .rows .name").all_inner_texts()


def until_named(page: Workspace, expected: list[str]) -> None:
    page.until(lambda: names(page) == expected, f"{expected[:9]} are in the table")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_runs_have_their_values_and_the_best_stand_out(look: Look, nine: Served, scheme: str) -> None:
    with look(
        "?tab=table&columns=best:train/loss&columns=last:eval/acc&columns=hparam:seed", color_scheme=scheme
    ) as page:
        until_named(page, RUNS)
        runs = vizkit.load(nine.log)
        rows = page.page.locator(".sheet .rows .row")
        for row, run in zip(rows.all(), runs, strict=True):
            cells = row.locator("> .number, > span[title]").all()
            exact = [cell.get_attribute("title") for cell in cells]
            best, last = run.best("train/loss"), run.last("eval/acc")
            seed = str(run.hparams["seed"])
            assert exact == [f"{best.value} @ Step {best.step}", f"{last.value} @ Step {last.step}", seed]
        leads = page.page.locator("b.good")
        expect(leads).to_have_count(1)
        expect(rows.filter(has=leads).locator(".name")).to_have_text(runs.best("train/loss").name)
        background = page.pixels(page.page.locator("header"))[0].mean()
        assert background > 200 if scheme == "light" else background < 60


def test_runs_that_are_still_being_read_are_told_and_come(
    look: Look, nine: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_read = threading.Event()
    records = runs_answer._records
    monkeypatch.setattr(
        runs_answer,
        "_records",
        lambda state, runs: islice(records(state, runs), None if all_read.is_set() else 4),
    )
    with look("?tab=table&lang=zh") as page:
        until_named(page, RUNS[:4])
        told = page.page.locator(".bar [role=status]")
        expect(told).to_have_text("4 个运行 · 还有 5 个运行正在读取")
        all_read.set()
        until_named(page, RUNS)
        expect(told).to_have_text("9 个运行")


def test_a_filter_is_typed_above_the_table_and_lies_in_the_address(look: Look) -> None:
    with look("?tab=table") as page:
        until_named(page, RUNS)
        field = page.page.get_by_label("Filter or search runs")
        field.fill("`batch size` > 32 and seed != 1")
        kept = [name for name in RUNS if not name.startswith("batch32") and not name.endswith("1")]
        until_named(page, kept)
        expect(page.page.locator(".bar [role=status]")).to_have_text("4 of 9 runs")
        page.page.reload()
        until_named(page, kept)
        field.fill("`batch size` > 1000")
        expect(page.page.locator(".empty")).to_have_text("No run fits the filter.")
        field.fill("`batch size` >")
        expect(page.page.get_by_role("alert")).to_contain_text("is no expression")
        until_named(page, RUNS)
        page._faults.clear()  # the browser tells of the refusal


def test_every_column_sorts_both_ways(look: Look, nine: Served) -> None:
    runs = list(vizkit.load(nine.log))
    keys: dict[str, Callable[[vizkit.Run], float]] = {
        "learning rate": lambda run: run.hparams["learning rate"],
        "train/loss last": lambda run: run.last("train/loss").value,
        "eval/acc best": lambda run: -run.best("eval/acc").value,  # the best first
    }
    with look("?tab=table") as page:
        until_named(page, RUNS)
        for title, key in keys.items():
            head = page.page.get_by_role("button", name=f"Sort by {title}")
            for reverse in (False, True):
                head.click()
                values = sorted({key(run) for run in runs}, reverse=reverse)
                expected = [run.name for value in values for run in runs if key(run) == value]
                until_named(page, expected)


def test_a_column_shows_every_run_that_has_the_tag_though_others_or_none_name_it(
    look: Look, tmp_path: Path
) -> None:
    named = {"a": ["loss"], "b": ["eval/acc"], "c": ["eval/acc"], "d": ["loss"]}
    for number, (name, metrics) in enumerate(named.items()):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_hparams({"seed": number}, metrics)
            for step in range(3):
                writer.add_scalar("loss", 1.0 + number - step / 10, step)
                if name != "d":
                    writer.add_scalar("eval/acc", (number + 7) % 8 / 10 + step / 100, step)
                writer.add_scalar("pace", float(10 - number + step), step)
    runs = vizkit.load(tmp_path / "log")
    columns = "&columns=".join(["last:pace", "best:eval/acc", "best_step:loss"])
    with (
        serving(tmp_path / "log") as served,
        look(f"?tab=table&columns={columns}&sort=last:pace", served.origin) as page,
    ):
        until_named(page, ["d", "c", "b", "a"])  # sorted by what no run names
        rows = page.page.locator(".sheet .rows .row")
        for row, run in zip(rows.all(), [runs[name] for name in "dcba"], strict=True):
            titles = [cell.get_attribute("title") for cell in row.locator("> .number").all()]
            pace, loss = run.last("pace"), run.best("loss")
            expected = [f"{pace.value:g} @ Step {pace.step}", f"{loss.step} @ Step {loss.step}"]
            if run.name != "d":
                best = run.best("eval/acc")
                expected.insert(1, f"{best.value} @ Step {best.step}")
            assert titles == expected
        leads = page.page.locator("b.good")
        expect(rows.filter(has=leads).locator(".name")).to_have_text(runs.best("eval/acc").name)
        with vizkit.LogWriter(tmp_path / "log" / "a") as writer:
            writer.add_scalar("pace", 99.0, 3)
        cell = rows.filter(has_text="a").last.locator("> .number").first
        expect(cell).to_have_attribute("title", "99 @ Step 3")  # what is new is asked for again


def test_hyper_parameters_of_few_runs_are_no_default_column_and_long_names_keep_their_ends(
    look: Look, tmp_path: Path
) -> None:
    names = [f"model.backbone.stage{number}.block.attention.dropout{number}" for number in range(2)]
    for seed in range(3):
        with vizkit.LogWriter(tmp_path / "log" / f"run{seed}") as writer:
            odd = {f"odd{number}": number for number in range(20)} if seed == 0 else {}
            writer.add_hparams({**odd, names[0]: seed, names[1]: -seed}, ["loss"])
            writer.add_scalar("loss", 1.0, 0)
    with serving(tmp_path / "log") as served, look("?tab=table", served.origin) as page:
        until_named(page, ["run0", "run1", "run2"])
        titles = [one.strip() for one in page.page.locator(".sheet .head button").all_inner_texts()]
        assert [title for title in titles if "odd" in title] == []
        for name in names:
            (title,) = [one for one in titles if one.endswith(name[-9:])]
            assert "…" in title and title.startswith("model.") and len(title) <= 32
        expect(page.page.locator(f'.sheet .head button[title="{names[0]}"]')).to_be_visible()
        page.page.get_by_role("button", name="Columns").click()
        expect(page.page.get_by_label("odd7", exact=False).first).to_be_visible()


def test_of_very_many_columns_and_axes_any_can_be_chosen(look: Look, tmp_path: Path) -> None:
    for seed in range(2):
        with vizkit.LogWriter(tmp_path / "log" / f"run{seed}") as writer:
            writer.add_hparams({f"option{number}": number + seed for number in range(320)}, ["loss"])
            for number in range(50):
                writer.add_scalar(f"part{number}/norm", number + seed, 0)
            writer.add_scalar("loss", 1.0 + seed, 0)
    with serving(tmp_path / "log") as served, look("?tab=table", served.origin) as page:
        until_named(page, ["run0", "run1"])
        page.page.get_by_role("button", name="Columns").click()
        choice = page.page.get_by_role("group", name="Columns")
        expect(choice).to_contain_text("and ")
        expect(choice.get_by_label("part49/norm last")).to_have_count(0)
        choice.get_by_label("Search: Columns").fill("PART49")
        choice.get_by_label("part49/norm last").check()
        expect(page.page.locator(".sheet .row .number").last).to_have_text("50")
        page.go("?tab=compare")
        fields = page.page.locator('figure[aria-label="Scatter"] select')
        expect(fields.nth(0)).to_have_value("hparam:option0")
        expect(fields.nth(1)).to_have_value("best:loss")
        page.go("?tab=compare&sx=hparam:option319")
        expect(fields.nth(0)).to_have_value("hparam:option319")


def test_what_all_share_and_what_is_wrong_is_said(look: Look, tmp_path: Path) -> None:
    for name, rate in (("sound", 0.1), ("torn", 0.2)):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_hparams({"rate": rate, "optimizer": "Adam"}, ["loss"])
            writer.add_scalar("loss", rate, 0)
    log = log_of(tmp_path / "log" / "torn")
    log.write_bytes(log.read_bytes() + b"\x99" * 40)
    with serving(tmp_path / "log") as served, look("?tab=table", served.origin) as page:
        page.page.get_by_text("The same in all").click()
        expect(page.page.locator(".same dl > div")).to_have_text(["optimizerAdam"])
        warning = page.page.locator(".sheet .rows .warn")
        expect(warning).to_have_text("⚠ 1")
        warning.click()
        expect(page.page.locator(".messages li")).to_contain_text("not a whole record")


def test_an_empty_log_says_what_will_come_and_shows_it(look: Look, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with serving(tmp_path / "log") as served, look("?tab=table", served.origin) as page:
        expect(page.page.locator(".empty")).to_contain_text("as soon as training writes")
        write_run(tmp_path / "log" / "first", 32, 0)
        until_named(page, ["first"])
        expect(page.page.locator(".empty")).to_have_count(0)


def write_trials(root: Path, count: int) -> None:
    for index in range(count):
        with vizkit.LogWriter(root / f"trial{index:04}") as writer:
            for step in range(3):
                writer.add_scalar("loss", (1 + index % 7) / (step + 1), step)


# How many rows are put in, taken out or moved while the list is scrolled. Nothing rests in one task.
SCROLLED = """async rows => {
    const observer = new MutationObserver(() => {});
    observer.observe(rows.querySelector('ul'), {childList: true});
    let moved = 0;
    for (const top of [100, 250, 900, 300]) {
        rows.scrollTop = top;
        rows.dispatchEvent(new Event('scroll'));
        for (let turn = 0; turn < 50; turn += 1) await null;
        for (const one of observer.takeRecords()) moved += one.addedNodes.length + one.removedNodes.length;
    }
    const first = rows.querySelector('li').getAttribute('aria-posinset');
    return [moved, first];
}"""


def test_scrolling_gives_other_rows_to_the_same_elements(look: Look, tmp_path: Path) -> None:
    write_trials(tmp_path / "log", 120)
    with serving(tmp_path / "log") as served, look("?tab=table", served.origin) as page:
        expect(page.page.locator(".bar [role=status]")).to_have_text("120 runs")
        drawn = page.page.locator(".sheet .spark path:not([d=''])")
        page.until(lambda: drawn.count() == len(names(page)), "the curves are drawn")
        rows = page.page.locator(".sheet .rows")
        page.page.get_by_role("link", name="trial0009").focus()
        moved, first = rows.evaluate(SCROLLED)
        assert moved == 0
        assert first != "1"  # the list was drawn anew
        page.until(lambda: names(page) == sorted(names(page)), "they are read in their order")
        assert names(page)[0] == "trial0002"
        page.until(lambda: drawn.count() == len(names(page)), "the curves are drawn at rest")
        assert page.page.evaluate("() => document.activeElement.textContent") == "trial0009"
        rows.evaluate("rows => rows.scrollTo(0, rows.scrollHeight)")
        page.until(lambda: names(page)[-1] == "trial0119", "the end is in view")
        page.until(lambda: names(page) == sorted(names(page)), "they are read in their order")


def test_what_sticks_in_rows_is_no_layer_unless_they_are_scrolled_sideways(look: Look, nine: Served) -> None:
    with look("?tab=table", viewport={"width": 900, "height": 600}) as page:
        until_named(page, RUNS)
        sticks = "rows => getComputedStyle(rows.querySelector('.named')).position === 'sticky'"
        rows = page.page.locator(".sheet .rows")
        assert not rows.evaluate(sticks)
        rows.evaluate("rows => rows.scrollTo(100, 0)")
        page.until(lambda: rows.evaluate(sticks), "the names stick")
        rows.evaluate("rows => rows.scrollTo(0, 0)")
        page.until(lambda: not rows.evaluate(sticks), "nothing sticks")


def test_a_thousand_runs_are_all_there_and_few_are_in_the_page(look: Look, tmp_path: Path) -> None:
    for index in range(1000):
        with vizkit.LogWriter(tmp_path / "log" / f"trial{index}") as writer:
            writer.add_hparams({"rate": index / 1000, "width": index % 7}, ["loss"])
            for step in range(3):
                writer.add_scalar("loss", (1 + index % 7) / (step + 1), step)
    with (
        serving(tmp_path / "log") as served,
        look("?tab=table&desc=1&sort=hparam:rate", served.origin) as page,
    ):
        expect(page.page.locator(".bar [role=status]")).to_have_text("1000 runs")
        page.until(lambda: names(page)[:2] == ["trial999", "trial998"], "the highest rate is first")
        assert len(names(page)) < 60
        rows = page.page.locator(".sheet .rows")
        rows.evaluate("rows => { rows.scrollTop = rows.scrollHeight; }")
        page.until(lambda: names(page)[-2:] == ["trial1", "trial0"], "the lowest is last")
        assert len(names(page)) < 60


def test_on_a_phone_the_results_are_in_view(look: Look, nine: Served) -> None:
    with look("?tab=table", viewport={"width": 390, "height": 800}) as page:
        until_named(page, RUNS)
        first = page.page.locator(".sheet .rows .row").first.locator(".number").first
        box = first.bounding_box()
        assert box and box["x"] + box["width"] <= 390
        expect(first).to_have_attribute("title", re.compile("@ Step 99"))
