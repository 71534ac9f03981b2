"""The workspace's page of one run, and of problems: what they draw and say, live and with hostile names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

import vizkit
from tests.helpers import log_of

from .workspace_page import HOSTILE, Look, Served, Workspace, at, drag, serving

pytestmark = pytest.mark.browser

START = 1_767_225_600_000
OUTPUT = "\x1b[32mepoch 1\x1b[0m\n 10 %\r 50 %\r100 % <b>done</b>\nlast line\n"


def write_run(directory: Path) -> None:
    """A run whose training and machine have the same clock, and other steps."""
    with vizkit.LogWriter(directory) as writer:
        writer.add_hparams({"batch size": 64, "note <i>": "<b>bold</b>"}, ["train/loss"])
        for step in range(50):
            writer.add_scalar("train/loss", 2.0 / (step + 1), step, START + 4000 * step)
        writer.add_scalar("eval/acc", 0.5, 24, START + 96_000)
        for second in range(0, 210, 15):
            writer.add_scalar("system/cpu percent", float(second), second, START + 1000 * second)
        writer.add_image("input", np.full((8, 8, 3), 90, np.uint8), 3)
        writer.add_embeddings("features", np.eye(3), ["a", "b", "c"])
    (directory / "train.log").write_text(OUTPUT, newline="")
    (directory / "model").mkdir()
    (directory / "model" / "final.pdparams").write_bytes(bytes(range(256)))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("one") / "log"
    write_run(root / "stock")
    with vizkit.Tracker(root / "tracked", hparams={"lr": 0.1}, metrics=["loss"], system=False) as tracker:
        for step in range(5):
            tracker.log({"loss": 1.0 / (step + 1)}, step=step)
    vizkit.load(root)["tracked"].annotate(add="paper", note="a **bold** note\n<img src=x>")
    with serving(root) as served:
        yield served


def part(page: Workspace, name: str) -> Locator:
    """A part of the page by its heading."""
    return page.page.locator(f'.part[aria-label="{name}"]')


def pairs(place: Locator) -> dict[str, str]:
    """Names and values of a list of definitions, once it is there."""
    expect(place.locator("dt").first).to_be_visible()
    found: list[tuple[str, str]] = place.locator("dl > div").evaluate_all(
        "rows => rows.map(row => [row.querySelector('dt').textContent, row.querySelector('dd').textContent])"
    )
    return dict(found)


def spans(page: Workspace, tags: list[str]) -> list[list[float]]:
    return [page.shown(tag)["x"] for tag in tags]


def test_training_and_machine_share_a_time_axis_and_its_zoom(look: Look, own: Served) -> None:
    tags = ["train/loss", "eval/acc", "system/cpu percent"]
    with look("?run=stock", own.origin) as page:
        (run,) = vizkit.load(own.log).filter("name == 'stock'")
        for tag in tags:
            columns = run.columns(tag)
            (line,) = page.lines(tag).values()
            assert line["x"] == run.seconds(columns.walltimes).tolist()
            assert line["y"] == columns.values.tolist()
        page.until(lambda: spans(page, tags) == [[0, 196]] * 3, "all charts show the whole run")
        edges = {
            page.panel(tag).locator(".u-over").evaluate("e => e.getBoundingClientRect().x") for tag in tags
        }
        assert len(edges) == 1  # the drawings are one below the other
        panel = page.panel("train/loss")
        page.page.mouse.move(*at(panel, 0.49, 0.3))
        expect(panel.locator(".tooltip p").first).to_have_text("1 min 36 s")
        other = page.page.locator('figure[aria-label="system/cpu percent"] .u-cursor-x')
        assert other.evaluate("line => line.style.transform") != ""  # the cursor is shared
        drag(page.page, at(panel, 0.25, 0.5), at(panel, 0.5, 0.52))
        page.until(lambda: "from" in page.query(), "the address holds the window")
        start, end = (float(page.query()[name][0]) for name in ("from", "to"))
        assert abs(start - 49) < 3 and abs(end - 98) < 3
        assert spans(page, tags) == [pytest.approx([start, end])] * 3


def test_everything_of_a_run_is_on_its_page(look: Look, own: Served) -> None:
    with look("?run=stock", own.origin) as page:
        expect(page.page.locator("h1")).to_have_text(re.compile("^ ?stock ?$"))
        expect(page.page).to_have_title("stock · log · VizKit")
        assert pairs(part(page, "Hyper-parameters")) == {"batch size": "64", "note <i>": "<b>bold</b>"}
        expect(part(page, "Environment")).to_contain_text("not recorded")
        expect(page.page.locator(".about")).to_contain_text("unknown")
        (run,) = vizkit.load(own.log).filter("name == 'stock'")
        rows = part(page, "Scalars").locator("tbody tr")
        expect(rows).to_have_count(3)
        cells = rows.first.locator("th, td").all_inner_texts()
        mean = f"{run.summary('train/loss').mean:.5g}"
        assert cells == ["train/loss", "0.04", "0.04 @ 49", "0.04", "2", mean, "50", ""]
        expect(part(page, "Other records").locator("a")).to_have_attribute("href", "../app/high-dimensional")
        images = page.page.locator('figure[aria-label="input"]')
        images.scroll_into_view_if_needed()
        image = images.locator("img")
        expect(image).to_be_visible()
        page.until(lambda: abs(page.pixels(image).mean() - 90) < 4, "the image is drawn")


def test_what_was_printed_and_the_files_are_there_to_be_read_and_kept(look: Look, own: Served) -> None:
    with look("?run=stock", own.origin) as page:
        shown = part(page, "Console output").locator("pre")
        expect(shown).to_have_text("epoch 1\n100 % <b>done</b>\nlast line\n")
        files = part(page, "Files")
        expect(files.locator("tbody th")).to_have_text(
            [re.compile("train.log"), re.compile("vdlrecords"), re.compile("model/final.pdparams")]
        )
        with page.page.expect_download() as download:
            files.get_by_label("Download model/final.pdparams").click()
        assert download.value.suggested_filename == "final.pdparams"
        assert download.value.path().read_bytes() == bytes(range(256))
        files.get_by_role("button", name="train.log").click()
        expect(files.locator("pre")).to_contain_text("last line")


def test_an_environment_is_told_in_words(look: Look, own: Served) -> None:
    with look("?run=tracked", own.origin) as page:
        (run,) = vizkit.load(own.log).filter("name == 'tracked'")
        facts = pairs(part(page, "Environment"))
        assert facts["Python"] == run.environment["python"]
        assert facts["CPUs"] == str(run.environment["hardware"]["cpus"])
        assert facts["Working directory"] == run.environment["directory"]
        packages = part(page, "Environment").locator("details", has_text="Packages")
        packages.locator("summary").click()
        packages.get_by_label("Search: Packages").fill("numpy=")
        page.until(
            lambda: pairs(packages) == {"numpy": run.environment["packages"]["numpy"]}, "numpy is left"
        )
        expect(page.page.locator(".about")).to_contain_text("finished")
        expect(page.page.locator(".about .label")).to_have_text("paper")
        expect(page.page.get_by_label("Note").locator("strong")).to_have_text("bold")


def test_a_click_on_a_name_leads_there_and_back(look: Look, own: Served) -> None:
    with look("?smooth=ema", own.origin) as page:
        page.page.locator("aside").get_by_role("link", name="tracked").click()
        expect(page.page.locator("h1")).to_contain_text("tracked")
        assert page.query()["run"] == ["tracked"]
        assert list(page.lines("loss")) == ["tracked"]
        page.page.locator("aside").get_by_role("link", name="stock").click()
        expect(page.page.locator("h1")).to_contain_text("stock")
        page.page.reload()
        expect(page.page.locator("h1")).to_contain_text("stock")
        page.page.go_back()
        expect(page.page.locator("h1")).to_contain_text("tracked")
        page.page.get_by_role("button", name="Back to all runs").click()
        expect(page.page.locator(".one")).to_have_count(0)
        assert page.query() == {"smooth": ["ema"]} and page.shown("loss")["x"] == [0, 4]
        page.page.get_by_role("button", name="Table").click()
        page.page.locator(".sheet").get_by_role("link", name="stock").click()
        expect(page.page.locator("h1")).to_contain_text("stock")
        page.page.get_by_role("button", name="Charts", exact=True).click()
        expect(page.page.locator(".one")).to_have_count(0)


def test_a_run_that_is_not_there_is_said(look: Look, own: Served) -> None:
    with look("?run=nothing", own.origin) as page:
        expect(page.page.get_by_role("alert")).to_have_text("There is no run nothing")
        page.page.get_by_role("button", name="Back to all runs").click()
        assert set(page.lines("loss")) == {"tracked"}


def test_a_run_that_goes_on_and_fails(look: Look, tmp_path: Path) -> None:
    tracker = vizkit.Tracker(tmp_path / "log" / "run", system=False)
    tracker.log({"loss": 1.0}, step=0)
    output = tmp_path / "log" / "run" / "out.log"
    output.write_text("begins\n")
    with serving(tmp_path / "log") as served, look("?run=run", served.origin) as page:
        about = page.page.locator(".about")
        expect(about).to_contain_text("running")
        expect(page.page.locator("pre.output")).to_have_text("begins\n")
        output.write_text("begins\ngoes on\n")
        tracker.log({"loss": 3.0}, step=1)
        page.until(lambda: page.lines("loss")["run"]["y"] == [1.0, 3.0], "the record is drawn")
        expect(page.page.locator("pre.output")).to_have_text("begins\ngoes on\n")
        expect(part(page, "Scalars").locator("tbody td").first).to_have_text("3")
        tracker.__exit__(ValueError, ValueError("loss <b>is</b> NaN"), None)
        expect(about).to_contain_text("failed")
        expect(page.page.locator("pre[role=alert]")).to_have_text("ValueError: loss <b>is</b> NaN")


def test_hostile_names_stay_text(look: Look, tmp_path: Path) -> None:
    run = tmp_path / "log" / "<img src=x onerror=document.title=1>"
    try:
        with vizkit.Tracker(run, hparams={HOSTILE: HOSTILE}, system=False, strict=False) as tracker:
            tracker.log({f"eval/{HOSTILE[:60]}": 0.5}, step=0)
            raise ValueError(f"</pre>{HOSTILE}")
    except ValueError:
        pass
    vizkit.load(run)[0].annotate(add="<b>label</b>", note=f"<script>document.title=1</script>{HOSTILE}")
    (run / "<b>output.log").write_text(f"</pre>{HOSTILE}")
    with serving(tmp_path / "log") as served:
        for scheme in ("light", "dark"):
            query = "?run=%3Cimg%20src%3Dx%20onerror%3Ddocument.title%3D1%3E"
            with look(query, served.origin, color_scheme=scheme) as page:
                expect(page.page.locator("pre.output")).to_have_text(f"</pre>{HOSTILE}")
                expect(page.page.locator("pre[role=alert]")).to_contain_text(f"</pre>{HOSTILE}")
                assert pairs(part(page, "Hyper-parameters")) == {HOSTILE: HOSTILE}
                assert page.page.locator("img, b b, main script").count() == 0
                assert page.page.title() == "<img src=x onerror=document.title=1> · log · VizKit"
                assert overflow(page) == 0


def overflow(page: Workspace) -> int:
    pixels: int = page.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return pixels


@pytest.mark.parametrize("width", [390, 1200])
def test_the_chinese_page(look: Look, own: Served, width: int) -> None:
    given: dict[str, Any] = {"viewport": {"width": width, "height": 800}, "locale": "zh-CN"}
    with look("?run=stock", own.origin, **given) as page:
        expect(page.page.locator("h2", has_text="超参数")).to_be_visible()
        expect(page.page.get_by_role("button", name="返回全部运行")).to_be_visible()
        assert pairs(part(page, "超参数"))["batch size"] == "64"
        page.lines("system/cpu percent")
        assert overflow(page) == 0


def test_problems_are_counted_listed_and_led_to(look: Look, tmp_path: Path) -> None:
    for name in ("sound", "torn"):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
    with serving(tmp_path / "log") as served, look("?tab=problems", served.origin, locale="zh-CN") as page:
        expect(page.page.locator(".empty")).to_have_text("没有发现问题。")
        expect(page.page.locator(".badge")).to_have_count(0)
        log = log_of(tmp_path / "log" / "torn")
        log.write_bytes(log.read_bytes() + b"\x99" * 40)
        expect(page.page.locator(".badge")).to_have_text("1")
        with vizkit.LogWriter(tmp_path / "elsewhere") as writer:
            writer.add_scalar("secret", 1.0, 0)
        (tmp_path / "log" / "linked").symlink_to(tmp_path / "elsewhere")
        expect(page.page.locator(".badge")).to_have_text("2")
        expect(page.page.locator(".problems h2")).to_have_text(["torn", "linked"])
        expect(page.page.locator(".problems li")).to_have_text(
            [re.compile("最后 40 字节不是"), re.compile("指向日志目录之外")]
        )
        page.page.locator(".problems h2").get_by_role("link", name="torn").click()
        expect(page.page.locator(".messages li")).to_have_text([re.compile("最后 40 字节不是")])
        assert page.lines("loss")["torn"]["y"] == [1.0]


def test_what_is_printed_between_records_is_shown(look: Look, tmp_path: Path) -> None:
    tracker = vizkit.Tracker(tmp_path / "log" / "run", system=False, console=False)
    tracker.log({"loss": 1.0}, step=0)
    printed = tmp_path / "log" / "run" / "train.log"
    printed.write_text("epoch 1\n")
    with serving(tmp_path / "log") as served, look("?run=run", served.origin) as page:
        output = part(page, "Console output").locator("pre")
        expect(output).to_have_text("epoch 1\n")
        with printed.open("a") as more:
            more.write("evaluates\n")
        expect(output).to_have_text("epoch 1\nevaluates\n")
    tracker.close()


def test_a_directory_that_may_not_be_listed_is_told_to_an_open_page(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("run", "team/closed", "team/open"):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
    listed = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "closed":  # whoever runs tests as root may list what chmod forbids
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    with serving(tmp_path / "log") as served, look("?tab=problems", served.origin) as page:
        page.until_listed(["run", "team/closed", "team/open"])
        expect(page.page.locator(".empty")).to_be_visible()
        monkeypatch.setattr("os.scandir", refusing)
        expect(page.page.locator(".badge")).to_have_text("1")
        expect(page.page.locator(".problems h2")).to_have_text([os.path.join("team", "closed")])
        expect(page.page.locator(".problems li")).to_have_text([re.compile("may not be listed")])
        page.until_listed(["run", "team/open"])
        monkeypatch.undo()
        expect(page.page.locator(".badge")).to_have_count(0)
        expect(page.page.locator(".empty")).to_be_visible()
        page.until_listed(["run", "team/closed", "team/open"])


def test_a_long_directory_fits_on_a_narrow_page(look: Look, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / ("long_" * 30)) as writer:
        writer.add_scalar("loss", 1.0, 0)
    with (
        serving(tmp_path / "log") as served,
        look(f"?run={'long_' * 30}", served.origin, viewport={"width": 390, "height": 800}) as page,
    ):
        expect(part(page, "Files").locator(".note").first).to_contain_text("long_long_")
        assert overflow(page) == 0
