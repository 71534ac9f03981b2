"""The page of runs: what it shows, filters, sorts, and puts on pages."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit

from .site import Site, names, write_runs


def test_the_table_shows_what_differs_with_last_and_best_values(site: Site, log: Path) -> None:
    page = site.get()
    runs = vizkit.load(log)
    assert page.one("h1").text.startswith("6 runs")
    assert names(page) == runs.names
    table = page.one("table", class_="runs")
    heads = [head.all("bdi")[0].text for head in table.one("thead").all("th", scope="col")]
    assert [name for name in heads if name in ("batch size", "seed", "rate", "optimizer")] == [
        "batch size",
        "seed",
        "rate",
    ]
    rows = table.one("tbody").all("tr")
    for run, row in zip(runs, rows, strict=True):
        assert row.all("td", class_="hparam")[0].text == str(run.hparams["batch size"])
        loss, acc = row.all("td", class_="score")
        assert loss.one("b").text == f"{run.last('train/loss').value:.4g}"
        assert loss.one("small").text == f"best {run.best('train/loss').value:.4g} @ 29"
        assert acc.one("small").text == f"best {run.best('eval/acc').value:.4g} @ 28"
        assert len(loss.one("svg").all("path")) == 1 + (run.hparams["batch size"] == 64)  # a mark of NaN
        assert row.one("span", class_="status").text == "finished"
    starred = [name for name, row in zip(runs.names, rows, strict=True) if row.all("small", class_="leads")]
    assert starred == [runs.best("train/loss").name] == [runs.best("eval/acc").name]
    assert page.one("details", class_="same").one("dl").text == "optimizerAdam"


@pytest.mark.parametrize(
    "expression", ["`batch size` == 64", "`eval/acc`.max > 0.7 and seed != 1", 'name == "batch32-1"']
)
def test_a_filter_chooses_as_runs_do(site: Site, log: Path, expression: str) -> None:
    page = site.get(filter=expression)
    assert names(page) == vizkit.load(log).filter(expression).names
    assert page.one("input", type="search").attributes["value"] == expression


@pytest.mark.parametrize("expression", ["`batch size` ==", "nothing > 1", "__import__('os')", "seed < 'a'"])
def test_a_wrong_filter_is_told_at_the_field_and_hides_nothing(site: Site, expression: str) -> None:
    page = site.get(filter=expression)
    field_, message = page.one("input", type="search"), page.one("p", class_="error")
    assert field_.attributes["aria-describedby"] == message.attributes["id"]
    assert expression.partition(" ")[0].strip("`") in message.text or "allowed" in message.text
    assert len(names(page)) == 6


def test_a_filter_that_fits_nothing_says_so(site: Site) -> None:
    page = site.get(filter="seed > 99")
    assert page.one("p", class_="empty").text == "No run fits the filter."
    assert not page.all("table")


def test_every_column_sorts_both_ways_by_its_link(site: Site, log: Path) -> None:
    runs = vizkit.load(log)
    keys = {
        "Run": lambda run: runs.names.index(run.name),
        "batch size": lambda run: run.hparams["batch size"],
        "rate": lambda run: run.hparams["rate"],  # a tag of that name is there, too
        "seed": lambda run: run.hparams["seed"],
    }
    for title, key in keys.items():
        page = site.get(sort="status")
        for reverse in (False, True):
            (link,) = [a for a in page.one("thead").all("a") if a.one("bdi").text == title]
            page = site.follow(link)
            assert names(page) == [run.name for run in sorted(runs, key=key, reverse=reverse)]
            (head,) = [head for head in page.one("thead").all("th") if "aria-sort" in head.attributes]
            assert head.attributes["aria-sort"] == ("descending" if reverse else "ascending")
    for tag, place, value in (("train/loss", 0, "min"), ("eval/acc", 1, "max")):
        head = site.get().one("thead").all("th", class_="score")[place]
        last, best = head.all("a")
        page = site.follow(best)  # the best first
        expected = sorted(runs, key=lambda run: run.best(tag).value, reverse=value == "max")
        assert names(page) == [run.name for run in expected]
        expected = sorted(runs, key=lambda run: run.last(tag).value, reverse=value == "max")
        assert names(site.follow(last)) == [run.name for run in expected]


def test_columns_can_be_chosen_and_all_be_left_out(site: Site) -> None:
    page = site.get(columns="own", hparam=["optimizer"], metric=["rate"])
    assert [cell.text for cell in page.one("tbody").all("td", class_="hparam")] == ["Adam"] * 6
    assert [cell.one("b").text for cell in page.one("tbody").all("td", class_="score")] == ["0.1"] * 6
    boxes = page.all("details")[0].all("input", type="checkbox")
    checked = [box.attributes["value"] for box in boxes if "checked" in box.attributes]
    assert checked == ["optimizer", "rate"]
    bare = site.get(columns="own").one("tbody")
    assert not bare.all("td", class_="hparam") and not bare.all("td", class_="score")


def test_pages_hold_every_run_once(tmp_path: Path) -> None:
    for index in range(60):
        with vizkit.LogWriter(str(tmp_path / "log" / f"run{index}")) as writer:
            writer.add_scalar("loss", 1 / (index + 1), 0)
    site = Site(tmp_path / "log")
    try:
        page = site.get(rows="25", sort="loss")
        found = names(page)
        for _ in range(2):
            page = site.follow(page.one("a", rel="next"))
            found += names(page)
        assert found == [f"run{index}" for index in reversed(range(60))]
        assert not page.all("a", rel="next")
        assert names(site.get(rows="25", page="999", sort="loss")) == found[50:]
    finally:
        site.close()


def test_a_log_without_runs_says_what_will_come_and_shows_it(own_site: Site, tmp_path: Path) -> None:
    assert "as soon as training writes" in own_site.get().one("p", class_="empty").text
    assert own_site.get("groups") and own_site.get("compare")
    write_runs(tmp_path / "log")
    assert len(names(own_site.until(lambda page: page.one("h1").text.startswith("6 runs")))) == 6
