"""The pages of one run, of a comparison, of groups and of problems."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit
from tests.helpers import log_of

from .site import Site, cells, names, places, write_runs


def test_a_runs_page_shows_what_it_recorded(site: Site, log: Path) -> None:
    run = vizkit.load(log)["batch64-1"]
    page = site.get("run", run="batch64-1", tag="train/loss")
    assert page.one("h1").text == "batch64-1"
    definitions = {d.one("dt").text: d.one("dd").text for d in page.all("div") if d.all("dt")}
    assert definitions["batch size"] == "64" and definitions["rate"] == "0.1"
    assert definitions["python"] == run.environment["python"]
    rows = {row[0]: row for row in cells(page.all("table")[0])[1:]}
    assert set(rows) == {"train/loss", "eval/acc", "rate"}
    summary = run.summary("train/loss")
    assert summary.min and summary.max
    expected = [f"{n:.4g}" for n in (summary.min.value, summary.max.value, summary.mean)]
    assert rows["train/loss"][2:] == [*expected, "30", "1"]
    links = [link.attributes["href"] for link in page.all("a", title="VisualDL")]
    assert "../app/sample/text" in links
    assert page.one("pre").content == ["first line\n<b>not bold</b>"]
    assert len(page.one("svg", class_="chart").all("path", class_="line")) == 1
    assert "NaN" in page.one("figure").text


def test_a_runs_page_shows_all_texts_of_a_tag(own_site: Site, tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "log" / "run")) as writer:
        for step, text in [(2, "second"), (2, "third"), (1, "first")]:
            writer.add_text("steering", text, step)
    own_site.until(lambda page: "run" in names(page))
    page = own_site.get("run", run="run")
    assert [pre.text for pre in page.all("pre")] == ["first", "second", "third"]


def test_a_run_that_is_not_there_is_named(site: Site) -> None:
    page = site.get("run", status=404, run="batch65-1")
    assert "batch65-1" in page.one("p", class_="error").text
    assert site.get("run", status=404).one("p", class_="error").text
    assert site.get("no-such-view", status=404)


def test_the_difference_of_runs_shows_only_what_differs(site: Site) -> None:
    page = site.get("compare", run=["batch32-0", "batch64-2"], tag="eval/acc")
    rows = {row[0]: row[1:] for row in cells(page.one("table", class_="diff"))}
    assert rows["batch size"] == ["32", "64"] and rows["seed"] == ["0", "2"]
    assert "optimizer" not in rows and "python" not in rows
    assert [cell.partition("best")[0] for cell in rows["rate"]][1:] == ["0.2"] or "rate" in rows
    assert page.one("details", class_="same").one("dl").text == "optimizerAdam"
    legend = [key.text for key in page.one("figcaption").all("span", class_="key")]
    assert legend == ["batch32-0", "batch64-2"]
    drawn = [line.attributes["class"] for line in page.one("svg", class_="chart").all("path", class_="line")]
    heads = [head.one("i").attributes["class"] for head in page.one("table").all("th", scope="col")]
    assert [line.split()[1:] for line in drawn] == [head.split()[1:] for head in heads]


def test_without_names_the_filter_says_which_runs_are_compared(site: Site) -> None:
    page = site.get("compare", filter="seed == 0")
    assert [head.text for head in page.one("table", class_="diff").all("th", scope="col")] == [
        "batch32-0",
        "batch64-0",
    ]


def test_groups_have_the_numbers_of_runs_group_by(site: Site, log: Path) -> None:
    page = site.get("groups", group="batch size", tag="eval/acc")
    expected = vizkit.load(log).group_by("batch size").table("eval/acc")
    rows = cells(page.all("table")[0])[1:]
    assert [row[0] for row in rows] == ["32", "64"]
    for row, wanted in zip(rows, expected.itertuples(), strict=True):
        assert row[1:4] == ["3", "3", f"{wanted.mean:.4g}"]
        assert row[4] == f"{wanted.low:.4g} … {wanted.high:.4g}"
    svg = page.one("svg", class_="chart")
    assert len(svg.all("path", class_="line")) == len(svg.all("path", class_="band")) == 2
    means = vizkit.load(log).group_by("batch size").scalars("eval/acc")
    first, last = means[means["batch size"] == 32].iloc[[0, -1]].itertuples()
    line, band = (places(svg.all("path", class_=kind)[0]) for kind in ("line", "band"))
    scale = (line[-1, 1] - line[0, 1]) / (last.mean - first.mean)
    assert band[0, 1] == pytest.approx(line[0, 1] + scale * (first.high - first.mean), abs=0.3)
    assert band[-1, 1] == pytest.approx(line[0, 1] + scale * (first.low - first.mean), abs=0.3)
    legend = [key.text for key in page.all("span", class_="key")]
    assert legend == ["batch size = 32 n = 3", "batch size = 64 n = 3"]
    link = page.all("table")[0].all("a")[1]
    assert names(site.follow(link)) == ["batch64-0", "batch64-1", "batch64-2"]


def test_groups_tell_which_hyper_parameter_mattered(site: Site, log: Path) -> None:
    rows = cells(site.get("groups", tag="train/loss").all("table")[-1])[1:]
    expected = vizkit.load(log).importance("train/loss")
    assert [row[0] for row in rows] == list(expected.index)
    assert rows[0][0] == "batch size" and rows[0][2] == f"{expected['p'].iloc[0]:.4g}"


def test_a_wrong_key_of_groups_is_told(site: Site) -> None:
    assert "colour" in site.get("groups", group="colour").one("p", class_="error").text
    assert site.get("groups", group="seed", tag="no such").one("p", class_="error").text


def test_problems_are_listed_by_run_and_counted(own_site: Site, tmp_path: Path) -> None:
    assert own_site.get("problems").one("p", class_="empty").text == "No problems were found."
    write_runs(tmp_path / "log")
    log_file = log_of(tmp_path / "log" / "batch32-1")
    log_file.write_bytes(log_file.read_bytes() + b"\x99" * 40)
    outside = tmp_path / "elsewhere"
    with vizkit.LogWriter(str(outside)) as writer:
        writer.add_scalar("secret", 1, 0)
    (tmp_path / "log" / "linked").symlink_to(outside)
    page = own_site.until(lambda page: len(page.all("section")) == 2, "problems")
    texts = [section.text for section in page.all("section")]
    assert len(texts) == 2 and texts[0].startswith("batch32-1") and texts[1].startswith("linked")
    assert page.one("span", class_="count").text == "2"
    assert "linked" not in names(own_site.get())
    assert own_site.get().one("span", class_="warn").text == "1 problem"


def test_a_pattern_is_no_run(site: Site) -> None:
    page = site.get("compare", status=404, run="batch32-*")
    assert "is a pattern, not a run" in page.one("p", class_="error").text


def test_runs_without_the_hyper_parameter_are_a_group_with_a_filter(tmp_path: Path) -> None:
    for name, hparams in (("a", {"rate": 0.1}), ("b", {"rate": 0.2}), ("c", {"seed": 1})):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_hparams(hparams, ["loss"])
            writer.add_scalar("loss", 1.0, 0)
    site = Site(tmp_path / "log")
    try:
        table = site.get("groups", group="rate").all("table")[0]
        assert [row[0] for row in cells(table)[1:]] == ["0.1", "0.2", "none"]
        assert [names(site.follow(link)) for link in table.all("a")] == [["a"], ["b"], ["c"]]
    finally:
        site.close()
