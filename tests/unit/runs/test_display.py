"""Runs shown in notebooks and terminals: the same content as text and as static, escaped, small HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.helpers import log_of
from vizkit import LogWriter, Runs
from vizkit.format.encode import encode_hparams, encode_scalar, step_field, tag_field, walltime_field
from vizkit.format.types import HParams

NAN, INF = float("nan"), float("inf")
HOSTILE = "<script>alert('x')</script>&\"\x1b[31m\u202e"


class Reader(HTMLParser):
    """The texts of the cells, and the names of all tags and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "svg":
            self.rows[-1][-1] += dict(attrs)["aria-label"] or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def write(path: Path, hparams: Mapping[str, object], metrics: list[str], points: int) -> None:
    """A log as `LogWriter` writes it, from its records: a thousand are needed."""
    path.mkdir(parents=True)
    frames = [encode_hparams(HParams(dict(hparams), metrics), 0)]
    wave = np.random.default_rng(points).normal(size=points)
    wave[::7] = NAN
    for tag in metrics:
        frames += [
            encode_scalar(tag_field(tag), value, step_field(step), walltime_field(1000 + step))
            for step, value in enumerate(wave.tolist())
        ]
    (path / "vdlrecords.1.log").write_bytes(b"".join(frames))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("log")
    for index, rate in enumerate([0.1, 0.01]):
        with LogWriter(str(root / f"运行{index}")) as writer:
            writer.add_hparams({"学习率": rate, "optimizer": "Adam"}, ["eval/acc"])
            for step in range(5):
                writer.add_scalar(
                    "eval/acc", 0.5 + 0.1 * ((step + index) % 4), step, walltime=1000 + step * 1000
                )
    return vizkit.load(root)


def test_text_and_html_say_the_same(runs: Runs) -> None:
    text = repr(runs).splitlines()
    assert text[0].startswith("2 runs in ") and text[-1] == "the same in all: optimizer = Adam"
    assert text[1].split() == ["run", "status", "duration", "学习率", "eval/acc"]
    assert re.split(r"\s{2,}", text[2]) == ["运行0", "unknown", "4.0 s", "0.1", "▁▃▆█▁ 0.5 (max 0.8 at 3)"]
    page = Reader(runs._repr_html_())
    assert page.rows == [re.split(r"\s{2,}", line) for line in text[1:-1]]
    assert "the same in all: optimizer = Adam" in runs._repr_html_()


def test_columns_of_wide_characters_are_in_line(runs: Runs) -> None:
    header, row = repr(runs).splitlines()[1:3]
    assert header.index("status") + 0 == row.index("unknown") + 2  # two characters of double width before it


def test_one_run_is_shown_with_its_scalars(runs: Runs) -> None:
    text = str(runs[0])
    assert (
        text.splitlines()[0] == "run 运行0: unknown, 4.0 s"
        and "hparams: 学习率 = 0.1, optimizer = Adam" in text
    )
    assert Reader(runs[0]._repr_html_()).rows == [
        ["scalar", "last"],
        ["eval/acc", "▁▃▆█▁ 0.5 (max 0.8 at 3)"],
    ]
    assert repr(runs[0]) == "<Run '运行0': unknown, 1 tags>"


def test_values_of_a_column_that_differ_look_different(tmp_path: Path) -> None:
    for name, values in (("a", (0.75, 0.50000001)), ("b", (0.5, 0.50000002))):
        with LogWriter(str(tmp_path / name)) as writer:
            for step, value in enumerate(values):
                writer.add_scalar("loss", value, step)
    runs = vizkit.load(tmp_path)
    for shown in (str(runs), str(runs.filter("True")), runs._repr_html_()):
        assert "0.50000001" in shown and "0.50000002 (min 0.5 at 0)" in shown
    assert "0.50000002 (min 0.5 at 0)" in str(runs["b"])
    assert " 0.5" in str(runs["a"]) and "0.50000001" not in str(runs["a"])


def test_a_thousand_hostile_runs_are_small_static_and_escaped(tmp_path: Path) -> None:
    for index in range(1000):
        name = "&'\"<b>" * 20 + str(index)
        hparams = {f"{HOSTILE}{k}": '"' * 60 + str(index) for k in range(9)}
        write(
            tmp_path / name,
            hparams,
            [f"{HOSTILE}/{k}" for k in range(6)],
            200 if abs(index - 500) > 488 else 2,
        )
    runs = vizkit.load(tmp_path)
    page, text = runs._repr_html_(), repr(runs)
    assert len(runs) == 1000 and len(page.encode()) < 100_000 and len(text.encode()) < 100_000
    read = Reader(page)
    assert read.tags <= {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "svg", "path"}
    assert not any(name.startswith("on") or name in ("href", "src", "style") for name in read.attributes)
    assert "\x1b" not in text + page and "\u202e" not in text + page and "<script" not in page
    assert len(read.rows) == 18 and "… 984 more" in page and "… 984 more" in text
    assert len(runs[0]._repr_html_()) < 100_000


def test_a_run_of_a_thousand_tags_is_small(tmp_path: Path) -> None:
    write(tmp_path / "run", {}, [f"{HOSTILE * 3}/{k}" for k in range(1000)], 1)
    run = vizkit.load(tmp_path)[0]
    assert len(run._repr_html_()) < 100_000 and "… 970 more" in str(run)


def test_problems_are_told(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path / "a")) as writer:
        writer.add_scalar("loss", 1.0, 0)
        writer.add_scalar("loss", 0.5, 1)
    path = log_of(tmp_path / "a")
    path.write_bytes(path.read_bytes()[:-3])
    runs = vizkit.load(tmp_path)
    assert runs[0].problems[0].kind == "torn" and runs[0].last("loss").step == 0
    assert "problems in 1 of them, see .problems: a" in repr(runs)
    assert "problem: " in str(runs[0]) and "problem: " in runs[0]._repr_html_()
