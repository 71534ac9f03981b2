"""Logs that are torn, hold one kind of record alone, or nothing, as the served page shows them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

import vizkit
from tests.helpers import api, log_of, until

from .conftest import Visit
from .sample_log import IMAGE, LABELS, RUNS, SAMPLE_RATE
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

SAMPLE = RUNS[0]
STEPS = 200

WRITE: dict[str, Callable[[Any], None]] = {
    "scalar": lambda writer: writer.add_scalar("train/loss", 0.5, 0),
    "histogram": lambda writer: writer.add_histogram("weights", SAMPLE.weights(0), 0),
    "image": lambda writer: writer.add_image("inputs", IMAGE.copy(), 0),
    "text": lambda writer: writer.add_text("notes", "as planned", 0),
    "audio": lambda writer: writer.add_audio("tone", np.zeros(SAMPLE_RATE, np.float32), 0, SAMPLE_RATE),
    "pr_curve": lambda writer: writer.add_pr_curve("pr", *SAMPLE.scores(0), 0),
    "roc_curve": lambda writer: writer.add_roc_curve("roc", *SAMPLE.scores(0), 0),
    "embeddings": lambda writer: writer.add_embeddings("features", SAMPLE.features, metadata=LABELS),
}
PATHS = {
    "image": "sample/image",
    "text": "sample/text",
    "audio": "sample/audio",
    "pr_curve": "pr-curve",
    "roc_curve": "roc-curve",
    "embeddings": "high-dimensional",
}


def write(directory: Path) -> Path:
    """A run of scalars, with a text before and behind them; returns its file."""
    with vizkit.LogWriter(directory) as writer:
        writer.add_text("notes", "first", 0)
        for step in range(STEPS):
            writer.add_scalar("train/loss", 1 / (step + 1), step)
        writer.add_text("notes", "last", 1)
    return log_of(directory)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[vizkit.Server]:
    root = tmp_path_factory.mktemp("odd") / "log"
    root.mkdir()
    with vizkit.serve(root) as server:
        yield server


@pytest.fixture(scope="module")
def origin(server: vizkit.Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def log(server: vizkit.Server) -> Iterator[Path]:
    """The directory that is served, empty before and after."""
    yield Path(server.logdir)
    shutil.rmtree(server.logdir)
    Path(server.logdir).mkdir()


def until_answered(server: vizkit.Server, path: str, data: object) -> None:
    """Wait until the server has read what was written."""
    until(lambda: api(server, path) == data, f"{path} is {data}")


def check_content(page: VisualDLPage, kind: str) -> None:
    """What was recorded is drawn."""
    if kind in ("scalar", "histogram", "pr_curve", "roc_curve"):
        page.charts(1, filled=2 if kind == "scalar" else 1)
        page.until_inked(page.page.locator(".echarts canvas").first, share=0.005)
    elif kind == "image":
        image = page.page.locator("article img")
        page.until(lambda: bool(image.evaluate("i => i.naturalWidth")), "the image has loaded")
    elif kind == "text":
        expect(page.page.locator("article .text")).to_have_text("as planned")
    elif kind == "audio":
        expect(page.page.locator(".time")).to_have_text("00:00/00:01")
    else:
        page.until_inked(page.page.locator("article canvas").first, share=0.005)


@pytest.mark.parametrize("kind", WRITE)
def test_one_kind_of_record_has_one_tab(visit: Visit, server: vizkit.Server, log: Path, kind: str) -> None:
    with vizkit.LogWriter(log / "run") as writer:
        WRITE[kind](writer)
    until_answered(server, "components", [kind])
    path = PATHS.get(kind, kind)
    with visit("index", "zh-CN") as page:
        page.page.wait_for_url(f"**/app/{path}")
        assert page.tabs() == [path]
        check_content(page, kind)
        page.until(lambda: not page.spins(), "nothing is loading")


def test_hyper_parameters_without_a_metric_have_no_tab(
    visit: Visit, server: vizkit.Server, log: Path
) -> None:
    with vizkit.LogWriter(log / "run") as writer:
        writer.add_hparams({"batch size": 64}, ["train/loss"])
    until_answered(server, "runs", ["run"])
    with visit("index") as page:
        page.page.wait_for_url("**/app/scalar")
        assert page.tabs() == ["scalar"]
        page.until(lambda: not page.spins(), "nothing is loading")
        page.open("../vizkit/")
        expect(page.page.locator("aside a.name")).to_have_text(["run"])


def test_an_empty_log_says_so(visit: Visit, server: vizkit.Server, log: Path) -> None:
    (log / "run").mkdir()
    (log / "run" / "vdlrecords.1.log").touch()
    until_answered(server, "runs", ["run"])
    with visit("index") as page:
        page.page.wait_for_url("**/app/scalar")
        assert page.tabs() == ["scalar"]
        expect(page.page.get_by_text("No visualized data")).to_be_visible()
        page.until(lambda: not page.spins(), "nothing is loading")
        page.open("../vizkit/")
        expect(page.page.locator("aside a.name")).to_have_text(["run"])


def test_torn_logs_show_what_is_sound_and_cost_no_other_run(
    visit: Visit, server: vizkit.Server, log: Path
) -> None:
    write(log / "sound")
    cut = write(log / "cut")
    cut.write_bytes(cut.read_bytes()[:-5])
    broken = write(log / "broken")
    content, noise = broken.read_bytes(), np.random.default_rng(0).bytes(100)
    middle = len(content) // 2
    broken.write_bytes(content[:middle] + noise + content[middle + len(noise) :])
    (log / "junk").mkdir()
    (log / "junk" / "vdlrecords.1.log").write_bytes(np.random.default_rng(1).bytes(5000))
    until_answered(server, "runs", ["broken", "cut", "junk", "sound"])

    with visit("../vizkit/?tab=problems") as page:
        expect(page.page.locator(".problems h2")).to_have_text(["broken", "cut", "junk"])
        words = ("broken and left out", "not a whole record", "not a whole record")
        expect(page.page.locator(".problems li")).to_have_text([re.compile(some) for some in words])

    with visit("scalar") as page:
        assert list(page.runs(3)) == ["broken", "cut", "sound"]
        (chart,) = page.charts(1, filled=6)
        steps = {one["name"]: [row[1] for row in one["data"]] for one in chart["series"]}
        assert steps["sound"] == steps["cut"] == list(range(STEPS))
        assert STEPS - 10 < len(steps["broken"]) < STEPS
        assert steps["broken"][-1] == STEPS - 1  # what follows the broken bytes is found again

    with visit("sample/text") as page:
        headings = page.page.locator("h4")
        expect(headings).to_have_count(3)
        for heading in headings.all()[1:]:
            heading.click()
        expect(page.page.locator("article .text")).to_have_text(["first", "last", "first", "first", "last"])
