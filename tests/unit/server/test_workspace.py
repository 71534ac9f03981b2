"""VizKit's own page: what its documents hold, read as a browser reads them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import vizkit
from tests.helpers import ROOT, log_of
from vizkit.curves.curves import curves_data
from vizkit.server.workspace.address import Address
from vizkit.server.workspace.svg_chart import Axis, draw_chart
from vizkit.server.workspace.translations import CHINESE

VOID = {"meta", "link", "input", "br", "hr", "img"}
TEMPLATES = ROOT / "vizkit/server/workspace/templates"
HOSTILE = "<script>alert(1)</script>\"'&%2F 🌡 \u202eabc"
TAG = "loss " + HOSTILE.replace("%", "")


@dataclass
class Element:
    """A part of a document."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = (part if isinstance(part, str) else part.text for part in self.content)
        return re.sub(r"\s+", " ", "".join(parts)).strip()

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Those within it of a tag and with these attributes (``class_``: one of its classes), in order."""
        found = []
        for part in self.content:
            if isinstance(part, str):
                continue
            fits = not tag or part.tag == tag
            for name, value in attributes.items():
                given = part.attributes.get(name.rstrip("_"), "")
                fits = fits and (value in given.split() if name == "class_" else given == value)
            found += [part] * fits + part.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found


class Document(HTMLParser):
    """Builds the tree, and fails where elements do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("")
        self._open = [self.root]
        self.feed(text)
        assert self._open == [self.root], f"{self._open[-1].tag} is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].content.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].content.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].content.append(data)


class Site:
    """A served log and what is read of its pages."""

    def __init__(self, logdir: Path) -> None:
        self.server = vizkit.serve(str(logdir))
        self.root = self.server.url.split("/app/")[0] + "/vizkit/"
        self.client = httpx.Client(timeout=60)

    def get(self, path: str = "", status: int = 200, **query: str | list[str]) -> Element:
        answer = self.client.get(urljoin(self.root, path), params=query or None)
        assert answer.status_code == status, answer.text
        return Document(answer.text).root

    def follow(self, link: Element) -> Element:
        return self.get(link.attributes["href"])

    def until(self, holds: Callable[[Element], bool], path: str = "") -> Element:
        """The page once a condition holds."""
        for _ in range(200):
            page = self.get(path)
            if holds(page):
                return page
            time.sleep(0.1)
        raise AssertionError(page.text)

    def close(self) -> None:
        self.client.close()
        self.server.stop()


def write_runs(root: Path) -> None:
    for batch_size in (32, 64):
        for seed in range(3):
            hparams = {"batch size": batch_size, "seed": seed, "optimizer": "Adam", "rate": 0.1 * seed}
            with vizkit.Tracker(
                root / f"batch{batch_size}-{seed}", hparams=hparams, metrics=["train/loss", "eval/acc"]
            ) as tracker:
                for step in range(30):
                    loss = math.exp(-step / batch_size) + 0.01 * seed
                    shown = math.nan if (batch_size, step) == (64, 5) else loss
                    tracker.log({"train/loss": shown}, step=step)
                    tracker.log({"eval/acc": 1 - loss / 2 - 0.05 * (step == 29), "rate": 0.1}, step=step)
                tracker.log_text("notes", "first line\n<b>not bold</b>", step=3)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page") / "log"
    write_runs(root)
    return root


@pytest.fixture(scope="module")
def site(log: Path) -> Iterator[Site]:
    site = Site(log)
    yield site
    site.close()


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "log").mkdir()
    site = Site(tmp_path / "log")
    yield site
    site.close()


def names(page: Element) -> list[str]:
    table = page.one("table", class_="runs")
    return [row.one("a", class_="run").attributes["title"] for row in table.one("tbody").all("tr")]


def cells(table: Element) -> list[list[str]]:
    return [[cell.text for cell in row.content if isinstance(cell, Element)] for row in table.all("tr")]


# -- the table of runs ----------------------------------------------------------------------------


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
        "Run": lambda run: run.position,
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


# -- one run, differences, groups, problems -------------------------------------------------------


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


def test_a_log_without_runs_says_what_will_come_and_shows_it(own_site: Site, tmp_path: Path) -> None:
    assert "as soon as training writes" in own_site.get().one("p", class_="empty").text
    assert own_site.get("groups") and own_site.get("compare")
    write_runs(tmp_path / "log")
    assert len(names(own_site.until(lambda page: page.one("h1").text.startswith("6 runs")))) == 6


# -- language, safety, addresses ------------------------------------------------------------------


def test_the_language_is_asked_for_by_address_or_browser(site: Site) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"}
    answer = site.client.get(site.root, headers=chinese)
    page = Document(answer.text).root
    assert page.one("html").attributes["lang"] == "zh-CN" and page.one("h1").text.startswith("6 个实验")
    assert "Accept-Language" in answer.headers["vary"]
    english = Document(site.client.get(site.root + "?lang=en", headers=chinese).text).root
    assert english.one("h1").text.startswith("6 runs")
    links = english.one("nav").all("a")
    assert len(links) == 3 and all("lang=en" in link.attributes["href"] for link in links)


def test_every_word_of_the_templates_is_translated_and_none_is_left_over() -> None:
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.html"))
    said = set(re.findall(r"""\bt\("([^"]+)"\)""", text))
    assert said <= set(CHINESE)
    code = text + "".join(path.read_text("utf-8") for path in TEMPLATES.parent.glob("[!t]*.py"))
    statuses = {"running", "finished", "failed", "interrupted", "killed", "unknown"}
    assert {word for word in CHINESE if f'"{word}"' not in code} - statuses == set()


def test_names_from_a_log_are_text_and_never_markup(tmp_path: Path) -> None:
    run = "<img src=x onerror=alert(1)>'%20 &amp; 🌡 " + "x" * 150
    for name in (run, "other"):
        with vizkit.LogWriter(str(tmp_path / "log" / name)) as writer:
            writer.add_hparams({HOSTILE: HOSTILE if name == run else "b", "`tick`": 1.5}, [TAG])
            for step in range(3):
                writer.add_scalar(TAG, step + 0.5, step)
            writer.add_text("note", f"</pre>{HOSTILE}", 0)
    site = Site(tmp_path / "log")
    try:
        tag, key = TAG, HOSTILE
        pages = [
            site.get(),
            site.get(sort=f"`{tag}`.best", order="desc"),
            site.get("run", run=run, tag=tag),
            site.get("compare", run=[run, "other"], tag=tag),
            site.get("groups", group=key, tag=tag),
            site.get("groups", group="`tick`", tag=tag),
            site.get(filter=HOSTILE, sort=HOSTILE),
            site.get("run", status=404, run=HOSTILE),
            site.get("groups", group=f"{HOSTILE} no", tag=HOSTILE),
        ]
        for page in pages:
            assert [script.attributes["src"] for script in page.all("script")] == ["static/page.js"]
            assert not page.all("img") and not page.all("style")
            attributes = {name for element in page.all() for name in element.attributes}
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert names(pages[0]) == [run, "other"] and names(pages[1]) == [run, "other"]
        assert pages[2].one("pre").content == [f"</pre>{HOSTILE}"]
        assert len(pages[4].one("svg", class_="chart").all("path", class_="line")) == 2
        for link in pages[4].all("table")[0].all("a"):
            assert len(names(site.follow(link))) == 1  # each value is a group of one run
    finally:
        site.close()


def test_nothing_is_asked_of_another_site_and_nothing_runs_inline(site: Site) -> None:
    for path in ("", "run?run=batch32-0", "compare?filter=seed==0", "groups?group=seed", "problems"):
        answer = site.client.get(site.root + path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        elements = Document(answer.text).root.all()
        links = [e.attributes.get(name, "") for e in elements for name in ("href", "src", "action")]
        assert any(links) and not [link for link in links if "//" in link or "javascript:" in link]
    for name in ("page.css", "page.js"):
        answer = site.client.get(site.root + "static/" + name)
        assert answer.status_code == 200 and "//" not in answer.text.replace("// ", "")
    assert site.client.get(site.root + "static/..%2Froutes.py").status_code == 404
    assert site.client.post(site.root).status_code == 405


def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    first = site.client.get(site.root)
    again = site.client.get(site.root, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_visualdls_page_and_this_one_link_to_each_other(site: Site) -> None:
    visualdl = site.client.get(urljoin(site.root, "/app/index")).text
    assert re.search(r'<a href="/vizkit/"[^>]*>VizKit</a></body>', visualdl)
    (link,) = [a for a in site.get().one("header").all("a") if a.text == "VisualDL"]
    assert urljoin(site.root, link.attributes["href"]).endswith("/app/index")
    assert site.client.get(site.root.rstrip("/")).headers["location"] == "/vizkit/"


def test_the_page_needs_the_token_where_there_is_one(log: Path) -> None:
    with vizkit.serve(str(log), token="s3cret") as server, httpx.Client() as client:
        root = server.url.split("/app/")[0] + "/vizkit/"
        assert client.get(root).status_code == 401
        assert client.get(root, params={"token": "s3cret"}).status_code == 200
        assert client.get(root + "groups").status_code == 200  # by the cookie


WORDS = ["seed", "batch32-0", "`eval/acc`.best", "batch*", "rate", "log", "time", "desc", "own"]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
tuples = st.lists(texts.filter(bool), max_size=3, unique=True).map(tuple)


@given(filter=texts.map(str.strip), sort=texts, group=texts, tag=texts, run=tuples, metric=tuples)
def test_an_address_says_all_that_it_was_made_of(**given: object) -> None:
    more = {"order": "desc", "page": 7, "rows": 100, "columns": "own", "x": "time", "scale": "log"}
    address = Address(**given, **more, lang="zh")
    query = urlsplit(address.but("run")).query
    assert Address.read(parse_qsl(query, keep_blank_values=True)) == address


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    view=st.sampled_from(["", "run", "compare", "groups", "problems"]),
    query=st.lists(
        st.tuples(
            st.sampled_from([*Address.__dataclass_fields__]),
            st.one_of(texts, st.sampled_from(WORDS)),
        ),
        max_size=6,
    ),
)
def test_no_query_makes_the_server_fail(site: Site, view: str, query: list[tuple[str, str]]) -> None:
    answer = site.client.get(site.root + view, params=query)
    assert answer.status_code in (200, 404)
    Document(answer.text)


# -- drawings -------------------------------------------------------------------------------------


def draw(log: Path, tag: str, log_y: bool = False) -> Element:
    data = curves_data(vizkit.load(log), tag, log_y=log_y)
    return Document(draw_chart(data, log_y=log_y, label="l", x_label="Step").svg).root.one("svg")


def places(path: Element) -> np.ndarray:
    """The points of a path of M, L, V and h0: (n, 2)."""
    out: list[tuple[float, float]] = []
    for letter, numbers in re.findall(r"([MLVh])([^MLVh]*)", path.attributes["d"].rstrip("Z")):
        parts = [float(part) for part in numbers.split()]
        if letter != "h":
            out.append((out[-1][0], parts[0]) if letter == "V" else (parts[0], parts[1]))
    return np.array(out)


def test_a_spike_of_one_point_in_many_is_drawn(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(20_000):
            writer.add_scalar("loss", 100.0 if step == 7_777 else float(np.sin(step / 500)), step)
    svg = draw(tmp_path, "loss")
    points = places(svg.one("path", class_="line"))
    assert len(points) < 4_000
    top = points[points[:, 1].argmin()]
    assert points[:, 1].min() < points[:, 1].max() - 200
    assert top[0] == pytest.approx(70 + 7_777 / 19_999 * (860 - 84), abs=1.5)
    probes = svg.all("rect", class_="probe")
    assert 30 < len(probes) <= 60 and probes[0].one("title").text == "Step 0 run: 0"


def test_nan_is_a_gap_with_a_mark_and_a_point_alone_is_seen(tmp_path: Path) -> None:
    values = [1.0, math.nan, 3.0, math.nan, 2.0, 2.5]
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("loss", value, step)
    svg = draw(tmp_path, "loss")
    line = svg.one("path", class_="line").attributes["d"]
    assert line.count("M") == 3 and "h0" in line
    assert svg.one("path", class_="nan").attributes["d"].count("M") == 2


def test_infinities_lie_on_the_rim_and_constants_in_the_middle(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate([1.0, math.inf, 2.0, -math.inf]):
            writer.add_scalar("wild", value, step)
            writer.add_scalar("flat", 5.0, step)
            writer.add_scalar("none", math.nan, step)
    heights = places(draw(tmp_path, "wild").one("path", class_="line"))[:, 1]
    assert heights.argmin() == 1 and heights.argmax() == 3 and np.isfinite(heights).all()
    assert len(set(places(draw(tmp_path, "flat").one("path", class_="line"))[:, 1])) == 1
    assert draw(tmp_path, "none").one("path", class_="line").attributes["d"] == ""


def test_a_logarithmic_axis_counts_what_it_cannot_show(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, value in enumerate([1.0, 0.1, 0.0, 0.01]):
            writer.add_scalar("loss", value, step)
    heights = places(draw(tmp_path, "loss", log_y=True).one("path", class_="line"))[:, 1]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.3)
    data = curves_data(vizkit.load(tmp_path), "loss", log_y=True)
    assert draw_chart(data, log_y=True, label="l", x_label="Step").hidden == 1


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
@example(a=0.0, b=5e-324, log=False)
@example(a=-1.7e308, b=1.7e308, log=False)
def test_ticks_lie_on_their_axis(a: float, b: float, log: bool) -> None:
    low, high = sorted((abs(a), abs(b)) if log else (a, b))
    if low == high or (log and low < 1e-300) or not high - low > abs(high) * 1e-12:
        return
    axis = Axis(low, high, log)
    ticks = axis.ticks(6)
    assert len(ticks) <= 20
    room = (high - low) * 1e-6
    assert all(low - room <= tick <= high + room for tick in ticks)
    shares = axis.shares(np.array([low, high]))
    assert shares == pytest.approx([0, 1])


def test_labels_of_ticks_are_short_and_differ(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in (0, 3_000):
            writer.add_scalar("loss", step * 1e-3, step)
        for step in (0, 2_000_000):
            writer.add_scalar("far", 1e-6 * step + 12_345, step)
    shown = [text.text for text in draw(tmp_path, "loss").all("text")]
    assert {"500", "1000", "3000"} <= set(shown) and not [text for text in shown if "e+" in text]
    shown = [text.text for text in draw(tmp_path, "far").all("text")]
    assert {"0", "1M", "2M"} <= set(shown) and len(set(shown)) == len(shown)
