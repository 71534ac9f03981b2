"""A chart as HTML: whole, harmless, and a table where no script runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vizkit
from vizkit.charts import Chart

from .unpacking import Carried

HOSTILE = "</script><img src=x onerror=alert(1)>'\"&"


@pytest.fixture
def runs(tmp_path: Path) -> vizkit.Runs:
    for name in ("a", HOSTILE.replace("/", "-")):
        with vizkit.Tracker(tmp_path / "log" / name, hparams={HOSTILE: HOSTILE}) as tracker:
            for step in range(10):
                tracker.log({HOSTILE: step, "loss": 1 / (1 + step)}, step=step)
    return vizkit.load(tmp_path / "log")


def test_names_do_not_break_out(runs: vizkit.Runs) -> None:
    tag = next(tag for tag in runs.scalar_tags if "script" in tag)
    chart = runs.chart([tag, "loss"], by=HOSTILE)
    assert HOSTILE in chart.title
    assert chart.html.count("</script>") == chart.html.count("<script>") == 1
    assert "<img" not in chart.html
    assert [curve["name"] for curve in Carried(chart).curves().values()] == [f"{HOSTILE} = {HOSTILE}"] * 2


def test_a_page_is_whole(runs: vizkit.Runs, tmp_path: Path) -> None:
    chart = runs.chart("loss")
    chart.save(tmp_path / "chart.html")
    page = (tmp_path / "chart.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") and chart._repr_html_() in page
    assert not re.findall(r"""(?:src|href)=["']""", page) and "default-src 'none'" in page
    assert "<title>loss</title>" in page and repr(chart).startswith("<Chart of loss: 2 curves")


def test_without_scripts_it_is_a_table(runs: vizkit.Runs) -> None:
    table = runs.chart("loss").html.partition("<script>")[0]
    assert '<th scope="row">a</th><td>10</td><td>0.1</td><td>0.1</td><td>1</td>' in table
    assert "<caption>loss: 2 curves</caption>" in table


def test_the_same_chart_is_the_same_html(runs: vizkit.Runs) -> None:
    assert runs.chart("loss").html == runs.chart("loss").html  # a notebook that runs again does not change


def test_it_speaks_chinese(runs: vizkit.Runs) -> None:
    from vizkit._language import speaking

    with speaking("zh"):
        chart = runs.chart("loss")
    assert Carried(chart).head["words"]["Smoothing"] == "平滑" and "最小" in chart.html
    assert Carried(runs.chart("loss")).head["words"] == {}


def test_a_chart_is_small(runs: vizkit.Runs) -> None:
    assert len(runs.chart("loss").html) < 80_000


def test_one_run_has_charts_too(runs: vizkit.Runs) -> None:
    chart = runs[0].chart("*")
    assert isinstance(chart, Chart)
    assert {curve["name"] for curve in Carried(chart).curves().values()} == {runs[0].name}


def test_a_script_that_is_not_built_is_told_of(runs: vizkit.Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    from vizkit.charts import _chart

    monkeypatch.setattr(_chart, "_FILES", Path("nowhere"))
    _chart._engine.cache_clear()
    with pytest.raises(vizkit.VizKitError, match="hatch_build"):
        runs.chart("loss")
