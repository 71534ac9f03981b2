"""The hyper-parameters of a served log: last or best values, and which of them mattered."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import expect

import vizkit

from . import checks
from .conftest import Visit

pytestmark = pytest.mark.browser

LOCALES = {"last": "en-US", "best": "zh-CN"}
RATES, SEEDS = (0.1, 0.01), range(3)
CONFIGS = {f"run{number}": config for number, config in enumerate(itertools.product(RATES, SEEDS))}
ENDS_IN_NAN = "run5"


def curves(run: str) -> dict[str, list[float]]:
    """The metrics of a run, neither of them best at its last step; the learning rate decides on both."""
    rate, seed = CONFIGS[run]
    level = 0.5 * (rate == 0.1) + seed / 100
    loss = [1.5, 1 - level, math.nan if run == ENDS_IN_NAN else 1.25 - level]
    return {"eval/acc": [level, level + 0.25, level + 0.125], "eval/loss": loss}


def expected(run: str, metrics: str) -> list[float]:
    acc, loss = curves(run).values()
    return [max(acc), np.nanmin(loss)] if metrics == "best" else [acc[-1], loss[-1]]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hparams") / "log"
    for run, (rate, seed) in CONFIGS.items():
        with vizkit.LogWriter(root / run) as writer:
            writer.add_hparams({"learning rate": rate, "seed": seed}, ["eval/acc", "eval/loss"])
            for tag, values in curves(run).items():
                for step, value in enumerate(values):
                    writer.add_scalar(tag, value, step)
    return root


@pytest.fixture(scope="module", params=["last", "best"])
def metrics(request: pytest.FixtureRequest) -> Literal["last", "best"]:
    which: Literal["last", "best"] = request.param
    return which


@pytest.fixture(scope="module")
def origin(log: Path, metrics: Literal["last", "best"]) -> Iterator[str]:
    with vizkit.serve(log, hparam_metrics=metrics) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_last_or_best_values_are_shown(visit: Visit, metrics: str) -> None:
    with visit("hyper-parameter", LOCALES[metrics]) as page:
        rows = page.page.get_by_role("table").locator(".tbody").get_by_role("row")
        expect(rows).to_have_count(len(CONFIGS))
        shown = [row.get_by_role("cell").all_inner_texts() for row in rows.all()]
        assert [name for name, *_ in shown] == list(CONFIGS)
        for name, *cells in shown:
            numbers = [float(cell) for cell in cells]
            np.testing.assert_equal(numbers, [*CONFIGS[name], *expected(name, metrics)])

        rows.first.locator("span > span").first.click()  # it unfolds
        charts = {chart["title"]: chart["series"] for chart in page.charts(2, filled=1)}
        for tag, values in curves("run0").items():
            assert [row[2] for row in charts[tag][0]["data"]] == values

        page.page.get_by_text(page.word("hyper-parameter", "views", "parallel-coordinates")).click()
        lines = page.page.locator("svg path.line")
        expect(lines).to_have_count(len(CONFIGS))
        accuracies = [expected(run, metrics)[0] for run in CONFIGS]
        checks.assert_drawn_upwards(accuracies, checks.crossings(lines, 2))


def test_the_hyper_parameter_that_mattered_comes_first(visit: Visit, metrics: str) -> None:
    with visit("../vizkit/?tab=compare", LOCALES[metrics]) as page:
        table = page.page.locator("table", has=page.page.locator("meter"))
        expect(table.locator("tbody th")).to_have_text(["learning rate", "seed"])
        shares = [float(meter.evaluate("meter => meter.value")) for meter in table.locator("meter").all()]
        assert shares[0] > 0.9 > shares[-1]
